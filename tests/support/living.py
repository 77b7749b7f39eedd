"""An applied environment that changes: make plans and applies one change of its spec and its reversal, and
every plan is compared with the result.

- Plans follow the generated Terraform: they create new resources, delete removed ones, update changed ones
  and those that read changed values, and no others. Only resources in changes.yaml are replaced.
- Applies do what was planned, including forecasts.
- A second plan is empty, in every tier.
- After the reversal the resources are the same as before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from rehearsal.cloud import Cloud
from rehearsal.engines import open_window
from support.changing import TOGETHER, Change, bases, table
from support.project import Copy, Project, succeeded
from support.sharing import once
from tierra.aws.waits import waits

NOTHING = (["no-op"], ["read"])
META = ("depends_on", "lifecycle", "provisioner")
# The applied plan, as JSON of `terraform show`, which the driver keeps beside the log.
APPLIED = "applied.json"
Plan = Mapping[str, Any]
Terraform = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """The planned action on one address. `known` and `unknown` are the paths of attributes that change, to a
    value that is known or not; both are empty for created and deleted resources."""

    actions: tuple[str, ...]
    known: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    @property
    def changed(self) -> frozenset[str]:
        return self.known | self.unknown

    @property
    def verb(self) -> str:
        return "replace" if len(self.actions) > 1 else self.actions[0]


def steps(plan: Plan) -> dict[str, Step]:
    """The actions of a plan in JSON, by address; outputs are `output.<name>`."""
    found = {
        each["address"]: each["change"]
        for each in plan.get("resource_changes", [])
        if each["change"]["actions"] not in NOTHING
    }
    outputs = {
        f"output.{name}": change
        for name, change in plan.get("output_changes", {}).items()
        if change["actions"] not in NOTHING
    }
    return {address: _step(change) for address, change in {**found, **outputs}.items()}


def _step(change: Mapping[str, Any]) -> Step:
    actions = tuple(change["actions"])
    if actions in (("create",), ("delete",)):
        return Step(actions)
    paths = list(_changed(change.get("before"), change.get("after"), change.get("after_unknown", False), ""))
    return Step(
        actions,
        frozenset(path for path, unknown in paths if not unknown),
        frozenset(path for path, unknown in paths if unknown),
    )


def _changed(before: Any, after: Any, unknown: Any, at: str) -> Iterator[tuple[str, bool]]:
    """The paths that differ, and whether the new value is unknown. A list is one value."""
    if isinstance(before, dict) and isinstance(after, dict) and unknown is not True:
        for key in sorted({*before, *after, *(unknown or {})}):
            inner = unknown.get(key, False) if isinstance(unknown, dict) else False
            yield from _changed(before.get(key), after.get(key), inner, f"{at}.{key}".lstrip("."))
    elif _any(unknown):
        yield at, True
    elif _canonical(before) != _canonical(after):
        yield at, False


def _canonical(value: Any) -> str:
    """Text for comparing values: null equals empty, and sets have any order."""
    if isinstance(value, dict):
        said = {key: text for key, each in value.items() if (text := _canonical(each))}
        return json.dumps(said, sort_keys=True) if said else ""
    if isinstance(value, list):
        return json.dumps(sorted(map(_canonical, value))) if value else ""
    return "" if value is None else str(value)


def _any(unknown: Any) -> bool:
    if isinstance(unknown, (dict, list)):
        return any(map(_any, unknown.values() if isinstance(unknown, dict) else unknown))
    return bool(unknown)


def differences(forecast: Plan, real: Plan) -> list[str]:
    """Differences between two plans of a tier: addresses, actions, names of changed attributes."""
    one, other = steps(forecast), steps(real)
    found = []
    for address in sorted({*one, *other}):
        was, now = one.get(address), other.get(address)
        if was is None or now is None:
            told, by = (now, "planned") if was is None else (was, "forecast")
            assert told is not None
            found.append(f"{address}: {told.verb} was only {by}")
        elif was.actions != now.actions:
            found.append(f"{address}: forecast {was.verb}, planned {now.verb}")
        elif was.changed != now.changed:
            only = [f"forecast {each}" for each in sorted(was.changed - now.changed)]
            only += [f"planned {each}" for each in sorted(now.changed - was.changed)]
            found.append(f"{address}: {was.verb}: only {', '.join(only)}")
    return found


def unkept(plan: Plan, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Contradictions between the states of a tier before and after an apply, and its plan. Values are by
    address."""
    planned = steps(plan)
    found = []
    for address in sorted({*before, *after, *planned}):
        step = planned.get(address)
        was, now = address in before, address in after
        if (was, now) != _due(step, was):
            said = f"{step.verb} was planned" if step else "no plan said so"
            found.append(f"{address}: it is {_there(was)} and then {_there(now)}; {said}")
        elif was and now:
            changed = {path for path, _ in _changed(before[address], after[address], False, "")}
            changed = (changed | _late(plan, address)) - _drifted(plan, address)
            found += _broken(address, step or Step(("no-op",)), changed)
    return found


