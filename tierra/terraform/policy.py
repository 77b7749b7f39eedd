"""IAM policies: statements in Python, deterministic JSON out.

References to other resources may appear in any text and stay references; a policy variable such as
`${aws:username}` is meant for IAM and reaches it unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Principals = Mapping[str, str | Sequence[str]]
Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass(frozen=True)
class Everything:
    """Resource "*", with the reason why nothing narrower is possible, for readers of the Python."""

    reason: str

    def __post_init__(self) -> None:
        if len(self.reason.split()) < 3:
            raise ValueError('Resource "*" needs a reason in words')


@dataclass(frozen=True)
class Everyone:
    """Principal "*", with the reason. To allow everyone, rather than deny, also needs a condition."""

    reason: str

    def __post_init__(self) -> None:
        if len(self.reason.split()) < 3:
            raise ValueError('Principal "*" needs a reason in words')


THIS_KEY = Everything("in the policy of a key, the resource is the key itself")


@dataclass(frozen=True)
class Statement:
    """One statement. Raises ValueError if its meaning is narrower or wider than it looks. `resources` is
    empty in trust policies and with `other_than`, which denies everything except some resources; `principals`
    is None only in policies of an identity.
    """

    sid: str
    actions: str | Sequence[str]
    resources: str | Sequence[str] | Everything = ()
    principals: Principals | Everyone | None = None
    conditions: Conditions = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"
    other_than: str | Sequence[str] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9]+", self.sid):
            raise ValueError(f"statement {self.sid!r}: a Sid has letters and digits only")
        if not self.actions:
            raise ValueError(f"statement {self.sid}: no action")
        if "*" in _listed(self.actions) and self.effect == "Allow":
            raise ValueError(f'statement {self.sid}: Action "*" is never least privilege; name the service')
        if not isinstance(self.resources, Everything) and "*" in _listed(self.resources):
            raise ValueError(f'statement {self.sid}: Resource "*" is written Everything(reason)')
        if isinstance(self.principals, Mapping) and "*" in _listed(self.principals.get("AWS", ())):
            raise ValueError(f'statement {self.sid}: Principal "*" is written Everyone(reason)')
        if isinstance(self.principals, Everyone) and self.effect == "Allow" and not self.conditions:
            raise ValueError(f"statement {self.sid}: to allow everyone needs a condition")
        if self.other_than and (self.effect == "Allow" or self.resources):
            raise ValueError(f"statement {self.sid}: other_than is for refusals, and instead of resources")

    def render(self) -> dict[str, Any]:
        """The statement as IAM writes it, without the parts that are absent."""
        rendered: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect}
        if isinstance(self.principals, Everyone):
            rendered["Principal"] = "*"
        elif self.principals is not None:
            rendered["Principal"] = {kind: _plain(names) for kind, names in sorted(self.principals.items())}
        rendered["Action"] = _plain(self.actions)
        if isinstance(self.resources, Everything):
            rendered["Resource"] = "*"
        elif self.resources:
            rendered["Resource"] = _plain(self.resources)
        elif self.other_than:
            rendered["NotResource"] = _plain(self.other_than)
        if self.conditions:
            rendered["Condition"] = {
                operator: {key: _plain(value) for key, value in sorted(tests.items())}
                for operator, tests in sorted(self.conditions.items())
            }
        return rendered


def document(*statements: Statement) -> str:
    """The policy as JSON text for a Terraform argument: the same statements give the same text.

    Raises ValueError without statements, and for two statements with the same Sid.
    """
    sids = [statement.sid for statement in statements]
    repeated = sorted({sid for sid in sids if sids.count(sid) > 1})
    if not statements or repeated:
        raise ValueError(f"a policy has statements, each with a Sid of its own; repeated: {repeated}")
    body = {"Version": "2012-10-17", "Statement": [statement.render() for statement in statements]}
    return for_terraform(json.dumps(body, separators=(",", ":"), ensure_ascii=True))


def trust(service: str, account: str, source_arns: str | Sequence[str] = ()) -> str:
    """Who may assume a role: one AWS service, on behalf of this account alone.

    `source_arns` narrows it to the resources that service may act for; wildcards are allowed in them.
    """
    conditions: dict[str, dict[str, str | Sequence[str]]] = {"StringEquals": {"aws:SourceAccount": account}}
    if source_arns:
        conditions["ArnLike"] = {"aws:SourceArn": source_arns}
    return document(
        Statement(
            sid="ServiceMayAssume",
            actions="sts:AssumeRole",
            principals={"Service": service},
            conditions=conditions,
        )
    )


def for_terraform(text: str) -> str:
    """JSON text in which Terraform finds only its own references.

    IAM's variables (`${aws:username}`, `${*}`) become `$${…}`, and quotes inside references, which JSON
    escaped, are put back: Terraform reads `${…}` as an expression.
    """
    escaped = re.sub(r"(?<!\$)\$\{(?=[a-z][A-Za-z0-9-]*:[A-Za-z]|[*?$]\})", "$${", text)
    return re.sub(
        r"(?<!\$)\$\{(?:[^{}\"\\]|\\\")*\}", lambda reference: reference[0].replace('\\"', '"'), escaped
    )


def _listed(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _plain(value: str | Sequence[str]) -> str | list[str]:
    listed = _listed(value)
    return listed[0] if len(listed) == 1 else listed
