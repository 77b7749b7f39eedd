"""Names of an environment: project, environment and account."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.validation.labels import as_name, is_name
from tierra.validation.model import rule_error

REHEARSAL_ACCOUNT = "123456789012"  # the account in examples of AWS documentation


def _name(shortest: int, longest: int) -> Callable[[str], str]:
    """A validator for names that are prefixes of resource names."""
    rule = (
        f"the name must be {shortest} to {longest} lowercase letters, digits and single hyphens between them,"
        " and start with a letter"
    )

    def legal(name: str) -> bool:
        return len(name) >= shortest and is_name(name, longest) and "--" not in name

    def validate(name: str) -> str:
        if not legal(name):
            letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
            plain = as_name(letters, longest)
            raise rule_error(rule, f"write {plain}" if legal(plain) else "choose another name")
        if re.match(r"aws|ssm|(amazon|amzn|sthree)(-|$)", name):
            raise rule_error(
                "the name must not start with aws, ssm, amazon-, amzn- or sthree-, as AWS's own do",
                "choose another name",
            )
        return name

    return validate


ALL = "all"  # ENV=all: every environment


def _not_all(name: str) -> str:
    if name == ALL:
        raise rule_error(
            "the name must not be all: ENV=all stands for every environment", "choose another name"
        )
    return name


def _account(number: str) -> str:
    digits = re.sub(r"[\s-]", "", number)
    if re.fullmatch(r"[0-9]{12}", number):
        return number
    fits = re.fullmatch(r"[0-9]{12}", digits)
    raise rule_error(
        "an AWS account must be twelve digits",
        f'write "{digits}"' if fits else "copy it from the AWS console",
    )


Project = Annotated[
    str,
    AfterValidator(_name(2, 16)),
    WithJsonSchema({"type": "string", "pattern": "^[a-z](-?[a-z0-9])+$", "minLength": 2, "maxLength": 16}),
]
EnvironmentName = Annotated[
    str,
    AfterValidator(_name(2, 12)),
    AfterValidator(_not_all),
    WithJsonSchema({"type": "string", "pattern": "^[a-z](-?[a-z0-9])+$", "minLength": 2, "maxLength": 12}),
]
Account = Annotated[
    str, AfterValidator(_account), WithJsonSchema({"type": "string", "pattern": "^[0-9]{12}$"})
]
