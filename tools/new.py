"""Asks for the values that have no default, and writes the spec of a new environment.

    python -m tools.new ENV

Answers are variables (`QUESTIONS`), or typed on the terminal; a wrong one is asked again, after its problems.
With EXAMPLE, an application of examples/ is copied to systems/<SYSTEM> and the environment runs it. Files are
created atomically, and existing ones are never replaced. Exit code 0, or 1 with a message and nothing
written.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from modules.loader import load
from modules.network.ranges import free_range
from modules.spec import Environment
from tierra.specs import overlaps
from tierra.terraform.templating import Templates
from tierra.validation.environment_names import REHEARSAL_ACCOUNT, EnvironmentName
from tierra.validation.errors import Problem, SpecError, counted
from tierra.validation.messages import short
from tierra.validation.regions import regions
from tierra.validation.syntax import scalar
from tierra.validation.upgrades import LATEST

FOLDER = Path("environments")
SYSTEMS = Path("systems")
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CACHES = shutil.ignore_patterns("__pycache__", ".*_cache")
TERMINAL = "/dev/tty"
Answers = Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """A variable of make, the key of the spec that it sets, and the question for it on a terminal. `usual` is
    the value of an empty answer; without one, or if it is None, an answer is required. If it comes from the
    other environments (`theirs`), it is only used after asking. `for_aws`: only with target: aws;
    `for_example`: only if an application is copied."""

    variable: str
    key: str
    text: str
    usual: Callable[[Answers, Draft], str | None] = lambda *_: None
    for_aws: bool = False
    for_example: bool = False
    theirs: bool = False


def _nothing(_answers: Answers, _draft: Draft) -> str:
    return ""


def _theirs(value_of: Callable[[Environment], str | None]) -> Callable[[Answers, Draft], str | None]:
    """The value in all other environments, or in those with target: aws if there are any; None if they
    differ."""

    def usual(_answers: Answers, draft: Draft) -> str | None:
        values = {value_of(environment) for environment in draft.real or draft.others}
        return values.pop() if len(values) == 1 else None

    return usual


def _theirs_on_aws(value_of: Callable[[Environment], str | None]) -> Callable[[Answers, Draft], str | None]:
    return lambda answers, draft: _theirs(value_of)(answers, draft) if draft.real else None


def _domain(answers: Answers, draft: Draft) -> str:
    """A name in the zone that no other environment has."""
    taken = {name for environment in draft.real for name in environment.edge.hosts}
    usual = f"app.{answers['ZONE']}"
    return f"{draft.environment}.{answers['ZONE']}" if usual in taken else usual


QUESTIONS = (
    Question(
        "PROJECT",
        "project",
        "Short name of the product, such as acme; all names begin with it",
        _theirs(lambda spec: spec.project),
        theirs=True,
    ),
    Question(
        "REGION", "region", "AWS region, such as us-east-1", _theirs(lambda spec: spec.region), theirs=True
    ),
    Question(
        "TARGET",
        "target",
        "aws, or rehearsal: an embedded provider that costs nothing",
        lambda *_: "rehearsal",
    ),
    Question(
        "ACCOUNT", "account", "AWS account, twelve digits", _theirs_on_aws(lambda spec: spec.account), True
    ),
    Question(
        "ZONE",
        "edge.zone",
        "Your hosted zone in Route 53, such as example.com",
        _theirs_on_aws(lambda spec: spec.edge.zone),
        True,
    ),
    Question("DOMAIN", "edge.domain", "Public host name", _domain, True),
    Question(
        "REPOSITORY",
        "delivery.repository",
        "Repository on GitHub, owner/name",
        _theirs_on_aws(lambda spec: spec.delivery.repository if spec.delivery.github else None),
        True,
    ),
    Question(
        "RUNNER",
        "delivery.runner",
        "Labels of a runner inside the VPC",
        lambda _, draft: f"self-hosted,{draft.environment}",
        True,
    ),
    Question("ADMIN", "compute.admins", "ARN of the IAM role that administers the cluster", _nothing, True),
    Question("EMAIL", "observability.alarm_emails", "Address that alarms are mailed to", _nothing, True),
    Question("EXAMPLE", "", "Example application to copy: django, fastapi or go", _nothing),
    Question("SYSTEM", "systems", "Name of the new system", lambda *_: "orders", for_example=True),
)


class Stopped(Exception):
    """Why nothing was written, as lines of a message."""


def main() -> int:
    environment = sys.argv[1]
    try:
        path = write(
            environment, {question.variable: os.environ.get(question.variable, "") for question in QUESTIONS}
        )
    except Stopped as stopped:
        sys.stderr.write(f"new: nothing was written: {stopped}\n")
        return 1
    except (KeyboardInterrupt, EOFError):
        sys.stderr.write("\nnew: nothing was written\n")
        return 1
    spec = load(path)
    for system in spec.systems.values():
        if system.folder and Path(system.folder).parent == SYSTEMS:
            print(f"new: {system.folder} has the application, for you to change")
    print(f"new: {path.as_posix()} is written; next: make plan ENV={environment}")
    if spec.target == "aws":
        print(f"new: without AWS, make rehearse ENV={environment} tries it")
        print(f"new: make doctor ENV={environment} reports what this machine and your credentials lack")
    return 0


def write(environment: str, given: Answers) -> Path:
    """Writes the file of the new spec and returns its path. Raises Stopped, with nothing written."""
    path = FOLDER / f"{environment}.yaml"
    _free(path, environment)
    draft = Draft(environment, tuple(_valid_specs(FOLDER)))
    answers = {name: answer.strip() for name, answer in given.items() if answer.strip()}
    complete, missing = draft.completed(answers)
    if missing or draft.guessed(answers) or draft.problems(complete):
        try:
            # Opened twice: Python requires a file for reading and writing to be seekable.
            with open(TERMINAL, encoding="utf-8", errors="replace") as typed, open(TERMINAL, "w") as shown:
                complete = draft.ask(
                    answers, typed.readline, lambda text: print(text, end="", file=shown, flush=True)
                )
        except OSError:
            if missing:
                heading = f"there is no terminal for questions, and make new ENV={environment} still needs"
                lines = [f"  {question.variable}=…  {question.text}" for question in missing]
                raise Stopped("\n".join([heading, *lines])) from None
    if problems := draft.problems(complete):
        raise Stopped("\n".join([counted(len(problems), "problem"), *map(_described, problems)]))
    if clashes := draft.clashes(complete):
        raise Stopped("\n".join(clashes))
    copied = _copy(complete["EXAMPLE"], SYSTEMS / complete["SYSTEM"]) if complete["EXAMPLE"] else None
    try:
        _create(path, draft.text(complete))
    except Stopped:
        if copied:
            shutil.rmtree(copied)
        raise
    return path


def _free(path: Path, environment: str) -> None:
    """Raises Stopped unless the name is valid and not in use."""
    try:
        TypeAdapter(EnvironmentName).validate_python(environment)
    except ValidationError as error:
        context = error.errors()[0]["ctx"]
        problem = Problem("", f"ENV={short(environment)}", context["rule"], context["remedy"])
        raise Stopped(problem.text("the name of an environment")) from None
    if path.exists() or path.is_symlink():
        raise Stopped(f"{path.as_posix()} exists\n  remedy: name another environment, as in make new ENV=dev")


@dataclass(frozen=True)
class Draft:
    """A spec before it is written: its name, and the existing environments."""

    environment: str
    others: tuple[Environment, ...] = ()

    @property
    def real(self) -> list[Environment]:
        """The environments with target: aws."""
        return [environment for environment in self.others if environment.target == "aws"]

    def completed(self, given: Answers) -> tuple[dict[str, str], list[Question]]:
        """The answers with defaults, and the questions that only the user can answer."""
        answers, missing = dict(given), []
        for question in _questions(answers):
            if question.variable in answers:
                continue
            usual = question.usual({"ZONE": "", **answers}, self)
            if usual is None:
                missing.append(question)
            else:
                answers[question.variable] = usual
        return answers, missing

    def guessed(self, given: Answers) -> bool:
        """Whether a default would be taken from the other environments."""
        return any(question.theirs and question.variable not in given for question in QUESTIONS)

    def ask(
        self, given: Answers, read_line: Callable[[], str], write_text: Callable[[str], None]
    ) -> dict[str, str]:
        """All answers, each valid by itself and with those before it. Raises EOFError at the end of the
        input."""
        answers = dict(given)
        for question in _questions(answers):
            usual = question.usual(answers, self)
            hint = "" if usual is None else f" [{usual or 'none'}]"
            while not self._is_answered(question, answers, write_text):
                write_text(f"{question.text}{hint}: ")
                line = read_line()
                if not line:
                    raise EOFError
                answer = line.strip() or usual
                if answer is not None:
                    answers[question.variable] = answer
        return answers

    def _is_answered(
        self, question: Question, answers: dict[str, str], write_text: Callable[[str], None]
    ) -> bool:
        """Whether there is a valid answer. A wrong one is removed, and its problems are printed."""
        if question.variable not in answers:
            return False
        wrong = [problem for problem in self.problems(answers) if _variable(problem) == question.variable]
        if wrong:
            del answers[question.variable]
        write_text("".join(f"{_described(problem)}\n" for problem in wrong))
        return not wrong

    def problems(self, answers: Answers) -> list[Problem]:
        """The problems of the answers in the spec, and of copying the application."""
        if problem := _uncopied(answers.get("EXAMPLE", ""), answers.get("SYSTEM", "")):
            return [problem]
        try:
            self._loaded(answers)
        except SpecError as error:
            return list(error.problems)
        return []

    def clashes(self, answers: Answers) -> list[str]:
        """Conflicts of this environment with the others; the answers are valid by themselves."""
        loaded = self._loaded(answers)
        both = [*self.real, loaded] if loaded.target == "aws" else []
        return [overlap for overlap in overlaps(both) if f"/{self.environment}.yaml" in overlap]

    def _loaded(self, answers: Answers) -> Environment:
        with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
            path = Path(scratch, f"{self.environment}.yaml")
            path.write_text(self.text(answers), encoding="utf-8")
            return load(path)

    def text(self, answers: Answers) -> str:
        """The content of the file. Keys without an answer are left out, or are comments."""
        plain = {
            question.variable.lower(): _yaml(answers.get(question.variable, "")) for question in QUESTIONS
        }
        runner = [_yaml(label.strip()) for label in answers.get("RUNNER", "").split(",") if label.strip()]
        example = answers.get("EXAMPLE", "")
        system = SYSTEMS / answers.get("SYSTEM", "")
        region = regions().get(answers.get("REGION", ""))
        account = answers.get("ACCOUNT", "")
        creators = {
            environment.account
            for environment in self.real
            if environment.delivery.github and environment.delivery.oidc_provider == "create"
        }
        values = {
            **plain,
            "account": json.dumps(account) if account else "",
            "admin_account": account or REHEARSAL_ACCOUNT,
            "cidr": _unused_range(self.others),
            "environment": self.environment,
            "oidc_provider": "existing" if account in creators else "",
            "partition": region.partition if region else "aws",
            "system": Templates().file(f"new/{example}.yaml", folder=system.as_posix()) if example else "",
            "system_name": _yaml(system.name),
            "runner": f"[{', '.join(runner)}]" if runner else "",
            "version": LATEST,
        }
        return Templates().file("new/environment.yaml", **values)


def _questions(answers: Answers) -> Iterable[Question]:
    """The questions in order. Which are asked depends on earlier answers."""
    for question in QUESTIONS:
        if question.for_aws and answers.get("TARGET") != "aws":
            continue
        if question.for_example and not answers.get("EXAMPLE"):
            continue
        yield question


def _variable(problem: Problem) -> str | None:
    """The variable that a problem is about."""
    if problem.path in ("EXAMPLE", "SYSTEM"):
        return problem.path
    key = problem.path.partition("[")[0]
    if key.startswith("systems."):
        key = "systems"
    return next((question.variable for question in QUESTIONS if question.key == key), None)


def _described(problem: Problem) -> str:
    """The problem with the name of its variable, because no file has it yet."""
    variable = _variable(problem)
    return replace(problem, path="", line=0).text(variable) if variable else problem.text("the spec")


def _yaml(text: str) -> str:
    """A text in YAML: without quotes if that is the same text."""
    bare = re.fullmatch(r"[A-Za-z]([A-Za-z0-9_./@:-]*[A-Za-z0-9])?", text) and isinstance(scalar(text), str)
    return text if bare or not text else json.dumps(text, ensure_ascii=False)


def _valid_specs(folder: Path) -> Iterator[Environment]:
    """The other environments that are valid. Plans of the others report their problems."""
    for path in sorted(folder.glob("*.yaml")):
        with suppress(SpecError):
            yield load(path)


def _unused_range(others: Iterable[Environment]) -> str:
    """A range that no other environment uses or routes, so that the two could be connected later."""
    return str(
        free_range(
            16,
            [
                taken
                for environment in others
                for taken in (environment.network.cidr, *environment.network.taken)
            ],
        )
    )


def _uncopied(example: str, system: str) -> Problem | None:
    """Why the application cannot be copied."""
    known = sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir())
    if example and example not in known:
        rule = f"must be one of {', '.join(known)}"
        return Problem("EXAMPLE", short(example), rule, "write one of these, or leave it out")
    if example and system and os.path.lexists(SYSTEMS / system):
        target = (SYSTEMS / system).as_posix()
        return Problem("SYSTEM", short(system), f"{target} must not exist", "choose another name")
    return None


def _copy(example: str, target: Path) -> Path:
    """Copies the application atomically, or raises Stopped."""
    try:
        target.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new.", dir=target.parent) as scratch:
            shutil.copytree(EXAMPLES / example, Path(scratch, example), ignore=CACHES)
            os.rename(Path(scratch, example), target)
    except (OSError, shutil.Error) as error:
        because = getattr(error, "strerror", None) or error
        raise Stopped(f"{target.as_posix()}: {because}\n  remedy: make its folder writable") from None
    return target


def _create(path: Path, text: str) -> None:
    """Creates the file atomically, or raises Stopped."""
    try:
        handle, beside = tempfile.mkstemp(prefix=".new.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(beside, 0o644)
            os.link(beside, path)  # refuses to replace a file, unlike a rename
        finally:
            os.unlink(beside)
    except OSError as error:
        raise Stopped(f"{path.as_posix()}: {error.strerror}\n  remedy: make its folder writable") from None


if __name__ == "__main__":
    sys.exit(main())
