"""Destroy, drift and import with real make and real terraform: nothing is lost, overlooked or built twice."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import sqlite3
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest
from rehearsing import installed, terraform_command
from test_make import Project, refused, succeeded, without_make

from bindings.schema import Attribute
from rehearsal.catalog import Catalog, catalog_path
from rehearsal.cloud import Cloud
from review import approve
from review.differences import MASKED, VOLATILE, differences
from review.preflight import TierState, refusals

DATABASES = "network data"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "tierra")


def applied(project: Project, tiers: str) -> None:
    for tier in tiers.split():
        succeeded(project.make("plan", TIER=tier))
        succeeded(project.make("apply", TIER=tier, APPROVE="yes"))


def stack(project: Project, tier: str) -> Path:
    return project.folder / "cdktf.out" / "sandbox" / "stacks" / tier


def account(project: Project) -> Cloud:
    return Cloud(project.folder / ".rehearsal" / "sandbox" / "cloud.sqlite")


def one(project: Project, terraform_type: str, name: str) -> dict[str, Any]:
    """The object of a type with this name in the pretended account."""
    named = (
        each
        for each in account(project).all(terraform_type)
        if name in ((each.get("tags") or {}).get("Name"), each.get("identifier"))
    )
    return next(named)


def forget(project: Project, tier: str, address: str) -> None:
    """Takes a resource out of the state; it stays in the account."""
    variables = {**without_make(), "TF_CLI_CONFIG_FILE": str(installed())}
    command = [*terraform_command(), f"-chdir={stack(project, tier)}", "state", "rm", address]
    subprocess.run(command, env=variables, check=True, capture_output=True)


def typed(project: Project, answer: str, *arguments: str) -> tuple[int, str]:
    """Exit code of make and what its terminal shows, when somebody types an answer there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["make", *arguments],
        cwd=project.folder,
        env=without_make(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # type: ignore[func-returns-value]
    )
    os.close(theirs)
    shown = b""
    while b"Type" not in shown:
        shown += os.read(ours, 65536)  # an error when make ends without a question
    os.write(ours, f"{answer}\n".encode())
    process.communicate()
    os.close(ours)
    return process.returncode, shown.decode()


def test_a_protected_environment_is_destroyed_only_after_protection_was_lifted_and_applied(
    project: Project,
) -> None:
    project.edit("protection: false", "protection: true")
    project.edit("  final_snapshots: false", "  # final_snapshots: false")
    applied(project, DATABASES)
    standing = project.addresses()

    run = project.make("destroy", APPROVE="sandbox")
    refused(
        run,
        "destroy: refused, nothing was changed: network, data: environments/sandbox.yaml has protection on",
    )
    rows = {line.split()[1]: line for line in run.stdout.splitlines() if len(line.split()) > 2}
    assert "deletion_protection" in rows["aws_db_instance.postgres"]
    assert "protection" in rows["aws_kms_key.redis"]
    for database in (
        "db_instance.postgres",
        "docdb_cluster.documentdb",
        "elasticache_replication_group.redis",
    ):
        assert f"final snapshot acme-sandbox-{database.split('.')[1]}-final-1" in rows[f"aws_{database}"]
    assert "aws_db_instance.replica_1" not in rows  # a copy, which holds nothing of its own
    assert project.addresses() == standing

    project.edit("protection: true", "protection: false")
    refused(project.make("destroy", APPROVE="sandbox"), "protection off, and that was not applied")
    succeeded(project.make("plan", TIER=DATABASES))
    refused(project.make("destroy", APPROVE="sandbox"), "protection off, and that was not applied")
    assert project.addresses() == standing

    succeeded(project.make("apply", TIER=DATABASES, APPROVE="yes"))
    refused(project.make("destroy", TIER="network", APPROVE="sandbox"), "data stands on it and still has")
    refused(project.make("destroy", APPROVE="yes"), "takes the environment's name: APPROVE=sandbox")
    assert project.addresses() == standing
    output = succeeded(project.make("destroy", APPROVE="sandbox"))
    assert "final snapshot acme-sandbox-postgres-final-1" in output
    assert "copy those to keep under another key" in " ".join(output.split())
    assert output.index("== destroy data") < output.index("== destroy network")
    assert project.addresses() == set()


