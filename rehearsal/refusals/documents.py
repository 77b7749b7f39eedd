"""Policies in JSON: their contents, and IAM's errors for documents that break its grammar.

Source: page IAM/latest/UserGuide/reference_policies_grammar.html; the answers are quoted in
hashicorp/terraform#13449 (principal), terraform-aws-modules/terraform-aws-eks-pod-identity#34 (resource) and
awsdocs/iam-user-guide, "Troubleshoot IAM policies".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from rehearsal.outside import OUTSIDE, OWNER, matches
from rehearsal.refusals.rules import find_object
from tierra.aws.transition_answers import Around

IDENTITY, TRUST, RESOURCE = "identity", "trust", "resource"
TOP = {"version", "id", "statement"}
KEYS = {"sid", "effect", "action", "notaction", "resource", "notresource", "principal", "notprincipal"}
KEYS |= {"condition"}
NO_ACTION = "Policy statement must contain actions."
VERSIONS = ("2012-10-17", "2008-10-17")

Statement = dict[str, Any]


def listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def statements(text: Any) -> list[Statement] | None:
    """The statements with their keys in lower case, as IAM reads them; None if the document is not a
    policy."""
    try:
        document = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    top = {str(key).lower(): value for key, value in document.items()}
    found_here = listed(top.get("statement"))
    if not all(isinstance(statement, dict) for statement in found_here):
        return None
    return [{str(key).lower(): value for key, value in statement.items()} for statement in found_here]


def allows(statement: Statement) -> bool:
    return str(statement.get("effect")).lower() == "allow"


def actions(statement: Statement) -> list[str]:
    return [action for action in listed(statement.get("action")) if isinstance(action, str)]


def covers(statement: Statement, action: str) -> bool:
    """Whether a statement covers an action."""
    named = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in actions(statement))
    if "notaction" in statement:
        excluded = [pattern for pattern in listed(statement["notaction"]) if isinstance(pattern, str)]
        return not any(fnmatchcase(action.lower(), pattern.lower()) for pattern in excluded)
    return named


def principals(statement: Statement, kind: str) -> list[str]:
    """The principals of a kind, such as Service; a star includes all."""
    who = statement.get("principal")
    if who == "*" or "notprincipal" in statement:
        return ["*"]
    named = who.get(kind) if isinstance(who, dict) else None
    every = who.get("AWS") if isinstance(who, dict) else None
    return [str(principal) for principal in listed(named)] + (["*"] if "*" in listed(every) else [])


def admits(text: Any, services: Iterable[str], *wanted: str) -> bool | None:
    """Whether a resource's policy allows one of the services all wanted actions; None if there is no
    policy."""
    found_here = statements(text)
    if found_here is None:
        return None
    names = {*services, "*"}
    able = [
        statement
        for statement in found_here
        if allows(statement) and names & set(principals(statement, "Service"))
    ]
    return all(any(covers(statement, action) for statement in able) for action in wanted)


def role(around: Around, arn: Any) -> Any:
    """The role of the account with this ARN."""
    return find_object(around, "aws_iam_role", "arn", arn)


def trusted(around: Around, arn: Any, *services: str, wanted: Iterable[str] = ("sts:AssumeRole",)) -> bool:
    """Whether one of the services may assume a role; also true if the account does not know the role."""
    known = role(around, arn)
    return known is None or admits(known.get("assume_role_policy"), services, *wanted) is not False


def size(text: Any) -> int:
    """The number of characters that count towards a quota: IAM ignores white space."""
    return len(re.sub(r"\s", "", text)) if isinstance(text, str) else 0


def policy_error(text: Any, kind: str) -> str:
    """IAM's error for a document; empty for one that it accepts, or that is unknown."""
    if not isinstance(text, str) or not text:
        return ""
    try:
        document = json.loads(text)
    except ValueError:
        return "Syntax errors in policy."
    found_here = statements(text)
    if not isinstance(document, dict) or found_here is None or {str(k).lower() for k in document} - TOP:
        return "Syntax errors in policy."
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        return "The policy must contain a valid version string"
    names = Counter(str(statement["sid"]) for statement in found_here if statement.get("sid"))
    if any(number > 1 for number in names.values()):
        return "Statement IDs (SID) in a single policy must be unique."
    if kind != RESOURCE and any(not re.fullmatch("[0-9A-Za-z]*", name) for name in names):
        expected = "Check that your input satisfies the regular expression [0-9A-Za-z]*"
        return f"Statement IDs (SID) must be alpha-numeric. {expected}"
    return next(filter(None, (_statement_fault(statement, kind) for statement in found_here)), "")


def _statement_fault(statement: Statement, kind: str) -> str:
    if set(statement) - KEYS or str(statement.get("effect")).lower() not in ("allow", "deny"):
        return "Syntax errors in policy."
    if not {"action", "notaction"} & set(statement):
        return NO_ACTION
    for action_name in actions(statement):
        if action_name != "*" and ":" not in action_name:
            return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    principals_ = {"principal", "notprincipal"} & set(statement)
    what = {"resource", "notresource"} & set(statement)
    if kind == IDENTITY:
        if principals_:
            return "Policy document should not specify a principal."
        if not what:
            return "Policy statement must contain resources."
        for resource in [*listed(statement.get("resource")), *listed(statement.get("notresource"))]:
            if isinstance(resource, str) and resource != "*" and not resource.startswith(("arn:", "${", "*")):
                return f'Resource {resource} must be in ARN format or "*".'
    if kind == TRUST:
        if what:
            return "Has prohibited field Resource"
        if not principals_:
            return "Missing required field Principal"
        if any(action != "*" and not action.lower().startswith("sts:") for action in actions(statement)):
            return "AssumeRole policy may only specify STS AssumeRole actions."
    return ""


# Suffixes of service names: those of the partitions, and the internal one.
SERVICES = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".amazonaws.eu", ".aws.internal")
# Roles of services are not checked: many exist in every account.
ROLE = re.compile(r"arn:[^:]*:iam::(\d{12}):role/(?!aws-service-role/|aws-reserved/)[^*?$]+")


def unknown_principal(text: Any, around: Around) -> str:
    """The principal of a policy that does not exist: an unknown service, or a role that the account does not
    have. Empty if all exist, or may exist."""
    accounts = {owner.get("id") for owner in around(OWNER)}
    for statement in statements(text) or []:
        who = statement.get("principal")
        if not isinstance(who, dict):
            continue
        for service in listed(who.get("Service")):
            if isinstance(service, str) and not service.endswith(SERVICES):
                return f'Invalid principal in policy: "SERVICE":"{service}"'
        for principal in listed(who.get("AWS")):
            match = ROLE.fullmatch(principal) if isinstance(principal, str) else None
            if (
                match
                and match[1] in accounts
                and not role(around, principal)
                and not matches(around(OUTSIDE), principal)
            ):
                return f'Invalid principal in policy: "AWS":"{principal}"'
    return ""
