"""What a reviewer should see first: one finding for each thing that AWS will refuse, and that a plan does to
data, to those who use the platform, to who may do what, and to who may reach what."""

from __future__ import annotations

from dataclasses import dataclass

REFUSED, DATA, DOWNTIME = "refused", "data", "downtime"
IDENTITY, EXPOSURE, REPLACEMENT = "identity", "exposure", "replacement"
# In the order of a report.
SUBJECTS = {
    REFUSED: "AWS refuses",
    DATA: "Data loss",
    DOWNTIME: "Downtime",
    EXPOSURE: "Exposure",
    IDENTITY: "Identity and policies",
    REPLACEMENT: "Replacements",
}


@dataclass(frozen=True)
class Finding:
    """`lines` begin with `+ ` for what comes, `- ` for what goes, `~ ` for what changes. `grave` ones stand
    first."""

    subject: str
    tier: str
    address: str
    action: str
    says: str
    lines: tuple[str, ...] = ()
    grave: bool = False
