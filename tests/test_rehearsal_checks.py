"""Tests of values that the rehearsal refuses when terraform validates, without false positives."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ENVIRONMENTS, ROOT
from support.configuring import each

from modules.architecture import synthesize
from modules.loader import load
from rehearsal.catalog import Catalog, Type, catalog_path
from rehearsal.checks import FOLDER, GROUPS, Problem, problems, read_checks, usable
from rehearsal.differences import refused
from rehearsal.formats import FORMATS
from rehearsal.planning import null
from rehearsal.protocol import UNKNOWN

GOLDEN = ROOT / "tests" / "golden"
SPECS = sorted((ROOT / "tests" / "specs").glob("ok.*.yaml"))
ALWAYS = ("china", "delivery.codebuild", "own_subnets", "systems")


@cache
def types() -> dict[str, dict[str, Type]]:
    catalog = Catalog(catalog_path())
    return {kind: catalog.load("aws", kind) for kind in ("resource", "data")}


@cache
def helm() -> dict[str, Type]:
    return Catalog(catalog_path()).load("helm", "resource")


@cache
def known(kind: str, name: str) -> dict[str, Any]:
    entry = _read()[kind].get(name)
    return usable(types()[kind][name].block, entry) if entry else {}


@cache
def _read() -> dict[str, dict[str, Any]]:
    return read_checks()


def problems_of(kind: str, type_: Type, config: dict[str, Any]) -> list[Problem]:
    entry = known(kind, type_.name)
    return list(problems(type_.block, entry, config)) if entry else []


def false_alarms(file: Path) -> list[str]:
    body = json.loads(file.read_text(encoding="utf-8"))
    return [
        f"{type_.name}.{name}: {problem.summary} ({problem.source})"
        for kind, type_, name, config in each(body, types())
        for problem in problems_of(kind, type_, config)
    ]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_environment_is_refused(folders: dict[str, Path], name: str) -> None:
    files = sorted(folders[name].glob("stacks/*/cdk.tf.json"))
    assert files
    assert [alarm for file in files for alarm in false_alarms(file)] == []


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(each, marks=() if each.stem.removeprefix("ok.") in ALWAYS else pytest.mark.soak)
        for each in SPECS
    ],
    ids=lambda spec: spec.stem,
)
def test_no_valid_spec_is_refused(spec: Path, tmp_path: Path) -> None:
    path = tmp_path / "dev.yaml"
    path.write_bytes(spec.read_bytes())
    synthesize(load(path), tmp_path / "out")
    files = sorted((tmp_path / "out").glob("stacks/*/cdk.tf.json"))
    assert files
    assert [alarm for file in files for alarm in false_alarms(file)] == []


def test_unknown_values_are_not_checked() -> None:
    for kind, named in types().items():
        for type_ in named.values():
            config = dict.fromkeys(null(type_.block), UNKNOWN)
            assert problems_of(kind, type_, config) == [], type_.name
            for name, nested in type_.block.blocks.items():
                if nested.nesting in ("list", "set"):
                    inner = [dict.fromkeys(null(nested.block), UNKNOWN)] * 2
                    summaries = [each.summary for each in problems_of(kind, type_, {**config, name: inner})]
                    assert [each for each in summaries if " member" not in each] == [], type_.name


def test_manual_rules_fit_the_schema() -> None:
    for file in sorted(FOLDER.glob("*.yaml")):
        for name, entry in yaml.safe_load(file.read_text()).items():
            known_types = helm() if name.startswith("helm_") else types()["resource"]
            fitting = usable(known_types[name].block, entry)
            assert fitting["checks"] == entry.get("checks", {}), name
            assert {g: fitting[g] for g in GROUPS if g in fitting} == {
                g: entry[g] for g in GROUPS if g in entry
            }


def test_every_type_of_the_environments_has_checks_or_needs_none() -> None:
    """Types of which the provider checks no argument."""
    used = {
        type_.name
        for file in sorted(GOLDEN.glob("*/*.json"))
        for kind, type_, _, _ in each(json.loads(file.read_text()), types())
        if kind == "resource" and not known(kind, type_.name)
    }
    assert used == {
        *("aws_default_network_acl", "aws_elasticache_parameter_group", "aws_elasticache_subnet_group"),
        *("aws_internet_gateway", "aws_network_acl", "aws_s3_bucket_notification"),
        *("aws_autoscaling_group_tag", "aws_s3_bucket_public_access_block"),
    }


def policy(**members: Any) -> str:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **members}
    elements = {key: value for key, value in statement.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [elements]})


TRUST = {"Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}, "Resource": None}
FAULTS: list[tuple[str, Any, str]] = [
    ("aws_acm_certificate.domain_name", "www_example.com", "match the pattern"),
    ("aws_acm_certificate.key_algorithm", "RSA2048", 'one of "RSA_1024"'),
    ("aws_acm_certificate.validation_method", "dns", '"DNS"'),
    ("aws_acm_certificate_validation.certificate_arn", "certificate/1234", "be an ARN"),
    ("aws_backup_plan.rule.rule_name", "daily backups", "match the pattern"),
    ("aws_backup_plan.rule.schedule", "cron(0 25 * * ? *)", "whose hours is 0 to 23, not 25"),
    ("aws_backup_plan.rule.schedule", "cron(0 5 * * *)", "six fields, such as cron(0 12 * * ? *); it has 5"),
    ("aws_backup_plan.rule.start_window", 30, "at least 60"),
    ("aws_backup_restore_testing_plan.schedule_expression", "cron(0 5 * * * *)", "with ? for the day"),
    ("aws_backup_restore_testing_plan.recovery_point_selection.selection_window_days", 400, "1 to 365"),
    ("aws_backup_selection.iam_role_arn", "role/backup", "be an ARN"),
    ("aws_backup_vault.name", "a vault", "match the pattern"),
    ("aws_cloudwatch_dashboard.dashboard_body", "{widgets: []}", "be valid JSON"),
    ("aws_cloudwatch_event_rule.schedule_expression", "rate(1 minutes)", "rate(1 minute)"),
    ("aws_cloudwatch_log_group.retention_in_days", 31, "one of 0, 1, 3"),
    (
        "aws_cloudwatch_log_resource_policy.policy_document",
        policy(Effect="allow"),
        "Effect must be Allow or Deny",
    ),
    ("aws_cloudwatch_metric_alarm.comparison_operator", "GreaterThan", "GreaterThanThreshold"),
    ("aws_cloudwatch_metric_alarm.evaluation_periods", 0, "at least 1"),
    ("aws_cloudwatch_metric_alarm.period", 45, "one of 10, 20, 30 or be a multiple of 60"),
    ("aws_cloudwatch_metric_alarm.statistic", "Mean", '"Average"'),
    ("aws_cloudwatch_metric_alarm.treat_missing_data", "ok", '"breaching"'),
    ("aws_db_instance.backup_retention_period", 36, "range 0 to 35"),
    ("aws_db_instance.backup_window", "3:00-4:00", "a window in UTC such as 03:00-04:00"),
    ("aws_db_instance.enabled_cloudwatch_logs_exports", ["postgres"], 'such as "postgresql"'),
    ("aws_db_instance.final_snapshot_identifier", "last--one", "not have two hyphens in a row"),
    ("aws_db_instance.identifier", "Orders", "match the pattern"),
    ("aws_db_instance.instance_class", "t4g.micro", "match the pattern ^db"),
    ("aws_db_instance.kms_key_id", "alias/data", "be an ARN"),
    ("aws_db_instance.maintenance_window", "sunday:03:00-sunday:04:00", "sun:03:00-sun:04:00"),
    ("aws_db_instance.monitoring_interval", 20, "one of 0, 1, 5, 10, 15, 30, 60"),
    ("aws_db_instance.performance_insights_retention_period", 30, "one of 7, 731"),
    ("aws_db_parameter_group.name", "Postgres", "match the pattern"),
    ("aws_db_subnet_group.name", "default", "not match"),
    ("aws_docdb_cluster.engine", "mongodb", 'be "docdb"'),
    ("aws_docdb_cluster.port", 80, "1150 to 65535"),
    ("aws_docdb_cluster_instance.promotion_tier", 16, "0 to 15"),
    ("aws_ecr_lifecycle_policy.policy", "{'rules': []}", "be valid JSON"),
    ("aws_ecr_repository.image_tag_mutability", "immutable", '"IMMUTABLE"'),
    ("aws_ecr_repository.name", "Shop/Orders", "match the pattern"),
    ("aws_eip.domain", "ec2", '"vpc"'),
    ("aws_eks_access_entry.type", "ADMIN", '"STANDARD"'),
    ("aws_eks_addon.addon_version", "1.19", "match the pattern"),
    ("aws_eks_cluster.enabled_cluster_log_types", ["apiserver"], '"api"'),
    ("aws_eks_cluster.kubernetes_network_config.service_ipv4_cidr", "10.0.0.0/8", "network of /12 to /24"),
    ("aws_eks_cluster.version", "v1.33", "match the pattern"),
    ("aws_eks_node_group.ami_type", "AL2023", "AL2023_ARM_64_STANDARD"),
    ("aws_eks_node_group.capacity_type", "spot", '"SPOT"'),
    ("aws_eks_node_group.scaling_config.max_size", 0, "at least 1"),
    ("aws_eks_node_group.update_config.max_unavailable_percentage", 150, "1 to 100"),
    ("aws_elasticache_replication_group.engine", "memcached", '"redis", "valkey"'),
    ("aws_elasticache_replication_group.replication_group_id", "cache-", "not end with a hyphen"),
    ("aws_elasticache_replication_group.snapshot_window", "25:00-26:00", "a window in UTC"),
    ("aws_flow_log.max_aggregation_interval", 300, "one of 60, 600"),
    ("aws_flow_log.traffic_type", "all", '"ALL"'),
    ("aws_iam_openid_connect_provider.url", "http://token.example.com", "a URL of https"),
    ("aws_iam_policy.name", "read/all", "match the pattern"),
    ("aws_iam_policy.policy", policy(Efect="Allow"), "unknown key Efect"),
    ("aws_iam_policy.policy", policy(Principal="*"), "has no Principal"),
    ("aws_iam_policy.policy", policy(Action="GetObject"), 'service:Name, got "GetObject"'),
    ("aws_iam_policy.policy", policy(Condition={"StringEqual": {"a": "b"}}), "unknown operator StringEqual"),
    ("aws_iam_policy.policy", policy(Resource=None), "Resource is missing"),
    ("aws_iam_policy.policy", '{"Version": "2012-10-17"}', "Statement is missing"),
    ("aws_iam_policy.policy", policy().replace("2012-10-17", "2012-10-18"), "Version must be 2012-10-17"),
    (
        "aws_iam_role.assume_role_policy",
        policy(**{**TRUST, "Resource": "*"}),
        "a trust policy has no Resource",
    ),
    ("aws_iam_role.max_session_duration", 600, "3600 to 43200"),
    ("aws_iam_role.name", "a" * 65, "have 1 to 64 characters"),
    ("aws_iam_role_policy_attachment.policy_arn", "ReadOnlyAccess", "be an ARN"),
    ("aws_kms_alias.name", "data", "match the pattern ^alias/"),
    ("aws_kms_key.deletion_window_in_days", 3, "7 to 30"),
    ("aws_kms_key.policy", policy(Action=None), "one of Action and NotAction"),
    ("aws_kms_key.rotation_period_in_days", 30, "90 to 2560"),
    ("aws_launch_template.block_device_mappings.ebs.volume_type", "gp4", '"gp3"'),
    ("aws_launch_template.metadata_options.http_tokens", "yes", '"required"'),
    ("aws_launch_template.user_data", "#!/bin/sh", "base64"),
    ("aws_lb.desync_mitigation_mode", "strict", '"strictest"'),
    ("aws_lb.idle_timeout", 5000, "1 to 4000"),
    ("aws_lb.name", "internal-shop", "not match the pattern ^internal-"),
    ("aws_lb.name", "a" * 33, "at most 32 characters"),
    ("aws_lb_listener.default_action.redirect.status_code", "HTTP_303", '"HTTP_301"'),
    ("aws_lb_listener.port", 70000, "1 to 65535"),
    ("aws_lb_listener.protocol", "HTTP2", '"HTTPS"'),
    ("aws_lb_listener_rule.priority", 60000, "1 to 50000"),
    ("aws_lb_target_group.deregistration_delay", "4000", "0 to 3600"),
    ("aws_lb_target_group.health_check.path", "health", "match the pattern ^/"),
    ("aws_lb_target_group.health_check.interval", 2, "5 to 300"),
    ("aws_lb_target_group.name_prefix", "systems", "at most 6 characters"),
    ("aws_lb_target_group.slow_start", 10, "range 30 to 900"),
    ("aws_network_acl_rule.cidr_block", "10.0.0.0/33", "be a valid CIDR block"),
    ("aws_network_acl_rule.rule_action", "permit", '"allow"'),
    ("aws_network_acl_rule.rule_number", 40000, "1 to 32766"),
    ("aws_route.destination_cidr_block", "10.0.0.1/16", "did you mean 10.0.0.0/16?"),
    ("aws_route53_record.type", "ALIAS", '"AAAA"'),
    ("aws_s3_bucket.bucket", "Acme_Data", "be a bucket name"),
    ("aws_s3_bucket_lifecycle_configuration.rule.status", "On", '"Enabled"'),
    ("aws_s3_bucket_lifecycle_configuration.rule.transition.storage_class", "COLD", '"GLACIER"'),
    ("aws_s3_bucket_ownership_controls.rule.object_ownership", "Owner", '"BucketOwnerEnforced"'),
    (
        "aws_s3_bucket_policy.policy",
        policy(Principal="*", Sid="a", Ressource="*"),
        "a: unknown key Ressource",
    ),
    (
        "aws_s3_bucket_server_side_encryption_configuration.rule.apply_server_side_encryption_by_default"
        ".sse_algorithm",
        "AES-256",
        '"AES256"',
    ),
    ("aws_s3_bucket_versioning.versioning_configuration.status", "enabled", '"Enabled"'),
    ("aws_secretsmanager_secret.name", "a secret", "match the pattern"),
    ("aws_secretsmanager_secret.recovery_window_in_days", 3, "7 to 30"),
    ("aws_security_group.name", "sg-web", "not match the pattern ^sg-"),
    ("aws_security_group.ingress.cidr_blocks", ["0.0.0.0"], "be a valid IPv4 CIDR block"),
    ("aws_sns_topic.name", "alarms!", "match the pattern"),
    ("aws_sns_topic_subscription.protocol", "slack", '"sqs"'),
    ("aws_ssm_parameter.type", "Secret", '"SecureString"'),
    ("aws_subnet.cidr_block", "10.0.0.0/29", "a network of /16 to /28"),
    ("aws_vpc.cidr_block", "10.0.0.0/8", "a network of /16 to /28"),
    ("aws_vpc.cidr_block", "10.0.0.0/33", "be a valid CIDR block"),
    ("aws_vpc_endpoint.vpc_endpoint_type", "interface", '"Interface"'),
    ("aws_vpc_security_group_egress_rule.cidr_ipv4", "0.0.0.0/o", "be a valid IPv4 CIDR block"),
    ("aws_vpc_security_group_ingress_rule.from_port", 70000, "-1 to 65535"),
    ("aws_wafv2_web_acl.scope", "GLOBAL", '"CLOUDFRONT"'),
    ("aws_wafv2_web_acl.visibility_config.metric_name", "all requests", "match the pattern"),
    ("aws_wafv2_web_acl.rule.statement.rate_based_statement.limit", 0, "range"),
    ("aws_wafv2_web_acl_association.web_acl_arn", "acl", "be an ARN"),
    ("aws_xray_sampling_rule.fixed_rate", 5, "0 to 1"),
    ("aws_xray_sampling_rule.priority", 0, "1 to 9999"),
    # Types that no tier uses; sources: the provider's code or the models of the services.
    ("aws_lambda_function.runtime", "python2", 'such as "python2.7"'),
    ("aws_sqs_queue.visibility_timeout_seconds", 50000, "0 to 43200"),
    ("aws_dynamodb_table.billing_mode", "ON_DEMAND", '"PAY_PER_REQUEST"'),
    ("aws_ecs_service.launch_type", "fargate", '"FARGATE"'),
]


def build(path: list[str], type_block: Any, value: Any) -> dict[str, Any]:
    """A configuration with only one argument."""
    name, *rest = path
    nested = type_block.blocks.get(name)
    inner: Any = value
    if rest:
        inner = build(rest, nested.block, value) if nested else {rest[0]: value}
        if nested is None or nested.nesting in ("list", "set"):
            inner = [inner]
    return {**null(type_block), name: inner}


@pytest.mark.parametrize(("address", "value", "words"), FAULTS, ids=[f"{a}={v}"[:80] for a, v, _ in FAULTS])
def test_an_invalid_value_is_refused_with_the_allowed_ones(address: str, value: Any, words: str) -> None:
    name, *path = address.split(".")
    type_ = types()["resource"][name]
    config = build(path, type_.block, value)
    matching = [
        problem
        for problem in problems_of("resource", type_, config)
        if [step for step in problem.path if isinstance(step, str)] == path
    ]
    assert len(matching) == 1
    assert matching[0].summary.startswith(f"expected {path[0]}")
    assert words in matching[0].summary
    assert "internal/service/" in matching[0].detail or "API" in matching[0].detail


@pytest.mark.parametrize(
    ("name", "config", "words"),
    [
        (
            "aws_db_instance",
            {"identifier": "a", "identifier_prefix": "b"},
            "identifier conflicts with identifier_prefix",
        ),
        ("aws_db_instance", {"username": "a", "replicate_source_db": "b"}, "username conflicts with"),
        ("aws_lb", {"name": "a"}, "exactly one of subnet_mapping, subnets must be set"),
        ("aws_kms_key", {"xks_key_id": "a"}, "xks_key_id needs custom_key_store_id to be set as well"),
        (
            "aws_vpc_security_group_ingress_rule",
            {"cidr_ipv4": "10.0.0.0/8", "referenced_security_group_id": "sg-1"},
            "only one of",
        ),
        (
            "aws_vpc_security_group_ingress_rule",
            {"ip_protocol": "tcp"},
            "exactly one of cidr_ipv4, cidr_ipv6, prefix_list_id, referenced_security_group_id must be set",
        ),
        ("aws_network_acl_rule", {"cidr_block": "10.0.0.0/8", "ipv6_cidr_block": "::/0"}, "only one of"),
        (
            "aws_eks_node_group",
            {"update_config": [{"max_unavailable": 1, "max_unavailable_percentage": 10}]},
            "update_config[0]: ",
        ),
        ("aws_cloudwatch_log_group", {"name": "a", "name_prefix": "b"}, "name conflicts with name_prefix"),
    ],
)
def test_conflicting_and_incomplete_arguments_are_refused(
    name: str, config: dict[str, Any], words: str
) -> None:
    type_ = types()["resource"][name]
    summaries = [
        problem.summary for problem in problems_of("resource", type_, {**null(type_.block), **config})
    ]
    assert any(words in summary for summary in summaries), summaries


def test_an_unknown_argument_may_be_the_required_one() -> None:
    type_ = types()["resource"]["aws_vpc_security_group_ingress_rule"]
    config = {**null(type_.block), "ip_protocol": "tcp", "referenced_security_group_id": UNKNOWN}
    assert problems_of("resource", type_, config) == []


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("arn", "arn:aws-cn:s3:::bucket"),
        ("arn", "arn:aws:logs:us-east-1:123456789012:log-group:a:*"),
        ("arn", ""),
        ("address_cidr", "10.0.0.1/16"),
        ("cidr4", "0.0.0.0/0"),
        ("cidr6", "2001:db8::/32"),
        ("cidr6", "2001:0db8:0::/32"),
        ("week_window", "Sun:03:00-Mon:04:30"),
        ("day_window", "23:30-00:30"),
        ("schedule", "rate(1 hour)"),
        ("schedule", "rate(5 minutes)"),
        ("schedule", "at(2026-01-01T00:00:00)"),
        ("schedule", "cron(0/15 8-17 ? * MON-FRI *)"),
        ("schedule", "cron(0 0 L * ? *)"),
        ("schedule", "cron(0 8 1 JAN,JUL ? 2026-2030)"),
        ("schedule", "cron(0 9 ? * 2#1 *)"),
        ("schedule", "cron(0 5 ? * 6L *)"),
        ("rfc3339", "2026-01-31T08:00:00.5+01:00"),
        ("bucket", "acme-data.example.com"),
        ("json", ""),
        ("policy", ""),
        ("policy", policy(Condition={"ForAllValues:StringLikeIfExists": {"a": ["b"]}})),
        ("policy", policy(Action=["s3:Get*", "ec2:*"], Sid="A")),
        ("policy", '{"Statement": {"Effect": "Deny", "NotAction": "iam:*", "NotResource": "x"}}'),
        ("trust_policy", policy(**TRUST)),
        ("identity_policy", policy(Action="*")),
        ("account", "123456789012"),
        ("service", "delivery.logs.amazonaws.com"),
    ],
)
def test_valid_values_match_their_format(kind: str, good: str) -> None:
    assert FORMATS[kind](good) == ""


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("arn", "arn:aws:iam::1234:role/a"),
        ("arn", "arn:aws:s3"),
        ("cidr", "10.0.0.0"),
        ("cidr4", "2001:db8::/32"),
        ("cidr6", "10.0.0.0/8"),
        ("cidr", "10.0.0.0/255.0.0.0"),
        ("ip4", "10.0.0.256"),
        ("schedule", "every day"),
        ("schedule", "rate(0 minutes)"),
        ("schedule", "rate(2 hour)"),
        ("schedule", "cron(0 8 ? * MUN *)"),
        ("schedule", "cron(60 8 ? * * *)"),
        ("rfc3339", "2026-01-31"),
        ("bucket", "10.0.0.1"),
        ("bucket", "ab"),
        ("policy", '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}'),
        ("policy", "[]"),
        ("identity_policy", ""),
        ("trust_policy", policy(Principal=None)),
    ],
)
def test_invalid_values_do_not_match_their_format(kind: str, bad: str) -> None:
    assert FORMATS[kind](bad)


def test_checks_are_loaded_by_type() -> None:
    catalog = Catalog(catalog_path())
    type_ = types()["resource"]["aws_vpc"]
    assert catalog.checks("aws", type_, "resource") == known("resource", "aws_vpc")
    assert catalog.checks("helm", type_, "resource") == {}


@pytest.mark.parametrize(
    ("name", "config", "words"),
    [
        ("aws_lb_target_group", {"protocol": "HTTP", "vpc_id": UNKNOWN}, "port must be set"),
        ("aws_lb_target_group", {"protocol": "HTTP", "port": 80}, "vpc_id must be set"),
        ("aws_lb_target_group", {"target_type": "lambda"}, ""),
        ("aws_cloudwatch_metric_alarm", {"metric_name": "a"}, "one of statistic and extended_statistic"),
        ("aws_cloudwatch_metric_alarm", {"metric_name": "a", "statistic": UNKNOWN}, ""),
        (
            "aws_elasticache_replication_group",
            {"multi_az_enabled": True},
            "automatic_failover_enabled must be",
        ),
    ],
)
def test_plan_time_refusals_of_the_provider(name: str, config: dict[str, Any], words: str) -> None:
    summaries = [summary for summary, _ in refused(name, config)]
    assert len(summaries) == bool(words)
    assert not words or words in summaries[0]
