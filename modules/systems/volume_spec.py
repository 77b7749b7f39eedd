"""Values of `systems.<system>.volumes`: persistent folders that all pods of a system share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from tierra.validation.labels import is_text
from tierra.validation.model import Model, Violation, rule_error

if TYPE_CHECKING:
    from modules.systems.spec import System

MOST_VOLUMES = 5
LONGEST_NAME = 20
# The user and group of every pod (templates/systems/chart), which own the files.
OWNER = 10001
# Mounting a volume here would hide files of the image or the pod: the folder and everything below it, or the
# folder itself.
SYSTEM_FOLDERS = tuple(
    f"/{each}"
    for each in (
        *("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "tmp", "usr"),
        "var/run",
    )
)
HIDING = tuple(f"/{each}" for each in ("home", "opt", "root", "var"))


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*", name) or len(name) > LONGEST_NAME:
        plain = re.sub(r"[^a-z0-9]+", "", name.lower()).lstrip("0123456789")[:LONGEST_NAME]
        rule = (
            f"the name of a volume must be at most {LONGEST_NAME} lowercase letters and digits, a letter"
            " first"
        )
        raise rule_error(rule, f"write {plain}" if plain else "write a name such as media")
    is_text(name, f"{name}files")
    return name


def _path(path: str) -> str:
    if not re.fullmatch(r"(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+", path) or len(path) > 200:
        rule = (
            "the path of a volume must be absolute, with only letters, digits and . _ - between its slashes"
        )
        raise rule_error(rule, "write it like /srv/media")
    taken = next((each for each in SYSTEM_FOLDERS if path == each or path.startswith(f"{each}/")), None)
    if taken := taken or next((each for each in HIDING if path == each), None):
        where = f"in {taken}" if taken in SYSTEM_FOLDERS else taken
        raise rule_error(
            f"the path must not be {where}: the volume would hide files of the image",
            "write another path, such as /srv/media",
        )
    return path


VolumeName = Annotated[str, AfterValidator(_name)]
VolumePath = Annotated[
    str,
    AfterValidator(_path),
    WithJsonSchema({"type": "string", "pattern": r"^(/[A-Za-z0-9._-]+)+$", "examples": ["/srv/media"]}),
]


class Volume(Model):
    """A persistent folder on a separate EFS file system, which all pods of the system share in every zone."""

    path: VolumePath = Field(
        description="Where the containers of the system mount it. Sidecars do not mount it.",
        examples=["/srv/media"],
    )
    size_gb: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="Expected maximum size of its files in GiB; an alarm fires above it. EFS grows and"
        " shrinks with the files, and does not limit the size.",
    )


def volumes(systems: Mapping[str, System]) -> dict[str, Volume]:
    """All volumes of an environment, by `<system>_<volume>`."""
    return {
        f"{name}_{volume}": each
        for name, system in systems.items()
        for volume, each in system.volumes.items()
    }


def volume_violations(system: System) -> Iterator[Violation]:
    """Volumes must have separate paths. Paths start at the system."""
    if len(system.volumes) > MOST_VOLUMES:
        rule = f"a system must have at most {MOST_VOLUMES} volumes"
        yield Violation(("volumes",), rule, "use folders of one volume", f"{len(system.volumes)} volumes")
    before: dict[str, str] = {}
    for name, volume in system.volumes.items():
        for other, path in before.items():
            if f"{volume.path}/".startswith(f"{path}/") or f"{path}/".startswith(f"{volume.path}/"):
                rule = f"the paths of volumes must not overlap, but {other} is at {path}"
                yield Violation(("volumes", name, "path"), rule, "choose a separate path", volume.path)
                break
        before[name] = volume.path
        if file := next((each for each in system.config if each.startswith(f"{volume.path}/")), None):
            rule = f"a volume must not contain files of config, but {file} is in it"
            yield Violation(("volumes", name, "path"), rule, "move one of the two", volume.path)
        if file := next((each for each in system.config if volume.path.startswith(f"{each}/")), None):
            rule = f"a volume must not lie below a file of config, and {file} is one"
            yield Violation(("volumes", name, "path"), rule, "move one of the two", volume.path)
        if volume.path in system.config:
            rule = "a path must not be both a volume and a file of config"
            yield Violation(("volumes", name, "path"), rule, "move one of the two", volume.path)
