"""Tests of faults during a plan or an apply on AWS: no resource is lost, a message names the remedy, and the
next run converges.

terraform and make are real, S3 is moto, and the embedded provider creates the resources: its account shows
which exist. docs/reliability.md lists these faults.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from support.on_aws import BUCKET, IMPATIENT, PROJECTS, Production, kill_terraform, planned
from support.pretend_aws import OTHER_ACCOUNT, Aws
from support.project import ROOT, refused, succeeded
from support.rehearsing import terraform, terraform_command
from support.sharing import once

from modules.architecture import order
from modules.loader import load
from rehearsal.cloud import Cloud
from tierra.github.workflows import workflows
from tierra.run.journal import created, in_flight, unrecorded
from tierra.run.override import write_overrides
from tierra.run.recover import import_ids
from tierra.run.saved import fault as fault_of
from tierra.run.workspace import Workspace

TIER = "TIER=state"  # the smallest tier, which the fixture `production` has planned
STATE = f"{PROJECTS}/state/terraform.tfstate"
RESOURCES = 22
WORKFLOW = "acme/platform/.github/workflows/infrastructure-environment.yml"


def message(run: object) -> str:
    """The last two lines of the errors, without those of make."""
    errors: str = run.stderr  # type: ignore[attr-defined]
    lines = [line for line in errors.splitlines() if not re.match(r"make(\[\d+\])?: ", line)]
    return "\n".join(lines[-2:])


def existing(production: Production) -> dict[str, int]:
    """The number of objects in the account by type."""
    cloud = Cloud(production.cloud)
    types = {resource["type"] for resource in production.state("state")["resources"]}
    return {type_: len(cloud.all(type_)) for type_ in types}


def converges(production: Production) -> None:
    """Plans and applies. Asserts that the account has one object for each resource of the state."""
    succeeded(production.make("plan", TIER))
    succeeded(production.make("apply", TIER, APPROVE="yes"))
    assert len(production.recorded("state")) == RESOURCES
    assert sum(existing(production).values()) == RESOURCES
    assert production.locks() == []


def complete(production: Production) -> None:
    """Asserts that a plan has no changes, and that the account has one object for each resource."""
    assert "No changes." in succeeded(production.make("plan", TIER))
    assert len(production.recorded("state")) == RESOURCES
    assert sum(existing(production).values()) == RESOURCES
    assert production.locks() == []


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, aws: Aws) -> Production:
    """A project in which each refusal is tested; none of them changes it."""
    source = once("production", lambda folder: planned(folder, aws))
    return Production(tmp_path_factory.mktemp("refused") / "tierra", aws, source)


@pytest.fixture
def unchanged(checkout: Production) -> Production:
    """The same, with an empty account and a state bucket."""
    checkout.aws.reset()
    checkout.create_bucket()
    checkout.variables = checkout.aws.variables()
    checkout.terraform(IMPATIENT)
    return checkout


@pytest.mark.parametrize(
    ("fault", "problem", "remedy"),
    [
        ("bucket", f"the bucket for its states, {BUCKET}, does not exist", "make bootstrap ENV=production"),
        ("credentials", "there are no credentials for AWS", "sign in to the account 123456789012"),
        (
            "account",
            "the credentials are for the account 210987654321, and production is in 123456789012",
            "sign in to 123456789012",
        ),
        (
            "terraform",
            "was written by version 1.99.0, and this is Terraform",
            "use Terraform 1.99.0 or newer",
        ),
        ("network", "your identity cannot be read from AWS", "check credentials and network"),
    ],
)
def test_problem_of_all_tiers_is_reported_once_before_terraform_runs(
    unchanged: Production, fault: str, problem: str, remedy: str
) -> None:
    production = unchanged
    if fault == "bucket":
        production.aws.client("s3").delete_bucket(Bucket=BUCKET)
    elif fault == "credentials":
        del production.variables["AWS_ACCESS_KEY_ID"], production.variables["AWS_SECRET_ACCESS_KEY"]
    elif fault == "account":
        production.variables = production.aws.variables(OTHER_ACCOUNT)
    elif fault == "terraform":
        state = {"version": 4, "terraform_version": "1.99.0", "serial": 1, "lineage": "1", "resources": []}
        production.aws.client("s3").put_object(Bucket=BUCKET, Key=STATE, Body=json.dumps(state).encode())
    else:
        production.aws.fault = lambda method, path: "cut"
    run = production.make("plan")
    refused(run, problem)
    assert remedy in message(run)
    assert run.stderr.count("remedy:") == 1
    assert not list(production.stack("network").glob("*.log"))


@pytest.mark.parametrize("killed", [pytest.param("terraform", marks=pytest.mark.soak), "everything"])
def test_killed_apply_without_a_state_is_recovered(production: Production, killed: str) -> None:
    """terraform is killed when all resources are created and none is in the state, which it writes every
    twenty seconds at most."""
    targets = (
        "aws_kms_alias.state",
        "aws_iam_policy.read",
        "aws_s3_bucket_versioning.state",
    )  # these and their dependencies
    options = " ".join(f"-target={address}" for address in targets)
    production.terraform(IMPATIENT, f'plan) exec terraform "$@" {options};;')
    succeeded(production.make("plan", TIER))
    production.terraform(IMPATIENT)
    written, resume = threading.Event(), threading.Event()
    production.aws.fault = delayed_write(STATE, written, resume, answer="cut")
    process = production.start("apply", TIER, APPROVE="yes")
    assert written.wait(30)
    kill_terraform(process, "apply")
    if killed == "everything":
        os.killpg(process.pid, signal.SIGKILL)
    resume.set()
    _, errors = process.communicate()
    production.aws.fault = None
    assert production.recorded("state") == set()
    assert len(production.locks()) == 1
    if killed == "terraform":
        assert "all that it created; 5 missing: " in errors
        assert "make recover ENV=production TIER=state" in errors
        return

    run = production.make("plan", TIER)
    refused(run, "before the state had all that it created; 5 missing: ")
    assert "make recover ENV=production TIER=state" in message(run)
    refused(production.make("clean"), "only these files record what an interrupted apply created")
    run = production.make("recover", TIER)
    refused(run, "the state is locked")
    command = re.search(r"make (unlock ENV=production TIER=state LOCK=\S+)", message(run))
    assert command
    succeeded(production.make(*command[1].split()))
    succeeded(production.make("recover", TIER))
    assert len(production.recorded("state")) == 5
    converges(production)


def unwritten(production: Production, cut: str) -> None:
    """An apply that could not write its state, and the refusals that follow."""
    production.aws.fault = lambda method, path: cut if path.endswith(STATE) and method == "PUT" else None
    run = production.make("apply", TIER, APPROVE="yes")
    production.aws.fault = None
    refused(
        run, "the state could not be written; what was changed is in cdktf.out/production/stacks/state/err"
    )
    assert "make recover ENV=production TIER=state" in message(run)
    refused(production.make("plan", TIER), "an apply could not write its state")
    refused(production.make("clean"), "errored.tfstate")


def recovers(production: Production) -> None:
    """The folder of the apply is there."""
    output = succeeded(production.make("recover", TIER))
    assert "state push -lock-timeout=0s errored.tfstate" in output
    complete(production)


@pytest.mark.soak
def test_state_is_recovered_if_the_network_lost_the_answer_to_its_write(production: Production) -> None:
    unwritten(production, "answer cut")
    recovers(production)


def test_state_that_the_network_did_not_write_is_recovered_there_and_by_an_operator_elsewhere(
    production: Production,
) -> None:
    """First as after a workflow, whose runner is deleted after the job, with the folder of the apply."""
    unwritten(production, "cut")
    errored = (production.stack("state") / "errored.tfstate").read_bytes()

    workflow = yaml.safe_load(workflows(load(ROOT / "environments" / "production.yaml"))[WORKFLOW])
    (step,) = (
        each for each in workflow["jobs"]["apply"]["steps"] if each.get("name") == "Keep what the states lack"
    )
    assert step["if"] == "failure() || cancelled()"
    production.variables |= {
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_STEP_SUMMARY": str(production.folder / "summary"),
    }
    script = production.folder / "keep.sh"
    script.write_text(step["run"])
    printed = succeeded(production.shell("bash keep.sh"))
    key = f"{PROJECTS}/recovery/state/77-2/"
    assert f"kept: s3://{BUCKET}/{key}state" in printed
    assert "as an operator, make recover ENV=production TIER=state" in printed
    assert f"kept: s3://{BUCKET}/{key}state" in (production.folder / "summary").read_text()
    s3 = production.aws.client("s3")
    assert s3.get_object(Bucket=BUCKET, Key=f"{key}state")["Body"].read() == errored

    shutil.rmtree(production.folder / "cdktf.out")
    for goal in ("plan", "apply"):
        run = production.make(goal, TIER, APPROVE="yes")
        refused(run, "an apply of a workflow ended before the state of state had all that it created")
        assert "make recover ENV=production TIER=state" in message(run)
    output = succeeded(production.make("recover", TIER))
    assert f"recover: downloads s3://{BUCKET}/{key}state" in output
    assert len(production.recorded("state")) == RESOURCES
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{PROJECTS}/recovery/")
    assert not (production.stack("state") / "errored.tfstate").exists()

    # The same fault where the folder is kept.
    s3.delete_object(Bucket=BUCKET, Key=STATE)
    (production.stack("state") / "errored.tfstate").write_bytes(errored)
    recovers(production)


def test_full_disk_leaves_no_saved_plan_and_stops_an_apply_and_a_second_apply_is_refused(
    production: Production, tmp_path: Path
) -> None:
    """A life of one tier, in which the plan and the apply that succeed are the next after the fault."""
    plan = production.stack("state") / "plan.tfplan"

    def fill(method: str, path: str) -> None:
        if method == "PUT" and path.endswith(".tflock") and not plan.exists():
            plan.symlink_to("/dev/full")

    production.aws.fault = fill
    run = production.make("plan", TIER)
    production.aws.fault = None
    refused(run, "the disk is full")
    assert "free some space, then make plan ENV=production" in message(run)
    workspace = Workspace("production", production.stack("state").parents[1])
    assert fault_of(workspace.tier("state")).startswith("there is no saved plan of state")

    # terraform reports no error when its JSON is truncated.
    terraform = production.folder / "terraform-on-a-full-disk"
    terraform.write_text('#!/bin/sh\n[ $2 = show ] || exec terraform "$@"\nterraform "$@" | head -c 999\n')
    terraform.chmod(0o755)
    refused(production.make("plan", TIER, f"TERRAFORM={terraform}"), "the disk is full")
    refused(production.make("apply", TIER, APPROVE="yes"), "there is no saved plan of state")
    succeeded(production.make("plan", TIER))

    # A limit of the size of files, 512 KiB, simulates the full disk.
    run = production.shell("ulimit -f 1024; exec make apply TIER=state APPROVE=yes")
    refused(run, "apply: state of production: cdktf.out/production/stacks/state/journal: File too large")
    assert "free some space" in message(run)
    assert not production.cloud.exists() or not Cloud(production.cloud).all("aws_s3_bucket")

    second = Production(tmp_path / "elsewhere", production.aws, production.folder)
    written, resume = threading.Event(), threading.Event()
    production.aws.fault = delayed_write(STATE, written, resume)
    process = production.start("apply", TIER, APPROVE="yes")
    assert written.wait(30)
    run = second.make("apply", TIER, APPROVE="yes")
    refused(run, "state of production: the state is locked: ")
    lock = json.loads(production.aws.wait_for(BUCKET, f"{STATE}.tflock"))
    assert f"{lock['Who']} has held it since" in run.stderr
    assert f"make unlock ENV=production TIER=state LOCK={lock['ID']}" in message(run)
    resume.set()
    output, errors = process.communicate()
    assert process.returncode == 0, output + errors
    assert len(production.recorded("state")) == RESOURCES
    s3 = production.aws.client("s3")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [STATE]
    stored = s3.get_object(Bucket=BUCKET, Key=STATE)
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["SSEKMSKeyId"].endswith("alias/acme-production-state")
    refused(second.make("apply", TIER, APPROVE="yes"), "the state has changed since the saved plan was made")
    complete(production)


@pytest.mark.soak
def test_failed_creation_is_completed_by_the_next_apply(production: Production) -> None:
    run = production.make("apply", TIER, APPROVE="yes", REHEARSAL_FAIL="aws_s3_bucket_policy=1")
    refused(run, "failure injected by REHEARSAL_FAIL")
    assert "remove the cause, then make plan ENV=production" in message(run)
    assert 0 < len(production.recorded("state")) < RESOURCES
    assert sum(existing(production).values()) == len(production.recorded("state"))
    assert not (production.stack("state") / "journal").exists()
    converges(production)


@pytest.mark.soak
def test_failed_creation_in_any_tier_is_completed_by_the_next_apply(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """Without make and with states in files: in each tier of production the creation of one type fails."""
    stacks, states = tmp_path / "stacks", tmp_path / "states"
    shutil.copytree(folders["production"] / "stacks", stacks)
    shutil.copy(folders["production"] / "environment.json", tmp_path)
    write_overrides(Workspace("production", tmp_path, {"STATES": str(states)}))
    cloud = tmp_path / "cloud.sqlite"
    known: Counter[str] = Counter()
    for tier in order():
        project = Terraform(stacks / tier, states / f"{tier}.tfstate", cloud)
        types = sorted(json.loads((stacks / tier / "cdk.tf.json").read_text())["resource"])
        failing = types[len(types) // 2]
        project.run("init")
        output = project.run("apply", "-auto-approve", code=1, REHEARSAL_FAIL=f"{failing}=1")
        assert "failure injected by REHEARSAL_FAIL" in output
        partial = project.managed()
        assert failing not in partial
        assert existing_in(cloud, known + partial) == known + partial, tier
        project.run("apply", "-auto-approve")
        complete = project.managed()
        assert complete > partial
        known += complete
        assert existing_in(cloud, known) == known, tier
    assert known.total() > 300


class Terraform:
    """terraform in a generated root module whose state is a file."""

    def __init__(self, module: Path, state: Path, cloud: Path) -> None:
        self.module, self.state, self.cloud = module, state, cloud

    def run(self, verb: str, *arguments: str, code: int = 0, **variables: str) -> str:
        options = [f"-chdir={self.module}", verb, "-input=false", "-no-color", *arguments]
        cloud = {"REHEARSAL_CLOUD": str(self.cloud)}
        run = terraform([*terraform_command(), *options], self.module, **cloud, **variables)
        assert run.returncode == code, run.stdout[-2000:] + run.stderr[-2000:]
        return run.stdout + run.stderr

    def managed(self) -> Counter[str]:
        """The number of managed resources in the state by type."""
        resources = json.loads(self.state.read_text())["resources"]
        return Counter(each["type"] for each in resources if each["mode"] == "managed")


def existing_in(cloud: Path, types: Counter[str]) -> Counter[str]:
    """The number of objects of these types in the account."""
    account = Cloud(cloud)
    return Counter({each: len(account.all(each)) for each in types})


def test_journal_shows_unfinished_creations() -> None:
    text = """