def _late(plan: Plan, address: str) -> set[str]:
    """Attributes that AWS changes in the maintenance window only."""
    change = next((each for each in plan.get("resource_changes", []) if each["address"] == address), None)
    if change is None or change["change"]["actions"] != ["update"]:
        return set()
    return set(waits(address.partition(".")[0], change["change"]["before"], change["change"]["after"]))


def _drifted(plan: Plan, address: str) -> set[str]:
    """Attributes that AWS has changed by itself before the plan, such as in a maintenance window."""
    return {
        path
        for each in plan.get("resource_drift", [])
        if each["address"] == address and each["change"]["actions"] == ["update"]
        for path, _ in _changed(each["change"]["before"], each["change"]["after"], False, "")
    }


def _due(step: Step | None, was: bool) -> tuple[bool, bool]:
    """Whether an address should exist before and after a step."""
    if step is None:
        return was, was
    return step.verb != "create", step.verb not in ("delete", "forget")


def _broken(address: str, step: Step, changed: set[str]) -> Iterator[str]:
    follows = {"engine_version_actual"} if "engine_version" in step.changed else set()
    within = tuple(f"{path}." for path in step.unknown)
    more = sorted(path for path in changed - step.changed - follows if not path.startswith(within))
    if step.verb != "replace" and more:
        yield f"{address}: {', '.join(more)} changed, which no plan said"
    if less := sorted(step.known - changed):
        yield f"{address}: {', '.join(less)} was planned to change and did not"


def _there(exists: bool) -> str:
    return "there" if exists else "not there"


class Living(Copy):
    """A copy of one of the environments of changes.yaml, applied."""

    @property
    def stacks(self) -> Path:
        return self.folder / "cdktf.out" / "sandbox" / "stacks"

    def terraform(self) -> dict[str, Terraform]:
        """The generated Terraform by tier."""
        return _read(self.stacks, "cdk.tf.json")

    def plans(self) -> dict[str, Plan]:
        """The plans of make plan, including forecasts."""
        return _read(self.stacks, "plan.json")

    def kept(self) -> dict[str, Plan]:
        return _read(self.stacks, APPLIED)

    def findings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.stacks.parent / "report.json").read_text())["findings"]
        return found

    def states(self) -> dict[str, dict[str, Any]]:
        """Values by tier and address; outputs have the format of plans."""
        found: dict[str, dict[str, Any]] = {}
        for file in sorted((self.folder / ".rehearsal" / "sandbox").glob("*.tfstate")):
            state = json.loads(file.read_text())
            values = found[file.stem] = {}
            for resource in state["resources"]:
                if resource["mode"] != "managed":
                    continue
                for each in resource["instances"]:
                    index = f"[{json.dumps(each['index_key'])}]" if "index_key" in each else ""
                    values[f"{resource['type']}.{resource['name']}{index}"] = each["attributes"]
            values |= {f"output.{name}": each["value"] for name, each in state["outputs"].items()}
        return found


def _read(stacks: Path, name: str) -> dict[str, Any]:
    return {file.parent.name: json.loads(file.read_text()) for file in sorted(stacks.glob(f"*/{name}"))}


def applied(base: str) -> Path:
    """A project with one of the environments applied, created once for all test processes."""

    def apply(folder: Path) -> None:
        project = Project(folder)
        project.write(bases()[base])
        succeeded(project.make("plan"))
        succeeded(project.make("apply", APPROVE="yes"))

    return once(f"living/{base}", apply)


@dataclass
class Passage:
    """The result of make between two specs: by tier the generated Terraform, the states before and after, and
    the plans. `failed` is the output of a command that failed."""

    before: Mapping[str, Terraform]
    states: Mapping[str, Mapping[str, Any]]
    after: Mapping[str, Terraform] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    findings: Sequence[Mapping[str, Any]] = ()
    kept: Mapping[str, Plan] = field(default_factory=dict)
    done: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    second: Mapping[str, Plan] = field(default_factory=dict)
    waiting: Sequence[str] = ()
    failed: str = ""


