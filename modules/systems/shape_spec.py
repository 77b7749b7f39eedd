"""Keys of a system about its connections and its scheduled jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.network.ranges import Range
from modules.systems.parts import Command
from tierra.validation.labels import as_name, is_name
from tierra.validation.model import Model, Violation, repeated, rule, rule_error
from tierra.validation.system_names import called

if TYPE_CHECKING:
    from modules.systems.spec import System

Shape = Literal["public", "internal", "worker"]
LONGEST_CRON_JOB = 52  # Kubernetes, "CronJob": eleven characters are needed for the names of its jobs
# Default limit of rules of a security group: Amazon VPC User Guide, "Amazon VPC quotas".
MOST_EGRESS = 10
EVERYWHERE = IPv4Network("0.0.0.0/0")


def variable(name: str) -> str:
    """The variable with the address of another system."""
    return f"SYSTEM_{name.replace('-', '_').upper()}_URL"


# Minute, hour, day of the month, month, day of the week: their minimum and maximum. Kubernetes, "CronJob".
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_PART = re.compile(r"(?P<range>\*|(?P<first>[0-9]{1,2})(-(?P<last>[0-9]{1,2}))?)(/(?P<step>[0-9]{1,2}))?")


def _part_fits(part: str, least: int, most: int) -> bool:
    match = _PART.fullmatch(part)
    if not match or (match["step"] and not 1 <= int(match["step"]) <= most):
        return False
    if not match["first"]:
        return True
    first, last = int(match["first"]), int(match["last"] or match["first"])
    return least <= first <= last <= most


def _schedule(text: str) -> str:
    fields = text.split()
    if len(fields) != len(_FIELDS) or not all(
        _part_fits(part, *limits)
        for field, limits in zip(fields, _FIELDS, strict=True)
        for part in field.split(",")
    ):
        rule = "a schedule must have five numeric fields: minute, hour, day of the month, month, weekday"
        raise rule_error(rule, 'write it like "30 2 * * *", which is every night at 2:30 UTC')
    return text


def _job_name(name: str) -> str:
    if not is_name(name, 20):
        plain = as_name(name, 20)
        rule = "the name of a job must be at most 20 lowercase letters, digits and hyphens, a letter first"
        raise rule_error(rule, f"write {plain}" if plain else "write a name such as nightly")
    if name == "migrate":
        raise rule_error(
            "the name must not be that of the job that migrates the database", "choose another name"
        )
    return name


JobName = Annotated[str, AfterValidator(_job_name)]
Schedule = Annotated[
    str, AfterValidator(_schedule), WithJsonSchema({"type": "string", "examples": ["30 2 * * *"]})
]


class Job(Model):
    """A command that runs on a schedule in the newest image, with the environment of the other pods."""

    schedule: Schedule = Field(
        description="When it starts, in UTC: minute, hour, day of the month, month, day of the week.",
        examples=["30 2 * * *"],
    )
    command: Command = Field(
        description="Command to start, as a list of words.",
        examples=[["python", "manage.py", "clearsessions"]],
    )
    minutes: int = Field(
        default=60,
        ge=1,
        le=1440,
        description="Minutes that it may run; after that it is stopped and counts as failed.",
    )

    @rule("command")
    def starts_something(self) -> Iterator[Violation]:
        """A job requires a command, because what the image starts by default does not end."""
        if not self.command:
            yield Violation(
                ("command",),
                "a command is required: the image's own does not end",
                "write it like [python, job.py]",
            )


class Egress(Model):
    "An outbound port that the pods of a system may connect to, in addition to TLS on 443."

    port: int = Field(ge=1, le=65535, description="TCP port at the destination.", examples=[587])
    cidrs: Annotated[tuple[Range, ...], Field(strict=False)] = Field(
        default=(EVERYWHERE,),
        json_schema_extra={"default": "every address"},
        description="Address ranges of the destination; left out, any address.",
        examples=[["203.0.113.0/24"]],
    )

    @rule("cidrs")
    def ranges_are_named_once(self) -> Iterator[Violation]:
        """Ranges must not be empty or repeated."""
        if not self.cidrs:
            yield Violation(
                ("cidrs",), "at least one range is required", "remove the line to allow every address"
            )
        for index in repeated(map(str, self.cidrs)):
            yield Violation(("cidrs", index), "each range must be named once", "remove the second one")


def ways_out(systems: Mapping[str, System]) -> list[tuple[int, str]]:
    """Ports and ranges of `egress` of all systems, in order and without duplicates."""
    ways = [way for system in systems.values() for way in system.egress]
    return sorted({(way.port, str(cidr)) for way in ways for cidr in way.cidrs})


def surroundings_violations(
    systems: Mapping[str, System], blocks: tuple[IPv4Network, ...]
) -> Iterator[Violation]:
    """Calls must reach systems that answer requests, and egress must lead out of the VPC. Paths start at the
    root of the spec."""
    for name, system in systems.items():
        for index, target in enumerate(system.calls):
            path = ("systems", name, "calls", index)
            if target in system.calls[:index]:
                continue  # refused as a repetition
            if target == name:
                yield Violation(
                    path, "calls must not name the system itself, which may always call itself", "remove it"
                )
            elif target not in systems:
                names = ", ".join(candidate for candidate in systems if candidate != name)
                remedy = f"choose from: {names}" if names else "remove it: there is no other system"
                yield Violation(path, f"calls must name systems, and there is no {target}", remedy)
            elif systems[target].shape == "worker":
                rule = f"calls must name systems that answer requests, and {target} is a worker"
                yield Violation(path, rule, f"write systems.{target}.shape: internal, or remove it")
        for job in system.jobs:
            if len(f"{called(name, system.formerly)}-{job}") > LONGEST_CRON_JOB:
                rule = f"system and job must have names of at most {LONGEST_CRON_JOB - 1} characters together"
                yield Violation(("systems", name, "jobs", job), rule, "choose a shorter name")
        for index, way in enumerate(system.egress):
            for number, cidr in enumerate(way.cidrs):
                for block in blocks:
                    if cidr != EVERYWHERE and cidr.overlaps(block):
                        rule = f"a range of egress must not overlap the network of the platform ({block})"
                        remedy = "remove it; name databases in needs, and systems in calls"
                        yield Violation(("systems", name, "egress", index, "cidrs", number), rule, remedy)
    if len(ways := ways_out(systems)) > MOST_EGRESS:
        rule = (
            f"all systems must have at most {MOST_EGRESS} ports and ranges of egress together: a security"
            " group has no room for more"
        )
        yield Violation(("systems",), rule, "name larger ranges", f"{len(ways)} ports and ranges")
