"""How terraform wants to be told which existing thing an import means, by type.

Forms are those of the Import sections in website/docs/r/ of hashicorp/terraform-provider-aws 6.25.0. A type
that is not listed takes any text: terraform says what it makes of it when it plans.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DATABASE = (r"[a-z][a-z0-9-]{0,62}", "the identifier, such as acme-production-postgres")
_NAME = (r"[\w.+=,@/-]{1,255}", "its name")


def _numbered(prefix: str) -> tuple[str, str]:
    return rf"{prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})", f"its ID, such as {prefix}-0123456789abcdef0"


FORMS: Mapping[str, tuple[str, str]] = {
    "aws_vpc": _numbered("vpc"),
    "aws_subnet": _numbered("subnet"),
    "aws_internet_gateway": _numbered("igw"),
    "aws_nat_gateway": _numbered("nat"),
    "aws_eip": _numbered("eipalloc"),
    "aws_route_table": _numbered("rtb"),
    "aws_network_acl": _numbered("acl"),
    "aws_security_group": _numbered("sg"),
    "aws_vpc_security_group_ingress_rule": _numbered("sgr"),
    "aws_vpc_security_group_egress_rule": _numbered("sgr"),
    "aws_vpc_endpoint": _numbered("vpce"),
    "aws_flow_log": _numbered("fl"),
    "aws_launch_template": _numbered("lt"),
    "aws_db_instance": _DATABASE,
    "aws_docdb_cluster": _DATABASE,
    "aws_docdb_cluster_instance": _DATABASE,
    "aws_elasticache_replication_group": (r"[a-z][a-z0-9-]{0,39}", "the ID of the replication group"),
    "aws_eks_cluster": (r"[0-9A-Za-z][\w-]{0,99}", "the name of the cluster"),
    "aws_eks_node_group": (r"[\w-]+:[\w-]+", "cluster and group, such as acme-production:a"),
    "aws_eks_addon": (r"[\w-]+:[\w-]+", "cluster and add-on, such as acme-production:coredns"),
    "aws_kms_key": (r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", "the ID of the key"),
    "aws_kms_alias": (r"alias/[\w/-]+", "the alias, such as alias/acme-production-logs"),
    "aws_s3_bucket": (r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of the bucket"),
    "aws_iam_role": (r"[\w+=,.@-]{1,64}", "the name of the role"),
    "aws_cloudwatch_log_group": (r"[\w./#-]{1,512}", "the name of the log group"),
    "aws_ecr_repository": _NAME,
    "aws_backup_vault": (r"[\w-]{2,50}", "the name of the vault"),
    "aws_lb": (r"arn:aws[a-z-]*:elasticloadbalancing:\S+:loadbalancer/\S+", "its ARN"),
    "aws_secretsmanager_secret": (r"arn:aws[a-z-]*:secretsmanager:\S+:secret:\S+", "its ARN"),
}


def fault_of(terraform_type: str, identity: Any) -> tuple[str, str] | None:
    """Rule and remedy when a value cannot be the ID of a thing of this type."""
    form, such_as = FORMS.get(
        terraform_type, (r"\S.*", "its ID, as the Import section of its documentation says")
    )
    if not isinstance(identity, str):
        return "an ID is text", f"write {such_as}, in quotes"
    if "${" in identity or "%{" in identity or not identity.isprintable():
        return "an ID is plain text, and terraform computes nothing in it", f"write {such_as}"
    if not re.fullmatch(form, identity):
        return f"{terraform_type} is known to terraform by {such_as.partition(',')[0]}", f"write {such_as}"
    return None
