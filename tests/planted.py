"""Plants the faults of tests/faults/*.yaml in the generated Terraform: `make faults`.

Each fault is one small edit of a root module of an environment of this project. The files say at which
stage real terraform or AWS stops it, and in which words; none was written with a look at the rules of
rehearsal/. A fault counts as caught when terraform, run up to that stage on the rehearsal, fails with an
error that has the words. What AWS refuses at apply may be refused before: by the embedded provider's checks,
at the resource and the argument that were edited. The unedited environments are the control: each must plan
and apply, and plan again without a change.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from support.reading import parsed_file
from support.rehearsing import ROOT, Project, terraform, terraform_command

CATALOGUE = ROOT / "tests/faults"
UNCAUGHT = CATALOGUE / "uncaught.json"
STAGES = ("validate", "plan", "apply")
STATES = ("applied", "before")
GENERATED = "cdk.tf.json"
KEPT = "terraform.tfstate"
APPLIED = "applied"
EARLY = "before it calls AWS"  # in the detail of refusals by the embedded provider's checks
JSON = "json:"  # the rest of the path is inside the JSON text at that place
EDIT = ("at", "path", "to", "replace", "times", "add", "like", "with", "remove")
ITSELF = "root:"  # an address with this prefix is a path in the root module, not a resource


@dataclass(frozen=True)
class Fault:
    """One edit of one root module, and the expected error."""

    name: str
    kind: str
    tier: str
    stage: str
    says: tuple[str, ...]
    source: str
    edits: tuple[Mapping[str, Any], ...]
    environment: str = "production"
    # `before`: the tier is not applied, and only edited resources are created. `applied`: it is applied.
    state: str = "applied"
    account: str = ""  # the tier up to which the account is built; the fault's own if empty
    targets: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()  # outputs that refer to these are removed, too
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def touched(self) -> list[str]:
        """The addresses that limit the run."""
        addresses = [edit.get("at") or edit.get("add") or edit.get("remove") for edit in repeated(self.edits)]
        edited = [address for address in addresses if address and not address.startswith(ITSELF)]
        return list(dict.fromkeys([*edited, *self.targets]))


@dataclass(frozen=True)
class Verdict:
    fault: Fault
    caught: bool
    heard: str


def read(folder: Path = CATALOGUE) -> list[Fault]:
    """The catalogue of faults. Raises ValueError for names that occur twice and for invalid entries."""
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        kind = parsed_file(path)
        faults += [_fault(path.stem, {**kind["all"], **entry}) for entry in kind["faults"]]
    twice = [name for name, count in Counter(fault.name for fault in faults).items() if count > 1]
    if twice:
        raise ValueError(f"tests/faults: these names stand there twice: {', '.join(twice)}")
    return faults


def _fault(kind: str, entry: Mapping[str, Any]) -> Fault:
    known = {**entry, "kind": kind}
    if "at" in known:
        known["edits"] = [{key: known.pop(key) for key in EDIT if key in known}]
    for key in ("says", "edits", "targets", "outputs"):
        known[key] = tuple(known.get(key, ()))
    fault = Fault(**known)
    if fault.stage not in STAGES or fault.state not in STATES or not fault.says or not fault.source:
        raise ValueError(f"tests/faults: {fault.name}: stage, state, says or source cannot be")
    return fault


def edited(body: Mapping[str, Any], fault: Fault) -> dict[str, Any]:
    """A copy of a root module with the edits of a fault. Raises ValueError for an edit without an effect.

    `at` and `path` name what gets the value `to` (null takes it away) or has a text `replace`d by another.
    `add` is a new resource, `like` another and `with` other arguments. `remove` takes a resource away.
    `times` makes an addition, or the elements of a value, as often; # is then the number.
    """
    root: dict[str, Any] = copy.deepcopy(dict(body))
    for edit in repeated(fault.edits):
        before = json.dumps(root, sort_keys=True)
        if address := edit.get("add"):
            resources, name = _place(root, address, make=True)
            resources[name] = copy.deepcopy(_resource(root, edit["like"])) if "like" in edit else {}
            for path, value in edit.get("with", {}).items():
                _set(resources[name], path.split("/"), _always(value))
        elif address := edit.get("remove"):
            _remove(root, address)
        else:
            whole = edit["at"]
            steps = whole.removeprefix(ITSELF).split("/") if whole.startswith(ITSELF) else []
            holder = root if steps else _resource(root, whole)
            _set(holder, [*steps, *(edit["path"].split("/") if "path" in edit else [])], _change(edit))
        if json.dumps(root, sort_keys=True) == before:
            raise ValueError(f"tests/faults: {fault.name}: this changes nothing: {edit}")
    for name, output in list(root.get("output", {}).items()):
        if any(part in json.dumps(output) for part in fault.outputs):
            del root["output"][name]
    return root


def _remove(root: dict[str, Any], address: str) -> None:
    resources, name = _place(root, address)
    del resources[name]
    if not resources:  # terraform refuses an empty mapping of a type
        del root["resource"][address.split(".")[0]]


def repeated(edits: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The edits, each addition as often as it says."""
    expanded: list[Mapping[str, Any]] = []
    for edit in edits:
        times = edit.get("times", 0) if "add" in edit else 0
        expanded += [_numbered(edit, number) for number in range(1, times + 1)] if times else [edit]
    return expanded


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, dict):
        return {_numbered(key, number): _numbered(each, number) for key, each in value.items()}
    if isinstance(value, list):
        return [_numbered(each, number) for each in value]
    return value.replace("#", str(number)) if isinstance(value, str) else value


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def _change(edit: Mapping[str, Any]) -> Callable[[Any], Any]:
    if "replace" in edit:
        old, new = edit["replace"]
        return lambda text: text.replace(old, new)
    value = edit["to"]
    if times := edit.get("times"):
        copies = [_numbered(value, number) for number in range(1, times + 1)]
        if isinstance(value, dict):
            return _always({key: each for item in copies for key, each in item.items()})
        return _always([each for item in copies for each in item])
    return _always(value)


