"""AWS regions and the partition of each, from the data files of botocore. No session, no network."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from tierra.aws import service_models as models
from tierra.validation.messages import choices
from tierra.validation.model import rule_error

# The isolated and the European sovereign partitions exist too; their services and principals differ and are
# untried here.
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")

_PARTITION = re.compile(
    rb'"dnsSuffix"\s*:\s*"(?P<suffix>[^"]+)",\s*"partition"\s*:\s*"(?P<name>[^"]+)",[^{}]*?'
    rb'"regions"\s*:\s*(?P<regions>\{.*?)"services"',
    re.S,
)


@dataclass(frozen=True)
class Region:
    """`partition` starts every ARN of the region; `dns_suffix` ends its service names."""

    name: str
    partition: str
    dns_suffix: str


@cache
def regions() -> dict[str, Region]:
    """The regions open to customers, by name.

    Extracted from the text, because to parse the endpoints of all services would take ten megabytes.
    """
    text = (models.data() / "endpoints.json").read_bytes()
    result: dict[str, Region] = {}
    for match in _PARTITION.finditer(text):
        names, _ = json.JSONDecoder().raw_decode(match["regions"].decode())
        partition, suffix = match["name"].decode(), match["suffix"].decode()
        result |= {name: Region(name, partition, suffix) for name in names}
    return result


def existing_region(name: str) -> str:
    """The name itself if AWS has such a region and Tierra can build there."""
    region = regions().get(name)
    if region is None:
        raise rule_error("the region must exist at AWS", _remedy(name))
    if region.partition not in PARTITIONS:
        raise rule_error(
            f"the region must be in the partition {choices(PARTITIONS)}; {name} is in {region.partition}",
            "write a region of one of these partitions, such as us-east-1",
        )
    return name


def _remedy(name: str) -> str:
    plain = re.sub(r"[\s_]+", "-", name.strip().lower())
    without_letter = re.sub(r"(?<=\d)[a-f]$", "", plain)
    if without_letter in regions():
        letter = plain[len(without_letter) :]
        return f"write {without_letter}" + (f"; zone {letter} belongs in network.zones" if letter else "")
    close = difflib.get_close_matches(plain, regions(), n=3, cutoff=0.6)
    return f"write {choices(close)}" if close else "write its code, such as us-east-1 or eu-central-1"


RegionName = Annotated[
    str,
    AfterValidator(existing_region),
    WithJsonSchema({"type": "string", "pattern": "^[a-z]{2,4}(-[a-z]+)+-[0-9]$", "examples": ["us-east-1"]}),
]
