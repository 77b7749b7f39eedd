"""Keys of `network.existing:`: the IDs of an existing network."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.network.zones_spec import Letter
from tierra.validation.model import Model, rule_error

_VPC, _SUBNET = (rf"{kind}-[0-9a-f]{{8}}([0-9a-f]{{9}})?" for kind in ("vpc", "subnet"))


def _id(kind: str, pattern: str) -> Callable[[str], str]:
    def validate(value: str) -> str:
        if re.fullmatch(pattern, value):
            return value
        rule = f"the value must be the ID of a {kind}"
        plain = value.strip().lower()
        example = f"an ID such as {kind.lower()}-0123456789abcdef0"
        raise rule_error(rule, f"write {plain if re.fullmatch(pattern, plain) else example}")

    return validate


VpcId = Annotated[
    str, AfterValidator(_id("VPC", _VPC)), WithJsonSchema({"type": "string", "pattern": f"^{_VPC}$"})
]
SubnetId = Annotated[
    str, AfterValidator(_id("subnet", _SUBNET)), WithJsonSchema({"type": "string", "pattern": f"^{_SUBNET}$"})
]


class Existing(Model):
    """An existing VPC and its subnets."""

    vpc: VpcId = Field(
        description="ID of the VPC, which must have the range cidr.", examples=["vpc-0123456789abcdef0"]
    )
    public: dict[Letter, SubnetId] = Field(
        description="ID of a public subnet for each zone, with a route to an internet gateway."
    )
    private: dict[Letter, SubnetId] = Field(
        description="ID of a private subnet for each zone, with a route to the internet or to endpoints"
        " of AWS."
    )
    database: dict[Letter, SubnetId] = Field(description="ID of a database subnet for each zone.")
