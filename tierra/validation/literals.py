"""Escapes text of the spec: `${` and `%{` would begin a template in every string of Terraform's JSON.

`create_stack` escapes the whole environment of a stack at once, so tiers need not do it.
"""

from __future__ import annotations

from typing import TypeVar, cast

from tierra.validation.model import Model

Value = TypeVar("Value")


def literal(value: Value) -> Value:
    """The value with every text in it, keys too, escaped so that Terraform reads it literally. A value
    without marks is returned unchanged, as the same object."""
    return cast(Value, _literal(value))


def _literal(value: object) -> object:
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        result: object = {_literal(key): _literal(item) for key, item in value.items()}
    elif isinstance(value, tuple | list):
        result = type(value)(_literal(item) for item in value)
    elif isinstance(value, Model):
        given = {name: getattr(value, name) for name in type(value).model_fields}
        new = {name: _literal(item) for name, item in given.items()}
        changed = {name: item for name, item in new.items() if item != given[name]}
        return value.model_copy(update=changed) if changed else value
    else:
        return value
    return value if result == value else result
