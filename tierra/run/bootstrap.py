"""Builds the tier `state`, and moves its own state into its bucket.

On an account without the bucket the tier is applied with its state in a local file, which then moves into the
bucket and is removed once the bucket has all of it. Existing resources with the names of the tier (buckets,
key, policies) are adopted: imported in the same apply, never created twice.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tierra.run import account, approve
from tierra.run import apply as applying
from tierra.run import plan as planning
from tierra.run.account import Backend, Refused, bucket_exists, client, look_at_account
from tierra.run.terraform import Terraform
from tierra.run.workspace import GENERATED, VERSIONS, Failed, Tier, Workspace, write

TIER = "state"
RECOVERABLE = "errored.tfstate"
BACKEND = "local_override.tf.json"
ADOPTED = "adopted.tf.json"


def bootstrap(workspace: Workspace) -> None:
    """Builds the bucket for the states of an environment, or applies changes of its tier if it exists. Safe
    to run again after an interruption. Raises Failed."""
    if workspace.rehearsed:
        print(f"bootstrap: {workspace.environment} is a rehearsal, with states in local files: nothing to do")
        return
    tier = workspace.tier(TIER)
    # The same tier in its own folder, which has no remote state until the bucket exists.
    first = Workspace(workspace.environment, workspace.out / "bootstrap", workspace.variables)
    local = Path(".bootstrap", f"{workspace.environment}.tfstate")
    where = (workspace, tier.folder, first.out / "stacks" / TIER, local)
    try:
        if begin(*where) == "again":
            _again(workspace)
            return
        write(first.out / "environment.json", json.dumps({**workspace.facts, "tiers": {TIER: []}}))
        applied = _first(first, lambda: move(*where))
        print(end(*where), end="")
        if not applied:
            raise Failed("")  # the error of the apply is printed above
    except Refused as refused:
        raise Failed(f"bootstrap: {workspace.environment}: {refused}") from None
    except (BotoCoreError, ClientError) as error:
        raise Failed(
            f"bootstrap: {workspace.environment}: AWS refuses: {error}\n"
            f"  remedy: remove the cause that AWS names, then make bootstrap ENV={workspace.environment}"
        ) from None


def _again(workspace: Workspace) -> None:
    print(f"bootstrap: {workspace.environment} has its bucket, with the state of the tier {TIER} in it")
    narrowed = Workspace(workspace.environment, workspace.out, {**workspace.variables, "TIER": TIER})
    account.check_account(narrowed)
    tier = narrowed.tier(TIER)
    for kind in ("json", "md", "html"):  # a report of an earlier plan of the tier, which this one replaces
        (workspace.out / f"report.{kind}").unlink(missing_ok=True)
    planning.plan(tier)
    approve.apply(narrowed)
    applying.apply(tier)


def _first(workspace: Workspace, move: Callable[[], None]) -> bool:
    """Applies with a local state and moves it, even if the apply stopped halfway; returns whether it was
    complete."""
    tier = Tier(workspace, TIER)
    terraform = Terraform(tier, "bootstrap")
    terraform.init()
    planning.real(tier, terraform)
    approve.apply(workspace)
    complete = True
    try:
        terraform.run(
            ["apply", "-input=false", "-no-color", "plan.tfplan"],
            tier.apply_log,
            doing="applies",
            journal=True,
        )
    except Failed as error:
        sys.stderr.write(f"{error}\n")
        complete = False
    move()
    terraform.run(
        ["init", "-migrate-state", "-force-copy", "-input=false", "-no-color"],
        tier.folder / "init.log",
        doing="moves its state",
    )
    return complete


def begin(workspace: Workspace, source: Path, folder: Path, local: Path) -> str:
    """`first` or `again`. Raises Refused if account or states are unsuitable."""
    environment, backend = workspace.environment, Backend.of(source)
    look_at_account(workspace, backend)
    if bucket_exists(backend, backend.bucket) and (state := remote_state(backend)):
        if local.exists() and holds(local):
            _superseded(environment, local, state, backend)
        return "again"
    local.parent.mkdir(parents=True, exist_ok=True)
    if (folder / RECOVERABLE).exists():  # terraform could not store it in the backend
        os.replace(folder / RECOVERABLE, local)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in (GENERATED, VERSIONS):
        (folder / name).write_bytes((source / name).read_bytes())
    settings = {"terraform": {"backend": {"local": {"path": os.path.relpath(local, folder)}}}}
    write(folder / BACKEND, json.dumps(settings, indent=2) + "\n")
    configuration = json.loads((source / GENERATED).read_text())
    imports = [{"to": to, "id": id_} for to, id_ in existing(backend, configuration["resource"])]
    if imports:
        write(folder / ADOPTED, json.dumps({"import": imports}, indent=2) + "\n")
    return "first"


def move(workspace: Workspace, source: Path, folder: Path, local: Path) -> None:
    """Makes the generated backend the only one. Raises Refused if the bucket cannot store the state."""
    environment, backend = workspace.environment, Backend.of(source)
    if not bucket_exists(backend, backend.bucket):
        raise Refused(
            f"there is no bucket yet; until there is, {local} is the only state of the created resources:"
            " keep it",
            f"remove the cause above, then make bootstrap ENV={environment}",
        )
    if remote_state(backend):
        raise Refused(
            f"another state was written to {backend.bucket} in the meantime",
            f"make bootstrap ENV={environment}, which compares the two",
        )
    (folder / BACKEND).unlink(missing_ok=True)
    (folder / ADOPTED).unlink(missing_ok=True)


def end(workspace: Workspace, source: Path, folder: Path, local: Path) -> str:
    """Removes the local state and the folder. Raises Refused unless the bucket has the same state."""
    environment, backend = workspace.environment, Backend.of(source)
    state = remote_state(backend)
    if state is None:
        raise Refused(
            f"{backend.bucket} has no state; {local} is the only one", "keep it, and run this again"
        )
    if holds(local):
        _superseded(environment, local, state, backend)
    for left in (local, local.with_name(f"{local.name}.backup")):
        left.unlink(missing_ok=True)
    shutil.rmtree(folder)
    return f"bootstrap: the state of {environment} is in s3://{backend.bucket}/{backend.key}\n"


def remote_state(backend: Backend) -> dict[str, Any] | None:
    """The state of the tier in its bucket, if there is one with resources."""
    s3 = client("s3", backend.region, backend.role)
    try:
        content = s3.get_object(Bucket=backend.bucket, Key=backend.key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket"):
            return None
        raise
    state: dict[str, Any] = json.loads(content)
    return state if state["resources"] else None


def holds(local: Path) -> bool:
    """Whether a local state has resources: terraform empties a state that it has moved."""
    return local.exists() and bool(local.read_text().strip()) and bool(_read(local)["resources"])


def existing(backend: Backend, resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Address and id of existing resources with names of this configuration."""
    for role, bucket in resources["aws_s3_bucket"].items():
        if bucket_exists(backend, bucket["bucket"]):
            yield f"aws_s3_bucket.{role}", bucket["bucket"]
    kms, iam = (client(service, backend.region, backend.role) for service in ("kms", "iam"))
    for role, alias in resources["aws_kms_alias"].items():
        try:
            key = kms.describe_key(KeyId=alias["name"])["KeyMetadata"]
        except kms.exceptions.NotFoundException:
            continue
        if key["KeyState"] == "PendingDeletion":
            raise Refused(
                f"the key behind {alias['name']} is about to be deleted, and states with it",
                f"aws kms cancel-key-deletion --key-id {key['KeyId']}, then aws kms enable-key",
            )
        yield f"aws_kms_key.{role}", key["KeyId"]
        yield f"aws_kms_alias.{role}", alias["name"]
    for role, policy in resources["aws_iam_policy"].items():
        arn = f"arn:{backend.partition}:iam::{backend.account}:policy/{policy['name']}"
        try:
            iam.get_policy(PolicyArn=arn)
        except iam.exceptions.NoSuchEntityException:
            continue
        yield f"aws_iam_policy.{role}", arn


def _superseded(environment: str, local: Path, state: dict[str, Any], backend: Backend) -> None:
    """Removes a local state if the bucket has all its resources. terraform gives a state a new lineage when
    it moves, so the contents are compared."""
    missing = sorted(_objects(_read(local)) - _objects(state))
    if missing:
        raise Refused(
            f"{local} has {missing[0][0]} {missing[0][1]}, and s3://{backend.bucket}/{backend.key}, which is"
            " in use, does not",
            f"import it there or delete it, move the file away, then make bootstrap ENV={environment}",
        )
    local.unlink()


def _objects(state: dict[str, Any]) -> set[tuple[str, str]]:
    """Address and id of everything in a state."""
    return {
        (f"{resource['type']}.{resource['name']}", str(instance["attributes"].get("id")))
        for resource in state["resources"]
        if resource["mode"] == "managed"
        for instance in resource["instances"]
    }


def _read(file: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(file.read_text())
    return state
