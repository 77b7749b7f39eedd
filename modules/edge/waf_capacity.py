"""The rules of the web ACL in their order, and the capacity units of each.

AWS bills web ACLs by capacity and refuses those above the maximum; the sum is known in advance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

# The capacity in the basic price, and the maximum of a web ACL (AWS WAF developer guide, "Web ACL capacity
# units").
COVERED = 1500
MOST = 5000
# Maximum number of rate-based rules in a web ACL (AWS WAF developer guide, "Quotas"), without the one for all
# requests.
MOST_PATHS = 9

# AWS WAF developer guide, the page of each statement: IP set 1; geographic match 1; rate-based 2, plus its
# scope-down statement: "starts with" 2, each text transformation 10.
ADDRESSES = 1
COUNTRIES = 1
RATE = 2
PATH_RATE = RATE + 2 + 10


GroupName = Literal["anti_ddos", "reputation", "anonymous", "bad_inputs", "common", "sqli", "linux", "unix"]


@dataclass(frozen=True)
class Group:
    """A managed rule group of AWS."""

    name: str
    capacity: int


# AWS WAF developer guide, "AWS Managed Rules rule groups list": the WCU of each group.
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

# Cheap and exact rules first. AWS recommends its DDoS rules before all other rule groups, so that they see
# all traffic. A rule keeps its priority when others are added or removed; those of paths start at `paths`.
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
    """The capacity units of one rule."""

    rule: str
    units: int


def arithmetic(costs: list[Cost]) -> str:
    """`common 700 + sqli 200 = 900`."""
    terms = " + ".join(f"{cost.rule} {cost.units}" for cost in costs)
    return f"{terms} = {total(costs)}"


def total(costs: list[Cost]) -> int:
    """The capacity units of all rules."""
    return sum(cost.units for cost in costs)
