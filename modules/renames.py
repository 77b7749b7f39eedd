"""What became of addresses: a resource that gets a new name is moved in the state, not destroyed and built anew.

A change of an address belongs into RENAMES with the release that brought it; synthesis writes a `moved` block
for each one that concerns what it generates. An address that is gone on purpose belongs into REMOVALS. A test
holds the addresses of every release (tests/releases) against both. Entries are never taken out: an environment
may jump over releases.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from modules.stack import TierError


@dataclass(frozen=True)
class Rename:
    """The address of a tier's resource before and after. A `*` in both stands for a name of the spec, such as
    that of a system."""

    since: str
    tier: str
    old: str
    new: str

    def __post_init__(self) -> None:
        if self.old.partition(".")[0] != self.new.partition(".")[0]:
            raise TierError(
                f"{self.tier}: {self.old}: terraform moves within a type, and {self.new} is another"
            )
        if max(self.old.count("*"), self.new.count("*")) > 1 or self.old.count("*") != self.new.count("*"):
            raise TierError(f"{self.tier}: {self.old} and {self.new} take one * each, or none")

    def before(self, address: str) -> str | None:
        """What an address of today was called."""
        return _swapped(address, self.new, self.old)


@dataclass(frozen=True)
class Removal:
    """An address, or a pattern of them, that is generated no more. Terraform destroys what it stood for."""

    since: str
    tier: str
    address: str
    reason: str


RENAMES: Sequence[Rename] = ()
REMOVALS: Sequence[Removal] = ()


def moved(tier: str, addresses: Collection[str], renames: Sequence[Rename] = RENAMES) -> list[dict[str, str]]:
    """The `moved` blocks for a tier that generates these addresses, through any number of renames.

    Raises TierError for a rename from an address that is still generated: it would be two resources at once.
    """
    known, blocks = set(addresses), []
    for rename in reversed([each for each in renames if each.tier == tier]):
        for new in sorted(known):
            old = rename.before(new)
            if old is None:
                continue
            if old in addresses:
                raise TierError(f"{tier}: {old} was renamed to {new}, and both are generated")
            blocks.append({"from": old, "to": new})
            known.add(old)
    return sorted(blocks, key=lambda block: block["from"])


def lost(
    tier: str,
    released: Collection[str],
    generated: Collection[str],
    renames: Sequence[Rename] = RENAMES,
    removals: Sequence[Removal] = REMOVALS,
) -> list[str]:
    """The addresses of a release that are neither generated nor led on nor removed on purpose."""
    led = {block["from"] for block in moved(tier, generated, renames)}
    gone = [_pattern(each.address) for each in removals if each.tier == tier]
    left = sorted(set(released) - set(generated) - led)
    return [address for address in left if not any(pattern.fullmatch(address) for pattern in gone)]


def _pattern(address: str) -> re.Pattern[str]:
    return re.compile(re.escape(address).replace(r"\*", r"(\w+)"))


def _swapped(address: str, source: str, target: str) -> str | None:
    found = _pattern(source).fullmatch(address)
    if found is None:
        return None
    return target.replace("*", found[1]) if "*" in source else target
