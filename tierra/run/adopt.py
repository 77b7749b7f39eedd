"""Imports existing AWS resources: import blocks from a small file, planned before anything changes.

The file maps tiers to addresses to the IDs of what exists. Addresses are those of the generated Terraform; a
resource that a state already contains under the same ID is skipped, so the file can be used again.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tierra.plans import own
from tierra.plans.differences import differences
from tierra.run.workspace import Failed, Tier, Workspace, read_json
from tierra.run.workspace import write as put
from tierra.validation.errors import Problem, SpecError
from tierra.validation.messages import choices, dotted, shown
from tierra.validation.reader import Document, read

BLOCKS = "import.tf.json"
GENERATED = "cdk.tf.json"
MARK = "Written by make import; make apply removes it."
# Attributes by which a state identifies a resource of AWS.
NAMES = ("id", "arn", "name", "bucket", "identifier", "cluster_identifier")


def wanted(file: Path, folder: Path, tiers: list[str]) -> dict[str, dict[str, str]]:
    """The IDs in the file, by tier and address; none without a file. Raises SpecError with all its problems;
    only the states of the chosen tiers are read."""
    if not file.exists():
        return {}
    document = read(file)
    stacks = {stack.parent.name: stack.parent for stack in sorted(folder.glob(f"stacks/*/{GENERATED}"))}
    problems = [*document.problems, *_problems(document, stacks, tiers)]
    if problems:
        raise SpecError(file.as_posix(), problems)
    return {tier: dict(entries) for tier, entries in document.data.items() if entries}


def _problems(document: Document, stacks: dict[str, Path], tiers: list[str]) -> Iterator[Problem]:
    for tier, entries in document.data.items():
        line = document.line((tier,))
        if tier not in stacks:
            rule = f"the key must be a tier: {choices(stacks)}"
            yield Problem(dotted((tier,)), "", rule, _meant(tier, list(stacks)), line)
        elif not isinstance(entries, dict | None):
            rule = "a tier must map addresses to IDs"
            yield Problem(
                tier,
                shown(entries),
                rule,
                f"write {tier}: and, below it, addresses with IDs, such as aws_vpc.main: vpc-…",
                line,
            )
        else:
            in_state = _identifiers(stacks[tier]) if tier in tiers else {}
            yield from _of_tier(document, tier, entries or {}, stacks[tier], in_state)


def _of_tier(
    document: Document, tier: str, entries: dict[str, Any], stack: Path, in_state: dict[str, list[str]]
) -> Iterator[Problem]:
    generated = json.loads((stack / GENERATED).read_text())
    resources = own.merged(generated, own.declared(stack / own.INDEX)).get("resource", {})
    addresses = [f"{kind}.{name}" for kind, named in resources.items() for name in named]
    taken: dict[tuple[str, Any], str] = {}
    for address, identity in entries.items():
        rule, remedy, kind = "", "", address.partition(".")[0]
        if address not in addresses:
            rule, remedy = f"the address must be one of a resource of {tier}", _meant(address, addresses)
        elif not isinstance(identity, str):
            rule, remedy = "an ID must be text", "put it in quotes"
        elif not identity.isprintable() or not identity.strip() or "${" in identity or "%{" in identity:
            rule, remedy = "an ID must be plain text, without expressions", "write the ID that AWS shows"
        elif taken.setdefault((kind, identity), address) != address:
            rule = f"a resource must have one address; this one is {taken[kind, identity]} already"
            remedy = "remove one of the two lines"
        elif address in in_state and identity not in in_state[address]:
            rule = f"the ID must be that in the state, which holds {in_state[address][0]} at this address"
            remedy = f"remove the line, or first remove that one from the state: terraform state rm {address}"
        if rule:
            line = document.line((tier, address))
            yield Problem(f"{tier}: {shown(address)}", shown(identity), rule, remedy, line)


def _meant(word: str, options: list[str]) -> str:
    close = difflib.get_close_matches(word, options, n=3, cutoff=0.5)
    return f"did you mean {choices(close)}?" if close else f"{GENERATED} of the tier lists all of them"


def _identifiers(stack: Path) -> dict[str, list[str]]:
    """By address, the identifiers of each resource in the state, its ID first."""
    values = json.loads((stack / "state.json").read_text()).get("values", {})
    return {
        resource["address"]: [
            resource["values"][name] for name in NAMES if isinstance(resource["values"].get(name), str)
        ]
        for resource in values.get("root_module", {}).get("resources", [])
        if resource["mode"] == "managed"
    }


def write(file: Path, tiers: list[Tier]) -> None:
    """Writes import blocks beside the generated Terraform of each tier for which the file has any, and
    removes those of an earlier run in other tiers, with the plan made from them. Raises SpecError, before
    anything is written, for a wrong file and for blocks that make import did not write."""
    folder = tiers[0].workspace.out
    entries = wanted(file, folder, [tier.name for tier in tiers])
    for tier in tiers:
        if tier.imports.exists() and MARK not in tier.imports.read_text():
            rule = "the file must be one that make import wrote"
            raise SpecError(
                tier.imports.as_posix(),
                [Problem("", "", rule, "rename the file, for make import writes to this name")],
            )
    for tier in tiers:
        in_state = _identifiers(tier.folder)
        missing = {
            address: id_ for address, id_ in entries.get(tier.name, {}).items() if address not in in_state
        }
        if missing:
            body = {"//": MARK, "import": [{"to": address, "id": id_} for address, id_ in missing.items()]}
            put(tier.imports, json.dumps(body, indent=2) + "\n")
        elif tier.imports.exists():
            tier.imports.unlink()
            tier.forget_plan()


def adopted(plan: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Address, ID and change of every resource that a plan imports."""
    for resource in plan.get("resource_changes", []):
        if importing := resource["change"].get("importing"):
            yield resource["address"], importing.get("id", ""), resource["change"]


