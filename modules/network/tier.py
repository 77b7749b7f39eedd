"""The network tier: a VPC with subnets in each zone, routes, and security groups."""

from __future__ import annotations

from modules.network.access_lists import access_lists
from modules.network.endpoints import endpoints
from modules.network.existing import existing_subnets, existing_vpc
from modules.network.firewall import firewall
from modules.network.flow_logs import flow_logs
from modules.network.outputs import NetworkOutputs
from modules.network.routes import Routes, routes
from modules.network.subnet_groups import subnet_groups
from modules.network.subnets import subnets
from modules.network.vpc import AnyVpc, pods_block, vpc
from tierra.terraform.outputs import LEFT_OUT
from tierra.terraform.stack import Stack


class Network:
    """Fills the stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.vpc: AnyVpc
        self.routes: Routes | None = None
        if existing := stack.environment.network.existing:
            self.vpc = existing_vpc(stack, existing)
            self.subnets = existing_subnets(stack, existing)
        else:
            self.vpc = created = vpc(stack)
            self.subnets = subnets(stack, created, pods_block(stack, created))
            self.routes = routes(stack, created, self.subnets)
            access_lists(stack, created, self.subnets)
        self.subnet_groups = subnet_groups(stack, self.subnets)
        self.firewall = firewall(stack, self.vpc)
        self.endpoints = endpoints(stack, self.vpc, self.subnets, self.routes, self.firewall)
        self.logs_key = flow_logs(stack, self.vpc)
        self._outputs().declare(stack)

    def _outputs(self) -> NetworkOutputs:
        groups = self.subnet_groups
        return NetworkOutputs(
            vpc_id=self.vpc.id,
            vpc_cidr=self.vpc.cidr_block if self.routes else str(self.stack.environment.network.cidr),
            zone_names={zone: subnet.availability_zone for zone, subnet in self.subnets.private.items()},
            public_subnet_ids={zone: subnet.id for zone, subnet in self.subnets.public.items()},
            private_subnet_ids={zone: subnet.id for zone, subnet in self.subnets.private.items()},
            database_subnet_ids={zone: subnet.id for zone, subnet in self.subnets.database.items()},
            pod_subnet_ids={zone: subnet.id for zone, subnet in self.subnets.pods.items()},
            nat_gateway_ids={
                zone: gateway.id for zone, gateway in (self.routes.gateways if self.routes else {}).items()
            },
            nat_public_ips=[
                address.public_ip for address in (self.routes.addresses if self.routes else {}).values()
            ],
            db_subnet_group_name=groups.postgres.name if groups.postgres else LEFT_OUT,
            elasticache_subnet_group_name=groups.redis.name if groups.redis else LEFT_OUT,
            docdb_subnet_group_name=groups.documentdb.name if groups.documentdb else LEFT_OUT,
            load_balancer_security_group_id=self.firewall["load_balancer"].id,
            control_plane_security_group_id=self.firewall["control_plane"].id,
            node_security_group_id=self.firewall["node"].id,
            postgres_security_group_id=self._where_there("postgres"),
            redis_security_group_id=self._where_there("redis"),
            documentdb_security_group_id=self._where_there("documentdb"),
            volumes_security_group_id=self._where_there("volumes"),
            runner_security_group_id=self.firewall["runner"].id,
            logs_key_arn=self.logs_key.arn,
        )

    def _where_there(self, role: str) -> str:
        return self.firewall[role].id if role in self.firewall else LEFT_OUT
