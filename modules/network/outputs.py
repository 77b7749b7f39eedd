"""Outputs of the network tier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tierra.terraform.outputs import Outputs, has, has_volumes, keyed_by, where

if TYPE_CHECKING:
    from modules.spec import Environment


def zones(environment: Environment) -> Iterable[str]:
    """The letters of the availability zones."""
    return environment.network.zones


def nat_zones(environment: Environment) -> Iterable[str]:
    """The letters of the zones with a NAT gateway."""
    return environment.network.nat_zones


@dataclass(frozen=True)
class NetworkOutputs(Outputs, tier="network"):
    """Subnets are keyed by zone letter, so that other tiers can choose a zone."""

    vpc_id: Annotated[str, "ID of the VPC"]
    vpc_cidr: Annotated[str, "CIDR block of the VPC"]
    zone_names: Annotated[dict[str, str], "Names of the availability zones, by zone letter", keyed_by(zones)]
    public_subnet_ids: Annotated[dict[str, str], "IDs of the public subnets, by zone letter", keyed_by(zones)]
    private_subnet_ids: Annotated[
        dict[str, str], "IDs of the private subnets, by zone letter", keyed_by(zones)
    ]
    database_subnet_ids: Annotated[
        dict[str, str], "IDs of the database subnets, by zone letter", keyed_by(zones)
    ]
    pod_subnet_ids: Annotated[
        dict[str, str],
        "IDs of the pod subnets, by zone letter",
        keyed_by(zones),
        where(lambda environment: environment.network.pods is not None),
    ]
    nat_gateway_ids: Annotated[dict[str, str], "IDs of the NAT gateways, by zone letter", keyed_by(nat_zones)]
    nat_public_ips: Annotated[
        list[str], "Public IP addresses of the NAT gateways, for allow lists of other networks"
    ]

    db_subnet_group_name: Annotated[str, "Name of the RDS subnet group", has("postgres")]
    elasticache_subnet_group_name: Annotated[str, "Name of the ElastiCache subnet group", has("redis")]
    docdb_subnet_group_name: Annotated[str, "Name of the DocumentDB subnet group", has("documentdb")]

    load_balancer_security_group_id: Annotated[
        str, "ID of the load balancer's security group, which allows 80 and 443 from its clients"
    ]
    control_plane_security_group_id: Annotated[
        str, "ID of the security group of the Kubernetes control plane"
    ]
    node_security_group_id: Annotated[str, "ID of the security group of nodes and pods"]
    postgres_security_group_id: Annotated[
        str, "ID of PostgreSQL's security group, which allows 5432 from nodes and pods", has("postgres")
    ]
    redis_security_group_id: Annotated[
        str, "ID of Redis's security group, which allows 6379 from nodes and pods", has("redis")
    ]
    documentdb_security_group_id: Annotated[
        str, "ID of DocumentDB's security group, which allows 27017 from nodes and pods", has("documentdb")
    ]
    volumes_security_group_id: Annotated[
        str, "ID of the security group of volumes, which allows 2049 from nodes and pods", has_volumes
    ]
    runner_security_group_id: Annotated[
        str,
        "ID of the security group for runners and bastions, which allows outbound 443 only",
    ]

    logs_key_arn: Annotated[str, "ARN of the KMS key that encrypts CloudWatch log groups"]
