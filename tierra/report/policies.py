"""Permissions: policies statement by statement, and the resources that grant rights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tierra.aws.types import known
from tierra.plans.changes import Change
from tierra.plans.differences import text
from tierra.plans.structures import ABSENT, UNKNOWN, Masked, diff, holds, parsed
from tierra.report.findings import IDENTITY, Finding

POLICIES = ("access_policy", "assume_role_policy", "policy")  # arguments that hold one


def identity(change: Change) -> Iterator[Finding]:
    """The finding of one resource, if it grants or revokes rights."""
    lines: list[str] = []
    critical = False
    for name in sorted({*change.was, *change.now}):
        was, now = _statements(change.was.get(name)), _statements(change.value(name))
        if was or now:
            lines += _lines(was, now)
            critical |= any(anyone(principal) for key, principal in now.items() if was.get(key) != principal)
        elif change.now.get(name) is UNKNOWN and name in change.configured and name in POLICIES:
            lines.append(f"~ {name}: its statements are known after apply")
    if known(change.type).grants and (grant := list(_grant(change))):
        lines += grant
    if lines:
        message = "anyone may use it" if critical else ""
        yield Finding(IDENTITY, change.tier, change.address, change.action, message, tuple(lines), critical)


def _statements(value: Any) -> dict[str, dict[str, Any]]:
    """The statements of a policy by Sid, or by their text if they have none; empty for a value that is not a
    policy."""
    policy = parsed(value)
    if not isinstance(policy, dict) or "Statement" not in policy:
        return {}
    listed = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    named = {}
    for statement in listed:
        if isinstance(statement, dict):
            sid = statement.get("Sid")
            named[sid if sid and sid not in named else json.dumps(statement, sort_keys=True)] = _normal(
                statement
            )
    return named


def _normal(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement in normal form: a single value equals a list of one."""
    return {
        key: sorted(map(str, value))
        if isinstance(value, list)
        else _normal(value)
        if isinstance(value, dict)
        else value
        if key in ("Sid", "Effect")
        else [str(value)]
        for key, value in statement.items()
    }


def _lines(was: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    for key in sorted(was.keys() | now.keys()):
        if key not in was:
            yield f"+ {sentence(now[key])}"
        elif key not in now:
            yield f"- {sentence(was[key])}"
        elif edits := diff(was[key], now[key]):
            yield f"~ {key}: {'; '.join(map(_edit, edits))}"


def _edit(edit: Any) -> str:
    where = ".".join(str(part) for part in edit.path if isinstance(part, str))
    if edit.was is ABSENT:
        return f"{where} + {_words(edit.now)}"
    if edit.now is ABSENT:
        return f"{where} - {_words(edit.was)}"
    return f"{where} {_words(edit.was)} → {_words(edit.now)}"


def sentence(statement: Mapping[str, Any]) -> str:
    """`ReadFiles: Allow s3:GetObject on arn:… for Service eks.amazonaws.com if StringEquals …`."""
    words = f"{statement['Sid']}: " if statement.get("Sid") else ""
    words += str(statement.get("Effect", ""))
    for key, before in (
        ("Action", ""),
        ("NotAction", "all but "),
        ("Resource", "on "),
        ("NotResource", "on all but "),
        ("Principal", "for "),
        ("NotPrincipal", "for all but "),
        ("Condition", "if "),
    ):
        if key in statement:
            words += f" {before}{_words(statement[key])}"
    return words


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(member)}" for key, member in sorted(value.items()))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def anyone(statement: Mapping[str, Any]) -> bool:
    """Whether a statement allows something to everyone, unconditionally."""
    principal = statement.get("Principal")
    everyone = principal == ["*"] or (isinstance(principal, dict) and principal.get("AWS") == ["*"])
    return statement.get("Effect") == "Allow" and everyone and "Condition" not in statement


def _grant(change: Change) -> Iterator[str]:
    names = known(change.type).grants
    if change.action in ("create", "delete", "replace"):
        if change.action != "create":
            yield f"- {_granted({name: change.was.get(name) for name in names})}"
        if change.action != "delete":
            yield f"+ {_granted({name: change.value(name) for name in names})}"
        return
    if change.action == "forget":
        return  # what it grants stays in AWS
    for name in names:
        was, now = change.was.get(name), change.now.get(name)
        if diff(was, now):
            yield f"~ {name}: {_shown(was)} → {_shown(now)}"


def _granted(arguments: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {_shown(part)}" for name, part in arguments.items() if part not in (None, "", [])
    )


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, Masked) or holds(value, Masked) else text(value)
