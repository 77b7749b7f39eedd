"""Changes of applied environments. make soak changes every key of the spec and reverts each change. make test
changes many keys at once and reverts them, and changes one key, chosen by the date, which it does not revert.

    pytest tests/test_living.py --changes=2026-02-28     the changes of a day
    pytest tests/test_living.py --changes=all
    pytest tests/test_living.py --changes="data.postgres.replicas network.zones=a,b edge.*"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.changing import DAY, TOGETHER, Change, chosen, every
from support.living import (
    AppliedEnvironment,
    Step,
    applied,
    change_of_the_sandbox,
    change_problems,
    differences,
    problems_of,
    steps,
    unexpected,
    unplanned,
    unreported,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "change" in metafunc.fixturenames:
        soak = metafunc.definition.get_closest_marker("soak")
        changes = every() if soak else chosen(metafunc.config.getoption("changes"))
        metafunc.parametrize("change", changes, ids=str)


@pytest.fixture
def project(change: Change, tmp_path: Path) -> AppliedEnvironment:
    return AppliedEnvironment(tmp_path / "tierra", applied(change.base))


def test_change_of_the_sandbox_is_applied_as_planned() -> None:
    """test_make.py lists its actions."""
    assert problems_of(change_of_the_sandbox(), {"may": ["* * *"]}) == []


def test_change_of_the_day_is_applied_as_planned(
    project: AppliedEnvironment, change: Change, pytestconfig: pytest.Config
) -> None:
    chosen_by_name = not DAY.fullmatch(pytestconfig.getoption("changes"))
    check(project, change, back=change.back and (chosen_by_name or change.key == TOGETHER))


@pytest.mark.soak
def test_every_change_is_applied_as_planned(project: AppliedEnvironment, change: Change) -> None:
    check(project, change, back=change.back)


def check(project: AppliedEnvironment, change: Change, *, back: bool) -> None:
    if problems := change_problems(project, change, back=back):
        command = f'pytest tests/test_living.py --changes="{change}"'
        pytest.fail("\n".join([f"{change} ({change.base}); again: {command}", *problems[:20]]), pytrace=False)


def test_changes_are_chosen_by_day_key_or_pattern() -> None:
    assert chosen("2026-02-28") == chosen("2026-02-28")
    assert str(chosen("2026-02-28")[0]) == "together=usual"
    assert len(chosen("2026-02-28")) == 2
    assert len({change for day in range(1, 29) for change in map(str, chosen(f"2026-02-{day:02}"))}) > 25
    assert [change.key for change in chosen("network.nat edge.tls")] == ["network.nat", "edge.tls"]
    assert chosen("all") == every()
    with pytest.raises(pytest.UsageError, match=r"nothing of tests/changes.yaml is called network\.nut"):
        chosen("network.nut")


def planned(address: str, *actions: str, **change: Any) -> dict[str, Any]:
    return {"resource_changes": [{"address": address, "change": {"actions": list(actions), **change}}]}


def test_steps_list_changed_attributes_by_address() -> None:
    before = {"name": "a", "port": 1, "tags": {"Name": "a"}, "zones": ["a", "b"], "arn": "arn:1", "note": ""}
    after = {"name": "b", "port": 1, "tags": {"Name": "b"}, "zones": ["b", "a"], "note": None}
    plan = planned("aws_lb.main", "update", before=before, after=after, after_unknown={"arn": True})
    plan["output_changes"] = {"arn": {"actions": ["update"], "before": "arn:1", "after_unknown": True}}
    assert steps(plan) == {
        "aws_lb.main": Step(("update",), frozenset({"name", "tags.Name"}), frozenset({"arn"})),
        "output.arn": Step(("update",), frozenset(), frozenset({""})),
    }
    assert steps(planned("aws_lb.main", "no-op", before=before, after=before)) == {}


def test_differences_between_forecast_and_plan_are_reported() -> None:
    update = planned("aws_lb.main", "update", before={"name": "a"}, after={"name": "b"})
    later = planned("aws_lb.main", "update", before={"name": "a"}, after={}, after_unknown={"name": True})
    assert differences(update, later) == []
    other = planned("aws_lb.main", "update", before={"port": 1}, after={"port": 2})
    assert differences(update, other) == ["aws_lb.main: update: only forecast name, planned port"]
    replace = planned("aws_lb.main", "delete", "create", before={"name": "a"}, after={"name": "b"})
    assert differences(update, replace) == ["aws_lb.main: forecast update, planned replace"]
    assert differences({}, replace) == ["aws_lb.main: replace was only planned"]
    assert differences(replace, {}) == ["aws_lb.main: replace was only forecast"]


def test_state_changes_that_contradict_the_plan_are_reported() -> None:
    update = planned("aws_lb.main", "update", before={"name": "a"}, after={"name": "b"})
    state = {"aws_lb.main": {"name": "a", "port": 1}}
    assert unplanned(update, state, {"aws_lb.main": {"name": "b", "port": 1}}) == []
    assert unplanned(update, state, state) == ["aws_lb.main: name was planned to change and did not"]
    assert unplanned({}, state, {"aws_lb.main": {"name": "a", "port": 2}}) == [
        "aws_lb.main: port changed, which no plan said"
    ]
    assert unplanned({}, state, {}) == ["aws_lb.main: it is there and then not there; no plan said so"]
    later = {"before": {"metadata": {"version": "1"}}, "after": {}, "after_unknown": {"metadata": True}}
    old, new = ({"helm_release.kong": {"metadata": {"version": version}}} for version in ("1", "2"))
    assert unplanned(planned("helm_release.kong", "update", **later), old, new) == []
    assert unplanned(planned("helm_release.kong", "update", before=old, after=old), old, new) == [
        "helm_release.kong: metadata.version changed, which no plan said"
    ]
    replace = planned("aws_lb.main", "delete", "create", before={"name": "a"}, after={"name": "b"})
    assert unplanned(replace, state, {"aws_lb.main": {"name": "b", "port": 1}}) == []
    assert unplanned(replace, state, state) == ["aws_lb.main: name was planned to change and did not"]
    assert unplanned(planned("aws_lb.main", "delete"), state, state) == [
        "aws_lb.main: it is there and then there; delete was planned"
    ]


def root(**resources: Any) -> dict[str, Any]:
    return {"resource": {"aws_lb": resources}}


@pytest.mark.parametrize(
    ("before", "after", "plan", "expect", "problem"),
    [
        (root(), root(a={}), planned("aws_lb.a", "create"), {}, ""),
        (root(), root(a={}), {}, {}, "is new in the Terraform, and the plan does nothing"),
        (root(a={}), root(), {}, {}, "is gone from the Terraform, and the plan does nothing"),
        (root(a={"x": 1}), root(a={"x": 2}), {}, {}, "x differ in the Terraform, and the plan does nothing"),
        (
            root(a={}),
            root(a={}),
            planned("aws_lb.a", "update"),
            {},
            "update without a change of the Terraform",
        ),
        (
            root(a={"x": 1}, b={"y": "${aws_lb.a.id}"}),
            root(a={"x": 2}, b={"y": "${aws_lb.a.id}"}),
            {
                "resource_changes": [
                    *planned("aws_lb.a", "update")["resource_changes"],
                    *planned("aws_lb.b", "update")["resource_changes"],
                ]
            },
            {},
            "",
        ),
        (
            root(a={"x": 1}),
            root(a={"x": 2}),
            planned("aws_lb.a", "delete", "create"),
            {},
            "aws_lb.a: is replaced",
        ),
        (
            root(a={"x": 1}),
            root(a={"x": 2}),
            planned("aws_lb.a", "delete", "create"),
            {"replace": ["edge aws_lb.*"], "tiers": ["edge"]},
            "",
        ),
        (root(), root(), {}, {"update": ["edge aws_lb.a"]}, "is expected to update, and no plan does"),
        (root(), root(), {}, {"tiers": ["edge"]}, "plans of edge: expected are changes of"),
    ],
)
def test_plans_that_contradict_terraform_or_expectations_are_reported(
    before: Any, after: Any, plan: Any, expect: Any, problem: str
) -> None:
    problems = unexpected({"edge": before}, {"edge": after}, {"edge": plan}, expect)
    assert len(problems) == bool(problem), problems
    assert not problem or problem in problems[0]


def test_missing_and_unexpected_findings_are_reported() -> None:
    finding = {"subject": "data", "tier": "data", "address": "aws_db_instance.postgres", "critical": True}
    pattern = "data data aws_db_instance.*"
    assert unreported([finding], {"findings": [pattern]}) == []
    assert unreported([], {"findings": [pattern]}) == [
        f"{pattern}: the report is expected to have this finding"
    ]
    assert unreported([finding], {}) == ["data data aws_db_instance.postgres: the report calls it critical"]
