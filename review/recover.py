"""Makes the state tell again of all that exists: `python -m review.recover ENV STACK TERRAFORM LOCK_TIMEOUT`.

A state that could not be written is pushed; what an apply had created when it was killed is imported, by the
ids in its journal. Both run terraform, whose commands are shown. Run it as often as needed: what is done is
not done again.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from review.failure import tell
from review.journal import JOURNAL, Running, created, in_flight, recorded, unrecorded
from review.watch import RECOVERABLE

GENERATED = "cdk.tf.json"

# Where terraform imports by more than the id that it shows: arguments of the configuration in braces, and
# `id`. Source: the section Import of each type in the documentation of hashicorp/terraform-provider-aws, and
# of helm_release in that of hashicorp/terraform-provider-helm.
IMPORT_IDS = {
    "aws_backup_restore_testing_selection": "{name}:{restore_testing_plan_name}",
    "aws_backup_selection": "{plan_id}|{id}",
    "aws_eks_pod_identity_association": "{cluster_name},{id}",
    "aws_iam_role_policy_attachment": "{role}/{policy_arn}",
    "aws_network_acl_rule": "{network_acl_id}:{rule_number}:{protocol}:{egress}",
    "aws_route": "{route_table_id}_{destination_cidr_block}",
    "aws_route_table_association": "{subnet_id}/{route_table_id}",
    "aws_wafv2_web_acl": "{id}/{name}/{scope}",
    "helm_release": "{namespace}/{name}",
}
# What is nothing in AWS: it waits for something, or stands for what is there anyway, and is made again.
NOTHING = ("aws_acm_certificate_validation", "aws_default_")
REFERENCE = re.compile(r"\$\{([a-z0-9_]+\.[a-z0-9_]+)\.\w+\}")


def main() -> int:
    environment, folder, terraform, lock_timeout = sys.argv[1:]
    stack = Path(folder)
    try:
        journal = stack / JOURNAL
        unknown = in_flight(journal.read_text(errors="replace")) if journal.exists() else []
        left = recover(stack, terraform, f"-lock-timeout={lock_timeout}")
    except Running:
        sys.stderr.write(
            f"recover: {stack.name} of {environment}: an apply is running\n  remedy: wait for it\n"
        )
        return 1
    except subprocess.CalledProcessError as error:
        tell(environment, "recover", stack, error.stderr)
        return 1
    if unknown:
        print(
            f"recover: {stack.name} of {environment}: AWS had not answered about {', '.join(unknown)}\n"
            "  remedy: before the next apply look whether they exist; import or delete what does"
        )
    for address, id_ in left.items():
        sys.stderr.write(
            f"recover: {stack.name} of {environment}: {address} [{id_}] could not be imported\n"
            f"  remedy: terraform -chdir={stack} import {address} <id as its documentation wants it>\n"
        )
    if not left:
        print(f"recover: the state of {stack.name} of {environment} tells of all that exists")
    return 1 if left else 0


def recover(stack: Path, terraform: str, lock_timeout: str) -> dict[str, str]:
    """What could not be brought back into the state. Raises Running, or CalledProcessError when terraform
    cannot reach or lock the state."""
    start = [terraform, f"-chdir={stack}"]
    if (stack / RECOVERABLE).exists():
        _run([*start, "state", "push", lock_timeout, RECOVERABLE]).check_returncode()
        (stack / RECOVERABLE).unlink()
    lost = unrecorded(stack, terraform)
    stale = recorded(stack, terraform).keys() & lost.keys() if lost else set()
    known = created((stack / JOURNAL).read_text(errors="replace")) if lost else {}
    configuration = json.loads((stack / GENERATED).read_text())["resource"]
    left = {}
    for address, id_ in lost.items():
        if address.startswith(NOTHING):
            continue
        if address in stale:  # replaced: the state tells of what was there before
            _run([*start, "state", "rm", lock_timeout, address]).check_returncode()
        for each in import_ids(address, id_, configuration, known):
            done = _run([*start, "import", "-input=false", lock_timeout, address, each])
            if done.returncode == 0:
                break
            if "Error acquiring the state lock" in done.stderr:
                done.check_returncode()
        else:
            left[address] = id_
    if not left:
        (stack / JOURNAL).unlink(missing_ok=True)
    return left


def import_ids(address: str, id_: str, configuration: Any, known: dict[str, str]) -> list[str]:
    """The ids to try: that of the documentation as far as its parts are known, then the one that terraform
    showed."""
    terraform_type, name = address.split(".", 1)
    arguments = configuration.get(terraform_type, {}).get(name, {})
    words = {
        argument: REFERENCE.sub(lambda found: known.get(found[1], found[0]), _text(value))
        for argument, value in arguments.items()
    }
    pattern = IMPORT_IDS.get(terraform_type, "{id}")
    try:
        wanted = pattern.format(**{**words, "id": id_})
    except KeyError:
        wanted = id_
    return [id_] if "${" in wanted else list(dict.fromkeys((wanted, id_)))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    print(shlex.join(command), flush=True)
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
