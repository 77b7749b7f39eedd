"""Text formats that the provider, or AWS, accepts: networks, ARNs, windows, policies, schedules.

Each entry of FORMATS answers what a text would have to be; empty when it is that.
Sources: internal/verify/validate.go and internal/types/timestamp of hashicorp/terraform-provider-aws; the
grammar of IAM policies (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html); cron
expressions (docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

_ARN = re.compile(
    r"arn:aws(-[a-z]+)*:[^:]*:([a-z]{2,4}(-[a-z]+)+-\d{1,2})?:(aws|aws-managed|third-party|\d{12}|cw.{10})?:.+",
    re.S,
)
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_DAY = re.compile(rf"{_CLOCK}-{_CLOCK}")
_WEEK = re.compile(rf"(sun|mon|tue|wed|thu|fri|sat):{_CLOCK}-(sun|mon|tue|wed|thu|fri|sat):{_CLOCK}", re.I)
_SERVICE = re.compile(r"([0-9a-z-]+\.){1,4}(amazonaws|amazon)\.(com|eu)(\.cn)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")

# Application protocols, which the registry of IP protocols does not have:
# www.iana.org/assignments/protocol-numbers.
_APPLICATIONS = {"http", "https", "tls", "ssl", "ssh", "dns", "smtp", "ftp", "ntp", "quic", "grpc", "any"}


def _fits(pattern: re.Pattern[str], words: str, *, empty: bool = False) -> Callable[[str], str]:
    return lambda text: "" if (empty and not text) or pattern.fullmatch(text) else words


def _network(version: int | None, *, host_bits: bool = False) -> Callable[[str], str]:
    what = f"IPv{version} CIDR block" if version else "CIDR block"

    def check(text: str) -> str:
        try:
            interface = ipaddress.ip_interface(text)
        except ValueError:
            return f"be a valid {what}"
        if not re.fullmatch(r"[^/]+/\d+", text) or (version and interface.version != version):
            return f"be a valid {what}"
        if not host_bits and interface.ip != interface.network.network_address:
            return f"be the address of a network: did you mean {interface.network}?"
        return ""

    return check


def _address(version: int | None) -> Callable[[str], str]:
    def check(text: str) -> str:
        words = f"be a valid IPv{version} address" if version else "be a valid IP address"
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return words
        return words if version and address.version != version else ""

    return check


def _json(text: str) -> str:
    """JSON, or empty: validation.StringIsJSON of the SDK treats an empty string as a missing argument."""
    if not text:
        return ""
    try:
        json.loads(text)
    except ValueError as problem:
        return f"be valid JSON ({problem})"
    return ""


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return "be encoded in base64"
    return ""


def _time(text: str) -> str:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return "be a time of RFC 3339, such as 2026-01-31T08:00:00Z"
    return (
        "" if time.tzinfo and "T" in text.upper() else "be a time of RFC 3339, such as 2026-01-31T08:00:00Z"
    )


def _url(*schemes: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            url = urlsplit(text)
        except ValueError:
            return "be a valid URL"
        return (
            "" if url.scheme in schemes and url.netloc else f"be a URL of {' or '.join(schemes)} with a host"
        )

    return check


# Policies

_DOCUMENT = {"version", "id", "statement"}
_STATEMENT = {
    *("sid", "effect", "principal", "notprincipal", "action", "notaction"),
    *("resource", "notresource", "condition"),
}
_OPERATORS = {
    *("stringequals", "stringnotequals", "stringequalsignorecase", "stringnotequalsignorecase"),
    *("stringlike", "stringnotlike", "numericequals", "numericnotequals", "numericlessthan"),
    *("numericlessthanequals", "numericgreaterthan", "numericgreaterthanequals", "dateequals"),
    *("datenotequals", "datelessthan", "datelessthanequals", "dategreaterthan", "dategreaterthanequals"),
    *(
        "bool",
        "binaryequals",
        "ipaddress",
        "notipaddress",
        "arnequals",
        "arnlike",
        "arnnotequals",
        "arnnotlike",
    ),
    "null",
}
_ACTION = re.compile(r"\*|[a-z0-9-]+:[a-z0-9*?]+", re.I)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"the key {twice[0]} is in it twice")
    return dict(pairs)


def _policy(text: str) -> str:
    """A policy of a resource; an empty one counts as missing, as in `_json`."""
    return _document(text, lambda keys: "") if text else ""


def _identity_policy(text: str) -> str:
    """A policy of a role, a user or a group."""

    def check(keys: set[str]) -> str:
        if keys & {"principal", "notprincipal"}:
            return "a policy of a role, user or group has no Principal"
        return "" if keys & {"resource", "notresource"} else "Resource is missing"

    return _document(text, check)


def _trust_policy(text: str) -> str:
    """A policy that names who may assume a role."""

    def check(keys: set[str]) -> str:
        if keys & {"resource", "notresource"}:
            return "a trust policy has no Resource"
        return "" if keys & {"principal", "notprincipal"} else "Principal is missing"

    return _document(text, check)


def _document(text: str, check: Callable[[set[str]], str]) -> str:
    try:
        document = json.loads(text.strip(), object_pairs_hook=_unique)
    except ValueError as problem:
        return f"be a policy in JSON ({problem})"
    if not isinstance(document, dict):
        return "be a policy in JSON (it is not an object)"
    for name in document:
        if name.lower() not in _DOCUMENT:
            return f"be a policy of IAM (unknown key {name})"
    members = {name.lower(): value for name, value in document.items()}
    if members.get("version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        return f"be a policy of IAM (Version must be 2012-10-17 or 2008-10-17, got {members['version']})"
    statements = members.get("statement")
    if statements is None:
        return "be a policy of IAM (Statement is missing)"
    for number, statement in enumerate(statements if isinstance(statements, list) else [statements]):
        where = statement.get("Sid") if isinstance(statement, dict) else None
        if words := _statement(statement) or check({name.lower() for name in statement}):
            return f"be a policy of IAM (statement {where or number}: {words})"
    return ""


def _statement(statement: Any) -> str:
    if not isinstance(statement, dict):
        return "not an object"
    for name in statement:
        if name.lower() not in _STATEMENT:
            return f"unknown key {name}"
    members = {name.lower(): value for name, value in statement.items()}
    if members.get("effect") not in ("Allow", "Deny"):
        return f"Effect must be Allow or Deny, got {json.dumps(members.get('effect'))}"
    if ("action" in members) == ("notaction" in members):
        return "one of Action and NotAction must be given"
    for key, negation in (("principal", "notprincipal"), ("resource", "notresource")):
        if key in members and negation in members:
            return f"{key.capitalize()} and Not{key.capitalize()} exclude each other"
    if not {"principal", "notprincipal", "resource", "notresource"} & set(members):
        return "Resource is missing"
    actions = members.get("action", members.get("notaction"))
    for action in actions if isinstance(actions, list) else [actions]:
        if not isinstance(action, str) or not _ACTION.fullmatch(action):
            return f"an action is service:Name, got {json.dumps(action)}"
    return _condition(members.get("condition") or {})


def _condition(condition: Any) -> str:
    if not isinstance(condition, dict):
        return "Condition must be an object"
    for operator, tests in condition.items():
        plain = re.sub(r"^for(all|any)values?:|ifexists$", "", operator.lower())
        if plain not in _OPERATORS:
            return f"unknown operator {operator} in Condition"
        if not isinstance(tests, dict):
            return f"{operator} in Condition must be an object"
    return ""


# Schedules

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...], int], ...] = (
    ("minutes", 0, 59, (), 0),
    ("hours", 0, 23, (), 0),
    ("day of the month", 1, 31, (), 0),
    ("month", 1, 12, _MONTHS, 1),
    ("day of the week", 1, 7, _DAYS, 1),
    ("year", 1970, 2199, (), 0),
)
_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")


def _schedule(text: str) -> str:
    """A rate or cron expression of EventBridge and of services with the same syntax."""
    if rate := _RATE.fullmatch(text):
        if (rate[1] == "1") == (rate[3] == ""):
            return ""
        return f"be a rate such as rate(1 {rate[2]}) or rate(2 {rate[2]}s)"
    if text.startswith("at("):
        return ""
    inside = re.fullmatch(r"cron\((.*)\)", text)
    if not inside:
        return "be a schedule such as cron(0 12 * * ? *) or rate(5 minutes)"
    fields = inside[1].split()
    if len(fields) != len(_FIELDS):
        return f"be a cron expression of six fields, such as cron(0 12 * * ? *); it has {len(fields)}"
    for given, field in zip(fields, _FIELDS, strict=True):
        if words := _cron_field(given, *field):
            return words
    return (
        ""
        if "?" in (fields[2], fields[4])
        else ("be a cron expression with ? for the day of the month or the day of the week")
    )


def _cron_field(given: str, name: str, low: int, high: int, names: tuple[str, ...], first: int) -> str:
    if given == "?" and name.startswith("day"):
        return ""
    for part in given.split(","):
        if name.startswith("day") and re.fullmatch(r"L|LW|\d+W|(\d|[A-Z]{3})(L|#[1-5])", part, re.I):
            continue
        span, _, step = part.partition("/")
        ends = ["*"] if span == "*" else span.split("-")
        numbers = [names.index(end.upper()) + first if end.upper() in names else end for end in ends]
        known = all(end == "*" or (str(end).isdecimal() and low <= int(end) <= high) for end in numbers)
        if not known or len(ends) > 2 or (step and not step.isdecimal()):
            return f"be a cron expression whose {name} is {low} to {high}, not {given}"
    return ""


def _bucket(text: str) -> str:
    """A name of a general purpose bucket."""
    if not _BUCKET.fullmatch(text) or ".." in text or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", text):
        return "be a bucket name: 3 to 63 of a-z, 0-9, . and -, with a letter or digit at both ends"
    return ""


def _domain(text: str) -> str:
    labels = text.removesuffix(".").removeprefix("*.").split(".")
    if len(text) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return "be a domain name"
    return ""


def _protocol(text: str) -> str:
    """A number, or a keyword of the registry that is not an application protocol."""
    number = re.fullmatch(r"-?\d+", text) and -1 <= int(text) <= 255
    keyword = not re.fullmatch(r"-?\d+", text) and text.lower() not in _APPLICATIONS
    return "" if number or keyword else "be a protocol number, -1 to 255, or a name such as tcp or udp"


def _status_codes(text: str) -> str:
    """Codes of HTTP, or of gRPC, as a list or ranges. Source: botocore's elbv2, Matcher."""
    numbers = [int(code) for code in re.findall(r"\d+", text)]
    listed = re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text.replace(" ", ""))
    return "" if listed and max(numbers) < 600 else 'be codes such as 200, "200,202" or 200-299'


