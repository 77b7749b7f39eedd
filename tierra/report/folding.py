"""Groups equal findings about several resources."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from tierra.report.findings import REPLACEMENT


@dataclass(frozen=True)
class Group:
    """One finding, or several equal ones. `title` is its address, or their common name."""

    title: str
    members: tuple[Mapping[str, Any], ...]

    @property
    def first(self) -> Mapping[str, Any]:
        return self.members[0]

    @property
    def several(self) -> bool:
        return len(self.members) > 1

    @property
    def uniform(self) -> bool:
        """Whether the title and the text of one finding describe all of them."""
        return (
            len({(member["message"], *member["lines"]) for member in self.members}) == 1
            and not self.first["family"]
        )

    @property
    def critical(self) -> bool:
        return bool(self.first["critical"])

    @property
    def tiers(self) -> str:
        return ", ".join(dict.fromkeys(member["tier"] for member in self.members))

    @property
    def message(self) -> str:
        """The common text of all; empty for a family, whose members have different texts."""
        return str(self.first["message"]) if len({member["message"] for member in self.members}) == 1 else ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of one, or the common lines of all."""
        return (
            tuple(self.first["lines"])
            if len({tuple(member["lines"]) for member in self.members}) == 1
            else ()
        )


def folded(findings: list[dict[str, Any]]) -> list[Group]:
    """The findings of a subject in their order. Resources that are destroyed together are one group, unless
    they are critical; so are resources of a type with the same finding."""
    groups: dict[Hashable, list[dict[str, Any]]] = {}
    for finding in findings:
        groups.setdefault(_likeness(finding), []).append(finding)
    return [Group(_title(members), tuple(members)) for members in groups.values()]


def _likeness(finding: Mapping[str, Any]) -> tuple[Hashable, ...]:
    if finding["family"] and not finding["critical"]:
        return (finding["family"],)
    kind = finding["address"].partition(".")[0]
    lines = () if finding["subject"] == REPLACEMENT else tuple(finding["lines"])
    alone = finding["address"] if not finding["message"] else ""
    return finding["tier"], kind, finding["action"], finding["message"], lines, finding["critical"], alone


def _title(members: list[dict[str, Any]]) -> str:
    first = members[0]
    if len(members) == 1:
        return str(first["address"])
    if first["family"] and not first["critical"]:
        return f"{first['family']}, {len(members)} resources"
    kind = first["address"].partition(".")[0]
    names = ", ".join(member["address"].removeprefix(f"{kind}.") for member in members)
    return f"{len(members)} {kind} ({names})"
