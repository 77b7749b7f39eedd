"""Every type of resource that the tiers are made of: priced, free, or paid by usage. A test compares these
with the types that are generated."""

from __future__ import annotations

from collections.abc import Mapping

from review.costs import quantities, skus
from review.costs.quantities import HOURS, Counter, one

PRICED: Mapping[str, Counter] = {
    "aws_cloudwatch_composite_alarm": one(skus.COMPOSITE_ALARM),
    "aws_cloudwatch_dashboard": one(skus.DASHBOARD),
    "aws_cloudwatch_metric_alarm": quantities.alarm,
    "aws_db_instance": quantities.database,
    "aws_docdb_cluster_instance": quantities.documents,
    "aws_eip": one(skus.ADDRESS, HOURS),
    "aws_eks_cluster": one(skus.CLUSTER, HOURS),
    "aws_eks_node_group": quantities.nodes,
    "aws_elasticache_replication_group": quantities.caches,
    "aws_kms_key": one(skus.KEY),
    "aws_lb": quantities.balancer,
    "aws_nat_gateway": one(skus.NAT, HOURS),
    "aws_secretsmanager_secret": one(skus.SECRET),
    "aws_vpc_endpoint": quantities.endpoint,
    "aws_wafv2_web_acl": quantities.firewall,
}

# What is paid for, of types without a price of their own.
BY_USAGE: Mapping[str, str] = {
    "aws_backup_plan": "backups, by the bytes kept",
    "aws_backup_restore_testing_plan": "trial restores, by the bytes restored and the hours that they stand",
    "aws_cloudwatch_log_group": "logs, by the bytes written and kept",
    "aws_codebuild_project": "runners, by the minute that a job takes",
    "aws_docdb_cluster": "storage, I/O and backups of DocumentDB",
    "aws_ecr_registry_scanning_configuration": "enhanced scans, by the image",
    "aws_ecr_repository": "images, by the bytes kept",
    "aws_flow_log": "flow logs, by the bytes written",
    "aws_route53_record": "DNS queries, where the record is no alias of something in AWS",
    "aws_s3_bucket": "objects, by the bytes kept, and requests",
    "aws_shield_protection": "Shield Advanced: 3,000 USD a month for the organization, and data transfer",
    "aws_sns_topic": "notifications",
    "aws_wafv2_web_acl_logging_configuration": "logs of the firewall, by the bytes written and kept",
    "aws_xray_sampling_rule": "traces, by the number recorded",
    "helm_release": "volumes of its pods, by their size, and requests of its pods to AWS",
}

# What types that have a price cost beside it.
ALSO: Mapping[str, str] = {
    "aws_db_instance": "backups of PostgreSQL beyond its size, growth of its storage, CPU credits",
    "aws_docdb_cluster_instance": "CPU credits of burstable instances",
    "aws_eks_node_group": "nodes that the autoscaler adds, CPU credits, traffic between zones",
    "aws_elasticache_replication_group": "snapshots of Redis",
    "aws_kms_key": "requests to keys, and a key's price again after each of its first two rotations",
    "aws_lb": "capacity units of the load balancer, by traffic",
    "aws_nat_gateway": "bytes through NAT, and traffic to the internet",
    "aws_secretsmanager_secret": "requests for secrets",
    "aws_vpc_endpoint": "bytes through endpoints",
    "aws_wafv2_web_acl": "requests that the firewall inspects",
}
SPOT = "spot nodes, which are counted at the on-demand price"

FREE = frozenset(
    {
        "aws_acm_certificate",
        "aws_acm_certificate_validation",
        "aws_autoscaling_group_tag",
        "aws_autoscaling_policy",
        "aws_backup_restore_testing_selection",
        "aws_backup_selection",
        "aws_backup_vault",
        "aws_backup_vault_lock_configuration",
        "aws_backup_vault_notifications",
        "aws_backup_vault_policy",
        "aws_budgets_budget",
        "aws_cloudwatch_log_resource_policy",
        "aws_codebuild_webhook",
        "aws_db_parameter_group",
        "aws_db_subnet_group",
        "aws_default_network_acl",
        "aws_default_route_table",
        "aws_default_security_group",
        "aws_docdb_cluster_parameter_group",
        "aws_docdb_subnet_group",
        "aws_ecr_lifecycle_policy",
        "aws_ecr_repository_policy",
        "aws_eks_access_entry",
        "aws_eks_access_policy_association",
        "aws_eks_addon",
        "aws_eks_pod_identity_association",
        "aws_elasticache_parameter_group",
        "aws_elasticache_subnet_group",
        "aws_elasticache_user",
        "aws_elasticache_user_group",
        "aws_iam_openid_connect_provider",
        "aws_iam_policy",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_iam_service_linked_role",
        "aws_internet_gateway",
        "aws_kms_alias",
        "aws_launch_template",
        "aws_lb_listener",
        "aws_lb_listener_rule",
        "aws_lb_target_group",
        "aws_network_acl",
        "aws_network_acl_rule",
        "aws_route",
        "aws_route_table",
        "aws_route_table_association",
        "aws_s3_bucket_cors_configuration",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_logging",
        "aws_s3_bucket_notification",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_secretsmanager_secret_version",
        "aws_security_group",
        "aws_sns_topic_policy",
        "aws_sns_topic_subscription",
        "aws_ssm_parameter",
        "aws_subnet",
        "aws_vpc",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
        "aws_wafv2_ip_set",
        "aws_wafv2_web_acl_association",
        "aws_xray_group",
    }
)
