"""Keys of `delivery:`: trusted repositories and GitHub environments, and retention of images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from modules.delivery.runner import CODEBUILD, Connection, Runner, runner_violations
from tierra.validation.github import Repository
from tierra.validation.labels import is_name
from tierra.validation.model import Model, Violation, rule, rule_error
from tierra.validation.optional import OFF

DEFAULT_REPOSITORY = "acme/platform"
# Infrastructure jobs that change nothing, as a verb.
DOES = {"plan": "plan", "drift": "compare"}


def _github_environment(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", name):
        return name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:255]
    # GitHub allows more characters, but encodes some of them differently in tokens.
    raise rule_error(
        "the name of a GitHub environment must be 1 to 255 letters, digits and . _ -",
        f"write {plain}" if plain else "write a name such as production",
    )


GithubEnvironment = Annotated[
    str,
    AfterValidator(_github_environment),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$", "maxLength": 255}),
]


def _branch(name: str) -> str:
    if (
        re.fullmatch(r"[A-Za-z0-9](?!.*(\.\.|//|\.lock$))[A-Za-z0-9._/-]{0,99}", name)
        and name[-1] not in "./"
    ):
        return name
    raise rule_error(
        "a branch must be 1 to 100 letters, digits and . _ - /, and no pattern", "write a name such as main"
    )


Branch = Annotated[
    str,
    AfterValidator(_branch),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._/-]*$", "maxLength": 100}),
]


def _promoted_from(name: str) -> str:
    if is_name(name, 12) and "--" not in name:
        return name
    raise rule_error(
        "it must be the name of an environment: that of its file without .yaml",
        "write a name such as staging",
    )


PromotedFrom = Annotated[
    str,
    AfterValidator(_promoted_from),
    WithJsonSchema({"type": "string", "pattern": "^[a-z](-?[a-z0-9])+$", "maxLength": 12}),
]


class GithubEnvironments(Model):
    """GitHub environments whose jobs may assume a role; GitHub sets who may run them."""

    push: GithubEnvironment | None = Field(
        default=None,
        json_schema_extra={"default": "the environment's name and -images"},
        description="For jobs that push images.",
        examples=["production-images"],
    )
    deploy: GithubEnvironment | None = Field(
        default=None,
        json_schema_extra={"default": "the environment's name"},
        description="For jobs that deploy a system; require an approval there.",
        examples=["production"],
    )
    plan: GithubEnvironment | None = Field(
        default=None,
        json_schema_extra={"default": "the environment's name and -plan"},
        description="For jobs that plan infrastructure, also on pull requests: a plan reads states and"
        " settings, but no secret.",
        examples=["production-plan"],
    )
    drift: GithubEnvironment | None = Field(
        default=None,
        json_schema_extra={"default": "the environment's name and -drift"},
        description="For the jobs that look for drift every night, with the plan role. It must not"
        " require reviewers, or the jobs wait for them.",
        examples=["production-drift"],
    )
    apply: GithubEnvironment | None = Field(
        default=None,
        json_schema_extra={"default": "the environment's name and -infrastructure"},
        description="For jobs that apply infrastructure: require approvals, and allow only protected"
        " branches.",
        examples=["production-infrastructure"],
    )


def _ci(value: object) -> object:
    return OFF if value is False else value  # false in other YAML parsers


# Keys that only GitHub workflows use.
OF_GITHUB = ("environments", "subjects", "promote_from", "runner", "connection", "oidc_provider")


class Delivery(Model):
    """Container registries, and permissions of GitHub workflows."""

    ci: Annotated[Literal["github", "off"], BeforeValidator(_ci)] = Field(
        default="github",
        description="Where pipelines run: on GitHub Actions (github), or on another CI (off). With off no"
        " role trusts GitHub, registries accept images from roles that IAM allows, and make"
        " workflows writes the same steps as shell scripts: pipelines/<system>.<env>.sh.",
    )
    repository: Repository = Field(
        default=DEFAULT_REPOSITORY,
        description="The GitHub repository of the infrastructure, and of each system without its own"
        " repository. Required for target: aws with ci: github, because roles trust it.",
    )
    environments: GithubEnvironments = Field(
        default_factory=GithubEnvironments, description="The GitHub environments that are trusted."
    )
    subjects: Literal["both", "numbered"] = Field(
        default="both",
        description="Which token subjects are trusted if a repository is written with its IDs,"
        " acme@12/shop@34: with and without the IDs (both), while the repository moves to the"
        " immutable form, or only with them (numbered).",
    )
    branch: Branch = Field(
        default="main",
        description="The branch whose commits are deployed and applied, in every repository.",
    )
    promote_from: PromotedFrom | None = Field(
        default=None,
        json_schema_extra={"default": "images are built for this environment"},
        description="The environment whose images this one uses: each image is built once, for the first"
        " environment of a chain, and promoted by its digest when it runs there. The"
        " infrastructure follows in the same order. Both specs must name the same systems,"
        " repositories and branch.",
        examples=["staging"],
    )
    runner: Runner = Field(
        default=("ubuntu-24.04",),
        description="Where jobs run that need the Kubernetes API: deploy, plan and apply. codebuild:"
        " runners inside the VPC; requires connection. Otherwise the labels of your own"
        " runner; with target: aws it must reach the API: docs/delivery.md.",
        examples=["codebuild", ["self-hosted", "production"]],
    )
    connection: Connection | None = Field(
        default=None,
        description="ARN of the account's connection to GitHub, through which GitHub notifies CodeBuild of"
        " jobs. Create and authorize it once, by hand, in the console of Developer Tools. Only for"
        " runner: codebuild.",
        examples=[
            "arn:aws:codeconnections:us-east-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef"
        ],
    )
    oidc_provider: Literal["create", "existing"] = Field(
        default="create",
        description="An account has one identity provider for GitHub: this environment creates it"
        " (create), or another environment of the account has created it (existing).",
    )
    image_keep: int = Field(
        default=50,
        ge=5,
        le=5000,
        description="Number of tagged images that are kept for each system, the newest; the running image"
        " must be among them.",
    )
    untagged_days: int = Field(
        default=7, ge=1, le=365, description="Days that images without a tag are kept."
    )
    image_severity: Literal["critical", "high", "medium"] = Field(
        default="high",
        description="An image with a known vulnerability of this severity or worse, for which a fix"
        " exists, is not released.",
    )
    registry_scan: Literal["leave", "basic", "enhanced"] = Field(
        default="leave",
        description="Scanning of every repository of the account and region: leave does not change the"
        " setting, basic scans on push, enhanced scans on push and then continuously with"
        " Amazon Inspector, which costs money per image. Only one environment of an account"
        " may set it. Images of the systems are always scanned on push.",
    )

    @property
    def github(self) -> bool:
        """Whether GitHub workflows are trusted and generated."""
        return self.ci == "github"

    @rule("ci", *OF_GITHUB)
    def github_alone_has_its_keys(self) -> Iterator[Violation]:
        """Keys of GitHub workflows require ci: github, because they would have no effect."""
        for key in OF_GITHUB:
            if not self.github and key in self.model_fields_set:
                rule = "the key must not be set with ci: off: only workflows of GitHub use it"
                yield Violation((key,), rule, "remove the line, or write ci: github")

    @property
    def codebuild(self) -> bool:
        """Whether this environment creates CodeBuild runners."""
        return self.runner == (CODEBUILD,)

    @rule("ci", "runner", "connection")
    def codebuild_has_a_connection(self) -> Iterator[Violation]:
        """Both or neither."""
        if self.github and self.codebuild and not self.connection:
            rule = "runner: codebuild requires the connection by which CodeBuild learns of jobs on GitHub"
            remedy = "add connection: with its ARN; docs/delivery.md says how to create it"
            yield Violation(("connection",), rule, remedy, "(missing)")
        if self.connection and not self.codebuild:
            yield Violation(
                ("connection",),
                "connection requires runner: codebuild",
                "remove the line, or write runner: codebuild",
            )


def github_environments(delivery: Delivery, environment: str) -> dict[str, str]:
    """The GitHub environments of push, deploy, plan, drift and apply."""
    usual = {
        "push": f"{environment}-images",
        "deploy": environment,
        "plan": f"{environment}-plan",
        "drift": f"{environment}-drift",
        "apply": f"{environment}-infrastructure",
    }
    return {role: getattr(delivery.environments, role) or name for role, name in usual.items()}


def delivery_violations(
    delivery: Delivery, environment: str, target: str, repositories: Iterable[str | None]
) -> Iterator[Violation]:
    """Violations of trust between valid values. `repositories`: those of systems; None for the infrastructure
    repository."""
    at = ("delivery",)
    if not delivery.github:
        return
    if target == "aws" and "repository" not in delivery.model_fields_set:
        rule = "target: aws requires the repository on GitHub whose workflows are trusted"
        yield Violation((*at, "repository"), rule, "add repository: <owner>/<name>", "(missing)")
    trusted = github_environments(delivery, environment)
    shared = bool(set(repositories) & {None, delivery.repository})
    pairs = [(role, counterpart) for counterpart in ("plan", "drift", "apply") for role in ("push", "deploy")]
    for role, counterpart in [*(pairs if shared else []), ("plan", "apply"), ("drift", "apply")]:
        if trusted[role].lower() == trusted[counterpart].lower():
            # Report the key that is in the file.
            key = role if role in delivery.environments.model_fields_set else counterpart
            what, it = ("infrastructure", "it") if role in DOES else ("systems", "infrastructure")
            first, second = (DOES.get(job, job) for job in (role, counterpart))
            rule = f"jobs that {first} {what} must not be able to {second} {it}"
            yield Violation((*at, "environments", key), rule, "name another GitHub environment")


def cluster_violations(
    delivery: Delivery, environment: str, target: str, public_cidrs: Sequence[object]
) -> Iterator[Violation]:
    """A runner must reach the Kubernetes API, which is open to the VPC and these ranges."""
    is_set = "runner" in delivery.model_fields_set
    if not delivery.github:
        return
    yield from runner_violations(delivery.runner, is_set, target, environment, public_cidrs)


def codebuild_is_sold(delivery: Delivery, partition: str) -> Iterator[Violation]:
    """Regions in China have no connections to GitHub (botocore: endpoints, service codestar-connections)."""
    if delivery.codebuild and partition == "aws-cn":
        rule = "runner: codebuild requires a connection to GitHub, which the partition aws-cn does not offer"
        yield Violation(("delivery", "runner"), rule, "write the labels of your own runner inside the VPC")
