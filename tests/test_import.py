"""Tests of make import: existing resources are adopted, never duplicated, and not replaced."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from support.operating import TIERS, AppliedSandbox
from support.project import Project, refused, succeeded

from tierra.run.adopt import BLOCKS, lines, write
from tierra.run.workspace import Workspace
from tierra.validation.errors import SpecError


def write_imports(project: Project, text: str) -> None:
    """Writes environments/imports/sandbox.yaml."""
    file = project.folder / "environments" / "imports" / "sandbox.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    os.utime(file, (0, 0))  # synthesis does not read it, and is not repeated for it


def test_existing_resources_are_planned_and_adopted(tmp_path: Path) -> None:
    project = AppliedSandbox(tmp_path / "tierra")
    applied = project.addresses()
    vpc = project.existing("aws_vpc", "acme-sandbox-main")["id"]
    key = project.existing("aws_kms_key", "acme-sandbox-postgres")["id"]
    database = project.existing("aws_db_instance", "acme-sandbox-postgres")["id"]
    for tier in TIERS.split():
        (project.folder / ".rehearsal" / "sandbox" / f"{tier}.tfstate").unlink()
        (project.stack(tier) / "applied").unlink()
    with sqlite3.connect(project.folder / ".rehearsal" / "sandbox" / "cloud.sqlite") as connection:
        # The account before its first import: a VPC, and a database with its key.
        patterns = [f"%{identity}" for identity in (vpc, key, database)]
        connection.execute("DELETE FROM objects WHERE NOT (id LIKE ? OR id LIKE ? OR id LIKE ?)", patterns)
    write_imports(
        project,
        f"network:\n  aws_vpc.main: {vpc}\n"
        f"data:\n  aws_db_instance.postgres: acme-sandbox-postgres\n  aws_kms_key.postgres: {key}\n",
    )
    # A report of an earlier plan, which does not describe the plans of the import.
    earlier = {"plans": {tier: {"plan": "0f3a"} for tier in TIERS.split()}}
    (project.stack("network").parents[1] / "report.json").write_text(json.dumps(earlier))

    output = succeeded(project.make("import", TIER=TIERS))
    assert f"import: aws_vpc.main adopts {vpc}, as it is" in output
    assert "nothing is changed yet; next: make apply ENV=sandbox TIER=network" in output
    assert "import: waiting for what they need: data" in output
    assert project.addresses() == set()

    os.utime(project.folder / "environments" / "sandbox.yaml")  # synthesis keeps the import blocks
    output = succeeded(project.make("apply", TIER="network", APPROVE="yes"))
    assert "1 imported" in output
    assert not (project.stack("network") / "import.tf.json").exists()
    # A plan without make import adopts the pending resources, too, and creates no second database.
    assert re.search(r"plan +data +2 to import", succeeded(project.make("plan", TIER="data")))
    output = succeeded(project.make("apply", TIER="data", APPROVE="yes"))
    assert "import: aws_db_instance.postgres adopts acme-sandbox-postgres" in output
    assert project.addresses() == applied
    primaries = [
        instance
        for instance in project.cloud().all("aws_db_instance")
        if not instance.get("replicate_source_db")
    ]
    assert len(primaries) == len(project.cloud().all("aws_vpc")) == 1
    assert "nothing to import" in succeeded(project.make("import", TIER=TIERS))


def test_import_that_would_replace_the_resource_is_refused(tmp_path: Path) -> None:
    project = AppliedSandbox(tmp_path / "tierra")
    vpc = project.existing("aws_vpc", "acme-sandbox-main")
    other_vpc = {**vpc, "id": "vpc-00000000000000001", "cidr_block": "10.99.0.0/16"}
    project.cloud().put("aws_vpc", f"us-east-1/{other_vpc['id']}", other_vpc)
    state = project.folder / ".rehearsal" / "sandbox" / "network.tfstate"
    body = json.loads(state.read_text())
    body["resources"] = [resource for resource in body["resources"] if resource["type"] != "aws_vpc"]
    state.write_text(json.dumps(body))
    write_imports(
        project, f"network:\n  aws_vpc.main: {other_vpc['id']}\nstorage:\n  aws_s3_bucket.files: acme-files\n"
    )

    refused(project.make("import", TIER="network"), "protection keeps aws_vpc.main")
    project.edit("protection: true", "protection: false")
    run = project.make("import", TIER="network")
    refused(run, "aws_vpc.main: vpc-00000000000000001 would be destroyed and created again")
    assert "cannot be changed: cidr_block" in run.stderr
    refused(project.make("plan", TIER="network"), "would be destroyed and created again")
    refused(project.make("apply", TIER="network", APPROVE="yes"), "there is no saved plan of network")
    assert project.cloud().get("aws_vpc", f"us-east-1/{other_vpc['id']}") == other_vpc

    write_imports(project, "network:\n  aws_vpc.main: vpc-00000000000000002\n")
    refused(project.make("import", TIER="network"), "Cannot import non-existent remote object")
    write_imports(project, "{}\n")
    assert "nothing to import" in succeeded(project.make("import", TIER="network"))
    blocks = project.stack("network") / "import.tf.json"
    assert not blocks.exists()
    blocks.write_text("{}")
    refused(project.make("import", TIER="network"), "the file must be one that make import wrote")


def test_import_reports_changed_attributes() -> None:
    change = {
        "actions": ["update"],
        "importing": {"id": "orders"},
        "before": {"identifier": "orders", "multi_az": False, "tags": None},
        "after": {"identifier": "acme-dev-postgres", "multi_az": True, "tags": None},
    }
    plan = {"resource_changes": [{"address": "aws_db_instance.postgres", "change": change}]}
    assert list(lines(plan)) == [
        "import: aws_db_instance.postgres adopts orders, and changes identifier, multi_az"
    ]


def test_wrong_import_file_is_refused_with_all_problems(tmp_path: Path, folders: dict[str, Path]) -> None:
    out = tmp_path / "cdktf.out"
    shutil.copytree(folders["sandbox"], out, ignore=shutil.ignore_patterns("hcl", ".terraform"))
    tiers = Workspace("sandbox", out).tiers()
    for tier in tiers:
        tier.state_json.write_text("{}")
    vpc = {"address": "aws_vpc.main", "mode": "managed", "values": {"id": "vpc-00000000000000001"}}
    state = {"values": {"root_module": {"resources": [vpc]}}}
    (out / "stacks/network/state.json").write_text(json.dumps(state))
    file = tmp_path / "environments/imports/sandbox.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "network:\n"
        "  aws_vpc.man: vpc-0123456789abcdef0\n"
        "  aws_vpc.main: vpc-0123456789abcdef0\n"
        "dat:\n"
        "  aws_db_instance.postgres: x\n"
        "storage:\n"
        '  aws_s3_bucket.files: "${path.root}"\n'
        "  aws_kms_key.files: a\n"
        "  aws_kms_key.backup: a\n"
        "data:\n"
        "  aws_db_instance.postgres: 17\n"
        "edge: aws_lb.main\n",
    )
    with pytest.raises(SpecError) as raised:
        write(file, tiers)
    assert "environments/imports/sandbox.yaml: 7 problems" in str(raised.value)
    for message in (
        "yaml:2: network: aws_vpc.man: vpc-0123456789abcdef0\n"
        "  rule:   the address must be one of a resource of network\n"
        "  remedy: did you mean aws_vpc.main",
        "yaml:3: network: aws_vpc.main: vpc-0123456789abcdef0\n"
        "  rule:   the ID must be that in the state, which holds vpc-00000000000000001 at this address",
        "yaml:4: dat\n  rule:   the key must be a tier",
        "yaml:7: storage: aws_s3_bucket.files: ${path.root}\n  rule:   an ID must be plain text",
        "yaml:9: storage: aws_kms_key.backup: a\n  rule:   a resource must have one address",
        "yaml:11: data: aws_db_instance.postgres: 17\n  rule:   an ID must be text\n"
        "  remedy: put it in quotes",
        "yaml:12: edge: aws_lb.main\n  rule:   a tier must map addresses to IDs",
    ):
        assert message in str(raised.value)
    assert not list(out.glob("**/import.tf.json"))


def test_withdrawn_import_removes_the_saved_plan(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text('{"tiers": {"network": []}}')
    tier = Workspace("dev", tmp_path).tier("network")
    stack = tier.folder
    stack.mkdir(parents=True)
    (stack / "state.json").write_text("{}")
    (stack / "cdk.tf.json").write_text('{"resource": {"aws_vpc": {"main": {}}}}')
    file = tmp_path / "dev.yaml"
    file.write_text("network: {aws_vpc.main: vpc-1}\n")
    write(file, [tier])
    assert json.loads((stack / BLOCKS).read_text())["import"] == [{"to": "aws_vpc.main", "id": "vpc-1"}]
    (stack / "plan.tfplan").touch()
    write(file, [tier])
    assert (stack / "plan.tfplan").exists()
    file.write_text("{}\n")
    write(file, [tier])
    assert sorted(path.name for path in stack.iterdir()) == ["cdk.tf.json", "state.json"]
