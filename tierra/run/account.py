"""Checks AWS before terraform starts, once for all tiers: credentials for the account of the spec, zones that
EKS accepts, the bucket for the states, and states that this terraform can read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from tierra.aws import signing
from tierra.bindings.terraform import REGISTRIES, TERRAFORM
from tierra.run import program
from tierra.run.program import HOST, Program
from tierra.run.workspace import Failed, Workspace
from tierra.versions import numbers

CHUNK = 65536
# Amazon EKS user guide, "Amazon EKS networking requirements": no cluster has subnets in these zones.
REFUSED_BY_EKS = ("use1-az3", "usw1-az2", "cac1-az3")
QUICK = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})


class Refused(Exception):
    """A refusal: the problem and the remedy, as text for the user."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n  remedy: {remedy}")


@dataclass(frozen=True)
class Backend:
    """The S3 backend of a tier: its account, bucket and key, and the role that terraform assumes, if any."""

    account: str
    region: str
    bucket: str
    key: str
    partition: str
    role: str | None = None

    @classmethod
    def of(cls, stack: Path) -> Backend:
        """As the root module declares it."""
        backend = json.loads((stack / "cdk.tf.json").read_text())["terraform"]["backend"]["s3"]
        [account] = backend["allowed_account_ids"]
        partition = backend["kms_key_id"].split(":")[1]
        role = backend.get("assume_role", {}).get("role_arn")
        return cls(account, backend["region"], backend["bucket"], backend["key"], partition, role)


def client(service: str, region: str, role: str | None = None) -> Any:
    """A client of AWS that signs in as terraform does, with the same role where the spec names one."""
    return signing.client(service, region, role, QUICK)


def look_at_account(workspace: Workspace, backend: Backend) -> None:
    """Raises Refused unless the credentials are for the account of the environment."""
    environment = workspace.environment
    try:
        account = client("sts", backend.region, backend.role).get_caller_identity()["Account"]
    except NoCredentialsError:
        raise Refused(
            "there are no credentials for AWS",
            f"sign in to the account {backend.account}: AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
            f" AWS_SECRET_ACCESS_KEY; or see the whole plan without an account:"
            f" make plan ENV={environment} REHEARSE=yes",
        ) from None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if backend.role and error.operation_name == "AssumeRole":
            raise Refused(
                f"AWS refuses to let these credentials assume {backend.role} ({code})",
                "sign in with an identity that the role trusts, or correct assume_role in"
                f" environments/{environment}.yaml",
            ) from None
        what = f"AWS refuses the credentials ({code})"
        raise Refused(what, f"sign in to the account {backend.account} again") from None
    except BotoCoreError as error:
        raise Refused(
            f"your identity cannot be read from AWS: {error}", "check credentials and network"
        ) from None
    if account != backend.account:
        raise Refused(
            f"the credentials are for the account {account}, and {environment} is in {backend.account}",
            f"sign in to {backend.account}, or correct account in environments/{environment}.yaml",
        )


def wrong_zone(region: str, letters: Sequence[str], role: str | None = None) -> tuple[str, str] | None:
    """What is wrong with the zones of a spec, and what to do. The same letter is another zone in each
    account, so only AWS can tell. Raises ClientError or BotoCoreError if it cannot be asked."""
    answered = client("ec2", region, role).describe_availability_zones()["AvailabilityZones"]
    ids = {zone["ZoneName"]: zone["ZoneId"] for zone in answered if zone["State"] == "available"}
    usable = [name.removeprefix(region) for name, id_ in ids.items() if id_ not in REFUSED_BY_EKS]
    remedy = f"write network.zones with letters of these: {', '.join(usable)}"
    for name in (f"{region}{letter}" for letter in letters):
        if name not in ids:
            return f"this account has no zone {name}", remedy
        if ids[name] in REFUSED_BY_EKS:
            return f"{name} is {ids[name]} here, which EKS refuses", remedy
    return None


