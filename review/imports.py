"""Adopts what exists in AWS already: import blocks from a small file, planned before anything is touched.

    python -m review.imports write FOLDER FILE TIER…    check the file, write stacks/<tier>/import.tf.json
    python -m review.imports check STACK                refuse a plan that would replace what it adopts
    python -m review.imports next FOLDER TIER…          say what is planned, what waits, what to type next

FILE maps tiers to addresses to the IDs of what exists. An address is one of the generated Terraform; what a
state holds already under the same ID is passed over, so the file may be used again and again.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modules.errors import Problem, SpecError
from modules.reader import Document, read
from modules.wording import choices, shown
from rehearsal.files import write as put
from review.differences import differing
from review.identities import fault_of

BLOCKS = "import.tf.json"
PLAN = "plan.json"
GENERATED = "cdk.tf.json"
MARK = "Written by make import; make apply removes it."

Wanted = dict[str, dict[str, str]]  # by tier and address, the ID


def wanted(file: Path, folder: Path) -> Wanted:
    """What the file asks for. Raises SpecError with everything that is wrong with it."""
    if not file.exists():
        return {}
    document = read(file)
    tiers = {stack.parent.name: stack.parent for stack in sorted(folder.glob(f"stacks/*/{GENERATED}"))}
    problems = [*document.problems, *_problems(document, tiers)]
    if problems:
        raise SpecError(file.as_posix(), problems)
    return {tier: dict(entries) for tier, entries in document.data.items() if entries}


def _problems(document: Document, tiers: dict[str, Path]) -> Iterator[Problem]:
    for tier, entries in document.data.items():
        line = document.line((tier,))
        if tier not in tiers:
            rule = f"the file names tiers; there are {', '.join(tiers)}"
            yield Problem(tier, "", rule, _meant(tier, list(tiers)), line)
        elif not isinstance(entries, dict | None):
            rule = "a tier maps addresses to IDs"
            yield Problem(tier, shown(entries), rule, f"write {tier}: and below it aws_vpc.main: vpc-…", line)
        else:
            yield from _of_tier(document, tier, entries or {}, tiers[tier])


def _of_tier(document: Document, tier: str, entries: dict[str, Any], stack: Path) -> Iterator[Problem]:
    resources = json.loads((stack / GENERATED).read_text()).get("resource", {})
    addresses = [f"{kind}.{name}" for kind, named in resources.items() for name in named]
    held = _held(stack)
    taken: dict[tuple[str, str], str] = {}
    for address, identity in entries.items():
        path, line = f"{tier}.{address}", document.line((tier, address))
        kind = address.partition(".")[0]
        if address not in addresses:
            rule = f"{tier} generates no such resource"
            yield Problem(path, shown(identity), rule, _meant(address, addresses), line)
        elif fault := fault_of(kind, identity):
            yield Problem(path, shown(identity), *fault, line)
        elif taken.setdefault((kind, identity), address) != address:
            rule = f"one thing has one address; this is {taken[kind, identity]} already"
            yield Problem(path, identity, rule, "remove one of the two lines", line)
        elif address in held and identity not in held[address]:
            rule = f"the state holds another one under this address: {held[address][0]}"
            remedy = f"remove the line, or take that one out first: terraform state rm {address}"
            yield Problem(path, identity, rule, remedy, line)


def _meant(word: str, options: list[str]) -> str:
    close = difflib.get_close_matches(word, options, n=3, cutoff=0.5)
    return f"did you mean {choices(close)}?" if close else "the generated cdk.tf.json lists them all"


def _held(stack: Path) -> dict[str, list[str]]:
    """By address, the names by which the state knows each resource, its ID first."""
    values = json.loads((stack / "state.json").read_text()).get("values", {})
    names = ("id", "identifier", "cluster_identifier", "name", "bucket", "arn")
    return {
        each["address"]: [each["values"][name] for name in names if isinstance(each["values"].get(name), str)]
        for each in values.get("root_module", {}).get("resources", [])
        if each["mode"] == "managed"
    }


def write(folder: Path, file: Path, tiers: list[str]) -> None:
    """Import blocks beside the generated Terraform of each tier for which the file has any; of another tier,
    those that an earlier run wrote are removed. A file of the same name that somebody wrote stays, and is an
    error."""
    entries = wanted(file, folder)
    for tier in tiers:
        stack = folder / "stacks" / tier
        blocks = stack / BLOCKS
        if blocks.exists() and MARK not in blocks.read_text():
            rule = "make import writes this file, and it holds something else"
            raise SpecError(
                blocks.as_posix(), [Problem("", "", rule, "move it away, or give it another name")]
            )
        held = _held(stack)
        missing = {address: id_ for address, id_ in entries.get(tier, {}).items() if address not in held}
        if missing:
            body = {"//": MARK, "import": [{"to": address, "id": id_} for address, id_ in missing.items()]}
            put(blocks, json.dumps(body, indent=2) + "\n")
        else:
            blocks.unlink(missing_ok=True)


def adopted(plan: dict[str, Any]) -> Iterator[tuple[str, str, list[str], dict[str, Any]]]:
    """Address, ID, changed arguments and change of every resource that a plan imports."""
    for each in plan.get("resource_changes", []):
        change = each["change"]
        if change.get("importing"):
            changed = [name for name, _ in differing(change)] if "update" in change["actions"] else []
            yield each["address"], change["importing"].get("id", ""), changed, change


def lines(plan: dict[str, Any]) -> Iterator[str]:
    """What a plan adopts, one line each."""
    for address, identity, changed, _ in adopted(plan):
        then = f", and changes {', '.join(changed)}" if changed else ", as it is"
        yield f"import: {address} adopts {identity}{then}"


def check(stack: Path) -> int:
    """1, and the plan is thrown away, when it would destroy what it adopts in order to build it anew."""
    plan = json.loads((stack / PLAN).read_text())
    replaced = [
        (address, identity, change)
        for address, identity, _, change in adopted(plan)
        if "delete" in change["actions"]
    ]
    for address, identity, change in replaced:
        forced = ", ".join(".".join(map(str, path)) for path in change.get("replace_paths", []))
        sys.stderr.write(
            f"import: refused, nothing was changed: {address}: {identity} would be destroyed and built anew\n"
            f"  rule:   what is adopted stays; these arguments differ and cannot be changed: {forced}\n"
            f"  remedy: write into the spec what {identity} has, adopt what it stands on as well, such as its"
            " key, or remove it from the file; then make import\n"
        )
    if replaced:
        for left in stack.glob("plan.*"):
            left.unlink()
    return 1 if replaced else 0


def following(folder: Path, tiers: list[str]) -> Iterator[str]:
    """What was planned, and what to type next."""
    planned = [tier for tier in tiers if (folder / "stacks" / tier / BLOCKS).exists()]
    ready = [tier for tier in planned if (folder / "stacks" / tier / PLAN).exists()]
    for tier in ready:
        yield from lines(json.loads((folder / "stacks" / tier / PLAN).read_text()))
    if ready:
        typed = f"make apply ENV={folder.name} TIER={ready[0]}"
        yield f"import: planned, nothing is touched yet; next: {typed}{' (and so on)' if ready[1:] else ''}"
    waiting = [tier for tier in planned if tier not in ready]
    if waiting:
        yield f"import: waiting for other tiers: {', '.join(waiting)}; apply those, then make import again"
    if not planned:
        yield f"import: nothing to adopt: environments/imports/{folder.name}.yaml names nothing new"


def main() -> int:
    verb, first, *rest = sys.argv[1:]
    try:
        if verb == "write":
            write(Path(first), Path(rest[0]), rest[1:])
        elif verb == "check":
            return check(Path(first))
        else:
            print("\n".join(following(Path(first), rest)))
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
