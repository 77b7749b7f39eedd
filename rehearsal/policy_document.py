"""The data source aws_iam_policy_document: statements in, IAM policy JSON out.

Source: website/docs/d/iam_policy_document.html.markdown of hashicorp/terraform-provider-aws.
"""

from __future__ import annotations

import json
import re
from typing import Any

from rehearsal.protocol import Object

DEFAULT_VERSION = "2012-10-17"
# Arguments that contain a policy, in every type: equivalent policies are no difference.
# Source: internal/verify/diff.go of hashicorp/terraform-provider-aws, SuppressEquivalentPolicyDiffs.
POLICIES = {
    "policy",
    "assume_role_policy",
    "access_policy",
    "access_policies",
    "inline_policy",
    "resource_policy",
}
LISTS = {"Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Statement"}
ACCOUNT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):root")


def same(first: Any, second: Any) -> bool:
    """Whether two documents are equivalent; policies may differ in order, and in a single value with or
    without a list."""
    if first == second:
        return True
    policies = all(isinstance(document, dict) and "Statement" in document for document in (first, second))
    return policies and _plain(first, "") == _plain(second, "")


def _plain(value: Any, key: str) -> Any:
    """A value of a policy in normal form; `key` is its key."""
    if isinstance(value, dict):
        plain = {name: _plain(member, "" if key == "Condition" else name) for name, member in value.items()}
        if key == "Condition":
            plain = {
                name: {what: sorted(map(str, _listed(values))) for what, values in value[name].items()}
                for name in value
                if isinstance(value[name], dict)
            }
        elif key in ("Principal", "NotPrincipal"):
            plain = {
                kind: sorted(ACCOUNT.sub(r"\1", str(principal)) for principal in _listed(principals))
                for kind, principals in value.items()
            }
        return [plain] if key == "Statement" else plain
    if key in LISTS:
        ordered = [_plain(statement, "") for statement in _listed(value)]
        return sorted(ordered, key=lambda statement: json.dumps(statement, sort_keys=True))
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def render(config: Object) -> tuple[str, str]:
    """The policy as indented and as minified JSON."""
    statements: list[Object] = []
    for document in config.get("source_policy_documents") or []:
        _merge(statements, _statements(document))
    _merge(statements, [_statement(block) for block in config.get("statement") or []])
    for document in config.get("override_policy_documents") or []:
        _merge(statements, _statements(document))
    policy: Object = {"Version": config.get("version") or DEFAULT_VERSION}
    if config.get("policy_id"):
        policy["Id"] = config["policy_id"]
    policy["Statement"] = statements
    return json.dumps(policy, indent=2), json.dumps(policy, separators=(",", ":"))


def _statements(document: str | None) -> list[Object]:
    if not document:
        return []
    statements = json.loads(document).get("Statement") or []
    return statements if isinstance(statements, list) else [statements]


def _merge(statements: list[Object], more: list[Object]) -> None:
    """Add statements; one with the Sid of an earlier one replaces it."""
    for statement in more:
        sids = [s.get("Sid") for s in statements]
        if statement.get("Sid") and statement["Sid"] in sids:
            statements[sids.index(statement["Sid"])] = statement
        else:
            statements.append(statement)


def _statement(block: Object) -> Object:
    statement: Object = {"Sid": block.get("sid") or None, "Effect": block.get("effect") or "Allow"}
    for key, name in (
        ("Action", "actions"),
        ("NotAction", "not_actions"),
        ("Resource", "resources"),
        ("NotResource", "not_resources"),
    ):
        statement[key] = _one_or_many(block.get(name))
    for key, name in (("Principal", "principals"), ("NotPrincipal", "not_principals")):
        statement[key] = _principals(block.get(name) or [])
    conditions: dict[str, dict[str, Any]] = {}
    for condition in block.get("condition") or []:
        operator = conditions.setdefault(condition["test"], {})
        operator[condition["variable"]] = _one_or_many(condition["values"])
    statement["Condition"] = conditions or None
    return {key: value for key, value in statement.items() if value is not None}


def _principals(blocks: list[Object]) -> Any:
    merged: dict[str, list[str]] = {}
    for block in blocks:
        merged.setdefault(block["type"], []).extend(block["identifiers"])
    if merged == {"*": ["*"]}:
        return "*"
    return {kind: _one_or_many(names) for kind, names in merged.items()} or None


def _one_or_many(values: list[str] | None) -> Any:
    if not values:
        return None
    return values[0] if len(values) == 1 else sorted(values, reverse=True)
