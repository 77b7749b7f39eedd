"""Values between tiers: typed, described Terraform outputs, and the references by which other tiers read
them.

    @dataclass(frozen=True)
    class NetworkOutputs(Outputs, tier="network"):
        vpc_id: Annotated[str, "ID of the VPC"]
        private_subnet_ids: Annotated[dict[str, str], "IDs of the private subnets, by zone letter",
        keyed_by(zones)]

The producer fills the class with attributes of its resources and calls `declare`; a consumer calls `read` and
gets the same class filled with references. A misspelt output is a type error, not a surprise in the plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    Self,
    get_args,
    get_origin,
    get_type_hints,
)

from cdktf import Token

from tierra.terraform.stack import Stack

if TYPE_CHECKING:
    from modules.spec import Environment

LEFT_OUT = "(left out)"  # the value of an output that a producer does not set


@dataclass(frozen=True)
class keyed_by:
    """The keys of a dict output, from the spec: consumers loop over them before any value is known."""

    keys: Callable[[Environment], Iterable[str]]


@dataclass(frozen=True)
class where:
    """The condition of a spec under which the output exists. Otherwise it is not declared, and must not be
    read."""

    holds: Callable[[Environment], bool]


def has(database: str) -> where:
    """The condition for outputs of a database."""
    return where(lambda environment: database in environment.data.databases)


has_volumes = where(lambda environment: environment.has_volumes)


class Output(NamedTuple):
    """One field of a tier's outputs, as declared."""

    name: str
    kind: Any
    description: str
    keys: Callable[[Environment], Iterable[str]] | None
    where: Callable[[Environment], bool]


@dataclass(frozen=True)
class Outputs:
    """Base of the outputs of a tier. Fields are str, list[str] or dict[str, str], each described."""

    tier: ClassVar[str]

    def __init_subclass__(cls, tier: str) -> None:
        super().__init_subclass__()
        cls.tier = tier

    @classmethod
    def described(cls) -> tuple[Output, ...]:
        """Every field. Raises TypeError for one without a description or of another type."""
        return _described(cls)  # type: ignore[arg-type]  # it takes the hash of an instance for that of the class

    def declare(self, stack: Stack) -> None:
        """Writes every field as an output of the producer's stack, dicts with the keys that consumers expect.
        Outputs whose condition is false are left out."""
        for output in self.described():
            value = getattr(self, output.name)
            if not output.where(stack.environment):
                continue
            if value == LEFT_OUT:
                raise TypeError(f"{type(self).__name__}.{output.name}: it has no value")
            if output.keys is not None and sorted(value) != sorted(output.keys(stack.environment)):
                raise TypeError(
                    f"{type(self).__name__}.{output.name}: keys {sorted(value)} are not the declared ones"
                )
            stack.output(output.name, value, output.description)

    @classmethod
    def read(cls, stack: Stack) -> Self:
        """The outputs of the producer, as references in the consumer's stack, through one remote state."""
        start = stack.remote_state(cls.tier)
        return cls(
            **{output.name: _reference(f"{start}.{output.name}", output, stack) for output in cls.described()}
        )


@cache
def _described(cls: type[Outputs]) -> tuple[Output, ...]:
    return tuple(_describe(cls))


def _describe(cls: type[Outputs]) -> Iterator[Output]:
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        hint = hints[field.name]
        kind, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        texts = [note for note in notes if isinstance(note, str)]
        keys = [note.keys for note in notes if isinstance(note, keyed_by)]
        wheres = [note.holds for note in notes if isinstance(note, where)]
        if kind not in (str, list[str], dict[str, str]) or len(texts) != 1:
            raise TypeError(f"{cls.__name__}.{field.name}: needs a type of output and a description")
        if len(keys) != (kind == dict[str, str]):
            raise TypeError(f"{cls.__name__}.{field.name}: a dict, and nothing else, has keyed_by(…)")
        yield Output(field.name, kind, texts[0], keys[0] if keys else None, wheres[0] if wheres else _always)


def _always(_environment: Environment) -> bool:
    return True


def _reference(path: str, output: Output, stack: Stack) -> Any:
    if output.keys is not None:
        return {key: f"${{{path}{_step(key)}}}" for key in output.keys(stack.environment)}
    return Token.as_list(f"${{{path}}}") if output.kind == list[str] else f"${{{path}}}"


def _step(key: str) -> str:
    """`.a` where Terraform allows it, else `["a b"]`."""
    return f".{key}" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) else f'["{key}"]'
