"""The rule type of all services, and queries of the account.

A query without a result returns None, or nothing: the object may have been created outside, and a rule then
refuses nothing. A value that is unknown when terraform applies was not given: AWS chooses it.

Sources: API is botocore's model of a service, with the operation or shape; EC2 has its codes on the page
AWSEC2/latest/APIReference/errors-overview.html; provider is a file of hashicorp/terraform-provider-aws; a
page is of docs.aws.amazon.com; # is on GitHub. Where no source quotes an answer, the words behind AWS's code
are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from tierra.aws.transition_answers import Around, Values

Answer = Callable[[Values, Values, Around], str]
CREATE, CHANGE, DELETE = "create", "change", "delete"
SUBNETS = ("aws_subnet", "aws_default_subnet")
GROUPS = ("aws_security_group", "aws_default_security_group")


class Rule(NamedTuple):
    """`description` is the rule in words; `answer` returns AWS's error for a violation, or an empty text. Its
    arguments are the values before, the values after and the account: at a creation the first are empty, at a
    deletion both are the object."""

    name: str
    types: tuple[str, ...]
    description: str
    source: str
    answer: Answer
    when: str = CHANGE


def find_object(around: Around, types: Iterable[str] | str, argument: str, value: Any) -> Values | None:
    """The object of these types with this value."""
    if not isinstance(value, str) or not value:
        return None
    for type_name in (types,) if isinstance(types, str) else types:
        for object_ in around(type_name):
            if object_.get(argument) == value:
                return object_
    return None


def others(around: Around, type_name: str, now: Values, everywhere: bool = False) -> Iterator[Values]:
    """Objects of a type in the same region, except the given one."""
    for object_ in around(type_name):
        here = everywhere or object_.get("region") in (None, now.get("region"))
        if here and (object_.get("id") is None or object_.get("id") != now.get("id")):
            yield object_


def used_by(users: Iterable[tuple[str, str]], own: str, words: str) -> Answer:
    """The error for the deletion of an object in use: `users` are the types and arguments that name it."""
    pairs = tuple(users)

    def answer(was: Values, _now: Values, around: Around) -> str:
        value = was.get(own)
        for type_name, argument in pairs:
            for user in around(type_name):
                here = user.get("region") in (None, was.get("region")) or was.get("region") is None
                if here and isinstance(value, str) and value in texts(user.get(argument)):
                    return words.format(**{**was, "user": user.get("id")})
        return ""

    return answer


def texts(value: Any) -> list[str]:
    """The known texts of a value that is a text, or a list or set of them."""
    return [
        text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str) and text
    ]


def blocks(values: Values, name: str) -> list[Values]:
    """The blocks of one kind, as far as they are known."""
    value = values.get(name)
    listed = value if isinstance(value, list) else [value]
    return [block for block in listed if isinstance(block, dict)]


def changed(was: Values, now: Values, *names: str) -> bool:
    """Whether an argument changes; all do at a creation."""
    return not was or any(was.get(name) != now.get(name) for name in names)


def networks(around: Around, subnet_ids: Any) -> set[str]:
    """The VPCs of those subnets that the account has."""
    known = (find_object(around, SUBNETS, "id", subnet_id) for subnet_id in texts(subnet_ids))
    return {subnet["vpc_id"] for subnet in known if subnet and isinstance(subnet.get("vpc_id"), str)}


def zones(around: Around, subnet_ids: Any) -> list[str] | None:
    """The zone of each subnet; None unless all are known."""
    if not isinstance(subnet_ids, list) or not subnet_ids:
        return None
    known = [find_object(around, SUBNETS, "id", subnet_id) for subnet_id in subnet_ids]
    listed = [
        str(subnet["availability_zone"]) for subnet in known if subnet and subnet.get("availability_zone")
    ]
    return listed if len(listed) == len(subnet_ids) else None


def foreign_groups(around: Around, group_ids: Any, vpcs: set[str]) -> list[tuple[str, str]]:
    """Security groups of other VPCs than these, each with its VPC."""
    listed = []
    for group_id in texts(group_ids):
        group = find_object(around, GROUPS, "id", group_id)
        vpc = group and group.get("vpc_id")
        if vpcs and isinstance(vpc, str) and vpc not in vpcs:
            listed.append((group_id, vpc))
    return listed


def region_of(arn: Any) -> str:
    """The region in an ARN; empty if there is none."""
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else ""


def minutes(window: Any) -> tuple[int, int] | None:
    """Begin and end of hh:mm-hh:mm, in minutes of the day; None for an invalid window."""
    try:
        begin, end = (int(time[:2]) * 60 + int(time[3:5]) for time in str(window).split("-"))
    except ValueError:
        return None
    return begin, end if end > begin else end + 1440


def windows_overlap(daily: Any, weekly: Any) -> bool:
    """Whether a daily window and a weekly one, such as sun:04:00-sun:05:00, share time."""
    parts = str(weekly).split("-")
    if len(parts) != 2 or any(len(part) != 9 for part in parts):
        return False
    first, second = minutes(daily), minutes(f"{parts[0][4:]}-{parts[1][4:]}")
    if first is None or second is None:
        return False
    return any(first[0] + shift < second[1] and second[0] < first[1] + shift for shift in (-1440, 0, 1440))
