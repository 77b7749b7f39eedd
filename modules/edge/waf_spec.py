"""Keys of `edge.waf:`: which rules block, which only count, and their settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from modules.edge import waf_capacity
from modules.edge.waf_capacity import GROUPS, MOST_PATHS, Cost, GroupName, arithmetic, total
from modules.edge.waf_values import Addresses, Country, Expression, Path, RateName, Requests, RuleName
from tierra.validation.model import Model, Violation, repeated, rule

Switch = Literal["block", "count", "off"]
Seconds = Literal[60, 120, 300, 600]
# The values CloudWatch Logs accepts (botocore: logs, shape Days).
# fmt: off
LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
# fmt: on

# Recommended by AWS as a start (botocore: wafv2, shape ClientSideAction), for requests that no browser shows
# as a page.
CHALLENGE_EXCEPT = (
    r"\/api(\/|$)|\.(acc|avi|css|gif|jpe?g|js|mp[34]|ogg|otf|pdf|png|tiff?|ttf|webm|webp|woff2?)$"
)
MOST_EXPRESSIONS = 5
# Forms and uploads often exceed the 8 KB of this rule.
ONLY_COUNT: dict[GroupName, tuple[str, ...]] = {"common": ("SizeRestrictions_BODY",)}


class Rules(Model):
    """A switch for each rule: block, count (let through, and log what would have been blocked) or off."""

    blocked: Switch = Field(default="block", description="Addresses of blocked_addresses.")
    countries: Switch = Field(default="block", description="Requests from blocked_countries.")
    anti_ddos: Switch = Field(
        default="block",
        description="AWS's rules against floods: they challenge browsers and block attackers. AWS bills"
        " them by request.",
    )
    reputation: Switch = Field(
        default="block", description="Addresses that AWS knows as sources of attacks and scans."
    )
    anonymous: Switch = Field(
        default="off",
        description="Anonymizing networks and hosting providers. Off by default, because users have VPNs,"
        " and partners call from data centres.",
    )
    rate: Switch = Field(default="block", description="Addresses that send more requests than rate allows.")
    paths: Switch = Field(default="block", description="The rates of single paths.")
    bad_inputs: Switch = Field(
        default="block", description="Requests that try to exploit known vulnerabilities, such as Log4j's."
    )
    common: Switch = Field(
        default="block", description="AWS's core rules: cross-site scripting, file inclusion, bad bots."
    )
    sqli: Switch = Field(default="block", description="SQL injection.")
    linux: Switch = Field(default="block", description="Attacks on Linux, such as reading its system files.")
    unix: Switch = Field(default="block", description="Attacks on shells of Unix systems.")


class Rate(Model):
    """How many requests one address may send in how many seconds."""

    requests: Requests = Field(
        default=2000, description="Requests from one address in the interval, 10 or more."
    )
    seconds: Seconds = Field(
        default=300, description="Length of the interval in seconds: 60, 120, 300 or 600."
    )


class PathRate(Model):
    """A separate rate for paths with a common prefix, such as a login."""

    path: Path = Field(description="Prefix of the path.", examples=["/sistema-1/login"])
    requests: Requests = Field(
        default=100, description="Requests from one address in the interval, 10 or more."
    )
    seconds: Seconds = Field(
        default=300, description="Length of the interval in seconds: 60, 120, 300 or 600."
    )


class Waf(Model):
    """The web application firewall in front of the load balancer."""

    rules: Rules = Field(default_factory=Rules, description="Which rules block, count or are off.")
    rate: Rate = Field(default_factory=Rate, description="The request rate that each address may have.")
    paths: dict[RateName, PathRate] = Field(
        default_factory=dict,
        json_schema_extra={"maxProperties": MOST_PATHS},
        description=f"Lower rates for single paths, by a name of your choice; at most {MOST_PATHS}.",
        examples=[{"login": {"path": "/sistema-1/login", "requests": 100}}],
    )
    allowed_addresses: Annotated[tuple[Addresses, ...], Field(strict=False)] = Field(
        default=(),
        description="Ranges that bypass all rules, such as those of a load test.",
        examples=[["203.0.113.0/24"]],
    )
    blocked_addresses: Annotated[tuple[Addresses, ...], Field(strict=False)] = Field(
        default=(), description="Ranges whose requests get 403.", examples=[["198.51.100.0/24"]]
    )
    blocked_countries: Annotated[tuple[Country, ...], Field(strict=False)] = Field(
        default=(),
        description="Countries, by two-letter code, whose requests get 403.",
        examples=[["KP"]],
    )
    challenge_except: Annotated[tuple[Expression, ...], Field(strict=False)] = Field(
        default=(CHALLENGE_EXCEPT,),
        json_schema_extra={"minItems": 1, "maxItems": MOST_EXPRESSIONS},
        description="One to five regular expressions for host and path together. Requests that match are"
        " not challenged. By default /api and common files. Systems that serve an API, and"
        " health paths of all systems, are added; if that exceeds AWS's limit, no request is"
        " challenged.",
    )
    only_count: dict[GroupName, Annotated[tuple[RuleName, ...], Field(strict=False)]] = Field(
        default=ONLY_COUNT,
        json_schema_extra={"default": {"common": ["SizeRestrictions_BODY"]}},
        description="Single rules of AWS's groups that only count, by group, for rules that block"
        " legitimate requests. Your value replaces the default, which lets large bodies"
        " through.",
    )
    log_days: LogDays = Field(
        default=90, description="Days that the log of blocked and counted requests is kept."
    )
    capacity: int = Field(
        default=waf_capacity.COVERED,
        ge=1,
        le=waf_capacity.MOST,
        description=f"Maximum number of capacity units of all rules together. AWS's basic price covers"
        f" {waf_capacity.COVERED}.",
    )

    @property
    def costs(self) -> list[Cost]:
        """Every rule of the web ACL, with its capacity units, in the order of evaluation."""
        own = {"blocked": waf_capacity.ADDRESSES * bool(self.blocked_addresses)}
        own["countries"] = waf_capacity.COUNTRIES * bool(self.blocked_countries)
        own["rate"] = waf_capacity.RATE
        own["paths"] = waf_capacity.PATH_RATE * len(self.paths)
        units: dict[str, int] = {**own, **{name: group.capacity for name, group in GROUPS.items()}}
        costs = [Cost("allowed", waf_capacity.ADDRESSES)] if self.allowed_addresses else []
        for name in waf_capacity.PRIORITIES:
            if name in units and units[name] and getattr(self.rules, name) != "off":
                costs.append(Cost(name, units[name]))
        return costs

    @rule("rules", "paths", "allowed_addresses", "blocked_addresses", "blocked_countries", "capacity")
    def rules_fit(self) -> Iterator[Violation]:
        """The rules must not exceed the capacity units of the web ACL."""
        needed = total(self.costs)
        if needed > self.capacity:
            rule = f"the rules must need at most {self.capacity} capacity units: {arithmetic(self.costs)}"
            remedy = f"turn a rule off, or write edge.waf.capacity: {needed}"
            if needed > waf_capacity.COVERED:
                remedy += f"; AWS bills units above {waf_capacity.COVERED}"
            if needed > waf_capacity.MOST:
                remedy = f"turn rules off: AWS allows at most {waf_capacity.MOST}"
            yield Violation(("rules",), rule, remedy, f"{needed} capacity units")

    @rule("paths")
    def paths_are_few_and_distinct(self) -> Iterator[Violation]:
        """Paths must be different, and at most as many as AWS allows."""
        if len(self.paths) > MOST_PATHS:
            rule = (
                f"there must be at most {MOST_PATHS} paths: AWS allows ten rates, and one is for all requests"
            )
            yield Violation(
                ("paths",), rule, f"remove {len(self.paths) - MOST_PATHS} of them", f"{len(self.paths)} paths"
            )
        names = list(self.paths)
        for index in repeated(rate.path for rate in self.paths.values()):
            path = ("paths", names[index], "path")
            yield Violation(
                path, "a path must have only one rate", f"remove {names[index]}, or change its path"
            )

    @rule("challenge_except")
    def expressions_are_few(self) -> Iterator[Violation]:
        """AWS WAF accepts one to five expressions."""
        if not 1 <= len(self.challenge_except) <= MOST_EXPRESSIONS:
            remedy = "write one to five, joining some by |, or remove the line for the default"
            number = f"{len(self.challenge_except)} expressions"
            yield Violation(("challenge_except",), "there must be one to five expressions", remedy, number)

    @rule("allowed_addresses", "blocked_addresses", "blocked_countries")
    def lists_name_each_once(self) -> Iterator[Violation]:
        """No range or country may be repeated, or be in both lists."""
        for key in ("allowed_addresses", "blocked_addresses", "blocked_countries"):
            for index in repeated(getattr(self, key)):
                yield Violation((key, index), "each must be named once", "remove the second one")
        for index, cidr in enumerate(self.blocked_addresses):
            if cidr in self.allowed_addresses:
                rule = "a range must not be both allowed and blocked; this one is also in allowed_addresses"
                yield Violation(("blocked_addresses", index), rule, "remove it from one of the two lists")
