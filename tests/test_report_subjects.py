"""Tests of the subjects of the report, with real plans of the embedded provider: resilience, addresses,
changes that wait for a window, image compatibility, and changes without consequences."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from support.rehearsing import PROVIDERS, Project
from support.reports import findings_of, plan_of, put, says
from support.shrinking import shrunk

from modules.architecture import TIERS
from tierra.aws import service_models as models
from tierra.aws.types import known
from tierra.report import releases, terminal
from tierra.report.compatibility import architecture
from tierra.report.findings import families
from tierra.report.ranges import wide
from tierra.report.report import report

Report = dict[str, Any]

BEFORE = """
resource "aws_db_instance" "postgres" {
  identifier          = "orders"
  engine              = "postgres"
  engine_version      = "17"
  instance_class      = "db.t4g.medium"
  allocated_storage   = 20
  multi_az            = true
  username            = "platform"
  password_wo         = "not-kept"
  password_wo_version = 1
  skip_final_snapshot = true
  backup_retention_period = 1
  maintenance_window  = "sun:09:00-sun:10:00"
  apply_immediately   = false
}

#BEGIN replica
resource "aws_db_instance" "replica_1" {
  identifier          = "orders-replica-1"
  replicate_source_db = "orders"
  instance_class      = "db.t4g.medium"
  skip_final_snapshot = true
  depends_on          = [aws_db_instance.postgres]
}
#END

#BEGIN zone
resource "aws_eip" "nat_b" {
  domain = "vpc"
}

resource "aws_nat_gateway" "b" {
  allocation_id = aws_eip.nat_b.id
  subnet_id     = "subnet-00000000000000002"
}
#END

resource "aws_eip" "nat_a" {
  domain = "vpc"
}

resource "aws_nat_gateway" "a" {
  allocation_id = aws_eip.nat_a.id
  subnet_id     = "subnet-00000000000000001"
}

resource "aws_eks_node_group" "a" {
  cluster_name    = "main"
  node_group_name = "a"
  node_role_arn   = "arn:aws:iam::123456789012:role/node"
  subnet_ids      = ["subnet-00000000000000001"]
  ami_type        = "AL2023_x86_64_STANDARD"
  instance_types  = ["t3.medium"]
  scaling_config {
    desired_size = 3
    min_size     = 3
    max_size     = 9
  }
  lifecycle {
    create_before_destroy = true
  }
}

