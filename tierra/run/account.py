"""Looks at AWS before terraform does, so that what is wrong for all tiers is said once, in a few lines: are
there credentials, for the account of the spec; does EKS take its zones; is there the bucket for the states;
can this terraform read the states of these tiers?
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from tierra.run.workspace import Failed, Workspace

# A state starts with its format and the version of terraform that wrote it.
START_BYTES = 256
# Amazon EKS user guide, "Amazon EKS networking requirements": no cluster has subnets in these zones.
REFUSED_BY_EKS = ("use1-az3", "usw1-az2", "cac1-az3")
QUICK = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})


class Refused(Exception):
    """What is wrong, and what to do, in lines for people."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n  remedy: {remedy}")


@dataclass(frozen=True)
class Place:
    """Where the state of a tier lies, and in which account."""

    account: str
    region: str
    bucket: str
    key: str
    partition: str

    @classmethod
    def of(cls, stack: Path) -> Place:
        """As its root module says."""
        backend = json.loads((stack / "cdk.tf.json").read_text())["terraform"]["backend"]["s3"]
        [account] = backend["allowed_account_ids"]
        partition = backend["kms_key_id"].split(":")[1]
        return cls(account, backend["region"], backend["bucket"], backend["key"], partition)


def client(service: str, region: str) -> Any:
    """A client of AWS with the credentials that terraform uses, too."""
    return botocore.session.Session().create_client(service, region_name=region, config=QUICK)


def look_at_account(workspace: Workspace, place: Place) -> None:
    """Raises Refused unless the credentials are for the account of the environment."""
    environment = workspace.environment
    try:
        account = client("sts", place.region).get_caller_identity()["Account"]
    except NoCredentialsError:
        raise Refused(
            "there are no credentials for AWS",
            f"sign in to the account {place.account}: AWS_PROFILE, or AWS_ACCESS_KEY_ID and"
            f" AWS_SECRET_ACCESS_KEY; or see the whole plan without an account:"
            f" make plan ENV={environment} REHEARSE=yes",
        ) from None
    except ClientError as error:
        what = f"AWS refuses the credentials ({error.response['Error']['Code']})"
        raise Refused(what, f"sign in to the account {place.account} again") from None
    except BotoCoreError as error:
        raise Refused(
            f"AWS cannot be asked who you are: {error}", "look at credentials and network"
        ) from None
    if account != place.account:
        raise Refused(
            f"the credentials are for the account {account}, and {environment} is in {place.account}",
            f"sign in to {place.account}, or correct account in environments/{environment}.yaml",
        )


def wrong_zone(region: str, letters: Sequence[str]) -> tuple[str, str] | None:
    """What is wrong with the zones of a spec, and what to do. Letters stand for other zones in each account,
    so that AWS alone knows. Raises ClientError or BotoCoreError where it does not say."""
    answered = client("ec2", region).describe_availability_zones()["AvailabilityZones"]
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
    """Raises Refused when a zone of the spec cannot be used; says nothing where AWS does not say."""
    facts = workspace.facts
    with suppress(ClientError, BotoCoreError):
        if wrong := wrong_zone(facts["region"], facts["zones"]):
            raise Refused(*wrong)


def bucket_exists(place: Place, bucket: str) -> bool:
    """Whether the account has this bucket. Raises Refused when another account has it."""
    try:
        client("s3", place.region).head_bucket(Bucket=bucket, ExpectedBucketOwner=place.account)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise Refused(
            f"the bucket {bucket} may not be used ({error.response['Error']['Code']})",
            "let the role list it (policy …-state-read); if another account has it, choose another project",
        ) from None
    except BotoCoreError as error:
        raise Refused(f"S3 cannot be reached: {error}", "look at the network") from None
    return True


def look_at_states(places: Sequence[Place], terraform: str) -> None:
    """Raises Refused when a state was written by a newer minor version of terraform than this one."""
    versions: dict[str, str] = {}
    s3 = client("s3", places[0].region)
    for place in places:
        try:
            start = s3.get_object(Bucket=place.bucket, Key=place.key, Range=f"bytes=0-{START_BYTES}")
        except (ClientError, BotoCoreError):
            continue  # none yet, or terraform will say why it cannot be read
        if found := re.search(rb'"terraform_version":\s*"([\d.]+)', start["Body"].read()):
            versions[place.key] = found[1].decode()
    if not versions:
        return
    ours = _version(terraform)
    for key, theirs in versions.items():
        if _minor(theirs) > _minor(ours):
            raise Refused(
                f"the state {key} was written by terraform {theirs}, and this is {ours}",
                f"use terraform {theirs} or newer: an older one may drop what it does not know",
            )


def _version(terraform: str) -> str:
    answer = subprocess.run([terraform, "version", "-json"], capture_output=True, text=True, check=True)
    return str(json.loads(answer.stdout)["terraform_version"])


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split(".")[:2])


def look(workspace: Workspace) -> None:
    """Raises Failed when credentials, bucket or states are not as a run needs them. Nothing is changed."""
    places = [Place.of(tier.folder) for tier in workspace.tiers()]
    environment = workspace.environment
    try:
        look_at_account(workspace, places[0])
        look_at_zones(workspace)
        if not bucket_exists(places[0], places[0].bucket):
            raise Refused(
                f"the bucket for its states, {places[0].bucket}, does not exist",
                f"make bootstrap ENV={environment}",
            )
        look_at_states(places, workspace.terraform)
    except Refused as refused:
        raise Failed(f"{environment}: {refused}") from None
