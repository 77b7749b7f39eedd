"""Outputs of the network for other tiers."""

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
    """Subnets by zone letter, so that a consumer may place a thing in a zone by name."""

    vpc_id: Annotated[str, "ID of the VPC"]
    vpc_cidr: Annotated[str, "Address range of the VPC"]
    zone_names: Annotated[dict[str, str], "Names of the availability zones, by letter", keyed_by(zones)]
    public_subnet_ids: Annotated[dict[str, str], "IDs of the public subnets, by zone letter", keyed_by(zones)]
    private_subnet_ids: Annotated[
        dict[str, str], "IDs of the private subnets, by zone letter", keyed_by(zones)
    ]
    database_subnet_ids: Annotated[
        dict[str, str], "IDs of the database subnets, by zone letter", keyed_by(zones)
    ]
    pod_subnet_ids: Annotated[
        dict[str, str],
        "IDs of the subnets of pods, by zone letter",
        keyed_by(zones),
        where(lambda environment: environment.network.pods is not None),
    ]
    nat_gateway_ids: Annotated[dict[str, str], "IDs of the NAT gateways, by zone letter", keyed_by(nat_zones)]
    nat_public_ips: Annotated[
        list[str], "Addresses from which the platform reaches the internet, for allow-lists"
    ]

    db_subnet_group_name: Annotated[str, "Subnet group of RDS", has("postgres")]
    elasticache_subnet_group_name: Annotated[str, "Subnet group of ElastiCache", has("redis")]
    docdb_subnet_group_name: Annotated[str, "Subnet group of DocumentDB", has("documentdb")]

    load_balancer_security_group_id: Annotated[
        str, "Security group of the load balancer: 80 and 443 from anywhere"
    ]
    control_plane_security_group_id: Annotated[str, "Security group of the Kubernetes API, as nodes reach it"]
    node_security_group_id: Annotated[str, "Security group of the nodes and their pods"]
    postgres_security_group_id: Annotated[
        str, "Security group of PostgreSQL: 5432 from nodes", has("postgres")
    ]
    redis_security_group_id: Annotated[str, "Security group of Redis: 6379 from nodes", has("redis")]
    documentdb_security_group_id: Annotated[
        str, "Security group of DocumentDB: 27017 from nodes", has("documentdb")
    ]
    volumes_security_group_id: Annotated[
        str, "Security group of the volumes of systems: 2049 from nodes", has_volumes
    ]
    runner_security_group_id: Annotated[
        str, "Security group for runners and bastions: 443 to the Kubernetes API, endpoints and the internet"
    ]

    logs_key_arn: Annotated[str, "Key that encrypts CloudWatch log groups of this environment"]