#BEGIN bucket
resource "aws_s3_bucket" "old" {
  bucket        = "acme-old"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "old" {
  bucket              = aws_s3_bucket.old.id
  block_public_policy = true
}
#END

resource "aws_s3_bucket" "files" {
  bucket = "acme-files"
}

#BEGIN wall
resource "aws_s3_bucket_public_access_block" "files" {
  bucket              = aws_s3_bucket.files.id
  block_public_policy = true
}
#END

#BEGIN record
resource "aws_route53_record" "proof" {
  zone_id = "Z00000000000000000000"
  name    = "_a.example.com"
  type    = "CNAME"
  ttl     = 300
  records = ["_b.xlfgrmvvlj.acm-validations.aws."]
}
#END

#BEGIN crds
resource "helm_release" "crds" {
  name       = "crds"
  repository = "https://charts.example.com"
  chart      = "prometheus-operator-crds"
}
#END

#BEGIN rules
resource "helm_release" "rules" {
  name  = "rules"
  chart = "./charts/system"
}
#END

#BEGIN system
resource "helm_release" "billing" {
  name   = "billing"
  chart  = "./charts/chart"
  values = [jsonencode({ path = "/billing", image = "none", replicas = { min = 2 } })]
}
#END

resource "helm_release" "orders" {
  name   = "orders"
  chart  = "./charts/chart"
  values = [jsonencode({ path = "/orders", image = "images.example.com/orders:0a", replicas = { min = 2 } })]
}

resource "aws_security_group" "node" {
  name   = "node"
  vpc_id = "vpc-1"
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  security_group_id = aws_security_group.node.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "203.0.113.0/24"
}
"""
EDITS = {
    '"db.t4g.medium"\n  allocated': '"db.t4g.large"\n  allocated',
    "multi_az            = true": "multi_az            = false",
    "AL2023_x86_64_STANDARD": "AL2023_ARM_64_STANDARD",
    '"t3.medium"': '"t4g.medium"',
    "min_size     = 3": "min_size     = 1",
    'path = "/orders"': 'path = "/shop"',
    'orders:0a", replicas = { min = 2 }': 'orders:0a", replicas = { min = 1 }',
    '"203.0.113.0/24"': '"128.0.0.0/1"',
}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a plan with all edits, which destroys the resources between #BEGIN and #END."""
    folder = tmp_path_factory.mktemp("subjects")
    project = Project(folder / "project")
    project.apply(PROVIDERS + BEFORE)
    after = re.sub(r"#BEGIN.*?#END", "", BEFORE, flags=re.DOTALL)
    for old, new in EDITS.items():
        assert old in after, old
        after = after.replace(old, new)
    return report(put(folder / "dev", "data", project.plan(PROVIDERS + after)), ["data"], "production")


def test_a_removed_standby_is_critical(changed: Report) -> None:
    finding = findings_of(changed, "resilience")["aws_db_instance.postgres"]
    assert (finding["critical"], finding["lines"]) == (True, ("~ multi_az: true → false",))
    assert finding["verdict"] == "loses redundancy"


def test_fewer_replicas_nodes_pods_and_nat_gateways_are_counted(changed: Report) -> None:
    texts = {address: each["message"] for address, each in findings_of(changed, "resilience").items()}
    assert texts["aws_db_instance.replica_1"] == "read replicas: 1 → 0"
    assert texts["aws_eks_node_group.a"] == "nodes that always run: 3 → 1"
    assert texts["helm_release.orders"] == "pods that always run: 2 → 1"
    assert texts["aws_nat_gateway.b"].startswith("NAT gateways: 2 → 1; when its zone fails")


def test_changes_that_wait_for_the_maintenance_window_have_their_own_subject(changed: Report) -> None:
    finding = findings_of(changed, "waiting")["aws_db_instance.postgres"]
    assert "in the maintenance window (sun:09:00-sun:10:00 UTC)" in finding["message"]
    assert finding["lines"] == (
        "~ instance_class: db.t4g.medium → db.t4g.large",
        "~ multi_az: true → false",
    )


def test_a_change_of_node_architecture_lists_the_running_images(changed: Report) -> None:
    finding = findings_of(changed, "compatibility")["aws_eks_node_group.a"]
    assert finding["critical"]
    assert "built only for x86_64" in finding["message"]
    assert finding["lines"] == (
        "~ architecture: x86_64 → arm64",
        "~ orders runs images.example.com/orders:0a",
    )


def test_a_moved_or_removed_public_path_is_reported(changed: Report) -> None:
    reach = findings_of(changed, "reach")
    assert reach["helm_release.orders"]["lines"] == ("- /orders", "+ /shop")
    assert reach["helm_release.orders"]["critical"]
    assert reach["helm_release.billing"]["message"] == "clients of /billing get 404"


def test_removed_nat_addresses_are_listed(changed: Report) -> None:
    (line,) = findings_of(changed, "reach")["aws_eip.nat_b"]["lines"]
    assert re.fullmatch(r"- [\d.]+", line)


def test_a_rule_open_to_half_the_internet_is_critical(changed: Report) -> None:
    rule = findings_of(changed, "exposure")["aws_vpc_security_group_ingress_rule.api"]
    assert (rule["critical"], rule["message"]) == (True, "open to a large part of the internet")


def test_a_removed_replica_is_no_data_loss_and_no_critical_downtime(changed: Report) -> None:
    assert "aws_db_instance.replica_1" not in findings_of(changed, "data")
    finding = findings_of(changed, "downtime")["aws_db_instance.replica_1"]
    assert (finding["critical"], finding["message"]) == (False, "reads that go to it fail; the primary stays")


def test_a_removed_release_without_pods_is_no_downtime(changed: Report) -> None:
    stopped = [each for each in findings_of(changed, "downtime") if each.startswith("helm_release")]
    assert stopped == ["helm_release.billing"]
    assert not [each for each in findings_of(changed, "data") if each.startswith("helm_release")]


def test_removing_one_of_several_nat_gateways_is_no_critical_downtime(changed: Report) -> None:
    finding = findings_of(changed, "downtime")["aws_nat_gateway.b"]
    assert (finding["critical"], "another NAT gateway takes over" in finding["message"]) == (False, True)


def test_a_removed_validation_record_is_no_downtime(changed: Report) -> None:
    assert "aws_route53_record.proof" not in findings_of(changed, "downtime")


def test_a_removed_public_access_block_is_reported_if_its_bucket_stays(changed: Report) -> None:
    walls = [each for each in findings_of(changed, "exposure") if "public_access_block" in each]
    assert walls == ["aws_s3_bucket_public_access_block.files"]


def test_the_verdict_line_is_the_worst_verdict(changed: Report) -> None:
    assert changed["verdict_line"] == "loses data"  # the images and objects of destroyed resources
    assert changed["verdicts"] == [
        *("loses data", "loses redundancy", "needs a window", "opens access", "changes addresses"),
    ]
    assert changed["verdict"] == "changes"


def test_the_report_names_the_given_environment(changed: Report) -> None:
    assert (changed["environment"], changed["title"]["environment"]) == ("production", "production")


# --- single changes


@pytest.mark.parametrize(
    ("kind", "before", "after", "verdict"),
    [
        ("aws_s3_bucket", {"bucket": "x"}, None, "loses data"),
        ("aws_elasticache_replication_group", {"num_cache_clusters": 3}, {"num_cache_clusters": 2},
         "loses redundancy"),
        ("aws_eks_cluster", {"version": "1.33"}, None, "loses data"),
        ("aws_lb", {"internal": True}, {"internal": False}, "opens access"),
        ("aws_db_instance", {"deletion_protection": True}, {"deletion_protection": False},
         "removes protection"),
        ("aws_cloudwatch_log_group", {"name": "x"}, None, "loses logs"),
        ("aws_sqs_queue", {"delay_seconds": 1}, {"delay_seconds": 2}, "safe"),
    ],
)  # fmt: skip
def test_each_change_has_its_verdict(
    tmp_path: Path, kind: str, before: Any, after: Any, verdict: str
) -> None:
    plan = plan_of(kind, ["update"] if after else ["delete"], before, after)
    assert report(put(tmp_path / "dev", "data", plan), ["data"])["verdict_line"] == verdict


@pytest.mark.parametrize(("goes", "missed"), [(True, False), (False, True)])
def test_a_removed_route_is_downtime_only_if_its_table_stays(
    tmp_path: Path, goes: bool, missed: bool
) -> None:
    route = {"route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0"}
    plan = plan_of("aws_route", ["delete"], route, None)
    table = plan_of(
        "aws_route_table",
        ["delete"] if goes else ["no-op"],
        {"id": "rtb-1"},
        None if goes else {"id": "rtb-1"},
    )
    plan["resource_changes"] += table["resource_changes"]
    assert ("downtime" in [each[0] for each in says(tmp_path, plan)]) == missed


def test_a_deleted_deposed_object_is_no_downtime(tmp_path: Path) -> None:
    plan = plan_of("aws_lb", ["delete"], {"internal": False}, None)
    plan["resource_changes"][0]["deposed"] = "abc123"
    assert "downtime" not in [each[0] for each in says(tmp_path, plan)]


@pytest.mark.parametrize(
    ("new", "lines"),
    [
        ([("sqli", {"override_action": [{"count": [{}], "none": []}]})], ("~ rule sqli: block → count",)),
        ([], ("~ rule sqli: block → off",)),
        ([("sqli", {"override_action": [{"count": [], "none": [{}]}]})], None),
    ],
)
def test_a_waf_rule_that_no_longer_blocks_is_critical(
    tmp_path: Path, new: list[tuple[str, Any]], lines: tuple[str, ...] | None
) -> None:
    was = {"rule": [{"name": "sqli", "override_action": [{"count": [], "none": [{}]}]}]}
    now = {"rule": [{"name": name, **rule} for name, rule in new], "description": "new"}
    result = report(
        put(tmp_path / "dev", "edge", plan_of("aws_wafv2_web_acl", ["update"], was, now)), ["edge"]
    )
    finding = findings_of(result, "reach").get("aws_wafv2_web_acl.x")
    assert (finding and (finding["lines"], finding["critical"])) == (lines and (lines, True))


@pytest.mark.parametrize(
    ("action", "words"), [("allow", "pass every rule"), ("block", "are refused"), ("", None)]
)
def test_a_wide_ip_set_is_reported_by_the_action_of_its_rule(
    tmp_path: Path, action: str, words: str | None
) -> None:
    plan = plan_of("aws_wafv2_ip_set", ["update"], {"addresses": []}, {"addresses": ["128.0.0.0/1"]})
    statement = {"ip_set_reference_statement": {"arn": "${aws_wafv2_ip_set.x.arn}"}}
    rule = {"name": "x", "action": {action: {}}, "statement": statement}
    generated = {"resource": {"aws_wafv2_web_acl": {"main": {"rule": [rule] if action else []}}}}
    result = report(put(tmp_path / "dev", "edge", plan, generated), ["edge"])
    finding = findings_of(result, "reach").get("aws_wafv2_ip_set.x")
    assert (finding is None) == (words is None)
    assert finding is None or words is None or (finding["critical"] and words in finding["message"])


def test_new_nat_addresses_are_reported_only_if_others_exist(tmp_path: Path) -> None:
    def address(name: str, actions: list[str], before: Any, after: Any) -> dict[str, Any]:
        change = {"actions": actions, "before": before, "after": after}
        return {"address": f"aws_eip.{name}", "type": "aws_eip", "name": name, "change": change}

    new, old = address("b", ["create"], None, {}), address("a", ["no-op"], {"public_ip": "198.51.100.7"}, {})
    first = report(put(tmp_path / "one", "network", {"resource_changes": [new]}), ["network"])
    assert not findings_of(first, "reach")
    second = report(put(tmp_path / "two", "network", {"resource_changes": [new, old]}), ["network"])
    assert "add the new ones to allow-lists" in findings_of(second, "reach")["aws_eip.b"]["message"]
    assert second["verdict_line"] == "changes addresses"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(
            ("0.0.0.0/0", True),
            ("128.0.0.0/1", True),
            ("203.0.0.0/8", True),
            ("::/0", True),
            ("2000::/3", True),
        ),
        *(("203.0.0.0/9", False), ("10.0.0.0/8", False), ("2001:db8::/32", False), ("sg-1", False)),
        *((None, False), ("fd00::/8", False)),
    ],
)
def test_public_ranges_of_a_slash_8_or_larger_are_wide(text: Any, expected: bool) -> None:
    assert wide(text) is expected


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({"ami_type": "AL2023_ARM_64_STANDARD"}, "arm64"),
        ({"ami_type": "BOTTLEROCKET_x86_64"}, "x86_64"),
        ({"ami_type": "CUSTOM", "instance_types": ["m7gd.large"]}, "arm64"),
        ({"instance_types": ["g5.xlarge"]}, "x86_64"),
        ({}, ""),
    ],
)
def test_the_architecture_follows_from_the_ami_type_or_the_instance_type(
    group: dict[str, Any], expected: str
) -> None:
    assert architecture(group) == expected


