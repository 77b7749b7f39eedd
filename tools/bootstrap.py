"""The way of the tier `state` into its own bucket, step by step: make bootstrap runs terraform in between.

    python -m tools.bootstrap begin ENV OUT LOCAL    says `again` when the bucket holds the state of the tier
                                                     already; else lays out OUT/bootstrap and says `first`
    python -m tools.bootstrap move ENV OUT LOCAL     makes terraform see the bucket there instead of the file
    python -m tools.bootstrap end ENV OUT LOCAL      removes the local state, once the bucket has it

LOCAL is the file that is the state until then. What exists already under the names of the tier (buckets, key,
policies) is adopted: imported in the same apply, never made a second time.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.files import write
from tools.account import Place, Refused, bucket_exists, client, look_at_account

TIER = "state"
GENERATED = "cdk.tf.json"
RECOVERABLE = "errored.tfstate"
BACKEND = "local_override.tf.json"
ADOPTED = "adopted.tf.json"


def main() -> int:
    step, environment, out, local = sys.argv[1:]
    source = Path(out, "stacks", TIER)
    try:
        answer = STEPS[step](environment, source, Path(out, "bootstrap", "stacks", TIER), Path(local))
    except Refused as refused:
        sys.stderr.write(f"bootstrap: {environment}: {refused}\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"bootstrap: {environment}: AWS refuses: {error}\n  remedy: look at the message\n")
        return 1
    print(answer, end="")
    return 0


def begin(environment: str, source: Path, folder: Path, local: Path) -> str:
    """`first` or `again`. Raises Refused when account or states are not as they must be."""
    place = Place.of(source)
    look_at_account(environment, place)
    if bucket_exists(place, place.bucket) and (state := remote_state(place)):
        if local.exists() and holds(local):
            _superseded(environment, local, state, place)
        return "again"
    local.parent.mkdir(parents=True, exist_ok=True)
    if (folder / RECOVERABLE).exists():  # terraform could not write it to its place
        os.replace(folder / RECOVERABLE, local)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / GENERATED).write_bytes((source / GENERATED).read_bytes())
    backend = {"terraform": {"backend": {"local": {"path": os.path.relpath(local, folder)}}}}
    write(folder / BACKEND, json.dumps(backend, indent=2) + "\n")
    configuration = json.loads((source / GENERATED).read_text())
    imports = [{"to": to, "id": id_} for to, id_ in existing(place, configuration["resource"])]
    if imports:
        write(folder / ADOPTED, json.dumps({"import": imports}, indent=2) + "\n")
    return "first"


def move(environment: str, source: Path, folder: Path, local: Path) -> str:
    """Leaves the generated backend as the only one. Raises Refused when the bucket cannot take the state."""
    place = Place.of(source)
    if not bucket_exists(place, place.bucket):
        raise Refused(
            f"there is no bucket yet; until there is, {local} is the only state of what was made: keep it",
            f"remove the cause above, then make bootstrap ENV={environment}",
        )
    if remote_state(place):
        raise Refused(
            f"somebody else has put a state into {place.bucket} meanwhile",
            f"make bootstrap ENV={environment}, which compares the two",
        )
    (folder / BACKEND).unlink(missing_ok=True)
    (folder / ADOPTED).unlink(missing_ok=True)
    return ""


def end(environment: str, source: Path, folder: Path, local: Path) -> str:
    """Removes the local state and the folder. Raises Refused unless the bucket has the same state."""
    place = Place.of(source)
    state = remote_state(place)
    if state is None:
        raise Refused(f"{place.bucket} has no state; {local} is the only one", "keep it, and run this again")
    if holds(local):
        _superseded(environment, local, state, place)
    for left in (local, local.with_name(f"{local.name}.backup")):
        left.unlink(missing_ok=True)
    shutil.rmtree(folder)
    return f"bootstrap: the state of {environment} lies in s3://{place.bucket}/{place.key}\n"


def remote_state(place: Place) -> dict[str, Any] | None:
    """The state of the tier in its bucket, if there is one that holds something."""
    s3 = client("s3", place.region)
    try:
        content = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket"):
            return None
        raise
    state: dict[str, Any] = json.loads(content)
    return state if state["resources"] else None


def holds(local: Path) -> bool:
    """Whether a local state tells of anything: terraform empties a state that it has moved."""
    return local.exists() and bool(local.read_text().strip()) and bool(_read(local)["resources"])


def existing(place: Place, resources: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Address and id of what has the name of something in this configuration."""
    for role, bucket in resources["aws_s3_bucket"].items():
        if bucket_exists(place, bucket["bucket"]):
            yield f"aws_s3_bucket.{role}", bucket["bucket"]
    kms, iam = client("kms", place.region), client("iam", place.region)
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
        partition = json.loads(policy["policy"])["Statement"][0]["Resource"].split(":")[1]
        arn = f"arn:{partition}:iam::{place.account}:policy/{policy['name']}"
        try:
            iam.get_policy(PolicyArn=arn)
        except iam.exceptions.NoSuchEntityException:
            continue
        yield f"aws_iam_policy.{role}", arn


def _superseded(environment: str, local: Path, state: dict[str, Any], place: Place) -> None:
    """Removes a local state when the bucket tells of all that it tells of. terraform gives a state a new
    lineage when it moves, so what counts is what is in them."""
    missing = sorted(_objects(_read(local)) - _objects(state))
    if missing:
        raise Refused(
            f"{local} tells of {missing[0][0]} {missing[0][1]}, and s3://{place.bucket}/{place.key}, which"
            " is in use, does not",
            f"import it there or delete it, move the file away, then make bootstrap ENV={environment}",
        )
    local.unlink()


def _objects(state: dict[str, Any]) -> set[tuple[str, str]]:
    """Address and id of everything that a state tells of."""
    return {
        (f"{resource['type']}.{resource['name']}", str(instance["attributes"].get("id")))
        for resource in state["resources"]
        if resource["mode"] == "managed"
        for instance in resource["instances"]
    }


def _read(file: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(file.read_text())
    return state


STEPS = {"begin": begin, "move": move, "end": end}

if __name__ == "__main__":
    sys.exit(main())
