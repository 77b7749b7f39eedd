"""The requests of a call, according to the service authorization reference: one for each resource that
the call needs, with the tags, regions and other keys that conditions of policies compare."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.iam import Request

RESOURCE_TAG, REQUEST_TAG = "aws:ResourceTag/${TagKey}", "aws:RequestTag/${TagKey}"
MAKES = re.compile(r"Create|Allocate|Request|Run|Authorize")
OTHER_BALANCERS = re.compile(r"/(net|gwy)\b")


@dataclass(frozen=True)
class Thing:
    """A resource by its ARN, with its tags; None where they are not known."""

    arn: str
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Call:
    """One action on a thing, `own`; `creates` if the call creates it. `kinds` are resources that it needs
    in addition to the required ones of the reference; `tags` are the tags in the call."""

    action: str
    own: Thing | None = None
    creates: bool = False
    kinds: Iterable[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    known: Sequence[str] | None = None


Finder = Callable[[str, str], Sequence[Thing]]
"""The things of a kind that a call is about, by the kind and its ARN in the reference."""


def requests(
    call: Call, types: Mapping[str, Any], arns: Mapping[str, Any], region: str, find: Finder
) -> Iterator[Request]:
    """The requests of a call. `types` is the reference's entry of the action by kind of resource, `arns` its
    entries of the kinds. A kind without a matching thing makes no request."""
    service, _, name = call.action.partition(":")
    general = types.get("", {}).get("condition_keys", [])
    wanted = list(_wanted(call, types, arns, find))
    makes = call.creates and MAKES.match(name) is not None
    tagging = "Tag" in name
    mine = any(thing == call.own for _, thing in wanted)
    for kind, thing in wanted:
        here = types[kind]["condition_keys"] if kind else []
        keys = {*general, *here, *(arns[kind]["condition_keys"] if kind else [])}
        tagged = here if any("Tag/" in key for key in here) else keys
        new = makes and (not mine or thing == call.own) and REQUEST_TAG in tagged
        values: dict[str, Sequence[str]] = {"aws:requestedregion": [region]}
        known = [
            *(call.known or ()),
            "aws:requestedregion",
            "aws:requesttag/",
            "aws:tagkeys",
            "ec2:createaction",
        ]
        if REQUEST_TAG in keys and (new or tagging):
            values |= {f"aws:requesttag/{key}".lower(): [value] for key, value in call.tags.items()}
            values |= {"aws:tagkeys": list(call.tags)} if call.tags else {}
        if RESOURCE_TAG not in keys or new or (tagging and call.creates):
            known.append("aws:resourcetag/")
        elif thing.tags is not None:
            known.append("aws:resourcetag/")
            values |= {f"aws:resourcetag/{key}".lower(): [value] for key, value in thing.tags.items()}
        if tagging and call.creates and service == "ec2":
            values["ec2:createaction"] = ["CreateIt"]
        context = {**values, **call.context}
        yield Request(call.action, thing.arn, context, None if call.known is None else known)


def shape(raw: str) -> str:
    """A regular expression for the ARNs of a kind."""
    return re.sub(r"\\\$\\\{\w+\\\}", "[^:]*", re.escape(raw))


def _wanted(
    call: Call, types: Mapping[str, Any], arns: Mapping[str, Any], find: Finder
) -> Iterator[tuple[str, Thing]]:
    matched = False
    for kind, resource_types in types.items():
        if not kind or OTHER_BALANCERS.search(kind):
            continue
        raw = arns[kind]["arn"]
        if call.own and re.fullmatch(shape(raw), call.own.arn):
            matched = True
            yield kind, call.own
        elif resource_types["required"] or kind in call.kinds:
            matched = True
            yield from ((kind, thing) for thing in find(kind, raw))
    if matched:
        return
    rest = [kind for kind in types if kind and "/" not in kind] or [kind for kind in types if kind]
    if not rest:
        yield "", Thing("*")
    for kind in rest:
        if things := find(kind, arns[kind]["arn"]):
            yield from ((kind, thing) for thing in things)
            return
