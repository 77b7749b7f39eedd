"""Changes of applied environments: make plans and applies a change of the spec and its reversal, and every
plan is compared with the result.

- Plans follow the generated Terraform: they create new resources, delete removed ones, update changed ones
  and those that read changed values, and no others. Only resources in changes.yaml are replaced.
- Applies do what was planned, including forecasts.
- A second plan is empty, in every tier (make unchanged).
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
from support.project import applied as applied_sandbox
from support.sharing import once
from tierra.aws.waits import waits

NOTHING = (["no-op"], ["read"])
META = ("depends_on", "lifecycle", "provisioner")
# The file in a stack with the applied plan, as JSON of `terraform show`.
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
    resources = {
        each["address"]: each["change"]
        for each in plan.get("resource_changes", [])
        if each["change"]["actions"] not in NOTHING
    }
    outputs = {
        f"output.{name}": change
        for name, change in plan.get("output_changes", {}).items()
        if change["actions"] not in NOTHING
    }
    return {address: _step(change) for address, change in {**resources, **outputs}.items()}


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


def _changed(before: Any, after: Any, unknown: Any, path: str) -> Iterator[tuple[str, bool]]:
    """The paths that differ, and whether the new value is unknown. A list is one value."""
    if isinstance(before, dict) and isinstance(after, dict) and unknown is not True:
        for key in sorted({*before, *after, *(unknown or {})}):
            inner = unknown.get(key, False) if isinstance(unknown, dict) else False
            yield from _changed(before.get(key), after.get(key), inner, f"{path}.{key}".lstrip("."))
    elif _any(unknown):
        yield path, True
    elif _canonical(before) != _canonical(after):
        yield path, False


def _canonical(value: Any) -> str:
    """Text for comparing values: null equals empty, and sets have any order."""
    if isinstance(value, dict):
        texts = {key: text for key, each in value.items() if (text := _canonical(each))}
        return json.dumps(texts, sort_keys=True) if texts else ""
    if isinstance(value, list):
        return json.dumps(sorted(map(_canonical, value))) if value else ""
    return "" if value is None else str(value)


def _any(unknown: Any) -> bool:
    if isinstance(unknown, (dict, list)):
        return any(map(_any, unknown.values() if isinstance(unknown, dict) else unknown))
    return bool(unknown)


def differences(forecast: Plan, real: Plan) -> list[str]:
    """Differences between two plans of a tier: addresses, actions, names of changed attributes."""
    forecast_steps, real_steps = steps(forecast), steps(real)
    problems = []
    for address in sorted({*forecast_steps, *real_steps}):
        forecast_step, real_step = forecast_steps.get(address), real_steps.get(address)
        if forecast_step is None or real_step is None:
            step, source = (real_step, "planned") if forecast_step is None else (forecast_step, "forecast")
            assert step is not None
            problems.append(f"{address}: {step.verb} was only {source}")
        elif forecast_step.actions != real_step.actions:
            problems.append(f"{address}: forecast {forecast_step.verb}, planned {real_step.verb}")
        elif forecast_step.changed != real_step.changed:
            attributes = [f"forecast {each}" for each in sorted(forecast_step.changed - real_step.changed)]
            attributes += [f"planned {each}" for each in sorted(real_step.changed - forecast_step.changed)]
            problems.append(f"{address}: {forecast_step.verb}: only {', '.join(attributes)}")
    return problems


def unplanned(plan: Plan, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Contradictions between the states of a tier before and after an apply, and its plan. Values are by
    address."""
    planned = steps(plan)
    problems = []
    for address in sorted({*before, *after, *planned}):
        step = planned.get(address)
        existed, exists = address in before, address in after
        if (existed, exists) != _expected_presence(step, existed):
            reason = f"{step.verb} was planned" if step else "no plan said so"
            problems.append(f"{address}: it is {_presence(existed)} and then {_presence(exists)}; {reason}")
        elif existed and exists:
            changed = {path for path, _ in _changed(before[address], after[address], False, "")}
            changed = (changed | _changed_in_window(plan, address)) - _drifted(plan, address)
            problems += _contradictions(address, step or Step(("no-op",)), changed)
    return problems