def test_a_destroy_waits_for_the_name_of_the_environment(project: Project) -> None:
    applied(project, "storage")
    code, shown = typed(project, "yes", "destroy", "TIER=storage")
    assert code == 2
    assert "objects in it are deleted" in shown  # before the answer, not after it
    assert "destroy storage? Type the name of the environment: " in shown
    assert project.addresses()
    assert typed(project, "sandbox", "destroy", "TIER=storage")[0] == 0
    assert project.addresses() == set()


def test_an_apply_waits_for_a_yes(project: Project) -> None:
    succeeded(project.make("plan", "TIER=storage"))
    code, shown = typed(project, "no", "apply", "TIER=storage")
    assert code == 2
    assert "total" in shown
    assert project.addresses() == set()
    assert typed(project, "yes", "apply", "TIER=storage")[0] == 0
    assert project.addresses()


def test_a_dry_run_of_destroy_drift_and_import_shows_plain_commands(project: Project) -> None:
    for verb, command in (
        ("destroy", "destroy -auto-approve -input=false"),
        ("drift", "plan -refresh-only -input=false"),
        ("import", "plan -input=false"),
    ):
        output = succeeded(project.make("-n", verb, "TIER=network"))
        assert f"-chdir=cdktf.out/sandbox/stacks/network {command}" in output
    assert not (stack(project, "network") / ".terraform").exists()


def state(folder: Path, outputs: dict[str, Any], **values: Any) -> TierState:
    """A tier with one database."""
    resource = {
        "address": "aws_db_instance.postgres",
        "type": "aws_db_instance",
        "mode": "managed",
        "values": values,
    }
    made = folder / "stacks" / "data"
    made.mkdir(parents=True)
    body = {"values": {"outputs": outputs, "root_module": {"resources": [resource]}}}
    (made / "state.json").write_text(json.dumps(body))
    (made / "cdk.tf.json").write_text('{"output": {"protection": {"value": false}}}')
    return TierState(folder, "data")


def test_what_somebody_guarded_by_hand_stops_a_destroy(tmp_path: Path) -> None:
    lifted = {"protection": {"value": False}}
    [refusal] = refusals("sandbox", [state(tmp_path, lifted, deletion_protection=True)], [])
    assert "aws_db_instance.postgres (deletion_protection)" in refusal


def test_an_apply_that_ended_halfway_is_protected_when_its_resources_are(tmp_path: Path) -> None:
    assert state(tmp_path / "a", {}, deletion_protection=True).applied_protection
    assert not state(tmp_path / "b", {}, deletion_protection=False).applied_protection


def test_drift_is_reported_and_told_apart_from_errors(project: Project) -> None:
    assert "not compared: network" in succeeded(project.make("drift", TIER="network"))
    applied(project, "network")
    assert succeeded(project.make("drift", TIER="network")).endswith("drift: none\n")

    vpc, cloud = one(project, "aws_vpc", "acme-sandbox-main"), account(project)
    changed = {"tags": {**vpc["tags"], "Name": "renamed"}, "tags_all": {**vpc["tags_all"], "Name": "renamed"}}
    cloud.put("aws_vpc", f"us-east-1/{vpc['id']}", {**vpc, "enable_dns_hostnames": False, **changed})
    cloud.delete("aws_eip", f"us-east-1/{one(project, 'aws_eip', 'acme-sandbox-nat-a')['id']}")
    run = project.make("drift", TIER="network")
    assert run.returncode == 2
    assert "drift] Error 2" in run.stderr
    report = json.loads((project.folder / "cdktf.out" / "sandbox" / "drift.json").read_text())
    assert (report["verdict"], report["exit_code"]) == ("drift", 2)
    assert report["tiers"]["network"]["differences"] == [
        {"address": "aws_eip.nat_a", "attribute": "", "was": "there", "is": "deleted"},
        {"address": "aws_vpc.main", "attribute": "enable_dns_hostnames", "was": "true", "is": "false"},
        {"address": "aws_vpc.main", "attribute": "tags.Name", "was": "acme-sandbox-main", "is": "renamed"},
    ]
    assert "aws_vpc.main" in run.stdout.split("== drift network")[1].rpartition("terraform")[2]

    def code(**variables: str) -> int:
        command = ["tools/drift.sh", "ENV=sandbox", "TIER=network"]
        environment = {**without_make(), **variables}
        return subprocess.run(command, cwd=project.folder, env=environment, capture_output=True).returncode

    assert code() == 2
    failed = project.make("drift", TIER="network", REHEARSAL_FAIL="nonsense")
    assert "drift: ERROR, not all is known: network not compared" in failed.stdout
    assert "drift] Error 1" in failed.stderr
    assert code(REHEARSAL_FAIL="nonsense") == 1
    applied(project, "network")
    assert code() == 0
    project.edit("region: us-east-1", "region: nowhere")
    assert code() == 1
    assert not (project.folder / "cdktf.out" / "sandbox" / "drift.json").exists()


