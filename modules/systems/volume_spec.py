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
LONGEST_PATH = 200
# The user and group of every pod (templates/systems/chart), to whom the files belong.
OWNER = 10001
# Mounting a volume here would hide files of the image or the pod: the folder and everything below it, or the
# folder itself.
SYSTEM_FOLDERS = tuple(
    f"/{folder}"
    for folder in (
        *("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "tmp", "usr"),
        "var/run",
    )
)
HIDING = tuple(f"/{folder}" for folder in ("home", "opt", "root", "var"))


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
    plain = "/" + "/".join(part for part in path.strip().split("/") if part)
    if where := _hidden(plain):
        raise rule_error(
            f"the path must not be {where}: the volume would hide files of the image",
            "write another path, such as /srv/media",
        )
    if not _legal(path):
        rule = (
            "the path of a volume must be absolute, with only letters, digits and . _ - between its slashes,"
            " and not end with a slash"
        )
        raise rule_error(rule, f"write {plain}" if _legal(plain) else "write it like /srv/media")
    return path


def _legal(path: str) -> bool:
    return bool(re.fullmatch(r"(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+", path)) and len(path) <= LONGEST_PATH


def _hidden(path: str) -> str:
    """What a volume at a path would hide, for the text of a rule; empty if nothing."""
    taken = next(
        (folder for folder in SYSTEM_FOLDERS if path == folder or path.startswith(f"{folder}/")), None
    )
    return f"in {taken}" if taken else path if path in HIDING else ""


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
        f"{name}_{volume}": settings
        for name, system in systems.items()
        for volume, settings in system.volumes.items()
    }


def volume_violations(system: System) -> Iterator[Violation]:
    """Volumes must have separate paths. Paths start at the system."""
    if len(system.volumes) > MOST_VOLUMES:
        rule = f"a system must have at most {MOST_VOLUMES} volumes"
        yield Violation(("volumes",), rule, "use folders of one volume", f"{len(system.volumes)} volumes")
    before: dict[str, str] = {}
    for name, volume in system.volumes.items():
        near = next((earlier for earlier in before.items() if _overlap(volume.path, earlier[1])), None)
        before[name] = volume.path
        if near:
            rule = f"the paths of volumes must not overlap, but {near[0]} is at {near[1]}"
        elif volume.path in system.config:
            rule = "a path must not be both a volume and a file of config"
        elif file := next((path for path in system.config if path.startswith(f"{volume.path}/")), None):
            rule = f"a volume must not contain files of config, but {file} is in it"
        elif file := next((path for path in system.config if volume.path.startswith(f"{path}/")), None):
            rule = f"a volume must not be below a file of config, and {file} is one"
        else:
            continue
        remedy = "choose a separate path" if near else "move one of the two"
        yield Violation(("volumes", name, "path"), rule, remedy, volume.path)


def _overlap(first: str, second: str) -> bool:
    return f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/")