def _changed_in_window(plan: Plan, address: str) -> set[str]:
    """Attributes that AWS changes only in the maintenance window."""
    change = next((each for each in plan.get("resource_changes", []) if each["address"] == address), None)
    if change is None or change["change"]["actions"] != ["update"]:
        return set()
    return set(waits(address.partition(".")[0], change["change"]["before"], change["change"]["after"]))


def _drifted(plan: Plan, address: str) -> set[str]:
    """Attributes that AWS changed before the plan without an apply, such as in a maintenance window."""
    return {
        path
        for each in plan.get("resource_drift", [])
        if each["address"] == address and each["change"]["actions"] == ["update"]
        for path, _ in _changed(each["change"]["before"], each["change"]["after"], False, "")
    }


def _expected_presence(step: Step | None, existed: bool) -> tuple[bool, bool]:
    """Whether an address should exist before and after a step."""
    if step is None:
        return existed, existed
    return step.verb != "create", step.verb not in ("delete", "forget")


def _contradictions(address: str, step: Step, changed: set[str]) -> Iterator[str]:
    implied = {"engine_version_actual"} if "engine_version" in step.changed else set()
    prefixes = tuple(f"{path}." for path in step.unknown)
    extra = sorted(path for path in changed - step.changed - implied if not path.startswith(prefixes))
    if step.verb != "replace" and extra:
        yield f"{address}: {', '.join(extra)} changed, which no plan said"
    if missing := sorted(step.known - changed):
        yield f"{address}: {', '.join(missing)} was planned to change and did not"


def _presence(exists: bool) -> str:
    return "there" if exists else "not there"