def _place(root: dict[str, Any], address: str, make: bool = False) -> tuple[dict[str, Any], str]:
    parts = address.split(".")
    block = "data" if parts[0] == "data" else "resource"
    type_, name = parts[-2:]
    types = root.setdefault(block, {}) if make else root[block]
    return (types.setdefault(type_, {}) if make else types[type_]), name


def _resource(root: dict[str, Any], address: str) -> dict[str, Any]:
    resources, name = _place(root, address)
    resource: dict[str, Any] = resources[name]
    return resource


def _set(holder: Any, path: list[str], change: Callable[[Any], Any]) -> None:
    step, *rest = path
    if inside := step.startswith(JSON):
        step = step.removeprefix(JSON)
    key: Any = int(step) if isinstance(holder, list) else step
    if inside:
        document = json.loads(holder[key])
        _set(document, rest, change)
        holder[key] = json.dumps(document)
    elif rest:
        if isinstance(holder, dict):
            holder.setdefault(key, {})
        _set(holder[key], rest, change)
    else:
        value = change(holder.get(key) if isinstance(holder, dict) else holder[key])
        if value is None:
            del holder[key]
        else:
            holder[key] = value


class Prepared:
    """A synthesized environment whose tiers are applied to an account as they are needed."""

    def __init__(self, folder: Path, environment: str) -> None:
        self.folder, self.environment = folder, environment
        generated = folder / "generated"
        if not generated.exists():
            subprocess.run(
                [sys.executable, "-OO", "main.py", environment],
                cwd=ROOT,
                check=True,
                env={**os.environ, "CDKTF_OUTDIR": str(generated)},
            )
        makefile = (generated / "tiers.mk").read_text(encoding="utf-8")
        (tiers,) = [line.split("=")[1] for line in makefile.splitlines() if line.startswith("TIERS ")]
        self.order = tiers.split()
        self.bodies = {name: self._local(generated / "stacks" / name) for name in self.order}
        self.applied = [name for name in self.order if (folder / name / APPLIED).exists()]

    def _local(self, module: Path) -> dict[str, Any]:
        """The root module with states in local files and without prevent_destroy."""
        body: dict[str, Any] = json.loads((module / GENERATED).read_text(encoding="utf-8"))
        body["terraform"].pop("backend", None)
        for name, state in body.get("data", {}).get("terraform_remote_state", {}).items():
            state.clear()
            state.update({"backend": "local", "config": {"path": str(self.folder / name / KEPT)}})
        for resources in body["resource"].values():
            for resource in resources.values():
                resource.get("lifecycle", {}).pop("prevent_destroy", None)
        return body

    def module(self, folder: Path, tier: str, body: Mapping[str, Any]) -> Project:
        """A root module in a separate folder, ready for terraform."""
        project = Project(folder)
        project.exists = ""
        (folder / "main.tf").unlink()
        shutil.copytree(self.folder / "generated/stacks" / tier, folder, dirs_exist_ok=True)
        (folder / GENERATED).write_text(json.dumps(body, indent=2), encoding="utf-8")
        return project

    def reach(self, tier: str) -> None:
        """Applies the tiers up to this one, unless they are applied."""
        for name in self.order[: self.order.index(tier) + 1]:
            if name in self.applied:
                continue
            project = self.module(self.folder / name, name, self.bodies[name])
            previous = self.folder / self.applied[-1] / "cloud.sqlite" if self.applied else None
            if previous:
                duplicate(previous, project.cloud)
            project.apply()
            (project.folder / APPLIED).touch()
            self.applied.append(name)

    def unchanged(self) -> list[str]:
        """Tiers whose second plan is not empty."""
        return [
            name for name in self.applied if Project(self.folder / name, "", terraform_command()).actions()
        ]

    def cloud(self, tier: str, before: bool) -> Path | None:
        position = self.order.index(tier) - (1 if before else 0)
        return self.folder / self.order[position] / "cloud.sqlite" if position >= 0 else None

    def try_fault(self, fault: Fault) -> Verdict:
        with tempfile.TemporaryDirectory(prefix="tierra-fault-") as scratch:
            body = edited(self.bodies[fault.tier], fault)
            project = self.module(Path(scratch, fault.tier), fault.tier, body)
            if fault.stage != "validate":
                fresh = fault.state == "before"
                source = self.cloud(fault.account or fault.tier, fresh and not fault.account)
                if source:
                    duplicate(source, project.cloud)
                if not fresh:
                    shutil.copy(self.folder / fault.tier / KEPT, project.folder)
            errors, _ = run(project, fault.stage, fault.touched, fault.variables)
        return Verdict(fault, any(stops(error, fault) for error in errors), " | ".join(errors))