def look_at_zones(workspace: Workspace) -> None:
    """Raises Refused if a zone of the spec cannot be used; accepts it if AWS cannot be asked."""
    facts = workspace.facts
    with suppress(ClientError, BotoCoreError):
        if wrong := wrong_zone(facts["region"], facts["zones"], facts.get("assume_role")):
            raise Refused(*wrong)


def bucket_exists(backend: Backend, bucket: str) -> bool:
    """Whether the account has this bucket. Raises Refused when another account has it."""
    try:
        client("s3", backend.region, backend.role).head_bucket(
            Bucket=bucket, ExpectedBucketOwner=backend.account
        )
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise Refused(
            f"access to the bucket {bucket} is denied ({error.response['Error']['Code']})",
            "let the role list it (policy …-state-read); if another account owns it, choose another project",
        ) from None
    except BotoCoreError as error:
        raise Refused(f"S3 cannot be reached: {error}", "check the network") from None
    return True


def look_at_states(backends: Sequence[Backend], ours: Program) -> None:
    """Raises Refused when a state was written by a newer minor version of the program than this one, or by
    OpenTofu and this is Terraform.

    Both write a version under the same name, and their versions cannot be compared. The registry of its
    providers tells which of the two wrote a state. OpenTofu treats the providers of Terraform as its own;
    Terraform does not (opentofu/opentofu, internal/tofumigrate).
    """
    moved = []
    s3 = client("s3", backends[0].region, backends[0].role)
    for backend in backends:
        try:
            body = s3.get_object(Bucket=backend.bucket, Key=backend.key)["Body"]
            version, writer = _written_by(body.iter_chunks(CHUNK))
        except (ClientError, BotoCoreError):
            continue  # no state yet, or terraform will report why it cannot be read
        if writer in (ours.name, "") and _minor(version) > _minor(ours.version):
            raise Refused(
                f"the state {backend.key} was written by {writer or 'version'} {version}, and this is {ours}",
                f"use {ours.name} {version} or newer: an older one may drop unknown data",
            )
        if writer and writer != ours.name:
            moved.append(backend.key)
    if moved and ours.name == TERRAFORM:
        raise Refused(
            f"OpenTofu wrote {_some(moved)}, and this is {ours}",
            "go on with TERRAFORM=tofu, or move the states back to Terraform: docs/opentofu.md",
        )
    if moved:
        print(f"opentofu: Terraform wrote {_some(moved)}; an apply makes them OpenTofu's: docs/opentofu.md")


def _some(keys: list[str]) -> str:
    return f"the state {keys[0]}" if len(keys) == 1 else f"{len(keys)} states, {keys[0]} among them"


def _written_by(chunks: Iterable[bytes]) -> tuple[str, str]:
    """The version in a state, and Terraform or OpenTofu; empty where the state has no resource of AWS. It is
    read up to the first resource of AWS."""
    text, host = b"", None
    for chunk in chunks:
        text += chunk
        if host := HOST.search(text):
            break
    version = re.search(rb'"terraform_version":\s*"([\d.]+)', text)
    writers = {registry: name for name, registry in REGISTRIES.items()}
    return version[1].decode() if version else "0.0", writers[host[1].decode()] if host else ""


def _minor(version: str) -> tuple[int, ...]:
    return numbers(version.partition("-")[0])[:2]


def check_account(workspace: Workspace) -> None:
    """Raises Failed if credentials, bucket or states are unsuitable for a run. Nothing is changed."""
    backends = [Backend.of(tier.folder) for tier in workspace.tiers()]
    environment = workspace.environment
    try:
        look_at_account(workspace, backends[0])
        look_at_zones(workspace)
        if not bucket_exists(backends[0], backends[0].bucket):
            raise Refused(
                f"the bucket for its states, {backends[0].bucket}, does not exist",
                f"make bootstrap ENV={environment}",
            )
        look_at_states(backends, program.ask(workspace.terraform))
    except Refused as refused:
        raise Failed(f"{environment}: {refused}") from None