FORMATS: dict[str, Callable[[str], str]] = {
    "account": _fits(re.compile(r"\d{12}"), "be an AWS account ID of 12 digits"),
    "address_cidr": _network(None, host_bits=True),
    "arn": _fits(_ARN, "be an ARN, arn:partition:service:region:account:resource", empty=True),
    "base64": _base64,
    "bucket": _bucket,
    "cidr": _network(None),
    "cidr4": _network(4),
    "cidr6": _network(6),
    "day_window": _fits(_DAY, "be a window in UTC such as 03:00-04:00", empty=True),
    "domain": _domain,
    "filled": lambda text: "" if text.strip() else "not be empty",
    "http": _url("http", "https"),
    "https": _url("https"),
    "ip": _address(None),
    "ip4": _address(4),
    "ip6": _address(6),
    "ip_protocol": _protocol,
    "json": _json,
    "identity_policy": _identity_policy,
    "policy": _policy,
    "status_codes": _status_codes,
    "trust_policy": _trust_policy,
    "region": _fits(re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}"), "be the name of a region", empty=True),
    "rfc3339": _time,
    "schedule": _schedule,
    "service": _fits(_SERVICE, "be the principal of a service, such as ec2.amazonaws.com", empty=True),
    "utc": _time,
    "uuid": _fits(_UUID, "be a UUID"),
    "week_window": _fits(_WEEK, "be a window in UTC such as sun:03:00-sun:04:00", empty=True),
}
