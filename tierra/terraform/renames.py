"""Addresses that changed: a resource with a new name is moved in the state, not destroyed and created again.

A change of the address of something that a release has built adds a line to RENAMES; synthesis then
writes a `moved` block (developer.hashicorp.com/terraform/language/block/moved) wherever the new address is
generated. Lines are never removed, because an environment may skip releases, and an old address is never
reused. tests/test_releases.py finds missing lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tierra.terraform.stack import TierError


@dataclass(frozen=True)
class Rename:
    """The address of a tier's resource before and after the release `since`. A `*` in both stands for a name
    of the spec, such as that of a system. Raises TierError for a rename that terraform cannot follow."""

    since: str
    tier: str
    old: str
    new: str

    def __post_init__(self) -> None:
        if self.old.partition(".")[0] != self.new.partition(".")[0]:
            raise TierError(
                f"{self.tier}: {self.old}: terraform moves within a type, and {self.new} is another"
            )
        if (self.old.count("*"), self.new.count("*")) not in ((0, 0), (1, 1)):
            raise TierError(f"{self.tier}: {self.old} and {self.new} take one * each, or none")

    def before(self, address: str) -> str | None:
        """The former address of a present one; None if this rename does not apply to it."""
        match = pattern(self.new).fullmatch(address)
        return self.old.replace("*", "".join(match.groups())) if match else None


RENAMES: Sequence[Rename] = ()


def pattern(address: str) -> re.Pattern[str]:
    """The regular expression of an address in which `*` stands for a name."""
    return re.compile(re.escape(address).replace(r"\*", r"(\w+)"))


def moved(tier: str, addresses: Collection[str], renames: Sequence[Rename] = RENAMES) -> list[dict[str, str]]:
    """The `moved` blocks for a tier that generates these addresses, through any number of renames.

    Raises TierError for a rename from an address that is still generated: it would be two resources at once.
    """
    known, blocks = set(addresses), []
    for rename in reversed([rename_ for rename_ in renames if rename_.tier == tier]):
        for new in sorted(known):
            old = rename.before(new)
            if old is None:
                continue
            if old in addresses:
                raise TierError(f"{tier}: {old} was renamed to {new}, and both are generated")
            blocks.append({"from": old, "to": new})
            known.add(old)
    return sorted(blocks, key=lambda block: block["from"])
