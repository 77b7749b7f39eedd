"""Tests of structural comparison: the differences applied to one value give the other."""

from __future__ import annotations

import copy
import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tierra.plans.differences import MASKED, Difference, described, differences
from tierra.plans.structures import ABSENT, Edit, Name, diff

PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "b", "c: d", "two\nlines"])
KEYS = st.sampled_from(["name", "Sid", "a", "b", "value"])
VALUES = st.recursive(
    PLAIN,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(KEYS, inside, max_size=4),
    max_leaves=20,
)


def normal(value: Any) -> str:
    """A text that is equal for values that only differ in the order of lists."""
    if isinstance(value, dict):
        return json.dumps({key: normal(each) for key, each in value.items()}, sort_keys=True)
    if isinstance(value, list):
        return json.dumps(sorted(map(normal, value)))
    return json.dumps(value)


def applied(edits: list[Edit], value: Any) -> Any:
    """The value after the differences. Added elements are at the end of a list."""
    root = {"root": copy.deepcopy(value)}
    gone: list[tuple[list[Any], Any]] = []
    new: list[tuple[list[Any], Any]] = []
    for edit in edits:
        parent: Any = root
        path = ["root", *edit.path]
        for part in path[:-1]:
            parent = (
                next(each for each in parent if each[part.key] == part.value)
                if isinstance(part, Name)
                else parent[part]
            )
        last = path[-1]
        if isinstance(parent, dict):
            if edit.now is ABSENT:
                del parent[last]
            else:
                parent[last] = edit.now
            continue
        if edit.was is not ABSENT:
            named = [each for each in parent if isinstance(last, Name) and each[last.key] == last.value]
            gone.append((parent, named[0] if isinstance(last, Name) else parent[last]))
        if edit.now is not ABSENT:
            new.append((parent, edit.now))
    for parent, each in gone:
        parent.pop(
            next(
                index
                for index, candidate in enumerate(parent)
                if candidate is each or normal(candidate) == normal(each)
            )
        )
    for parent, each in new:
        parent.append(each)
    return root["root"]


@settings(max_examples=300, deadline=None)
@given(VALUES, VALUES)
def test_differences_turn_one_value_into_the_other(was: Any, now: Any) -> None:
    assert normal(applied(diff(was, now), was)) == normal(now)


@settings(max_examples=100, deadline=None)
@given(VALUES, VALUES)
def test_differences_are_symmetric_and_empty_for_equal_values(was: Any, now: Any) -> None:
    assert diff(was, was) == []
    assert bool(diff(was, now)) == bool(diff(now, was))


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=3),
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=3),
)
def test_json_texts_are_compared_by_structure(was: Any, now: Any) -> None:
    assert diff(json.dumps(was), json.dumps(now, indent=2)) == diff(was, now)


def test_yaml_texts_are_compared_by_structure() -> None:
    was = {"replicas": 2, "image": {"tag": "3.4"}, "on": {"x": 1}}
    now = {"replicas": 3, "image": {"tag": "3.5"}, "on": {"x": 1}}
    change = {"before": {"values": [yaml.safe_dump(was)]}, "after": {"values": [yaml.safe_dump(now)]}}
    assert differences(change) == [
        Difference("values[0].image.tag", "3.4", "3.5"),
        Difference("values[0].replicas", "2", "3"),
    ]


def test_list_elements_are_matched_by_name() -> None:
    was = [{"name": "rate", "limit": 1}, {"name": "common", "limit": 2}]
    now = [{"name": "blocked", "limit": 0}, {"name": "rate", "limit": 1}, {"name": "common", "limit": 3}]
    assert described(diff({"rule": was}, {"rule": now})) == [
        Difference("rule[blocked]", "(nothing)", '{"name": "blocked", "limit": 0}'),
        Difference("rule[common].limit", "2", "3"),
    ]


def test_plain_elements_are_added_and_removed() -> None:
    change = {
        "before": {"zones": ["a", "b"], "order": [1, 2]},
        "after": {"zones": ["b", "c"], "order": [2, 1]},
    }
    assert differences(change) == [
        Difference("order", "[1, 2]", "[2, 1]"),
        Difference("zones", "a", "(nothing)"),
        Difference("zones", "(nothing)", "c"),
    ]


def test_sensitive_values_are_masked_everywhere() -> None:
    change = {
        "before": {"list": [{"x": "s1"}, {"x": "open"}], "text": '{"a": "s2"}', "gone": {"deep": "s3"}},
        "after": {"list": [{"x": "open"}], "text": '{"a": "s4"}', "new": ["s5"], "moved": [1, "s6"]},
        "before_sensitive": {"list": [{"x": True}], "text": True, "gone": {"deep": True}},
        "after_sensitive": {"text": True, "new": True, "moved": [False, True]},
    }
    lines = differences(change)
    assert {each.attribute for each in lines} == {"gone", "list", "moved", "new", "text"}
    assert {(each.was, each.now) for each in lines} == {(MASKED, MASKED)}


def test_names_like_secrets_are_masked_in_structured_texts() -> None:
    env = [{"name": "DB_PASSWORD", "value": "s1"}, {"name": "MODE", "value": "quick"}]
    change = {
        "before": {"values": [json.dumps({"env": [], "token": "s2", "automountToken": False})]},
        "after": {
            "values": [json.dumps({"env": env, "token": "s3", "automountToken": True, "auth_token": "s4"})]
        },
    }
    text = "\n".join(map(str, differences(change)))
    assert not [secret for secret in ("s1", "s2", "s3", "s4") if secret in text]
    assert "quick" in text
    assert Difference("values[0].automountToken", "false", "true") in differences(change)