aws_eip.a: Creating...
aws_eip.b: Creating...
\x1b[1maws_subnet.a: Creation complete after 0s [id=subnet-1]\x1b[0m
aws_vpc.main: Destruction complete after 1s
aws_eip.a: Creation complete after 2s [id=eipalloc-1]
"""
    assert in_flight(text) == ["aws_eip.b"]
    assert created(text) == {"aws_subnet.a": "subnet-1", "aws_eip.a": "eipalloc-1"}


@pytest.mark.parametrize(("ended", "kept"), [(False, True), (True, False)])
def test_journal_is_kept_until_aws_has_answered_about_every_resource(
    tmp_path: Path, ended: bool, kept: bool
) -> None:
    journal = tmp_path / "journal"
    journal.write_text("aws_eip.a: Creating...\n")
    assert unrecorded(tmp_path, lambda: "", ended=ended) == {}
    assert journal.exists() == kept


@pytest.mark.parametrize(
    ("address", "arguments", "expected"),
    [
        ("aws_vpc.main", {}, ["vpc-1"]),
        ("aws_route.out", {"destination_cidr_block": "0.0.0.0/0"}, ["rtb-1_0.0.0.0/0", "vpc-1"]),
        ("aws_route.out", {"destination_ipv6_cidr_block": "::/0"}, ["rtb-1_::/0", "vpc-1"]),
        ("aws_route.out", {"destination_cidr_block": "${aws_vpc.other.cidr_block}"}, ["vpc-1"]),
    ],
)
def test_recover_tries_the_documented_id_of_an_import_first(
    address: str, arguments: dict[str, str], expected: list[str]
) -> None:
    kind, name = address.split(".")
    configuration = {kind: {name: {"route_table_id": "${aws_route_table.main.id}", **arguments}}}
    assert import_ids(address, "vpc-1", configuration, {"aws_route_table.main": "rtb-1"}) == expected


def test_damaged_state_is_refused_and_unchanged(unchanged: Production) -> None:
    production = unchanged
    production.aws.client("s3").put_object(Bucket=BUCKET, Key=STATE, Body=b'{"version"')
    run = production.make("plan", TIER)
    refused(run, "the file in place of the state is not a state")
    assert production.aws.wait_for(BUCKET, STATE) == b'{"version"'


def delayed_write(
    key: str, reached: threading.Event, resume: threading.Event, answer: str | None = None
) -> Callable[[str, str], str | None]:
    """A fault that delays the write of a state until a test resumes it."""

    def fault(method: str, path: str) -> str | None:
        if method == "PUT" and path.endswith(key):
            reached.set()
            resume.wait(60)
            return answer
        return None

    return fault
