"""Completes a state after an interrupted apply. A state that could not be written is pushed; resources that a
killed apply had created are imported, by the ids in its journal. These files are in the folder of the tier,
or in the bucket (rescue.py). Both run terraform, whose commands are shown. It can be repeated: completed
steps are skipped.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from tierra.aws.types import known
from tierra.run.journal import Running, created, in_flight, recorded, unrecorded
from tierra.run.terraform import Terraform
from tierra.run.workspace import Failed, Tier, Workspace

# Resources that need no recovery: they create nothing in AWS, so the next apply simply creates them again.
NOTHING = ("aws_acm_certificate_validation", "aws_default_")
REFERENCE = re.compile(r"\$\{([a-z0-9_]+\.[a-z0-9_]+)\.\w+\}")


def recover(workspace: Workspace) -> None:
    """Recovers missing resources in the states of the selected tiers. Raises Failed if something could not be
    recovered, after all tiers were tried, or if a state cannot be read or locked."""
    messages, whole = [], []
    for tier in workspace.tiers():
        try:
            if _tier(tier):
                whole.append(tier.name)
        except Failed as failed:
            messages.append(str(failed))
    if whole:
        print(f"recover: {workspace.environment}: nothing is missing in the state of {', '.join(whole)}")
    if messages:
        raise Failed("\n".join(messages))


def _tier(tier: Tier) -> bool:
    """Recovers from the files here, then from those that workflows have uploaded, run by run. Returns whether
    the state certainly has all existing resources. Raises Failed if something could not be recovered, or if
    the state cannot be read or locked."""
    terraform = Terraform(tier, "recover")
    terraform.init()
    whole = _bring_back(tier, terraform)
    if not tier.workspace.rehearsed:
        from tierra.run import rescue  # the libraries of AWS, which a rehearsal does without

        for run in rescue.runs(tier):
            rescue.take(tier, run)
            whole &= _bring_back(tier, terraform)
            rescue.forget(tier, run)
    return whole


def _bring_back(tier: Tier, terraform: Terraform) -> bool:
    """Returns whether the state certainly has all existing resources. Raises Failed if something could not be
    recovered."""
    named = f"recover: {tier.name} of {tier.workspace.environment}"
    journal = tier.journal
    unknown = in_flight(journal.read_text(errors="replace")) if journal.exists() else []
    try:
        left = _recover(tier, terraform)
    except Running:
        raise Failed(f"{named}: an apply is running\n  remedy: wait for it") from None
    if unknown:
        print(
            f"{named}: AWS had not answered about {', '.join(unknown)}\n"
            "  remedy: before the next apply check whether they exist; import or delete those that do"
        )
    if left:
        raise Failed(
            "\n".join(
                f"{named}: {address} [{id_}] could not be imported\n  remedy:"
                f" terraform -chdir={tier.folder} import {address} <ID as in its documentation>"
                for address, id_ in left.items()
            )
        )
    return not unknown


def _recover(tier: Tier, terraform: Terraform) -> dict[str, str]:
    """Returns the resources that could not be recovered. Raises Running, and Failed if terraform cannot read
    or lock the state."""
    timeout = f"-lock-timeout={tier.workspace.lock_timeout}"
    if tier.errored.exists():
        _run(terraform, "state", "push", timeout, tier.errored.name)
        tier.errored.unlink()
    lost = unrecorded(tier.folder, terraform.pull)
    stale = recorded(terraform.pull()).keys() & lost.keys() if lost else set()
    created_ids = created(tier.journal.read_text(errors="replace")) if lost else {}
    configuration = tier.configured()["resource"]
    left = {}
    for address, id_ in lost.items():
        if address.startswith(NOTHING):
            continue
        if address in stale:  # replaced: the state has the previous resource
            _run(terraform, "state", "rm", timeout, address)
        for candidate in import_ids(address, id_, configuration, created_ids):
            try:
                _run(terraform, "import", "-input=false", timeout, address, candidate)
                break
            except Failed as failed:
                if "Error acquiring the state lock" in str(failed):
                    raise
        else:
            left[address] = id_
    if not left:
        tier.journal.unlink(missing_ok=True)
    return left


def import_ids(address: str, id_: str, configuration: Any, created_ids: dict[str, str]) -> list[str]:
    """The ids to try: that of the documentation as far as its parts are known, then the one that terraform
    showed. Parts are arguments of the configuration, and `id`."""
    terraform_type, name = address.split(".", 1)
    arguments = configuration.get(terraform_type, {}).get(name, {})
    values = {
        argument: REFERENCE.sub(lambda match: created_ids.get(match[1], match[0]), _text(value))
        for argument, value in arguments.items()
    }
    ids = []
    for pattern in known(terraform_type).import_ids:
        try:
            ids.append(pattern.format(**{**values, "id": id_}))
        except KeyError:
            continue
    known_ids = [candidate for candidate in ids if "${" not in candidate]
    return list(dict.fromkeys((*known_ids[:1], id_)))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _run(terraform: Terraform, *arguments: str) -> None:
    print(shlex.join(terraform.command(*arguments)), flush=True)
    terraform.capture(*arguments)