class Results:
    """The files that make wrote for the sandbox in a project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def stacks(self) -> Path:
        return self.folder / "cdktf.out" / "sandbox" / "stacks"

    def terraform(self) -> dict[str, Terraform]:
        """The generated Terraform by tier."""
        return _read(self.stacks, "cdk.tf.json")

    def plans(self) -> dict[str, Plan]:
        """The plans of make plan, including forecasts."""
        return _read(self.stacks, "plan.json")

    def applied_plans(self) -> dict[str, Plan]:
        """The plans that make apply applied."""
        return _read(self.stacks, APPLIED)

    def findings(self) -> list[dict[str, Any]]:
        report = json.loads((self.stacks.parent / "report.json").read_text())
        findings: list[dict[str, Any]] = report["findings"]
        return findings

    def states(self) -> dict[str, dict[str, Any]]:
        """Values by tier and address; outputs have the format of plans."""
        values_by_tier: dict[str, dict[str, Any]] = {}
        for file in sorted((self.folder / ".rehearsal" / "sandbox").glob("*.tfstate")):
            state = json.loads(file.read_text())
            values = values_by_tier[file.stem] = {}
            for resource in state["resources"]:
                if resource["mode"] != "managed":
                    continue
                for instance in resource["instances"]:
                    index = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
                    values[f"{resource['type']}.{resource['name']}{index}"] = instance["attributes"]
            values |= {f"output.{name}": output["value"] for name, output in state["outputs"].items()}
        return values_by_tier


class AppliedEnvironment(Copy, Results):
    """A copy of a project in which an environment of changes.yaml is applied."""


def _read(stacks: Path, name: str) -> dict[str, Any]:
    return {file.parent.name: json.loads(file.read_text()) for file in sorted(stacks.glob(f"*/{name}"))}


def first_base() -> str:
    """The name of the environment that the applied sandbox becomes by one change."""
    return next(iter(bases()))


def planned_change() -> Path:
    """A project with the applied sandbox, and the plans of the change to the first environment."""
    return once("living/planned", lambda folder: _plan(Copy(folder, applied_sandbox()), first_base()))


def applied(base: str) -> Path:
    """A project with one of the environments applied, created once for all test processes."""

    def apply(folder: Path) -> None:
        if base == first_base():
            project: Project = Copy(folder, planned_change())
        else:
            project = Project(folder)
            _plan(project, base)
        succeeded(project.make("apply", APPROVE="yes"))
        _open_window(project)

    return once(f"living/{base}", apply)


def _plan(project: Project, base: str) -> None:
    project.write(bases()[base])
    succeeded(project.make("plan"))


def _open_window(project: Project) -> None:
    """Makes the changes that wait for a maintenance window."""
    open_window(Cloud(project.folder / ".rehearsal" / "sandbox" / "cloud.sqlite"))


@dataclass
class Transition:
    """The results of make between two specs, by tier: the generated Terraform, the states before and after,
    and the plans. `failed` is the output of a failed command."""

    before: Mapping[str, Terraform]
    states_before: Mapping[str, Mapping[str, Any]]
    after: Mapping[str, Terraform] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    findings: Sequence[Mapping[str, Any]] = ()
    applied: Mapping[str, Plan] = field(default_factory=dict)
    states_after: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: str = ""


def change_of_the_sandbox() -> Transition:
    """The results of the change of the applied sandbox to the first environment, without a second plan."""
    before, planned, after = (
        Results(folder) for folder in (applied_sandbox(), planned_change(), applied(first_base()))
    )
    return Transition(
        before.terraform(),
        before.states(),
        planned.terraform(),
        planned.plans(),
        planned.findings(),
        after.applied_plans(),
        after.states(),
    )


def change_problems(project: AppliedEnvironment, change: Change, *, back: bool) -> list[str]:
    """The problems of one change, and with `back` of its reversal, a line each."""
    addresses = {tier: set(values) for tier, values in project.states().items()}
    forward = transition(project, change.after)
    problems = [f"change: {problem}" for problem in problems_of(forward, expected(change))]
    if problems or forward.failed or not back:
        return problems
    reversal = transition(project, change.before)
    problems += [f"reversal: {problem}" for problem in problems_of(reversal, expected(change, back=True))]
    for tier, values in project.states().items() if not reversal.failed else ():
        differing = sorted(addresses[tier] ^ set(values))
        problems += [f"reversal: {tier} {address}: is not as before" for address in differing]
    return problems


def expected(change: Change, *, back: bool = False) -> dict[str, list[str]]:
    """The expectations of changes.yaml about a change: those of its key, and its own."""
    if change.key == TOGETHER:
        return {"may": ["reach * *", "resilience * *", "downtime * *"]}
    expectations = {**table()["expect"].get(change.key, {}), **table()["expect"].get(str(change), {})}
    if not back:
        return {key: value for key, value in expectations.items() if key != "back"}
    common = {key: expectations[key] for key in ("replace", "findings", "may") if key in expectations}
    return {**common, **expectations.get("back", {})}


def transition(project: AppliedEnvironment, spec: Mapping[str, Any]) -> Transition:
    """Writes a spec, plans and applies it. `failed` says what a second plan would change."""
    result = Transition(project.terraform(), project.states())
    project.write(spec)
    if failed := _failure(project, "plan"):
        result.failed = failed
        return result
    result.after, result.plans, result.findings = project.terraform(), project.plans(), project.findings()
    if failed := _failure(project, "apply", APPROVE="yes"):
        result.failed = failed
        return result
    result.states_after, result.applied = project.states(), project.applied_plans()
    _open_window(project)
    result.failed = _failure(project, "unchanged")
    return result


def _failure(project: AppliedEnvironment, command: str, **variables: str) -> str:
    run = project.make(command, **variables)
    if not run.returncode:
        return ""
    lines = [line.strip() for line in (run.stderr or run.stdout).splitlines()]
    messages = " / ".join(line for line in lines if line and not line.startswith("make"))
    return f"make {command} failed: {messages[-1500:]}"


def problems_of(result: Transition, expect: Mapping[str, Any]) -> list[str]:
    """The problems of a transition, a line each."""
    if message := expect.get("stops"):
        return (
            []
            if re.search(message, result.failed)
            else [f"make apply is expected to stop: {message}; it says: {result.failed[-600:]}"]
        )
    problems = [result.failed] if result.failed else []
    problems += unexpected(result.before, result.after, result.plans, expect)
    if result.plans:
        problems += unreported(result.findings, expect)
    for tier, plan in result.plans.items() if result.states_after else ():
        applied_plan = result.applied.get(tier)
        states = result.states_before.get(tier, {}), result.states_after.get(tier, {})
        differing = differences(plan, applied_plan) if applied_plan else []
        differing += unplanned(applied_plan or plan, *states)
        problems += [f"{tier} {difference}" for difference in differing]
    return problems


def unexpected(
    before: Mapping[str, Terraform],
    after: Mapping[str, Terraform],
    plans: Mapping[str, Plan],
    expect: Mapping[str, Any],
) -> list[str]:
    """Differences between plans and the change of the Terraform, or the expectations of changes.yaml."""
    problems = []
    outputs = {
        f"{tier}.{address.removeprefix('output.')}"
        for tier, plan in plans.items()
        for address in steps(plan)
        if address.startswith("output.")
    }
    for tier, plan in plans.items():
        actions = {a: step for a, step in steps(plan).items() if not a.startswith("output.")}
        problems += [f"{tier} {each}" for each in _unexplained(before[tier], after[tier], actions, outputs)]
        for address, step in actions.items():
            if step.verb == "replace" and not (
                _matches(f"{tier} {address}", expect.get("replace", ()))
                or _matches(f"replace {tier} {address}", expect.get("may", ()))
                or address.partition(".")[0] in table()["replaceable"]
            ):
                problems.append(f"{tier} {address}: is replaced")
    for verb in ("create", "update", "replace", "delete", "forget"):
        addresses = [
            f"{tier} {a}" for tier, plan in plans.items() for a, s in steps(plan).items() if s.verb == verb
        ]
        for pattern in expect.get(verb, ()):
            if not any(fnmatchcase(each, pattern) for each in addresses):
                problems.append(f"{pattern}: is expected to {verb}, and no plan does")
    if "tiers" in expect:
        changed = {tier for tier, plan in plans.items() if steps(plan)}
        if differing := changed ^ set(expect["tiers"]):
            problems.append(
                f"plans of {', '.join(sorted(differing))}: expected are changes of {expect['tiers']} alone"
            )
    return problems


def _unexplained(
    before: Terraform, after: Terraform, actions: Mapping[str, Step], outputs: set[str]
) -> Iterator[str]:
    """Differences between a plan and the change of the Terraform of a tier."""
    old, new = _resources(before), _resources(after)
    for address in sorted({*old, *new}):
        verb = actions[address].verb if address in actions else ""
        if address not in old and verb != "create":
            yield f"{address}: is new in the Terraform, and the plan does {verb or 'nothing'}"
        elif address not in new and verb not in ("delete", "forget"):
            yield f"{address}: is gone from the Terraform, and the plan does {verb or 'nothing'}"
        elif not verb and old.get(address) != new.get(address):
            pair = old[address], new[address]
            arguments = sorted(
                each for each in {*pair[0], *pair[1]} if pair[0].get(each) != pair[1].get(each)
            )
            names = {f"{address.partition('.')[0]}.{each}" for each in arguments}
            if not all(_matches(each, table()["unplanned"]) for each in names):
                yield f"{address}: {', '.join(arguments)} differ in the Terraform, and the plan does nothing"
    if before.get("provider") != after.get("provider") or before.get("locals") != after.get("locals"):
        return
    changed = {a for a in {*old, *new} if old.get(a) != new.get(a)}
    data_sources = {f"data.{kind}.{name}" for kind, named in after.get("data", {}).items() for name in named}
    changed |= {each for each in data_sources if _data(before, each) != _data(after, each)}
    readers = _readers(after, changed | actions.keys(), outputs)
    for address, step in actions.items():
        if address in old and address in new and address not in changed and address not in readers:
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


def _readers(terraform: Terraform, changed: set[str], outputs: set[str]) -> set[str]:
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
    readers = {
        address
        for address, text in texts.items()
        if {".".join(each) for each in remote.findall(text)} & outputs
    }
    while further := {a for a, read in reads.items() if a not in readers and read & (readers | changed)}:
        readers |= further
    return readers


def unreported(findings: Sequence[Mapping[str, Any]], expect: Mapping[str, Any]) -> list[str]:
    """Missing findings of the report, and unexpected critical ones: `subject tier address`."""
    reported = {f"{each['subject']} {each['tier']} {each['address']}": each["critical"] for each in findings}
    patterns = expect.get("findings", ())
    problems = [
        f"{pattern}: the report is expected to have this finding"
        for pattern in patterns
        if not any(fnmatchcase(each, pattern) for each in reported)
    ]
    allowed = [*patterns, *expect.get("may", ())]
    problems += [
        f"{each}: the report calls it critical"
        for each, critical in reported.items()
        if critical and not _matches(each, allowed)
    ]
    return problems


def _matches(name: str, patterns: Any) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
