"""Names fit the services that hold them, whatever the spec calls the project."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import Root

from modules.naming import LIMITS, Names, fit

LONGEST = {"project": "a" * 16, "environment": "b" * 12}

# What each service accepts, from its API reference. `name_prefix` is followed by 26 digits of Terraform's.
LEGAL = {
    ("aws_backup_plan", "name"): r"[A-Za-z0-9_.-]{1,50}",
    ("aws_backup_restore_testing_plan", "name"): r"[A-Za-z0-9_]{1,50}",
    ("aws_backup_restore_testing_selection", "name"): r"[A-Za-z0-9_]{1,50}",
    ("aws_backup_selection", "name"): r"[A-Za-z0-9_.-]{1,50}",
    ("aws_backup_vault", "name"): r"[A-Za-z0-9_-]{2,50}",
    ("aws_cloudwatch_log_group", "name"): r"[A-Za-z0-9_/.#-]{1,512}",
    ("aws_db_parameter_group", "name_prefix"): r"[a-z](-?[a-z0-9])*-",
    ("aws_db_subnet_group", "name"): r"[a-z0-9 _.-]{1,255}",
    ("aws_docdb_subnet_group", "name"): r"[a-z0-9 _.-]{1,255}",
    ("aws_docdb_cluster_parameter_group", "name_prefix"): r"[a-z](-?[a-z0-9])*-",
    ("aws_elasticache_parameter_group", "name"): r"[a-z](-?[a-z0-9])*",
    ("aws_elasticache_subnet_group", "name"): r"[a-z0-9-]{1,255}",
    ("aws_eks_cluster", "name"): r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}",
    ("aws_iam_role", "name"): r"[\w+=,.@-]{1,64}",
    ("aws_iam_role_policy", "name"): r"[\w+=,.@-]{1,128}",
    ("aws_lb", "name"): r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
    ("aws_lb_target_group", "name_prefix"): r"[A-Za-z0-9][A-Za-z0-9-]{0,5}",
    ("aws_route53_record", "name"): r"[a-z0-9*.-]{1,255}|\$\{.+\}",
    ("aws_shield_protection", "name"): r"[ a-zA-Z0-9_.-]{1,128}",
    ("aws_wafv2_ip_set", "name"): r"[\w-]{1,128}",
    ("aws_wafv2_web_acl", "name"): r"[\w-]{1,128}",
    ("aws_kms_alias", "name"): r"alias/(?!aws/)[A-Za-z0-9/_-]{1,250}",
    ("aws_launch_template", "name"): r"[A-Za-z0-9()./_-]{3,128}",
    ("aws_s3_bucket", "bucket"): r"(?!xn--|sthree-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)",
    ("aws_secretsmanager_secret", "name"): r"[A-Za-z0-9/_+=.@-]{1,505}[A-Za-z0-9]",
    ("aws_security_group", "name_prefix"): r"(?!sg-)[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,229}",
    ("aws_sns_topic", "name"): r"[A-Za-z0-9_-]{1,256}",
}


@pytest.mark.parametrize(
    "names", [LONGEST, {"project": "ab", "environment": "cd"}], ids=["longest", "shortest"]
)
def test_every_name_is_legal_for_the_longest_and_the_shortest_project(
    variant: Callable[..., dict[str, Root]], names: dict[str, str]
) -> None:
    storage = {"backup": {"copy_region": "us-west-2"}, "files": {"cors_origins": ["https://example.com"]}}
    waf = {"allowed_addresses": ["203.0.113.0/24"], "blocked_addresses": ["198.51.100.0/24"]}
    edge = {"shield": True, "waf": waf}
    roots = variant(**names, network={"endpoints": "all"}, storage=storage, edge=edge)
    for root in roots.values():
        for terraform_type, name, arguments in root.each():
            own = {"name", "name_prefix"} | ({"bucket"} if terraform_type == "aws_s3_bucket" else set())
            for argument in own & arguments.keys():
                pattern = LEGAL[terraform_type, argument]  # a new type: look up what its service accepts
                assert re.fullmatch(pattern, arguments[argument], re.ASCII), f"{terraform_type}.{name}"
            assert all(len(tag) <= 256 for tag in arguments.get("tags", {}).values())


def test_a_name_that_fits_stays_as_it_is() -> None:
    names = Names("acme", "production", "123456789012")
    assert names.of("iam_role", "flow-log") == "acme-production-flow-log"
    assert names.bucket("files") == "acme-production-123456789012-files"
    assert names.alias("logs") == "alias/acme-production-logs"
    assert names.prefix("security_group", "node") == "acme-production-node-"
    assert names.underscored("restore_testing_plan", "weekly") == "acme_production_weekly"


@pytest.mark.parametrize("limit", [20, 32, 63])
def test_a_long_name_is_cut_the_same_way_each_time_and_stays_unique(limit: int) -> None:
    long = [f"{'x' * 70}-{role}" for role in ("one", "two")]
    cut = [fit(name, limit) for name in long]
    assert cut == [fit(name, limit) for name in long]
    assert len(set(cut)) == 2
    assert all(len(name) <= limit for name in cut)


def test_the_cut_leaves_no_double_hyphen() -> None:
    assert "--" not in fit("abcdefgh-" + "ijkl" * 20, 16)


@pytest.mark.parametrize("name", ["", "señal", "two words", "${TfToken[TOKEN.1]}"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name has letters"):
        fit(name, 63)


@pytest.mark.parametrize("kind", sorted(kind for kind in LIMITS if not kind.endswith("_prefix")))
def test_every_kind_keeps_its_limit(kind: str) -> None:
    assert len(Names(**LONGEST, account="1" * 12).of(kind, "r" * 600)) == LIMITS[kind]