def live(project: Living, change: Change, *, back: bool) -> list[str]:
    """The problems of one change, and with `back` of its reversal, a line each."""
    resources = {tier: set(values) for tier, values in project.states().items()}
    there = passage(project, change.after)
    wrong = [f"there: {each}" for each in judged(there, expected(change))]
    if wrong or there.failed or not back:
        return wrong
    reversal = passage(project, change.before)
    wrong += [f"back: {each}" for each in judged(reversal, expected(change, back=True))]
    for tier, values in project.states().items() if not reversal.failed else ():
        wrong += [f"back: {tier} {each}: is not as before" for each in sorted(resources[tier] ^ set(values))]
    return wrong


def expected(change: Change, *, back: bool = False) -> dict[str, list[str]]:
    """The expectations of changes.yaml about a change: those of its key, and its own."""
    if change.key == TOGETHER:
        return {"may": ["reach * *", "resilience * *", "downtime * *"]}
    row = {**table()["expect"].get(change.key, {}), **table()["expect"].get(str(change), {})}
    if not back:
        return {key: value for key, value in row.items() if key != "back"}
    shared = {key: row[key] for key in ("replace", "findings", "may") if key in row}
    return {**shared, **row.get("back", {})}


def passage(project: Living, spec: Mapping[str, Any]) -> Passage:
    """Plan, apply and plan again."""
    done = Passage(project.terraform(), project.states())
    project.write(spec)
    if failed := _failed(project, "plan"):
        done.failed = failed
        return done
    done.after, done.plans, done.findings = project.terraform(), project.plans(), project.findings()
    if failed := _failed(project, "apply", APPROVE="yes"):
        done.failed = failed
        return done
    done.done, done.kept = project.states(), project.kept()
    open_window(Cloud(project.folder / ".rehearsal" / "sandbox" / "cloud.sqlite"))
    if failed := _failed(project, "plan"):
        done.failed = f"the second {failed}"
        return done
    done.second = project.plans()
    done.waiting = [tier for tier in done.second if (project.stacks / tier / "forecast").exists()]
    return done


def _failed(project: Living, command: str, **variables: str) -> str:
    run = project.make(command, **variables)
    if not run.returncode:
        return ""
    lines = [line.strip() for line in (run.stderr or run.stdout).splitlines()]
    said = " / ".join(line for line in lines if line and not line.startswith("make"))
    return f"make {command} failed: {said[-1500:]}"


def judged(passage: Passage, expect: Mapping[str, Any]) -> list[str]:
    """The problems of a passage."""
    if stops := expect.get("stops"):
        return (
            []
            if re.search(stops, passage.failed)
            else [f"make apply is expected to stop: {stops}; it says: {passage.failed[-600:]}"]
        )
    wrong = [passage.failed] if passage.failed else []
    wrong += unexpected(passage.before, passage.after, passage.plans, expect)
    if passage.plans:
        wrong += unreported(passage.findings, expect)
    for tier, plan in passage.plans.items() if passage.done else ():
        real = passage.kept.get(tier)
        said = differences(plan, real) if real else []
        said += unkept(real or plan, passage.states.get(tier, {}), passage.done.get(tier, {}))
        wrong += [f"{tier} {each}" for each in said]
    for tier, plan in passage.second.items():
        for address, step in steps(plan).items():
            wrong.append(f"{tier} {address}: the second plan would {step.verb} {_attributes(step)}".rstrip())
    return [*wrong, *(f"{tier}: the second plan is a forecast" for tier in passage.waiting)]


def _attributes(step: Step) -> str:
    return ", ".join(sorted(step.changed)[:6]) if step.verb == "update" else ""


def unexpected(
    before: Mapping[str, Terraform],
    after: Mapping[str, Terraform],
    plans: Mapping[str, Plan],
    expect: Mapping[str, Any],
) -> list[str]:
    """Differences between plans and the change of the Terraform, or the expectations of changes.yaml."""
    wrong = []
    outputs = {
        f"{tier}.{address.removeprefix('output.')}"
        for tier, plan in plans.items()
        for address in steps(plan)
        if address.startswith("output.")
    }
    for tier, plan in plans.items():
        does = {a: step for a, step in steps(plan).items() if not a.startswith("output.")}
        wrong += [f"{tier} {each}" for each in _derived(before[tier], after[tier], does, outputs)]
        for address, step in does.items():
            if step.verb == "replace" and not (
                _named(f"{tier} {address}", expect.get("replace", ()))
                or _named(f"replace {tier} {address}", expect.get("may", ()))
                or address.partition(".")[0] in table()["replaceable"]
            ):
                wrong.append(f"{tier} {address}: is replaced")
    for verb in ("create", "update", "replace", "delete", "forget"):
        done = [
            f"{tier} {a}" for tier, plan in plans.items() for a, s in steps(plan).items() if s.verb == verb
        ]
        for pattern in expect.get(verb, ()):
            if not any(fnmatchcase(each, pattern) for each in done):
                wrong.append(f"{pattern}: is expected to {verb}, and no plan does")
    if "tiers" in expect:
        changed = {tier for tier, plan in plans.items() if steps(plan)}
        if odd := changed ^ set(expect["tiers"]):
            wrong.append(
                f"plans of {', '.join(sorted(odd))}: expected are changes of {expect['tiers']} alone"
            )
    return wrong