def test_a_replaced_namespace_release_deletes_everything_in_its_namespaces(tmp_path: Path) -> None:
    release = {"chart": "./charts/namespace", "name": "a"}
    plan = plan_of("helm_release", ["delete", "create"], release, {**release, "name": "b"})
    result = report(put(tmp_path / "dev", "systems", plan), ["systems"])
    assert (
        "everything in its namespaces is deleted"
        in findings_of(result, "downtime")["helm_release.x"]["message"]
    )


def test_a_removed_release_with_volumes_is_reported_as_data(tmp_path: Path) -> None:
    def subjects(values: str) -> list[str]:
        release = {"chart": "prometheus", "values": [values]}
        return [each[0] for each in says(tmp_path, plan_of("helm_release", ["delete"], release, None))]

    asking = "prometheus:\n  storageSpec:\n    volumeClaimTemplate: {spec: {}}\n"
    assert subjects(asking) == ["data", "downtime"]
    assert subjects("persistence:\n  enabled: false\n") == ["downtime"]


def test_the_lists_of_charts_match_the_chart_files() -> None:
    """Compares with the files of every included chart."""
    # A one-time job is not a serving pod.
    workloads = {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Pod"}
    charts = {
        f"./charts/{file.parent.name}": "\n".join(
            each.read_text(encoding="utf-8") for each in file.parent.glob("templates/*")
        )
        for file in ROOT.glob("templates/*/*/Chart.yaml")
    }
    kinds = {name: set(re.findall(r"^kind: (\w+)", text, re.MULTILINE)) for name, text in charts.items()}
    local = {name for name in releases.PODLESS if name.startswith("./")}
    assert local == {name for name, objects in kinds.items() if not objects & workloads}
    assert releases.SYSTEM in kinds.keys() - local
    assert {name for name, objects in kinds.items() if "Namespace" in objects} == releases.NAMESPACES


MEMBERS = {
    "aws_db_instance": ("rds", "ModifyDBInstanceMessage"),
    "aws_docdb_cluster": ("docdb", "ModifyDBClusterMessage"),
    "aws_docdb_cluster_instance": ("docdb", "ModifyDBInstanceMessage"),
}
NAMES = {
    "db_subnet_group_name": "DBSubnetGroupName",
    "engine_version": "EngineVersion",
    "identifier": "NewDBInstanceIdentifier",
    "instance_class": "DBInstanceClass",
    "iops": "Iops",
    "multi_az": "MultiAZ",
    "option_group_name": "OptionGroupName",
}
# Documented in the user guide instead of the API reference.
IN_THE_GUIDE = {"allocated_storage", "storage_throughput", "storage_type"}


def test_waiting_arguments_match_the_api_documentation() -> None:
    for kind, (service, shape) in MEMBERS.items():
        members = models.shape(service, shape)["members"]
        waits = {
            name
            for name, member in NAMES.items()
            if re.search(r"next maintenance window", members.get(member, {}).get("documentation", ""))
        }
        assert set(known(kind).waits) - IN_THE_GUIDE == waits, kind


# --- families


def test_resources_of_one_system_are_one_family() -> None:
    family_of = families(
        [
            *("aws_iam_role.push_billing", "aws_iam_role.deploy_billing", "helm_release.billing"),
            *("helm_release.billing_namespace", "aws_sqs_queue.other", "aws_sns_topic.lone_other"),
        ]
    )
    assert set(family_of.values()) == {"billing"}
    assert len(family_of) == 4


# --- the whole platform

REMOVED = ("sistema_2", "sistema_3")


@pytest.fixture(scope="module")
def edited_sandbox() -> Report:
    """The report of a plan for the applied sandbox after edits of all subjects of a report."""
    return report(shrunk() / "cdktf.out" / "sandbox", list(TIERS))


def test_an_edit_of_the_sandbox_is_reported_with_all_its_consequences(edited_sandbox: Report) -> None:
    texts = {address: each["message"] for address, each in findings_of(edited_sandbox, "resilience").items()}
    assert texts["aws_docdb_cluster_instance.instance_3"] == "instances: 3 → 2"
    assert texts["aws_db_instance.replica_2"] == "read replicas: 2 → 1"
    assert "no failover" in texts["aws_elasticache_replication_group.redis"]
    assert texts["aws_eks_node_group.c"] == "nodes that always run: 3 → 2"
    assert texts["helm_release.sistema_1"] == "pods that always run: 3 → 2"
    stay = {f"aws_eks_node_group.{zone}" for zone in "ab"}
    assert set(findings_of(edited_sandbox, "compatibility")) == stay
    reach = findings_of(edited_sandbox, "reach")
    assert reach["aws_wafv2_ip_set.allowed"]["critical"]
    assert set(reach["aws_wafv2_web_acl.main"]["lines"]) == {
        *("~ rule common: block → count", "~ rule sqli: block → off")
    }
    assert reach["helm_release.sistema_1"]["lines"] == ("- /sistema-1", "+ /one")
    assert findings_of(edited_sandbox, "data")["aws_ecr_repository.sistema_2"]["critical"]
    assert edited_sandbox["verdict_line"] == "AWS refuses"  # the control plane keeps zone c


def test_removed_systems_report_only_their_pods_as_stopped(edited_sandbox: Report) -> None:
    stopped = [each for each in findings_of(edited_sandbox, "downtime") if each.startswith("helm_release")]
    assert stopped == ["helm_release.sistema_2", "helm_release.sistema_3"]
    assert set(findings_of(edited_sandbox, "data")) == {
        *(f"aws_ecr_repository.{name}" for name in REMOVED),
        *(f"aws_secretsmanager_secret.{name}" for name in REMOVED),
        *(f"aws_cloudwatch_log_group.replica_2_{log}" for log in ("postgresql", "upgrade")),
    }


def test_the_rights_of_each_removed_system_are_one_line(edited_sandbox: Report) -> None:
    rights = findings_of(edited_sandbox, "identity")
    families = Counter(each["family"] for each in rights.values())
    assert set(families) == set(REMOVED)
    assert min(families.values()) > 10
    lines = [str(each) for each in terminal.first(edited_sandbox["findings"])]
    start = next(number for number, line in enumerate(lines) if line.startswith("Identity")) + 1
    assert [line.rpartition(" ")[0].strip() for line in lines[start : start + 2]] == [
        f"delivery, systems {name}, {families[name]} resources" for name in REMOVED
    ]
    assert not lines[start + 2].startswith(" ")
