"""The base of every section of a spec: frozen models, and rules over several keys.

A rule about one value is a validator that raises `rule_error(...)`. A rule about several keys is a method
marked with `@rule(...)`, which names the keys it reads; it runs whenever those keys are sound, even if other
parts are not, so that one run reports everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from tierra.validation.errors import KeyPath


class Violation(NamedTuple):
    """A broken rule, at a path relative to the section that found it. `value` replaces the text in the
    file."""

    path: KeyPath
    rule: str
    remedy: str
    value: str = ""


# In the schema of a section: keys that it cannot have, each with a rule and a remedy of its own.
REFUSED = "refused"
Rule = Callable[[Any], Iterator[Violation]]
_Rule = TypeVar("_Rule", bound=Rule)
_needs: dict[Rule, tuple[KeyPath, ...]] = {}


def rule_error(rule: str, remedy: str) -> PydanticCustomError:
    """The error a validator of one value raises; both sentences are shown to the user unchanged."""
    return PydanticCustomError("rule", "{rule}; {remedy}", {"rule": rule, "remedy": remedy})


def rule(*needs: str) -> Callable[[_Rule], _Rule]:
    """Marks a method that yields violations; `needs` are the dotted paths below the section that it reads."""

    def register(method: _Rule) -> _Rule:
        _needs[method] = tuple(tuple(need.split(".")) for need in needs)
        return method

    return register


def touches(first: KeyPath, second: KeyPath) -> bool:
    """Whether one path is the other, or is above or below it."""
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def repeated(items: Iterable[str]) -> Iterator[int]:
    """The index of each item that is already in the list before."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item in seen:
            yield index
        seen.add(item)


class Model(BaseModel):
    """A mapping of the spec: frozen, refuses unknown keys, never reads a number as text or the reverse."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def nothing_means_defaults(cls, value: Any) -> Any:
        """`network:` with nothing below it is the section with its defaults."""
        return {} if value is None else value

    def violations(self, unsound: Iterable[KeyPath] = (), at: KeyPath = ()) -> Iterator[Violation]:
        """Every broken rule of this section and those inside it, with paths from the root of the spec.

        `unsound` are the paths whose values were refused already; rules that read them are skipped.
        """
        unsound = tuple(unsound)
        for method in _rules(type(self)):
            needs = [(*at, *need) for need in _needs[method]]
            if not any(touches(need, path) for need in needs for path in unsound):
                yield from (violation._replace(path=(*at, *violation.path)) for violation in method(self))
        for name in type(self).model_fields:
            for path, section in _models(getattr(self, name), (*at, name)):
                yield from section.violations(unsound, path)


@cache
def _rules(kind: type[Model]) -> tuple[Rule, ...]:
    return tuple(
        member
        for base in reversed(kind.__mro__)
        for member in vars(base).values()
        if callable(member) and member in _needs
    )


def _models(value: object, at: KeyPath) -> Iterator[tuple[KeyPath, Model]]:
    if isinstance(value, Model):
        yield at, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _models(item, (*at, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _models(item, (*at, index))
