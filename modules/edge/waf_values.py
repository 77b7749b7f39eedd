"""Values of `edge.waf:` in the format that AWS accepts."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from tierra.aws import service_models as models
from tierra.validation.model import rule_error


def _addresses(text: str) -> str:
    try:
        loose = IPv4Network(text, strict=False)
    except ValueError:
        raise rule_error(
            "must be an IPv4 range in CIDR form: the load balancer has no IPv6",
            "write it like 203.0.113.0/24",
        ) from None
    if loose.prefixlen == 0:
        raise rule_error("a range must be /1 to /32", "write smaller ranges, such as 203.0.113.0/24")
    if str(loose) != text:
        raise rule_error("a range must start at its first address and end in its size", f"write {loose}")
    return text


@cache
def _countries() -> frozenset[str]:
    return frozenset(models.shape("wafv2", "CountryCode")["enum"])


def _country(code: str) -> str:
    if code in _countries():
        return code
    upper = code.strip().upper()
    rule = "a country must be a two-letter code of ISO 3166"
    raise rule_error(rule, f"write {upper}" if upper in _countries() else "write its code, such as DE or BR")


def _path(path: str) -> str:
    if not re.fullmatch(r"/[!-~]{1,49}", path) or re.search(r"[?#%]|//|/\.{1,2}(/|$)", path):
        raise rule_error(
            "a path must start with a slash, and have 2 to 50 plain characters and no query, . or .. step",
            "write it like /sistema-1/login",
        )
    return path


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name):
        raise rule_error(
            "a name must be 1 to 31 lowercase letters, digits and underscores, a letter first",
            "write it like login",
        )
    return name


def _rule_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name):
        raise rule_error(
            "it must be the name of a rule as AWS lists it", "write it like SizeRestrictions_BODY"
        )
    return name


def _expression(text: str) -> str:
    if not 1 <= len(text) <= 512 or "\n" in text:
        raise rule_error(
            "an expression must have 1 to 512 characters on one line", "shorten it, or write two"
        )
    if text.startswith("^/") or text.startswith(r"^\/"):
        raise rule_error(
            "an expression must not start with ^/: WAF matches host and path together",
            f"write {text.removeprefix('^')}",
        )
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        raise rule_error("must be a regular expression", "check its brackets") from None
    return text


Addresses = Annotated[
    str, AfterValidator(_addresses), WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+/[0-9]+$"})
]
Country = Annotated[
    str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})
]
Path = Annotated[
    str, AfterValidator(_path), WithJsonSchema({"type": "string", "pattern": "^/", "maxLength": 50})
]
RateName = Annotated[str, AfterValidator(_name)]
RuleName = Annotated[str, AfterValidator(_rule_name)]
Expression = Annotated[str, AfterValidator(_expression), WithJsonSchema({"type": "string", "maxLength": 512})]
Requests = Annotated[int, Field(ge=10, le=2_000_000_000)]  # botocore: wafv2, shape RateLimit