def stops(error: str, fault: Fault) -> bool:
    """Whether an error is about a fault: it contains the words, or it is a check of the edited argument."""
    if all(_hears(error, words) for words in fault.says):
        return True
    if fault.stage == "validate" or EARLY not in error:
        return False
    return any(
        edit["at"] in error and _argument(edit["path"]) in error for edit in fault.edits if "path" in edit
    )


def _argument(path: str) -> str:
    """The last argument of a path; a path inside a JSON text belongs to the argument with the text."""
    outside, _, inside = path.partition(JSON)
    steps = [step for step in (inside.partition("/")[0] if inside else outside).split("/") if step]
    return next(step for step in reversed(steps) if not step.isdigit())


def _hears(error: str, words: str) -> bool:
    """Whether an error contains one of these words, separated by |."""
    return any(word.lower() in error.lower() for word in words.split("|"))


def duplicate(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)


def run(
    project: Project, stage: str, targets: Iterable[str] = (), variables: Mapping[str, str] | None = None
) -> tuple[list[str], str]:
    """Runs terraform up to a stage and returns the errors and the output."""
    options = [] if stage == "validate" else ["-input=false", *(f"-target={each}" for each in targets)]
    approved = ["-auto-approve"] if stage == "apply" else []
    ended = terraform(
        [*terraform_command(), f"-chdir={project.folder}", stage, "-json", *options, *approved],
        project.folder,
        REHEARSAL_CLOUD=str(project.cloud),
        **(variables or {}),
    )
    if stage == "validate":
        diagnostics = json.loads(ended.stdout)["diagnostics"]
    else:
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
        diagnostics = [line["diagnostic"] for line in lines if "diagnostic" in line]
    errors = [_text(each) for each in diagnostics if each["severity"] == "error"]
    if ended.returncode and not errors:
        errors = [ended.stdout + ended.stderr]
    return errors, ended.stdout


def _text(diagnostic: Mapping[str, Any]) -> str:
    """A diagnostic on one line, with the code that terraform quotes."""
    parts = [
        diagnostic.get("address"),
        diagnostic["summary"],
        diagnostic.get("detail"),
        diagnostic.get("snippet", {}).get("code"),
    ]
    return " ".join(" ".join(part for part in parts if part).split())


def sample(faults: list[Fault], count: int, day: date) -> list[Fault]:
    """A sample of faults that changes daily."""
    return Random(day.toordinal()).sample(faults, min(count, len(faults)))


def sites(folder: Path, faults: Iterable[Fault]) -> dict[str, Prepared]:
    """The environments of these faults, applied up to the required tiers."""
    prepared: dict[str, Prepared] = {}
    for fault in faults:
        if fault.environment not in prepared:
            prepared[fault.environment] = Prepared(folder / fault.environment, fault.environment)
        site = prepared[fault.environment]
        if fault.stage != "validate":
            tiers = [fault.tier, fault.account or fault.tier]
            last = max(site.order.index(tier) for tier in tiers)
            if fault.state == "before" and not fault.account:
                last -= 1
            if last >= 0:
                site.reach(site.order[last])
    return prepared


