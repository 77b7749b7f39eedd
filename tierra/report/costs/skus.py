"""Products of the AWS Price List: a service, a usage type, and the attributes that distinguish a product from
others.

The attributes are those of <https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-list-query-api.html>
(GetProducts); which of them single out a product, and its usage type, is what Infracost asks for
(infracost/infracost, internal/resources/aws/*.go, v0.10).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Usage types begin with the region in most regions: USE1-, EU-, SAE1-, and eu-west-1- for keys.
REGION_PREFIX = r"^(?:[A-Z]{2,4}\d?-|[a-z]{2}(?:-[a-z]+)+-\d-)?"
ENGINES = {"postgres": "PostgreSQL", "redis": "Redis", "valkey": "Valkey"}
Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sku:
    """`variant` tells products apart that share a usage type. A `worldwide` one has no region."""

    service: str
    usage: str
    attributes: Attributes = ()
    variant: str = ""
    worldwide: bool = False

    def __str__(self) -> str:
        """Its name in tables of prices, and for people."""
        return " ".join(part for part in (self.service, self.usage, self.variant) if part)

    def is_usage(self, usage_type: str) -> bool:
        """Whether this is its usage type, with or without the prefix of a region."""
        return re.match(REGION_PREFIX + re.escape(self.usage) + "$", usage_type) is not None


def instance(kind: str) -> Sku:
    """An hour of a Linux node."""
    shared = (("operatingSystem", "Linux"), ("tenancy", "Shared"), ("preInstalledSw", "NA"))
    used = (("capacitystatus", "Used"), ("operation", "RunInstances"))
    return Sku("AmazonEC2", f"BoxUsage:{kind}", (("instanceType", kind), *shared, *used))


def volume(kind: str) -> Sku:
    """A GiB of a disk, by the month."""
    family = (("productFamily", "Storage"), ("volumeApiName", kind))
    return Sku("AmazonEC2", f"EBS:VolumeUsage.{kind}", family)


def postgres(kind: str, multi_az: bool) -> Sku:
    """An hour of an instance of PostgreSQL; with a standby, of both."""
    usage = "Multi-AZUsage" if multi_az else "InstanceUsage"
    only = (("instanceType", kind), *_postgres(multi_az))
    return Sku("AmazonRDS", f"{usage}:{kind}", only, "PostgreSQL")


def postgres_storage(multi_az: bool) -> Sku:
    """A GiB of gp3 of PostgreSQL, by the month."""
    usage = f"RDS:{'Multi-AZ-' if multi_az else ''}GP3-Storage"
    return Sku(
        "AmazonRDS", usage, (("productFamily", "Database Storage"), *_postgres(multi_az)), "PostgreSQL"
    )


def postgres_iops(multi_az: bool) -> Sku:
    """One of the operations a second beyond those that gp3 includes, by the month."""
    usage = f"RDS:{'Multi-AZ-' if multi_az else ''}GP3-PIOPS"
    return Sku(
        "AmazonRDS", usage, (("productFamily", "Provisioned IOPS"), *_postgres(multi_az)), "PostgreSQL"
    )


def _postgres(multi_az: bool) -> Attributes:
    deployment = "Multi-AZ" if multi_az else "Single-AZ"
    return (("databaseEngine", "PostgreSQL"), ("deploymentOption", deployment))


def documentdb(kind: str) -> Sku:
    """An hour of an instance of DocumentDB whose cluster pays for its I/O."""
    family = (("productFamily", "Database Instance"), ("instanceType", kind))
    return Sku("AmazonDocDB", f"InstanceUsage:{kind}", family)


def cache(kind: str, engine: str) -> Sku:
    """An hour of a node of ElastiCache."""
    engine = ENGINES.get(engine, engine)
    only = (("productFamily", "Cache Instance"), ("instanceType", kind), ("cacheEngine", engine))
    return Sku("AmazonElastiCache", f"NodeUsage:{kind}", only, engine)


def _monitoring(usage: str, family: str) -> Sku:
    return Sku("AmazonCloudWatch", usage, (("productFamily", family),))


def _firewall(usage: str) -> Sku:
    return Sku("awswaf", usage, (("productFamily", "Web Application Firewall"),))


CLUSTER = Sku("AmazonEKS", "AmazonEKS-Hours:perCluster", (("productFamily", "Compute"),))
NAT = Sku("AmazonEC2", "NatGateway-Hours", (("productFamily", "NAT Gateway"),))
BALANCER = Sku(
    "AWSELB", "LoadBalancerUsage", (("productFamily", "Load Balancer-Application"),), variant="application"
)
ADDRESS = Sku("AmazonVPC", "PublicIPv4:InUseAddress")
ENDPOINT = Sku("AmazonVPC", "VpcEndpoint-Hours", (("productFamily", "VpcEndpoint"),))
KEY = Sku("awskms", "KMS-Keys", (("productFamily", "Encryption Key"),))
SECRET = Sku("AWSSecretsManager", "AWSSecretsManager-Secrets", (("productFamily", "Secret"),))
METRIC = _monitoring("CW:MetricMonitorUsage", "Metric")
ALARM = _monitoring("CW:AlarmMonitorUsage", "Alarm")  # of one metric
QUICK_ALARM = _monitoring("CW:HighResAlarmMonitorUsage", "Alarm")
COMPOSITE_ALARM = _monitoring("CW:CompositeAlarmMonitorUsage", "Alarm")
DASHBOARD = Sku("AmazonCloudWatch", "DashboardsUsageHour", (("productFamily", "Dashboard"),), worldwide=True)
FIREWALL = _firewall("WebACLV2")
RULE = _firewall("RuleV2")
