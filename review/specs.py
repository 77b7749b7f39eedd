"""The environments of this checkout whose target is AWS."""

from __future__ import annotations

from pathlib import Path

from modules.errors import SpecError
from modules.spec import Environment, load

FOLDER = Path("environments")


class Refused(Exception):
    """What is wrong with the specs, for people."""


def real_environments(folder: Path = FOLDER) -> list[Environment]:
    """Those with target: aws, by name. Raises Refused with the problems of every wrong file."""
    found, problems = [], []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(load(path))
        except SpecError as error:
            problems.append(str(error))
    if problems:
        raise Refused("\n".join(problems))
    return [environment for environment in found if environment.target == "aws"]