def _derived(
    before: Terraform, after: Terraform, does: Mapping[str, Step], outputs: set[str]
) -> Iterator[str]:
    was, now = _resources(before), _resources(after)
    for address in sorted({*was, *now}):
        verb = does[address].verb if address in does else ""
        if address not in was and verb != "create":
            yield f"{address}: is new in the Terraform, and the plan does {verb or 'nothing'}"
        elif address not in now and verb not in ("delete", "forget"):
            yield f"{address}: is gone from the Terraform, and the plan does {verb or 'nothing'}"
        elif not verb and was.get(address) != now.get(address):
            pair = was[address], now[address]
            altered = sorted(each for each in {*pair[0], *pair[1]} if pair[0].get(each) != pair[1].get(each))
            names = {f"{address.partition('.')[0]}.{each}" for each in altered}
            if not all(_named(each, table()["unplanned"]) for each in names):
                yield f"{address}: {', '.join(altered)} differ in the Terraform, and the plan does nothing"
    if before.get("provider") != after.get("provider") or before.get("locals") != after.get("locals"):
        return
    moved = {a for a in {*was, *now} if was.get(a) != now.get(a)}
    asked = {f"data.{kind}.{name}" for kind, named in after.get("data", {}).items() for name in named}
    moved |= {each for each in asked if _data(before, each) != _data(after, each)}
    reached = _readers(after, moved | does.keys(), outputs)
    for address, step in does.items():
        if address in was and address in now and address not in moved and address not in reached:
            yield f"{address}: {step.verb} without a change of the Terraform or of what it reads"


def _resources(terraform: Terraform) -> dict[str, dict[str, Any]]:
    return {
        f"{kind}.{name}": {key: value for key, value in body.items() if key not in META}
        for kind, named in terraform.get("resource", {}).items()
        for name, body in named.items()
    }


def _data(terraform: Terraform, address: str) -> Any:
    _, kind, name = address.split(".")
    return terraform.get("data", {}).get(kind, {}).get(name)


def _readers(terraform: Terraform, moved: set[str], outputs: set[str]) -> set[str]:
    """The addresses that read a changed resource, directly or indirectly."""
    nodes = {
        **{
            f"{k}.{n}": body
            for k, named in terraform.get("resource", {}).items()
            for n, body in named.items()
        },
        **{
            f"data.{k}.{n}": body
            for k, named in terraform.get("data", {}).items()
            for n, body in named.items()
        },
    }
    texts = {address: json.dumps(body) for address, body in nodes.items()}
    reads = {
        address: set(re.findall(r"(?:data\.)?[a-z0-9_]+\.[A-Za-z0-9_-]+", text))
        for address, text in texts.items()
    }
    remote = re.compile(r"data\.terraform_remote_state\.([a-z]+)\.outputs\.([a-z0-9_]+)")
    found = {
        address
        for address, text in texts.items()
        if {".".join(each) for each in remote.findall(text)} & outputs
    }
    while more := {a for a, read in reads.items() if a not in found and read & (found | moved)}:
        found |= more
    return found


def unreported(findings: Sequence[Mapping[str, Any]], expect: Mapping[str, Any]) -> list[str]:
    """Missing findings of the report, and unexpected critical ones: `subject tier address`."""
    said = {f"{each['subject']} {each['tier']} {each['address']}": each["critical"] for each in findings}
    patterns = expect.get("findings", ())
    wrong = [
        f"{pattern}: the report is expected to have this finding"
        for pattern in patterns
        if not any(fnmatchcase(each, pattern) for each in said)
    ]
    allowed = [*patterns, *expect.get("may", ())]
    wrong += [
        f"{each}: the report calls it grave"
        for each, critical in said.items()
        if critical and not _named(each, allowed)
    ]
    return wrong


def _named(name: str, patterns: Any) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
