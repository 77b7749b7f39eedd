"""The user's own tags, which every resource of an environment has in addition to those of the project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from tierra.validation.model import Model, Violation, rule_error

# Set on every resource by the project. IAM compares keys without regard to case, so no spelling of these is
# free.
OURS = ("Project", "Environment", "Tier", "ManagedBy", "Owner", "Name")
# Set on some resources: AWS Backup, Kubernetes and restore tests select by them.
OF_RESOURCES = ("Backup", "Subnet", "kubernetes.io/role/elb", "kubernetes.io/role/internal-elb")
MOST = 40  # AWS allows 50 on a resource; the rest are the project's and Kubernetes'
LONGEST_KEY = 128
LONGEST_VALUE = 256

# Letters, digits and spaces of any language, and the signs IAM allows (botocore: iam, shape tagKeyType).
_LEGAL = re.compile(r"[\w .:/=+\-@]*")
_SIGNS = "letters, digits, spaces and _ . : / = + - @"


def _key(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY:
        raise rule_error(
            f"the key of a tag must have 1 to {LONGEST_KEY} characters",
            "write a shorter key" if key else "write a key, such as CostCenter",
        )
    if not _LEGAL.fullmatch(key) or key != key.strip():
        raise rule_error(f"the key of a tag must consist of {_SIGNS}", f"write {_legal(key)}")
    if key.lower().startswith("aws:"):
        raise rule_error(
            "the key of a tag must not start with aws:", f"write {key[4:].strip() or 'another key'}"
        )
    if key.lower().startswith(("kubernetes.io/", "k8s.io/")):
        raise rule_error("the key of a tag must not be one that Kubernetes sets", "choose another key")
    if key.lower() in map(str.lower, OURS):
        raise rule_error(
            f"the key of a tag must not be one that Tierra sets: {', '.join(OURS)}", _instead(key)
        )
    return key


def _value(value: str) -> str:
    if len(value) > LONGEST_VALUE:
        raise rule_error(
            f"the value of a tag must have at most {LONGEST_VALUE} characters; it has {len(value)}",
            "shorten it",
        )
    if not _LEGAL.fullmatch(value):
        raise rule_error(f"the value of a tag must consist of {_SIGNS}", f"write {_legal(value)}")
    return value


def _legal(text: str) -> str:
    return re.sub(r"[^\w .:/=+\-@]+", "-", text).strip(" -") or "a word"


def _instead(key: str) -> str:
    own = {"project": "project:", "environment": "environment:", "owner": "owner:"}.get(key.lower())
    return (
        f"remove the line, and set {own} at the top of the spec"
        if own
        else "remove the line, or choose another key"
    )


def tag_violations(tags: Iterable[str]) -> Iterator[Violation]:
    """Violations of a set of tags whose members are valid."""
    keys = list(tags)
    if len(keys) > MOST:
        rule = f"there must be at most {MOST} tags of your own: AWS allows 50, and Tierra sets some"
        yield Violation(("tags",), rule, f"remove {len(keys) - MOST} of them", f"{len(keys)} tags")
    first: dict[str, str] = {}
    for key in keys:
        spelled = first.setdefault(key.lower(), key)
        if spelled != key:
            same = f"IAM treats {key} and {spelled} as one"
            rule = f"keys must differ by more than the case of their letters: {same}"
            yield Violation(("tags", key), rule, "remove one of the two")


TagKey = Annotated[str, AfterValidator(_key)]
TagValue = Annotated[
    str, AfterValidator(_value), WithJsonSchema({"type": "string", "maxLength": LONGEST_VALUE})
]


def _foreign(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY or not _LEGAL.fullmatch(key):
        rule = f"the key of a tag must have 1 to {LONGEST_KEY} characters: {_SIGNS}"
        raise rule_error(rule, "write it exactly as in the tag")
    return key


ForeignKey = Annotated[
    str,
    AfterValidator(_foreign),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_KEY}),
]


class IgnoredTags(Model):
    """Tags that other programs of the company set and remove; plans ignore them."""

    keys: Annotated[tuple[ForeignKey, ...], Field(strict=False)] = Field(
        default=(), description="Keys of the tags.", examples=[["map-migrated"]]
    )
    key_prefixes: Annotated[tuple[ForeignKey, ...], Field(strict=False)] = Field(
        default=(),
        description="Prefixes of keys of tags. Prefixes of Kubernetes are always ignored.",
        examples=[["company:"]],
    )


def ignored_violations(ignored: IgnoredTags, tags: Iterable[str]) -> Iterator[Violation]:
    """A tag that Tierra sets and the provider ignores would be a difference in every plan."""
    set_here = [*OURS, *OF_RESOURCES, *tags]
    for index, key in enumerate(ignored.keys):
        if key in set_here:
            rule = f"a tag that Tierra sets must not be ignored, and it sets {key}"
            yield Violation(("ignore_tags", "keys", index), rule, "remove it")
    for index, prefix in enumerate(ignored.key_prefixes):
        if hit := next((key for key in set_here if key.startswith(prefix)), None):
            rule = f"a tag that Tierra sets must not be ignored, and it sets {hit}"
            yield Violation(("ignore_tags", "key_prefixes", index), rule, "write a longer prefix")
