"""IAM as far as policies of roles need it: which requests a role may make.

Sources: the user guide of IAM, "Policy evaluation logic" (a Deny wins; without one, a request is allowed if a
policy of the role and its boundary both allow it), "IAM JSON policy elements: Condition operators" and
"Troubleshoot access denied error messages", which `Identity.refusal` quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Document = Mapping[str, Any]
EXACT = ("StringEquals", "StringEqualsIgnoreCase", "Bool")
OPERATORS = (*EXACT, "StringLike", "ArnLike", "ArnEquals")
NEGATED = {
    operator.replace("String", "StringNot").replace("Arn", "ArnNot"): operator for operator in OPERATORS
}
VARIABLE = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True)
class Request:
    """One resource of one call. Keys of `context` are in lower case. With `known`, a key that is not in the
    context and begins with none of these is unknown: the request is then refused only if it would be refused
    for every value.
    """

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    known: Sequence[str] | None = None

    def doubtful(self, key: str) -> bool:
        return self.known is not None and key not in self.context and not key.startswith(tuple(self.known))


@dataclass(frozen=True)
class Identity:
    """A role: its policies, and its boundary where it has one. `unread`: it has policies that are unknown
    here, which may allow anything."""

    policies: Sequence[Document]
    boundary: Document | None = None
    unread: bool = False

    def may(self, request: Request) -> bool:
        return not self.refusal(request)

    def refusal(self, request: Request) -> str:
        """Why the request is refused, in the words of AWS; empty if it is allowed."""
        if any(_applies_with(policy, request, "Deny") for policy in self.policies):
            return "with an explicit deny in an identity-based policy"
        if self.boundary and _applies_with(self.boundary, request, "Deny"):
            return "with an explicit deny in a permissions boundary"
        if not self.unread and not any(_applies_with(policy, request, "Allow") for policy in self.policies):
            return f"because no identity-based policy allows the {request.action} action"
        if self.boundary and not _applies_with(self.boundary, request, "Allow"):
            return f"because no permissions boundary allows the {request.action} action"
        return ""


def matches(pattern: str, value: str, *, small: bool = False) -> bool:
    """Whether a pattern with `*` and `?` matches a value."""
    return _compiled(pattern, small).fullmatch(value) is not None


@lru_cache(4096)
def _compiled(pattern: str, small: bool) -> re.Pattern[str]:
    text = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.compile(text, re.IGNORECASE | re.DOTALL if small else re.DOTALL)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _applies_with(document: Document, request: Request, effect: str) -> bool:
    return any(
        statement.get("Effect") == effect and _applies(statement, request, effect == "Allow")
        for statement in listed(document.get("Statement", []))
    )


def _applies(statement: Mapping[str, Any], request: Request, doubt: bool) -> bool:
    """Whether a statement applies to the request; `doubt` is returned if that is unknown."""
    acts = any(
        matches(action, request.action, small=True)
        for action in listed(statement.get("Action", statement.get("NotAction", [])))
    )
    if acts != ("Action" in statement):
        return False
    there = any(
        _arn_matches(pattern, request.resource, doubt == ("Resource" in statement))
        for pattern in listed(statement.get("Resource", statement.get("NotResource", [])))
    )
    return there == ("Resource" in statement) and _conditions(statement.get("Condition", {}), request, doubt)


def _arn_matches(pattern: str, resource: str, doubt: bool) -> bool:
    """Whether a pattern of ARNs matches this one; its variables may have any value."""
    if VARIABLE.search(pattern):
        return doubt and matches(VARIABLE.sub("*", pattern), resource)
    return matches(pattern, resource)


def _conditions(conditions: Mapping[str, Mapping[str, Any]], request: Request, doubt: bool) -> bool:
    return all(
        doubt
        if _doubtful(operator, key, expected, request)
        else _holds(operator, _texts(expected), request.context.get(key.lower()))
        for operator, tests in conditions.items()
        for key, expected in tests.items()
    )


def _texts(expected: Any) -> list[str]:
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in listed(expected)]


def _doubtful(operator: str, key: str, expected: Any, request: Request) -> bool:
    """Whether a condition cannot be evaluated, because its key, operator or a variable is unknown here."""
    plain = operator.rpartition(":")[2].removesuffix("IfExists")
    variable = any(VARIABLE.search(text) for text in _texts(expected))
    unknown = plain != "Null" and plain not in OPERATORS and plain not in NEGATED
    return unknown or variable or request.doubtful(key.lower())


def _holds(operator: str, expected: list[str], actual: Sequence[str] | None) -> bool:
    quantifier, _, plain = operator.rpartition(":")
    if plain == "Null":
        return (actual is None) == (expected == ["true"])
    optional = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    negative = plain in NEGATED
    comparison = NEGATED.get(plain, plain)
    if not actual:
        return optional or negative or quantifier == "ForAllValues"

    def holds(value: str) -> bool:
        equal = any(_equal(comparison, value, wanted) for wanted in expected)
        return equal != negative

    if quantifier == "ForAnyValue":
        return any(holds(value) for value in actual)
    return all(holds(value) for value in actual)


def _equal(comparison: str, value: str, expected: str) -> bool:
    if comparison in ("StringEqualsIgnoreCase", "Bool"):
        return value.lower() == expected.lower()
    return value == expected if comparison == "StringEquals" else matches(expected, value)
