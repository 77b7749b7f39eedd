"""The types of resources that have a price. Others are free or billed by usage: `tierra/aws/types/`. A test
compares both with the generated types."""

from __future__ import annotations

from collections.abc import Mapping

from tierra.report.costs import quantities, skus
from tierra.report.costs.quantities import HOURS, Counter, fixed

PRICED: Mapping[str, Counter] = {
    "aws_cloudwatch_composite_alarm": fixed(skus.COMPOSITE_ALARM),
    "aws_cloudwatch_dashboard": fixed(skus.DASHBOARD),
    "aws_cloudwatch_metric_alarm": quantities.alarm,
    "aws_db_instance": quantities.database,
    "aws_docdb_cluster_instance": quantities.documents,
    "aws_eip": fixed(skus.ADDRESS, HOURS),
    "aws_eks_cluster": fixed(skus.CLUSTER, HOURS),
    "aws_eks_node_group": quantities.nodes,
    "aws_elasticache_replication_group": quantities.caches,
    "aws_kms_key": fixed(skus.KEY),
    "aws_lb": quantities.balancer,
    "aws_nat_gateway": fixed(skus.NAT, HOURS),
    "aws_secretsmanager_secret": fixed(skus.SECRET),
    "aws_vpc_endpoint": quantities.endpoint,
    "aws_wafv2_web_acl": quantities.firewall,
}

SPOT = "spot nodes, which are counted at the on-demand price"
