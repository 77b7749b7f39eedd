"""Which file of a twin a block stands in: the one whose name a reader would open."""

from __future__ import annotations

MAIN = "main.tf"
OUTPUTS = "outputs.tf"
VERSIONS = "versions.tf"
# A tier with more elements than this is split by noun; a smaller one is read in one file.
WHOLE = 12

# What types begin with, and their file; the longest beginning counts. All others stay in main.tf.
FILES = {
    "aws_acm_": "certificates",
    "aws_autoscaling": "nodes",
    "aws_backup_": "backup",
    "aws_budgets_": "budgets",
    "aws_ce_": "budgets",
    "aws_cloudwatch_": "alarms",
    "aws_cloudwatch_dashboard": "dashboards",
    "aws_cloudwatch_event_": "events",
    "aws_cloudwatch_log_": "logs",
    "aws_db_": "postgres",
    "aws_db_subnet_group": "subnets",
    "aws_default_network_acl": "network_acls",
    "aws_default_route_table": "routes",
    "aws_default_security_group": "security_groups",
    "aws_docdb_": "documentdb",
    "aws_docdb_subnet_group": "subnets",
    "aws_ecr_": "registries",
    "aws_eip": "nat",
    "aws_eks_": "cluster",
    "aws_eks_access_": "access",
    "aws_eks_addon": "addons",
    "aws_eks_node_group": "nodes",
    "aws_eks_pod_identity_": "iam",
    "aws_elasticache_": "redis",
    "aws_elasticache_subnet_group": "subnets",
    "aws_flow_log": "logs",
    "aws_iam_": "iam",
    "aws_internet_gateway": "routes",
    "aws_kms_": "keys",
    "aws_launch_template": "nodes",
    "aws_lb": "load_balancer",
    "aws_nat_gateway": "nat",
    "aws_network_acl": "network_acls",
    "aws_route": "routes",
    "aws_route53_": "dns",
    "aws_s3_": "buckets",
    "aws_secretsmanager_": "secrets",
    "aws_security_group": "security_groups",
    "aws_sns_": "topics",
    "aws_sqs_": "queues",
    "aws_ssm_": "parameters",
    "aws_subnet": "subnets",
    "aws_vpc": "vpc",
    "aws_vpc_endpoint": "endpoints",
    "aws_vpc_security_group_": "security_groups",
    "aws_wafv2_": "waf",
    "aws_xray_": "tracing",
    "helm_": "releases",
}


def file_of(terraform_type: str, elements: int) -> str:
    """The file for an element of that type, in a tier of so many elements."""
    if elements <= WHOLE:
        return MAIN
    beginnings = [beginning for beginning in FILES if terraform_type.startswith(beginning)]
    return f"{FILES[max(beginnings, key=len)]}.tf" if beginnings else MAIN
