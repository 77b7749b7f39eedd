"""Reads the spec of an environment from its file. The file is checked completely, and all problems are
reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from modules.delivery.promotion import chain
from modules.spec import PARTIAL, Environment
from tierra.validation.errors import Problem, SpecError
from tierra.validation.explain import Explainer, place
from tierra.validation.extends import resolved
from tierra.validation.messages import dotted, short
from tierra.validation.model import Violation
from tierra.validation.partial import sound_part
from tierra.validation.reader import Document
from tierra.validation.upgrades import STEPS, Step

# Values for required keys that the file lacks, so that the rules about all other keys can be checked.
_STAND_INS = {"project": "draft", "environment": "draft", "region": "us-east-1"}


def load(path: Path) -> Environment:
    """The environment that a file describes. Raises SpecError with every problem of the file, and no other
    error."""
    return load_upgraded(path)[0]


def load_upgraded(path: Path, steps: Mapping[int, Step] = STEPS) -> tuple[Environment, list[str]]:
    """The environment that a file in this or an earlier format describes, and the translations, a line each.
    Raises SpecError like `load`."""
    environment, changes, document = _alone(path, steps)
    linked, violations = chain(environment, path, lambda neighbour: _alone(neighbour, steps)[0])
    if violations:
        name = environment.environment
        raise SpecError(path.as_posix(), [_problem(document, violation, name) for violation in violations])
    environment.link(linked)
    return environment, changes


def _alone(path: Path, steps: Mapping[int, Step]) -> tuple[Environment, list[str], Document]:
    """The environment without its neighbours, the translations, and the file as read."""
    document, changes = resolved(path, steps)
    data = {"environment": path.stem, **document.data}
    problems = list(document.problems)
    try:
        environment = Environment.model_validate(data)
    except ValidationError as error:
        problems += _problems(document, data, error)
    else:
        if environment.environment != path.stem:
            problems.append(_misnamed(document, environment.environment, path))
    if problems:
        raise SpecError(path.as_posix(), problems)
    return environment, changes, document


def _misnamed(document: Document, name: str, path: Path) -> Problem:
    rule = f"environment must be the name of the file without .yaml, which is {short(path.stem)}"
    remedy = f"write environment: {short(path.stem)}, or rename the file to {short(name)}.yaml"
    key = ("environment",)
    return Problem("environment", short(name), rule, remedy, document.line(key), document.file(key))


@cache
def _explainer() -> Explainer:
    return Explainer(Environment.model_json_schema())


def _problems(document: Document, data: dict[str, Any], error: ValidationError) -> Iterator[Problem]:
    """Every error of pydantic, then every violation of rules over several keys in the valid part of the
    file."""
    explainer = _explainer()
    errors = [detail for detail in error.errors() if detail["type"] != "inconsistent"]
    unknown = [place(detail) for detail in errors if detail["type"] == "extra_forbidden"]
    misspelt = {key for path in unknown if (key := explainer.meant(path)) and key not in document.lines}
    violations = [
        explainer.violation(detail, document.shown(place(detail)))
        for detail in errors
        if detail["type"] != "missing" or place(detail) not in misspelt  # present under a misspelt name
    ]
    sound, unsound = sound_part(data, errors, _STAND_INS)
    unsound |= document.refused | misspelt
    for _ in range(2):  # if the rest is still invalid, the errors above explain it
        try:
            violations += Environment.model_validate(sound, context=PARTIAL).violations(unsound)
            break
        except ValidationError as left:  # a required key was refused: its section is removed, too
            sound, more = sound_part(sound, left.errors(), _STAND_INS)
            unsound |= more
    for violation in violations:
        if not any(violation.path[: len(path)] == path for path in document.refused):
            yield _problem(document, violation, data["environment"])


def _problem(document: Document, violation: Violation, name: Any) -> Problem:
    value, remedy = violation.value or document.shown(violation.path), violation.remedy
    if violation.path == ("environment",) and violation.path not in document.lines:
        value, remedy = short(str(name)), f"rename the file, which names the environment: {remedy}"
    rule, written_path = violation.rule, document.written(violation.path)
    if written_path != violation.path:
        rule += f" (the file has it under its earlier name, {dotted(written_path)})"
    line, file = document.line(violation.path), document.file(violation.path)
    return Problem(dotted(violation.path), value, rule, remedy, line, file)
