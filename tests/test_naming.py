"""Tests that names fit the limits of AWS services for any project name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from conftest import Root

from tierra.terraform.naming import LIMITS, Names, truncate

LONGEST = {"project": "a" * 16, "environment": "b" * 12}

# Letters, digits and single hyphens, from a letter on and to none at the end: the databases' rule.
LABEL = r"(?!.*--)(?!.*-$)(?=[a-z])[a-z0-9-]"

# What each service accepts, from its API reference. `name_prefix` is followed by 26 digits of Terraform's.
LEGAL = {
    ("aws_autoscaling_policy", "name"): r"[\x20-\x7e]{1,255}",
    ("aws_backup_plan", "name"): r"[A-Za-z0-9_.-]{1,50}",
    ("aws_backup_restore_testing_plan", "name"): r"[A-Za-z0-9_]{1,50}",
    ("aws_backup_restore_testing_selection", "name"): r"[A-Za-z0-9_]{1,50}",
    ("aws_backup_selection", "name"): r"[A-Za-z0-9_.-]{1,50}",
    ("aws_backup_vault", "name"): r"[A-Za-z0-9_-]{2,50}",
    ("aws_budgets_budget", "name"): r"[^:\\]{1,100}",
    ("aws_cloudwatch_composite_alarm", "alarm_name"): r"[A-Za-z0-9 ._-]{1,255}",
    ("aws_cloudwatch_dashboard", "dashboard_name"): r"[A-Za-z0-9_-]{1,255}",
    ("aws_cloudwatch_log_group", "name"): r"[A-Za-z0-9_/.#-]{1,512}",
    ("aws_cloudwatch_log_resource_policy", "policy_name"): r"[^:*]{1,255}",
    ("aws_cloudwatch_metric_alarm", "alarm_name"): r"[A-Za-z0-9 ._-]{1,255}",
    ("aws_db_instance", "final_snapshot_identifier"): rf"{LABEL}{{1,255}}",
    ("aws_db_instance", "identifier"): rf"{LABEL}{{1,63}}",
    ("aws_db_parameter_group", "name_prefix"): r"[a-z](-?[a-z0-9])*-",
    ("aws_db_subnet_group", "name"): r"[a-z0-9 _.-]{1,255}",
    ("aws_docdb_cluster", "cluster_identifier"): rf"{LABEL}{{1,63}}",
    ("aws_docdb_cluster", "final_snapshot_identifier"): rf"{LABEL}{{1,63}}",
    ("aws_docdb_cluster_instance", "identifier"): rf"{LABEL}{{1,63}}",
    ("aws_docdb_subnet_group", "name"): r"[a-z0-9 _.-]{1,255}",
    ("aws_docdb_cluster_parameter_group", "name_prefix"): r"[a-z](-?[a-z0-9])*-",
    ("aws_elasticache_parameter_group", "name"): r"[a-z](-?[a-z0-9])*",
    ("aws_elasticache_replication_group", "final_snapshot_identifier"): rf"{LABEL}{{1,255}}",
    ("aws_elasticache_replication_group", "replication_group_id"): rf"{LABEL}{{1,40}}",
    ("aws_elasticache_user", "user_id"): rf"{LABEL}{{1,40}}",
    ("aws_elasticache_user", "user_name"): rf"{LABEL}{{1,128}}",
    ("aws_elasticache_user_group", "user_group_id"): rf"{LABEL}{{1,40}}",
    ("aws_elasticache_subnet_group", "name"): r"[a-z0-9-]{1,255}",
    ("aws_eks_cluster", "name"): r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}",
    ("aws_ecr_repository", "name"): r"(?=.{2,256}$)[a-z0-9]+([._/-][a-z0-9]+)*",
    ("aws_eks_node_group", "node_group_name_prefix"): r"[A-Za-z0-9][A-Za-z0-9_-]{0,36}",
    ("aws_iam_policy", "name"): r"[\w+=,.@-]{1,128}",
    ("aws_iam_role", "name"): r"[\w+=,.@-]{1,64}",
    ("aws_iam_role_policy", "name"): r"[\w+=,.@-]{1,128}",
    ("aws_lb", "name"): r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
    ("aws_lb_target_group", "name_prefix"): r"[A-Za-z0-9][A-Za-z0-9-]{0,5}",
    ("aws_route53_record", "name"): r"[a-z0-9*.-]{1,255}|\$\{.+\}",
    ("aws_shield_protection", "name"): r"[ a-zA-Z0-9_.-]{1,128}",
    ("aws_wafv2_ip_set", "name"): r"[\w-]{1,128}",
    ("aws_wafv2_web_acl", "name"): r"[\w-]{1,128}",
    ("helm_release", "name"): r"[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?",  # helm itself: at most 53
    ("aws_kms_alias", "name"): r"alias/(?!aws/)[A-Za-z0-9/_-]{1,250}",
    ("aws_launch_template", "name"): r"[A-Za-z0-9()./_-]{3,128}",
    ("aws_s3_bucket", "bucket"): r"(?!xn--|sthree-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)",
    ("aws_secretsmanager_secret", "name"): r"[A-Za-z0-9/_+=.@-]{1,505}[A-Za-z0-9]",
    ("aws_security_group", "name_prefix"): r"(?!sg-)[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,229}",
    ("aws_ssm_parameter", "name"): r"/[A-Za-z0-9_./-]{1,1010}",
    ("aws_sns_topic", "name"): r"[A-Za-z0-9_-]{1,256}",
    ("aws_xray_group", "group_name"): r"[A-Za-z0-9_-]{1,32}",
    ("aws_xray_sampling_rule", "rule_name"): r"[A-Za-z0-9_-]{1,32}",
}


# Every optional resource of the tiers, with the longest names that the spec allows.
ALL_THERE_IS = {
    "network": {"endpoints": "all"},
    "storage": {"backup": {"copy_region": "us-west-2"}, "files": {"cors_origins": ["https://example.com"]}},
    "data": {"postgres": {"replicas": 15}, "redis": {"separate_broker": True}, "generation": 9999},
    "compute": {
        "scaling": "cpu",
        "autoscaling_role": "create",
        "nodes": {"instance_type": "m6i.large"},
        "admins": ["arn:aws:iam::123456789012:role/" + "r" * 64],
    },
    "edge": {
        "shield": True,
        "waf": {"allowed_addresses": ["203.0.113.0/24"], "blocked_addresses": ["198.51.100.0/24"]},
    },
    "delivery": {"registry_scan": "enhanced"},
    "observability": {"monthly_usd": 1000, "alarm_emails": ["ops@example.com"]},
    "systems": {f"{'s' * 29}{each}": {"framework": "go"} for each in "ab"},
}
NAMES = {"name", "name_prefix", "bucket", "identifier"}


def own_names(root: Root, names: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Type, resource, argument and text of every generated name: arguments for names, and those with the
    project's name."""
    for terraform_type, resource, arguments in root.each():
        for argument, text in arguments.items():
            if not isinstance(text, str) or re.search(r"\$\{|\s|^arn:|[{}]", text):
                continue
            ours = names["project"] in re.split(r"[^a-z0-9]", text)
            if (argument in NAMES or ours) and (terraform_type, argument) not in OTHERS:
                yield terraform_type, resource, argument, text


