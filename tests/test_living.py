"""Applied environments are changed, and changed back: by every key of the spec in make soak; by many keys at
once in make test, and by one key of the day, which is not changed back there.

    pytest tests/test_living.py --changes=2026-02-28     those of a day
    pytest tests/test_living.py --changes=all
    pytest tests/test_living.py --changes="data.postgres.replicas network.zones=a,b edge.*"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.changing import TOGETHER, Change, chosen, every
from support.living import Living, Step, applied, differences, live, steps, unexpected, unkept, unreported


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "change" in metafunc.fixturenames:
        soaks = metafunc.definition.get_closest_marker("soak")
        found = every() if soaks else chosen(metafunc.config.getoption("changes"))
        metafunc.parametrize("change", found, ids=str)


@pytest.fixture
def living(change: Change, tmp_path: Path) -> Living:
    return Living(tmp_path / "tierra", applied(change.base))


def test_a_change_of_the_day(living: Living, change: Change) -> None:
    check(living, change, back=change.key == TOGETHER)


@pytest.mark.soak
def test_every_change(living: Living, change: Change) -> None:
    check(living, change, back=change.back)


def check(living: Living, change: Change, *, back: bool) -> None:
    if wrong := live(living, change, back=back):
        again = f'pytest tests/test_living.py --changes="{change}"'
        pytest.fail("\n".join([f"{change} ({change.base}); again: {again}", *wrong[:20]]), pytrace=False)


def test_a_day_has_its_changes() -> None:
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


def test_a_plan_in_steps() -> None:
    before = {"name": "a", "port": 1, "tags": {"Name": "a"}, "zones": ["a", "b"], "arn": "arn:1", "note": ""}
    after = {"name": "b", "port": 1, "tags": {"Name": "b"}, "zones": ["b", "a"], "note": None}
    plan = planned("aws_lb.main", "update", before=before, after=after, after_unknown={"arn": True})
    plan["output_changes"] = {"arn": {"actions": ["update"], "before": "arn:1", "after_unknown": True}}
    assert steps(plan) == {
        "aws_lb.main": Step(("update",), frozenset({"name", "tags.Name"}), frozenset({"arn"})),
        "output.arn": Step(("update",), frozenset(), frozenset({""})),
    }
    assert steps(planned("aws_lb.main", "no-op", before=before, after=before)) == {}


def test_differences_of_a_forecast() -> None:
    update = planned("aws_lb.main", "update", before={"name": "a"}, after={"name": "b"})
    later = planned("aws_lb.main", "update", before={"name": "a"}, after={}, after_unknown={"name": True})
    assert differences(update, later) == []
    other = planned("aws_lb.main", "update", before={"port": 1}, after={"port": 2})
    assert differences(update, other) == ["aws_lb.main: update: only forecast name, planned port"]
    replace = planned("aws_lb.main", "delete", "create", before={"name": "a"}, after={"name": "b"})
    assert differences(update, replace) == ["aws_lb.main: forecast update, planned replace"]
    assert differences({}, replace) == ["aws_lb.main: replace was only planned"]
    assert differences(replace, {}) == ["aws_lb.main: replace was only forecast"]


def test_states_that_a_plan_does_not_explain() -> None:
    update = planned("aws_lb.main", "update", before={"name": "a"}, after={"name": "b"})
    was = {"aws_lb.main": {"name": "a", "port": 1}}
    assert unkept(update, was, {"aws_lb.main": {"name": "b", "port": 1}}) == []
    assert unkept(update, was, was) == ["aws_lb.main: name was planned to change and did not"]
    assert unkept({}, was, {"aws_lb.main": {"name": "a", "port": 2}}) == [
        "aws_lb.main: port changed, which no plan said"
    ]
    assert unkept({}, was, {}) == ["aws_lb.main: it is there and then not there; no plan said so"]
    later = {"before": {"metadata": {"version": "1"}}, "after": {}, "after_unknown": {"metadata": True}}
    old, new = ({"helm_release.kong": {"metadata": {"version": version}}} for version in ("1", "2"))
    assert unkept(planned("helm_release.kong", "update", **later), old, new) == []
    assert unkept(planned("helm_release.kong", "update", before=old, after=old), old, new) == [
        "helm_release.kong: metadata.version changed, which no plan said"
    ]
    replace = planned("aws_lb.main", "delete", "create", before={"name": "a"}, after={"name": "b"})
    assert unkept(replace, was, {"aws_lb.main": {"name": "b", "port": 1}}) == []
    assert unkept(replace, was, was) == ["aws_lb.main: name was planned to change and did not"]
    assert unkept(planned("aws_lb.main", "delete"), was, was) == [
        "aws_lb.main: it is there and then there; delete was planned"
    ]


def root(**resources: Any) -> dict[str, Any]:
    return {"resource": {"aws_lb": resources}}


@pytest.mark.parametrize(
    ("before", "after", "plan", "expect", "wrong"),
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
def test_what_a_plan_must_do(before: Any, after: Any, plan: Any, expect: Any, wrong: str) -> None:
    found = unexpected({"edge": before}, {"edge": after}, {"edge": plan}, expect)
    assert len(found) == bool(wrong), found
    assert not wrong or wrong in found[0]


def test_what_a_report_must_say() -> None:
    finding = {"subject": "data", "tier": "data", "address": "aws_db_instance.postgres", "critical": True}
    pattern = "data data aws_db_instance.*"
    assert unreported([finding], {"findings": [pattern]}) == []
    assert unreported([], {"findings": [pattern]}) == [
        f"{pattern}: the report is expected to have this finding"
    ]
    assert unreported([finding], {}) == ["data data aws_db_instance.postgres: the report calls it grave"]
