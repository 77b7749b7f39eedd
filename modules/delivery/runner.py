"""Runners of jobs that use the Kubernetes API. GitHub-hosted runners cannot reach it, so the spec names a
runner, or lets CodeBuild start them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from tierra.terraform.naming import Names
from tierra.validation.arns import Arn, arn_pattern
from tierra.validation.github import plain
from tierra.validation.model import Violation, rule_error

if TYPE_CHECKING:
    from modules.spec import Environment

CODEBUILD = "codebuild"  # instead of labels: runners that this environment creates

# Labels of standard GitHub-hosted runners, such as ubuntu-24.04-arm. Larger runners, with static addresses,
# have labels of the owner's choice.
_HOSTED = re.compile(r"(ubuntu|windows|macos)-", re.IGNORECASE)


def _label(label: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}", label):
        return label
    plain = "" if "$" in label else re.sub(r"[^A-Za-z0-9._:-]+", "-", label).strip("-._:")[:100]
    raise rule_error(
        "the label of a runner must be 1 to 100 letters, digits and . _ : -",
        f"write {plain}" if plain else "write a label such as production",
    )


Label = Annotated[
    str,
    AfterValidator(_label),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]*$", "maxLength": 100}),
]


def _labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    if labels:
        return labels
    raise rule_error(
        "a runner must have at least one label",
        "write the labels of yours, such as [self-hosted, production]",
    )


def _alone(value: Any) -> Any:
    return (CODEBUILD,) if value == CODEBUILD else value


Runner = Annotated[
    tuple[Label, ...],
    Field(strict=False),
    AfterValidator(_labels),
    BeforeValidator(_alone),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": CODEBUILD},
                {
                    "type": "array",
                    "items": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]*$", "maxLength": 100},
                },
            ]
        }
    ),
]


Connection = Annotated[
    str,
    Arn(
        arn_pattern("codeconnections", "connection/[0-9a-f-]{36}"),
        "the ARN of a connection to GitHub must start with arn:aws:codeconnections:",
        "copy it from the console: Developer Tools, Settings, Connections",
    ),
]


def served(environment: Environment) -> list[str]:
    """The repositories whose jobs use the Kubernetes API, without duplicates."""
    repositories = [environment.delivery.repository]
    repositories += [system.repository for system in environment.systems.values() if system.repository]
    return list({plain(name).lower(): plain(name) for name in reversed(repositories)}.values())[::-1]


def project_name(environment: Environment, repository: str) -> str:
    """The CodeBuild project of a repository. Owners on GitHub never have two hyphens in a row."""
    names = Names(environment.project, environment.environment, environment.account)
    slug = plain(repository).lower().replace("/", "--").replace(".", "_")
    return names.of("codebuild_project", f"runner-{slug}")


def labels(environment: Environment, repository: str) -> list[str]:
    """The labels of the runner of a repository's jobs."""
    delivery = environment.delivery
    return (
        [f"{CODEBUILD}-{project_name(environment, repository)}"] if delivery.codebuild else [*delivery.runner]
    )


def runner_violations(
    runner: Sequence[str], is_set: bool, target: str, environment: str, public_cidrs: Sequence[object]
) -> Iterator[Violation]:
    """A GitHub-hosted runner cannot reach the cluster. `is_set`: whether the file names the runner."""
    own = any(label.lower() == "self-hosted" for label in runner)
    if target != "aws" or own or not any(_HOSTED.match(label) for label in runner):
        return
    reach = "the VPC or compute.endpoint.public_cidrs" if public_cidrs else "the VPC"
    rule = (
        f"jobs that plan and deploy must run where they reach the Kubernetes API, in {reach}; GitHub's own"
        " runners do not"
    )
    remedy = (
        f"write runner: codebuild and a connection, or the labels of a runner in the VPC, such as"
        f" [self-hosted, {environment}]: docs/delivery.md"
    )
    yield Violation(("delivery", "runner"), rule, remedy, "" if is_set else "(missing)")