# Names chosen by AWS, and arguments that refer to existing names.
OTHERS = {("aws_s3_bucket_logging", "target_prefix"), ("aws_eks_addon", "name")}


@pytest.mark.parametrize(
    "names", [LONGEST, {"project": "zz", "environment": "cd"}], ids=["longest", "shortest"]
)
def test_every_name_is_valid_for_the_longest_and_the_shortest_project(
    variant: Callable[..., dict[str, Root]], names: dict[str, str]
) -> None:
    tried = set()
    for root in variant(**names, **ALL_THERE_IS).values():
        for terraform_type, resource, argument, text in own_names(root, names):
            pattern = LEGAL[terraform_type, argument]  # a new type: look up what its service accepts
            assert re.fullmatch(pattern, text, re.ASCII), f"{terraform_type}.{resource}: {argument}: {text}"
            tried.add((terraform_type, argument))
        for terraform_type, resource, arguments in root.each():
            tags = arguments.get("tags", {})
            assert all(len(tag) <= 256 for tag in tags.values()), f"{terraform_type}.{resource}"
    untried = set(LEGAL) - tried - {("aws_route53_record", "name")}
    assert not untried, "no tier generates these names: extend the spec ALL_THERE_IS, or remove them"


def test_names_are_unique_by_resource_type(variant: Callable[..., dict[str, Root]]) -> None:
    """Truncated names are still different."""
    owners: dict[tuple[str, str, str], str] = {}
    for root in variant(**LONGEST, **ALL_THERE_IS).values():
        for terraform_type, resource, argument, text in own_names(root, LONGEST):
            if not argument.endswith("prefix") and terraform_type != "aws_route53_record":
                region = root[f"{terraform_type}.{resource}"].get("region", "")
                owner = owners.setdefault((terraform_type, argument, f"{region}/{text}"), resource)
                assert owner == resource, f"{terraform_type}: {owner} and {resource} are both {text}"


def test_a_name_that_fits_is_unchanged() -> None:
    names = Names("acme", "production", "123456789012")
    assert names.of("iam_role", "flow-log") == "acme-production-flow-log"
    assert names.bucket("files") == "acme-production-123456789012-files"
    assert names.alias("logs") == "alias/acme-production-logs"
    assert names.prefix("security_group", "node") == "acme-production-node-"
    assert names.underscored("restore_testing_plan", "weekly") == "acme_production_weekly"


@pytest.mark.parametrize("limit", [20, 32, 63])
def test_truncated_names_are_stable_and_unique(limit: int) -> None:
    long = [f"{'x' * 70}-{role}" for role in ("one", "two")]
    cut = [truncate(name, limit) for name in long]
    assert cut == [truncate(name, limit) for name in long]
    assert len(set(cut)) == 2
    assert all(len(name) <= limit for name in cut)


def test_truncated_names_have_no_double_hyphen() -> None:
    assert "--" not in truncate("abcdefgh-" + "ijkl" * 20, 16)


@pytest.mark.parametrize("name", ["", "señal", "two words", "${TfToken[TOKEN.1]}"])
def test_invalid_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name has letters"):
        truncate(name, 63)


@pytest.mark.parametrize("kind", sorted(kind for kind in LIMITS if not kind.endswith("_prefix")))
def test_every_type_has_its_length_limit(kind: str) -> None:
    assert len(Names(**LONGEST, account="1" * 12).of(kind, "r" * 600)) == LIMITS[kind]
