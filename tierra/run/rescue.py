"""Uploads the files of an interrupted apply from a temporary folder to the bucket of the states. A runner of
a workflow is deleted after its job, with a state that could not be written and the journal of created
resources. They may contain secrets, so they have their own prefix and are encrypted like the states: the role
that applies may upload them, and only operators may read them. `make recover` downloads them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from tierra.run.account import Backend, client
from tierra.run.terraform import Terraform
from tierra.run.workspace import Failed, Tier, Workspace

FOLDER = "recovery"  # modules/state/access.py grants the permissions
STATE, JOURNAL = "state", "journal"


def keep(workspace: Workspace) -> None:
    """Uploads the files that applies of the selected tiers have left here, and prints where. Raises Failed if
    an upload fails."""
    if workspace.rehearsed:
        return
    lost = []
    for tier in workspace.tiers():
        if not tier.journal.exists() and not tier.errored.exists():
            continue
        with suppress(Failed, OSError):
            Terraform(tier, "keep").unsafe()  # removes a journal whose resources are all in the state
        backend = Backend.of(tier.folder)
        for name, file in _files(tier).items():
            if file.exists():
                key = f"{_prefix(backend, tier)}{_run()}/{name}"
                try:
                    client("s3", backend.region, backend.role).put_object(
                        Bucket=backend.bucket, Key=key, Body=file.read_bytes()
                    )
                    print(
                        f"kept: s3://{backend.bucket}/{key}\n"
                        f"  remedy: as an operator, {workspace.command('recover', [tier.name])}",
                        flush=True,
                    )
                except (BotoCoreError, ClientError) as error:
                    lost.append(
                        f"keep: {file} of {tier.name} could not be put into s3://{backend.bucket}: {error}"
                    )
    if lost:
        raise Failed("\n".join([*lost, "  remedy: copy it from the runner before the runner is deleted"]))


def waiting(workspace: Workspace) -> list[str]:
    """The selected tiers with uploaded files: a plan without them would be wrong."""
    return [tier.name for tier in workspace.tiers() if any(True for _ in runs(tier))]


def runs(tier: Tier) -> Iterator[str]:
    """The prefixes with files of a tier, one for each run, the oldest first. Raises Failed."""
    if tier.workspace.rehearsed:
        return
    backend = Backend.of(tier.folder)
    try:
        pages = client("s3", backend.region, backend.role).get_paginator("list_objects_v2")
        objects = [
            item
            for page in pages.paginate(Bucket=backend.bucket, Prefix=_prefix(backend, tier))
            for item in page.get("Contents", [])
        ]
    except (BotoCoreError, ClientError) as error:
        raise Failed(
            f"{tier.workspace.environment}: s3://{backend.bucket}/{_prefix(backend, tier)} cannot be listed:"
            f" {error}\n  remedy: check the network, and the permissions of the role (policy …-state-read)"
        ) from None
    yield from dict.fromkeys(
        item["Key"].rpartition("/")[0] + "/"
        for item in sorted(objects, key=lambda item: item["LastModified"])
    )


def take(tier: Tier, run: str) -> None:
    """Downloads the files of a run into the folder of its tier. Raises Failed."""
    backend = Backend.of(tier.folder)
    s3 = client("s3", backend.region, backend.role)
    for name, file in _files(tier).items():
        try:
            content = s3.get_object(Bucket=backend.bucket, Key=run + name)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                continue
            raise _unread(backend, run, error) from None
        except BotoCoreError as error:
            raise _unread(backend, run, error) from None
        print(f"recover: downloads s3://{backend.bucket}/{run}{name}", flush=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
            to.write(content)


def forget(tier: Tier, run: str) -> None:
    """Removes the files of a run, once the state is complete. Raises Failed."""
    backend = Backend.of(tier.folder)
    try:
        for name in _files(tier):
            client("s3", backend.region, backend.role).delete_object(Bucket=backend.bucket, Key=run + name)
    except (BotoCoreError, ClientError) as error:
        raise Failed(
            f"recover: s3://{backend.bucket}/{run} was recovered and cannot be removed: {error}\n  remedy:"
            " delete it there, as an operator"
        ) from None


def _files(tier: Tier) -> dict[str, Path]:
    return {STATE: tier.errored, JOURNAL: tier.journal}


def _prefix(backend: Backend, tier: Tier) -> str:
    """`acme/production/recovery/data/`."""
    environment = backend.key.removesuffix(f"{tier.name}/terraform.tfstate")
    return f"{environment}{FOLDER}/{tier.name}/"


def _run() -> str:
    """The run of the workflow, and its attempt."""
    return "-".join(
        (os.environ.get("GITHUB_RUN_ID", "local"), os.environ.get("GITHUB_RUN_ATTEMPT", str(os.getpid())))
    )


def _unread(backend: Backend, run: str, error: Exception) -> Failed:
    return Failed(
        f"recover: s3://{backend.bucket}/{run} cannot be read: {error}\n  remedy: recover as an operator,"
        " with a role that reads the bucket of the states and uses its key; the roles of workflows do not"
    )
