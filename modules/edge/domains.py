"""Domain names in the format that DNS, certificates and the load balancer accept."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.validation.labels import is_label, is_name
from tierra.validation.model import rule_error

LONGEST = 253  # RFC 1035, without the dot of the root
# The first name of a certificate (ACM user guide, "Request a public certificate").
LONGEST_DOMAIN = 64
# A value of a host condition (botocore: elbv2, shape HostHeaderConditionConfig).
LONGEST_HOST = 128

_RULE = (
    "a domain must be two or more labels of 1 to 63 lowercase letters, digits and inner hyphens, joined by"
    " dots; the last must start with a letter"
)


def domain_name(name: str) -> str:
    """The name if it is valid. Raises an error with a remedy otherwise."""
    if _legal(name):
        return name
    plain = _plain(name)
    raise rule_error(_RULE, f"write {plain}" if _legal(plain) else "write it like app.example.com")


def host_name(name: str) -> str:
    """A domain name, or `*.` and one."""
    if len(name) > LONGEST_HOST:
        raise rule_error(f"the name must have at most {LONGEST_HOST} characters", "shorten it")
    if name.startswith("*.") and _legal(name[2:]):
        return name
    if "*" in name:
        raise rule_error("a star must replace the whole first label", "write it like *.app.example.com")
    return domain_name(name)


def lies_in(name: str, zone: str) -> bool:
    """Whether a name is the zone itself or below it."""
    return name == zone or name.endswith(f".{zone}")


def covered(name: str, names: Collection[str]) -> bool:
    """Whether a name is in the list, or matches a wildcard, which stands for one label."""
    return name in names or f"*.{name.partition('.')[2]}" in names


def without_star(name: str) -> str:
    """The name that a certificate validates: the same for `*.example.com` and `example.com`."""
    return name.removeprefix("*.")


def slug(name: str) -> str:
    """A domain name as part of a Terraform name. Different names have different slugs: dots become one
    underscore, hyphens two, and the two are never adjacent in a domain name."""
    return name.replace("*", "any-").replace("-", "__").replace(".", "_")


def _legal(name: str) -> bool:
    labels = name.split(".")
    return len(labels) > 1 and len(name) <= LONGEST and all(map(is_label, labels)) and is_name(labels[-1])


def _plain(name: str) -> str:
    host = re.sub(r"^[a-z]+://|[/:?#].*$", "", name.strip().lower(), flags=re.DOTALL).strip(".")
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host


DomainName = Annotated[
    str,
    AfterValidator(domain_name),
    WithJsonSchema({"type": "string", "pattern": r"^([a-z0-9-]+\.)+[a-z][a-z0-9-]*$", "maxLength": LONGEST}),
]
HostName = Annotated[
    str,
    AfterValidator(host_name),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(\*\.)?([a-z0-9-]+\.)+[a-z][a-z0-9-]*$", "maxLength": LONGEST_HOST}
    ),
]
