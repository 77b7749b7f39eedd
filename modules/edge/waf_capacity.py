"""The rules of the web ACL in their order, and the capacity units of each.

AWS bills web ACLs by capacity and refuses those that need more than they may; the sum is known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

# The basic price covers this much, and no web ACL holds more than the second (AWS WAF developer guide, "Web
# ACL capacity units").
COVERED = 1500
MOST = 5000
# Rate-based rules in one web ACL (AWS WAF developer guide, "Quotas"), less the one for all requests.
MOST_PATHS = 9

# AWS WAF developer guide, the page of each statement: IP set 1; geographic match 1; rate-based 2, and what
# narrows it on top: "starts with" 2, each text transformation 10.
ADDRESSES = 1
COUNTRIES = 1
RATE = 2
PATH_RATE = RATE + 2 + 10


GroupName = Literal["anti_ddos", "reputation", "anonymous", "bad_inputs", "common", "sqli", "linux", "unix"]


@dataclass(frozen=True)
class Group:
    """A group of rules that AWS writes and keeps current."""

    name: str
    capacity: int


# AWS WAF developer guide, "AWS Managed Rules rule groups list": the line "WCU" of each group.
GROUPS: dict[GroupName, Group] = {
    "anti_ddos": Group("AWSManagedRulesAntiDDoSRuleSet", 50),
    "reputation": Group("AWSManagedRulesAmazonIpReputationList", 25),
    "anonymous": Group("AWSManagedRulesAnonymousIpList", 50),
    "bad_inputs": Group("AWSManagedRulesKnownBadInputsRuleSet", 200),
    "common": Group("AWSManagedRulesCommonRuleSet", 700),
    "sqli": Group("AWSManagedRulesSQLiRuleSet", 200),
    "linux": Group("AWSManagedRulesLinuxRuleSet", 200),
    "unix": Group("AWSManagedRulesUnixRuleSet", 100),
}

# Cheap and certain questions first. AWS wants its DDoS rules before all others that judge, so that they see
# the whole traffic. A rule keeps its number when others come and go; those of paths count on from `paths`.
PRIORITIES = {
    "allowed": 0,
    "blocked": 10,
    "countries": 20,
    "anti_ddos": 30,
    "reputation": 40,
    "anonymous": 50,
    "rate": 60,
    "paths": 70,
    "bad_inputs": 80,
    "common": 90,
    "sqli": 100,
    "linux": 110,
    "unix": 120,
}


class Cost(NamedTuple):
    """What one rule takes of the web ACL."""

    rule: str
    units: int


def arithmetic(costs: list[Cost]) -> str:
    """`common 700 + sqli 200 = 900`."""
    terms = " + ".join(f"{cost.rule} {cost.units}" for cost in costs)
    return f"{terms} = {total(costs)}"


def total(costs: list[Cost]) -> int:
    """The capacity units of all."""
    return sum(cost.units for cost in costs)