def judge(prepared: Mapping[str, Prepared], faults: Iterable[Fault]) -> list[Verdict]:
    """The verdict on each fault; every fifty faults progress is printed."""
    verdicts = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for verdict in pool.map(lambda fault: prepared[fault.environment].try_fault(fault), faults):
            verdicts.append(verdict)
            if len(verdicts) % 50 == 0:
                print(f"faults: {len(verdicts)} planted", flush=True)
    return verdicts


def table(verdicts: Iterable[Verdict], key: Callable[[Fault], str]) -> list[str]:
    caught: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for verdict in verdicts:
        total[key(verdict.fault)] += 1
        caught[key(verdict.fault)] += verdict.caught
    return [f"  {name:<14}{caught[name]:>4} of {total[name]}" for name in sorted(total)]


def known() -> set[str]:
    """The names of the faults that the rehearsal does not catch, as recorded."""
    return set(json.loads(UNCAUGHT.read_text(encoding="utf-8")))


def main() -> int:
    parser = argparse.ArgumentParser(description="Plants faults in the generated Terraform.")
    parser.add_argument("names", nargs="*", help="only faults whose name, kind or tier is one of these")
    parser.add_argument("--verbose", action="store_true", help="print what terraform said of each")
    parser.add_argument(
        "--record", action="store_true", help=f"write {UNCAUGHT.name}: what is not caught today"
    )
    parser.add_argument("--folder", type=Path, help="keep what was applied there, and use it again")
    asked = parser.parse_args()
    faults = [
        fault
        for fault in read()
        if not asked.names or {fault.name, fault.kind, fault.tier} & set(asked.names)
    ]
    with tempfile.TemporaryDirectory(prefix="tierra-faults-") as scratch:
        folder = (asked.folder or Path(scratch)).resolve()
        prepared = sites(folder, faults)
        verdicts = judge(prepared, faults)
        alarms = [] if asked.names else control(folder, prepared)
    print("\n".join(report(verdicts, asked.verbose)))
    for alarm in alarms:
        print(f"false alarm: {alarm}")
    missed = {verdict.fault.name for verdict in verdicts if not verdict.caught}
    lost, fixed = sorted(missed - known()), sorted({fault.name for fault in faults} & known() - missed)
    print(f"faults: {len(faults) - len(missed)} of {len(faults)} caught; false alarms: {len(alarms)}")
    if asked.record and not asked.names:
        UNCAUGHT.write_text(json.dumps(sorted(missed), indent=2) + "\n", encoding="utf-8")
        return 1 if alarms else 0
    if fixed:
        print(f"faults: caught now, and still in {UNCAUGHT.name}: {', '.join(fixed)}")
        print("  remedy: make faults RECORD=yes, and commit the file")
    if lost:
        print(f"faults: not caught any more: {', '.join(lost)}", file=sys.stderr)
        print("  remedy: bring back the rule, or correct the fault if it was wrong", file=sys.stderr)
    return 1 if alarms or lost else 0


def report(verdicts: list[Verdict], verbose: bool) -> list[str]:
    lines = []
    for verdict in verdicts:
        fault = verdict.fault
        if verdict.caught and not verbose:
            continue
        word = "caught" if verdict.caught else "not caught"
        lines.append(
            f"{word}: {fault.name} ({fault.kind}, {fault.tier}, {fault.stage}): {', '.join(fault.says)}"
        )
        if verdict.heard:
            lines.append(f"  terraform said: {verdict.heard[:600]}")
    by_kind = table(verdicts, lambda fault: fault.kind)
    return [*lines, "by kind:", *by_kind, "by stage:", *table(verdicts, lambda fault: fault.stage)]


def control(folder: Path, prepared: Mapping[str, Prepared]) -> list[str]:
    """False alarms: unedited environments that fail to apply, or that plan a change afterwards."""
    alarms = []
    for path in sorted((ROOT / "environments").glob("*.yaml")):
        site = prepared.get(path.stem)
        try:
            site = site or Prepared(folder / path.stem, path.stem)
            site.reach(site.order[-1])
        except AssertionError as refused:
            alarms.append(f"{path.stem}: {refused}")
            continue
        alarms += [f"{path.stem}: the second plan of {tier} is not empty" for tier in site.unchanged()]
    return alarms


if __name__ == "__main__":
    sys.exit(main())
