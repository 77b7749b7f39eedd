"""Remembers which types of values the bindings have accepted: they check every argument at every call, unless
Python runs with -O, and most arguments are texts, numbers and flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Check = Callable[[str, object, Any], Any]

# No type of the bindings accepts only some texts or numbers, so one accepted value stands for all of them.
_PLAIN = frozenset({str, int, float, bool, type(None)})


def remembered(check: Check) -> Check:
    """The same check, which is made once for each plain type and each expected type. A refusal is never
    remembered."""
    # Each value is the expected type, which is kept, so that no other type gets its id.
    accepted: dict[tuple[type, int], Any] = {}

    def check_type(argname: str, value: object, expected_type: Any) -> Any:
        key = (type(value), id(expected_type))
        if key in accepted:
            return None
        result = check(argname, value, expected_type)
        if key[0] in _PLAIN:
            accepted[key] = expected_type
        return result

    return check_type
