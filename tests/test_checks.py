"""Tests of the type checks of the bindings, whose results for plain values are remembered."""

from __future__ import annotations

from typing import Any

import pytest
from jsii import _type_checking

from tierra.bindings.checks import remembered


class Check:
    """A check that accepts texts and lists, and counts its calls."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def __call__(self, argname: str, value: object, expected_type: Any) -> None:
        self.calls.append(value)
        if not isinstance(value, expected_type):
            raise TypeError(f"{argname} must be {expected_type}")


def test_a_plain_type_is_checked_once_for_each_expected_type() -> None:
    check = Check()
    check_type = remembered(check)
    either = (str, int)
    for value in ("a", "b"):
        check_type("name", value, str)
        check_type("name", value, either)
    check_type("name", True, either)
    assert check.calls == ["a", "a", True]


def test_a_refused_value_is_refused_again() -> None:
    check_type = remembered(Check())
    for _ in range(2):
        with pytest.raises(TypeError, match="name must be"):
            check_type("name", 10, str)
    check_type("name", "a", str)
    with pytest.raises(TypeError, match="name must be"):
        check_type("name", 10, str)


def test_each_list_is_checked() -> None:
    check = Check()
    check_type = remembered(check)
    check_type("names", ["a"], list)
    check_type("names", [1], list)
    assert check.calls == [["a"], [1]]


def test_the_type_checks_of_the_bindings_are_remembered() -> None:
    assert _type_checking.check_type.__module__ == remembered.__module__
