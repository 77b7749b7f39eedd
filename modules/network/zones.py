"""Availability zones by region. No file of the AWS SDK has them.

Source: the AWS list "AWS Availability Zones" (global-infrastructure/latest/regions/aws-availability-
zones.html) for the number of zones, and `aws ec2 describe-availability-zones` for the letters. In the oldest
regions an account sees a subset of the letters; the table lists every letter that accounts have, and first
the ones a new account is given.
"""

from __future__ import annotations

from typing import NamedTuple


class Zones(NamedTuple):
    """`letters` may appear in a spec for the region; `usual` are those taken when the spec names none."""

    letters: str
    usual: str


# A region with three zones a, b and c is the rule; only the others are listed.
_EXCEPTIONS = {
    "us-east-1": Zones("abcdef", "abc"),
    "us-west-1": Zones("abc", "ac"),  # two in each account
    "us-west-2": Zones("abcd", "abc"),
    "ap-northeast-1": Zones("abcd", "acd"),  # b only in older accounts
    "ap-northeast-2": Zones("abcd", "abc"),
    "ca-central-1": Zones("abd", "abd"),
    "cn-north-1": Zones("abcd", "abd"),
}


def zones_of(region: str) -> Zones:
    """The zones of a region; of a region not in the table, a, b and c."""
    return _EXCEPTIONS.get(region, Zones("abc", "abc"))
