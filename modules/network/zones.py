"""Availability zones by region, which no file of the AWS SDK lists.

Source: the AWS list "AWS Availability Zones"
(global-infrastructure/latest/regions/aws-availability-zones.html) for the number of zones, and `aws ec2
describe-availability-zones` for the letters. In the oldest regions an account sees a subset of the letters;
the table lists every letter that exists, and first those of a new account.
"""

from __future__ import annotations

from typing import NamedTuple


class Zones(NamedTuple):
    """`letters` are valid in a spec for the region; `usual` are the default."""

    letters: str
    usual: str


# Only regions whose zones are not a, b and c.
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
    """The zones of a region; a, b and c for a region that is not in the table."""
    return _EXCEPTIONS.get(region, Zones("abc", "abc"))