def test_what_aws_moves_by_itself_or_the_configuration_ignores_is_no_drift(project: Project) -> None:
    applied(project, DATABASES)
    database = one(project, "aws_db_instance", "acme-sandbox-postgres")
    moved = {"latest_restorable_time": "2026-01-01T00:00:00Z", "backup_retention_period": 0}
    account(project).put("aws_db_instance", f"us-east-1/{database['id']}", {**database, **moved})
    assert "drift: 2 values that AWS moves by itself" in succeeded(project.make("drift", TIER="data"))
    report = json.loads((project.folder / "cdktf.out" / "sandbox" / "drift.json").read_text())
    assert {each["attribute"] for each in report["tiers"]["data"]["left_alone"]} == moved.keys()


def test_nobody_can_set_what_is_taken_for_moved_by_aws() -> None:
    installed()
    types = Catalog(catalog_path()).load("aws", "resource", set(VOLATILE))
    for name, attributes in VOLATILE.items():
        for attribute in attributes:
            found = types[name].block.find(attribute)
            assert isinstance(found, Attribute), f"{name}.{attribute}"
            assert (found.computed, found.optional, found.required) == (True, False, False), (
                f"{name}.{attribute}"
            )


def test_drift_of_a_secret_shows_no_value() -> None:
    change = {
        "before": {"a": "one", "value": "old", "list": [{"x": "s1"}], "auth_token": "t1"},
        "after": {"a": "two", "value": "new", "list": [{"x": "s2"}], "auth_token": "t2"},
        "before_sensitive": {"value": True, "list": [{"x": True}]},
        "after_sensitive": {"value": True},
    }
    plan = {"resource_drift": [{"address": "t.n", "type": "t", "name": "n", "change": change}]}
    found = {each.attribute: (each.was, each.is_) for each in differences(plan)}
    assert found == {
        "a": ("one", "two"),
        "value": (MASKED, MASKED),
        "list[0].x": (MASKED, MASKED),
        "auth_token": (MASKED, MASKED),
    }


def imports(project: Project, text: str) -> None:
    file = project.folder / "environments" / "imports" / "sandbox.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def test_what_exists_is_adopted_planned_before_anything_is_touched(project: Project) -> None:
    applied(project, DATABASES)
    standing = project.addresses()
    vpc = one(project, "aws_vpc", "acme-sandbox-main")["id"]
    key = one(project, "aws_kms_key", "acme-sandbox-postgres")["id"]
    for tier in DATABASES.split():
        (project.folder / ".rehearsal" / "sandbox" / f"{tier}.tfstate").unlink()
        (stack(project, tier) / "applied").unlink()
    with sqlite3.connect(project.folder / ".rehearsal" / "sandbox" / "cloud.sqlite") as database:
        # What somebody had before there was Tierra: a VPC, and a database with its key.
        kept = (f"%{one(project, 'aws_db_instance', 'acme-sandbox-postgres')['id']}", f"%{key}")
        database.execute(
            "DELETE FROM objects WHERE type != 'aws_vpc' AND id NOT LIKE ? AND id NOT LIKE ?", kept
        )
    database_and_key = f"  aws_db_instance.postgres: acme-sandbox-postgres\n  aws_kms_key.postgres: {key}\n"
    imports(project, f"network:\n  aws_vpc.main: {vpc}\ndata:\n{database_and_key}")

    output = succeeded(project.make("import", TIER=DATABASES))
    assert f"import: aws_vpc.main adopts {vpc}, as it is" in output
    assert "nothing is touched yet; next: make apply ENV=sandbox TIER=network" in output
    assert "import: waiting for other tiers: data" in output
    assert project.addresses() == set()

    succeeded(project.make("synth"))
    os.utime(project.folder / "environments" / "sandbox.yaml")
    succeeded(project.make("synth"))
    assert (stack(project, "network") / "import.tf.json").exists()
    # Whoever goes on without make import adopts what waits all the same: no second database.
    output = succeeded(project.make("apply", TIER="network", APPROVE="yes"))
    assert "1 imported" in output
    assert not (stack(project, "network") / "import.tf.json").exists()
    assert "Plan: 2 to import" in succeeded(project.make("plan", TIER="data"))
    output = succeeded(project.make("apply", TIER="data", APPROVE="yes"))
    assert "import: aws_db_instance.postgres adopts acme-sandbox-postgres" in output
    assert project.addresses() == standing
    assert "nothing to adopt" in succeeded(project.make("import", TIER=DATABASES))
    assert succeeded(project.make("plan", TIER=DATABASES)).count("No changes.") == 2
    assert (
        len([each for each in account(project).all("aws_db_instance") if not each["replicate_source_db"]])
        == 1
    )


