"""Findings: one for each effect of a plan on data, users, permissions and reachability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

REFUSED, DATA, RESILIENCE, DOWNTIME = "refused", "data", "resilience", "downtime"
WAITING, COMPATIBILITY, REACH, EXPOSURE = "waiting", "compatibility", "reach", "exposure"
IDENTITY, REPLACEMENT, CALENDAR = "identity", "replacement", "calendar"
POLICY = "policy"
# In the order of a report.
SUBJECTS = {
    REFUSED: "AWS refuses",
    POLICY: "Policies of your own",
    DATA: "Data loss",
    RESILIENCE: "Resilience",
    DOWNTIME: "Downtime",
    COMPATIBILITY: "Compatibility",
    EXPOSURE: "Exposure",
    REACH: "Reach",
    IDENTITY: "Identity and policies",
    CALENDAR: "Calendar",
    WAITING: "Waits for a window",
    REPLACEMENT: "Replacements",
}

# The verdicts on a plan, the worst first.
REFUSES, LOSES_DATA, LOSES_REDUNDANCY = "AWS refuses", "loses data", "loses redundancy"
NEEDS_WINDOW, OPENS, MOVES = "needs a window", "opens access", "changes addresses"
FORBIDS = "a policy forbids it"
UNPROTECTS, LOSES_LOGS, SAFE, NO_CHANGES = "removes protection", "loses logs", "safe", "no changes"
VERDICTS = (
    *(REFUSES, FORBIDS, LOSES_DATA, LOSES_REDUNDANCY, NEEDS_WINDOW, OPENS, MOVES),
    *(UNPROTECTS, LOSES_LOGS, SAFE, NO_CHANGES),
)
_ALWAYS = {
    REFUSED: REFUSES,
    RESILIENCE: LOSES_REDUNDANCY,
    DOWNTIME: NEEDS_WINDOW,
    COMPATIBILITY: NEEDS_WINDOW,
}


@dataclass(frozen=True)
class Finding:
    """`lines` begin with `+ ` for additions, `- ` for removals, `~ ` for changes. `critical` ones come first.
    `family` is the common name of several resources that are destroyed together. `verdict` is the verdict on
    a plan with this finding; if it is empty, the subject determines it."""

    subject: str
    tier: str
    address: str
    action: str
    message: str
    lines: tuple[str, ...] = ()
    critical: bool = False
    family: str = ""
    verdict: str = ""


def verdict(finding: Finding) -> str:
    """The verdict on a plan with a finding; empty if the finding does not affect it."""
    if finding.verdict:
        return finding.verdict
    if finding.subject == POLICY:
        return FORBIDS if finding.critical else ""
    if finding.subject == DATA:
        return LOSES_DATA if finding.critical else UNPROTECTS if finding.action == "update" else LOSES_LOGS
    if finding.subject in (EXPOSURE, IDENTITY):
        return OPENS if finding.critical else ""
    return _ALWAYS.get(finding.subject, "")


def verdicts(findings: Iterable[Finding], *, changes: bool) -> list[str]:
    """All verdicts on a plan, the worst first; `safe` or `no changes` only alone."""
    result = set(map(verdict, findings))
    return [verdict_ for verdict_ in VERDICTS if verdict_ in result] or [SAFE if changes else NO_CHANGES]


FEWEST = 3  # the least number of resources in a family


def families(addresses: Iterable[str]) -> Mapping[str, str]:
    """The family of each destroyed resource that has one: the part of its name that it shares with at least
    two others, such as `billing` of `aws_iam_role.push_billing` and `helm_release.billing_namespace`."""
    names = {address: address.partition(" ")[0].partition(".")[2].partition("[")[0] for address in addresses}
    known = {name: f"_{name}_" for name in set(names.values()) if name}
    members = {
        family: [address for address, name in names.items() if token in f"_{name}_"]
        for family, token in known.items()
    }
    sizes = Counter(
        {family: len(addresses_) for family, addresses_ in members.items() if len(addresses_) >= FEWEST}
    )
    # Of two matches the larger one; of two equal ones the longer name.
    best = sorted(sizes, key=lambda family: (sizes[family], len(family), family))
    return {address: family for family in best for address in members[family]}