def lines(plan: dict[str, Any]) -> Iterator[str]:
    """The resources that a plan adopts, one line each."""
    for address, identity, change in adopted(plan):
        changed = [edit.attribute for edit in differences(change)] if "update" in change["actions"] else []
        then = f", and changes {', '.join(changed)}" if changed else ", as it is"
        yield f"import: {address} adopts {identity}{then}"


def check(tier: Tier) -> None:
    """Raises Failed, and deletes the plan, if it would replace a resource that it adopts."""
    if not tier.imports.exists():
        return
    plan = read_json(tier.plan_json)
    messages = []
    for address, identity, change in adopted(plan):
        if "delete" in change["actions"]:
            forced = ", ".join(".".join(map(str, path)) for path in change.get("replace_paths", []))
            messages.append(
                f"import: refused, nothing was changed: {address}: {identity} would be destroyed and created"
                " again\n  rule:   an imported resource must not be replaced; these arguments differ and"
                f" cannot be changed: {forced}\n"
                f"  remedy: write the values of {identity} into the spec, also import the resources that it"
                " depends on, such as its key, or remove it from the file; then make import"
            )
    if messages:
        tier.forget_plan()
        raise Failed("\n".join(messages))


def following(workspace: Workspace, tiers: list[Tier]) -> Iterator[str]:
    """The result, and the next command."""
    planned = [tier for tier in tiers if tier.imports.exists()]
    ready = [tier for tier in planned if tier.plan_json.exists()]
    for tier in ready:
        yield from lines(read_json(tier.plan_json))
    for tier in ready:
        yield f"import: planned, nothing is changed yet; next: {workspace.command('apply', [tier.name])}"
    if waiting := [tier.name for tier in planned if tier not in ready]:
        yield f"import: waiting for what they need: {', '.join(waiting)}; apply that, then make import again"
    if not planned:
        yield f"import: nothing to import: {file_of(workspace)} lists nothing new"


def file_of(workspace: Workspace) -> Path:
    return Path("environments", "imports", f"{workspace.environment}.yaml")
