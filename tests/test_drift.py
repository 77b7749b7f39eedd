"""Tests of drift: manual changes are reported, expected changes by AWS are not, and errors differ from
drift."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.operating import AppliedSandbox
from support.project import without_make
from support.rehearsing import installed

from rehearsal.catalog import Catalog, catalog_path
from tierra.aws.types import TYPES
from tierra.bindings.schema import Attribute
from tierra.plans.differences import MASKED, Difference, differences
from tierra.run.drift import compare, markdown
from tierra.run.workspace import Workspace

ROLE = {"type": "aws_iam_role", "name": "nodes", "address": "aws_iam_role.nodes"}


def test_drift_and_errors_have_different_exit_codes(tmp_path: Path) -> None:
    project = AppliedSandbox(tmp_path / "tierra")
    folder = project.folder / "cdktf.out" / "sandbox"

    def code(**variables: str) -> tuple[int, str]:
        command = ["tools/drift.sh", "ENV=sandbox"]
        environment = {**without_make(), **variables}
        run = subprocess.run(
            command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False
        )
        return run.returncode, run.stdout + run.stderr

    database = project.existing("aws_db_instance", "acme-sandbox-postgres")
    moved = {"latest_restorable_time": "2026-01-01T00:00:00Z", "backup_retention_period": 0}
    project.cloud().put("aws_db_instance", f"us-east-1/{database['id']}", {**database, **moved})
    clean, output = code(CDPATH=".")
    assert (clean, output.splitlines()[-1]) == (0, "drift: none")
    assert "drift: not applied, so not compared: state, storage, compute" in output
    assert "drift: not counted: 2 values that" in output

    vpc, cloud = project.existing("aws_vpc", "acme-sandbox-main"), project.cloud()
    renamed = {key: {**vpc[key], "Name": "a|`b"} for key in ("tags", "tags_all")}
    cloud.put("aws_vpc", f"us-east-1/{vpc['id']}", {**vpc, "enable_dns_hostnames": False, **renamed})
    cloud.delete("aws_eip", f"us-east-1/{project.existing('aws_eip', 'acme-sandbox-nat-a')['id']}")
    drifted, output = code(TIER="network")
    assert drifted == 2
    report = json.loads((folder / "drift.json").read_text())
    assert report["verdict"] == "drift"
    assert report["tiers"]["network"]["differences"] == [
        {"address": "aws_eip.nat_a", "attribute": "", "was": "there", "is": "deleted"},
        {"address": "aws_vpc.main", "attribute": "enable_dns_hostnames", "was": "true", "is": "false"},
        {"address": "aws_vpc.main", "attribute": "tags.Name", "was": "acme-sandbox-main", "is": "a|`b"},
    ]
    assert (folder / "drift.md").read_text().splitlines() == [
        "## Drift of sandbox",
        "",
        "| tier | address | attribute | was | is |",
        "|---|---|---|---|---|",
        "| `network` | `aws_eip.nat_a` |  | `there` | `deleted` |",
        "| `network` | `aws_vpc.main` | `enable_dns_hostnames` | `true` | `false` |",
        r"| `network` | `aws_vpc.main` | `tags.Name` | `acme-sandbox-main` | `a\|'b` |",
        "",
        "- 2 resources differ from the state; make plan and make apply restore the values of the spec",
    ]
    assert "drift: 2 resources differ" in output

    # One tier fails; the others are still compared.
    broken = project.stack("network") / "broken.tf.json"
    broken.write_text('{"data": {"aws_no_such_thing": {"x": {}}}}')
    failed, output = code(TIER="network data")
    assert failed == 1
    assert "drift: ERROR, incomplete: network could not be compared" in output
    tiers = json.loads((folder / "drift.json").read_text())["tiers"]
    assert (tiers["network"]["status"], tiers["data"]["status"]) == ("error", "none")
    broken.unlink()

    project.edit("region: us-east-1", "region: nowhere")
    assert code()[0] == 1
    assert not list(folder.glob("drift.*"))


@pytest.fixture(scope="module")
def types() -> dict[str, Any]:
    installed()
    shown = {by for each in TYPES.values() for by in (*each.shows_each.values(), *each.shows.values())}
    named = {name for name, each in TYPES.items() if each.volatile or each.shows_each or each.shows}
    return Catalog(catalog_path()).load("aws", "resource", named | shown)


def test_expected_drift_is_only_of_attributes_that_cannot_be_set(types: dict[str, Any]) -> None:
    for name, entry in TYPES.items():
        for attribute in entry.volatile:
            definition = types[name].block.find(attribute)
            assert isinstance(definition, Attribute), f"{name}.{attribute}"
            assert (definition.computed, definition.optional, definition.required) == (True, False, False), (
                f"{name}.{attribute}"
            )


def test_attributes_that_reflect_other_resources_exist(types: dict[str, Any]) -> None:
    for kind, entry in TYPES.items():
        for attribute, by in (*entry.shows_each.items(), *entry.shows.items()):
            assert types[kind].block.find(attribute), f"{kind}.{attribute}"
            assert by in types


def compared(
    folder: Path, drifted: dict[str, Any], managed: list[dict[str, Any]], configured: dict[str, Any]
) -> list[str]:
    """The attributes that count as drift of one resource, in a tier with these other resources."""
    tier = Workspace("dev", folder).tier("trial")
    tier.folder.mkdir(parents=True, exist_ok=True)
    resources = [{**each, "mode": "managed"} for each in managed]
    tier.state_json.write_text(json.dumps({"values": {"root_module": {"resources": resources}}}))
    tier.drift_json.write_text(json.dumps({"resource_drift": [drifted]}))
    resource = {drifted["type"]: {drifted["name"]: configured}}
    tier.configuration.write_text(json.dumps({"resource": resource}))
    return [each["attribute"] for each in compare(tier)["differences"]]


def attached(role: str) -> dict[str, Any]:
    return {"type": "aws_iam_role_policy_attachment", "values": {"role": role, "policy_arn": "arn:a"}}


def role(*policies: str) -> dict[str, Any]:
    return {
        **ROLE,
        "change": {
            "before": {"name": "nodes", "managed_policy_arns": []},
            "after": {"name": "nodes", "managed_policy_arns": list(policies)},
        },
    }


def test_reflected_attributes_are_drift_only_if_the_other_resource_differs(tmp_path: Path) -> None:
    managed = [attached("nodes"), attached("others")]
    assert compared(tmp_path, role("arn:a"), managed, {}) == []
    assert compared(tmp_path, role("arn:a", "arn:admin"), managed, {}) == ["managed_policy_arns"]
    assert compared(tmp_path, role("arn:a"), [attached("others")], {}) == ["managed_policy_arns"]
    configured = {"managed_policy_arns": ["arn:b"]}  # set in the configuration, so Terraform manages it
    assert compared(tmp_path, role("arn:a"), managed, configured) == ["managed_policy_arns"]

    rules = [{"type": "aws_vpc_security_group_ingress_rule", "values": {"security_group_id": "sg-1"}}] * 2
    element = {"from_port": 443, "cidr_blocks": ["10.0.0.0/8"], "security_groups": ["sg-2"], "self": False}
    change = {"before": {"id": "sg-1", "ingress": []}, "after": {"id": "sg-1", "ingress": [element]}}
    group = {"type": "aws_security_group", "name": "a", "address": "aws_security_group.a", "change": change}
    assert compared(tmp_path, group, rules, {}) == []
    element["cidr_blocks"].append("0.0.0.0/0")
    assert compared(tmp_path, group, rules, {}) == ["ingress"]

    inward = [{"type": "aws_network_acl_rule", "values": {"network_acl_id": "acl-1", "egress": False}}]
    change = {
        "before": {"id": "acl-1", "ingress": [], "egress": []},
        "after": {"id": "acl-1", "ingress": [{"rule_no": 100}], "egress": [{"rule_no": 100}]},
    }
    wall = {"type": "aws_network_acl", "name": "a", "address": "aws_network_acl.a", "change": change}
    assert compared(tmp_path, wall, inward, {}) == ["egress"]

    change = {"before": {"id": "b", "policy": ""}, "after": {"id": "b", "policy": "{}"}}
    bucket = {"type": "aws_s3_bucket", "name": "b", "address": "aws_s3_bucket.b", "change": change}
    owner = {"type": "aws_s3_bucket_policy", "values": {"bucket": "b"}}
    assert compared(tmp_path, bucket, [owner], {}) == []
    assert compared(tmp_path, bucket, [], {}) == ["policy"]


def test_ignored_changes_are_no_drift(tmp_path: Path) -> None:
    scaling = [{"desired_size": 3, "max_size": 9}]
    change = {
        "before": {"scaling_config": scaling},
        "after": {"scaling_config": [{"desired_size": 5, "max_size": 12}]},
    }
    nodes = {"type": "aws_eks_node_group", "name": "a", "address": "aws_eks_node_group.a", "change": change}
    ignored = {"lifecycle": {"ignore_changes": ["scaling_config[0].desired_size"]}}
    assert compared(tmp_path, nodes, [nodes], ignored) == ["scaling_config[0].max_size"]
    assert compared(tmp_path, nodes, [nodes], {"lifecycle": {"ignore_changes": "all"}}) == []


def test_storage_autoscaling_within_its_limit_is_no_drift(tmp_path: Path) -> None:
    change = {
        "before": {"allocated_storage": 100, "max_allocated_storage": 400},
        "after": {"allocated_storage": 110, "max_allocated_storage": 400},
    }
    database = {"type": "aws_db_instance", "name": "a", "address": "aws_db_instance.a", "change": change}
    assert compared(tmp_path, database, [], {}) == []
    change["after"]["max_allocated_storage"] = 0
    assert compared(tmp_path, database, [], {}) == ["allocated_storage", "max_allocated_storage"]


def test_drift_of_a_secret_shows_no_value() -> None:
    change = {
        "before": {"a": "one", "value": "old", "list": [{"x": "s1"}], "auth_token": "t1"},
        "after": {"a": "two", "value": "new", "list": [{"x": "s2"}], "auth_token": "t2"},
        "before_sensitive": {"value": True, "list": [{"x": True}]},
        "after_sensitive": {"value": True},
    }
    assert differences(change) == [
        Difference("a", "one", "two"),
        Difference("auth_token", MASKED, MASKED),
        Difference("list[0].x", MASKED, MASKED),
        Difference("value", MASKED, MASKED),
    ]


def test_a_report_without_drift_shows_none() -> None:
    report = {"environment": "dev", "verdict": "none", "tiers": {}}
    assert markdown(report) == "## Drift of dev\n\n- none\n"