def test_an_import_that_would_build_anew_what_it_adopts_is_refused(project: Project) -> None:
    applied(project, "network")
    vpc = one(project, "aws_vpc", "acme-sandbox-main")
    other = {**vpc, "id": "vpc-00000000000000001", "cidr_block": "10.99.0.0/16"}
    account(project).put("aws_vpc", f"us-east-1/{other['id']}", other)
    forget(project, "network", "aws_vpc.main")
    imports(project, f"network:\n  aws_vpc.main: {other['id']}\n")
    run = project.make("import", TIER="network")
    refused(run, "aws_vpc.main: vpc-00000000000000001 would be destroyed and built anew")
    assert "cannot be changed: cidr_block" in run.stderr
    refused(project.make("plan", TIER="network"), "would be destroyed and built anew")
    (stack(project, "network") / "applied").unlink(missing_ok=True)
    refused(project.make("apply", TIER="network", APPROVE="yes"), "has no saved plan")
    assert account(project).get("aws_vpc", f"us-east-1/{other['id']}") == other

    imports(project, "network:\n  aws_vpc.main: vpc-00000000000000002\n")
    refused(project.make("import", TIER="network"), "Cannot import non-existent remote object")
    imports(project, "{}\n")
    assert "nothing to adopt" in succeeded(project.make("import", TIER="network"))
    assert not (stack(project, "network") / "import.tf.json").exists()


def test_a_wrong_import_file_is_refused_with_everything_that_is_wrong(project: Project) -> None:
    imports(
        project,
        "network:\n"
        "  aws_vpc.man: vpc-0123456789abcdef0\n"
        "  aws_vpc.main: subnet-0123456789abcdef0\n"
        "  aws_subnet.private_a: subnet-0123456789abcdef0\n"
        "  aws_subnet.private_b: subnet-0123456789abcdef0\n"
        "dat:\n"
        "  aws_db_instance.postgres: x\n"
        "storage:\n"
        '  aws_s3_bucket.files: "${path.root}"\n'
        "data:\n"
        "  aws_db_instance.postgres: 17\n",
    )
    run = project.make("import")
    refused(run, "environments/imports/sandbox.yaml: 6 problems")
    for said in (
        "yaml:2: network.aws_vpc.man: vpc-0123456789abcdef0\n  rule:   network generates no such resource\n",
        "  remedy: did you mean aws_vpc.main",
        "yaml:3: network.aws_vpc.main: subnet-0123456789abcdef0\n  rule:   aws_vpc is known to terraform by",
        "  remedy: write its ID, such as vpc-0123456789abcdef0",
        "yaml:5: network.aws_subnet.private_b: subnet-0123456789abcdef0\n  rule:   one thing has one",
        "yaml:6: dat\n",
        "yaml:9: storage.aws_s3_bucket.files: ${path.root}\n  rule:   an ID is plain text",
        "yaml:11: data.aws_db_instance.postgres: 17\n  rule:   an ID is text",
    ):
        assert said in run.stderr
    assert not list(project.folder.glob("cdktf.out/**/import.tf.json"))
    (stack(project, "network") / "import.tf.json").write_text("{}")
    imports(project, "{}\n")
    refused(
        project.make("import", TIER="network"), "make import writes this file, and it holds something else"
    )


def test_the_question_needs_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(approve, "TERMINAL", "/dev/no-such-terminal")
    assert approve.answered("sandbox", "destroy network? ", ["what is lost"]) == 1
    said = capsys.readouterr()
    assert "what is lost" in said.out
    assert "destroy: no terminal to ask on; APPROVE=sandbox says it in advance" in said.err
