"""The GitHub Actions workflows: from the spec to the text of files. This module writes no files and does not
call AWS.

A system has a workflow for each environment, because each has its own registry, account and approval. The
infrastructure has two for all environments, which read the specs instead of naming environments. One more
reports old versions.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from modules.compute.groups import architecture
from modules.delivery.runner import labels
from modules.delivery.spec import github_environments
from modules.spec import Environment
from modules.systems.requests_spec import host
from tierra.github.actions import ACTIONS
from tierra.terraform.naming import Names
from tierra.terraform.roles import role_arn
from tierra.terraform.templating import Templates
from tierra.validation.github import plain

FOLDER = ".github/workflows"
PIPELINES = "pipelines"
WRITTEN = "# Written by Tierra"  # the first words of a file of Tierra
CODEBUILD = "codebuild-"  # the prefix of labels of CodeBuild's runners
MOST_ENVIRONMENTS = 256  # jobs of a matrix: docs.github.com/en/actions/reference/limits

# The steps of a deployment, each with its limit in minutes.
STEPS = {
    "connect": ("Reach the cluster", 5),
    "remember": ("Remember what runs", 5),
    "migrate": ("Migrate", 16),
    "roll-out": ("Roll out", 13),
    "check-health": ("Check health through the load balancer", 7),
    "record": ("Record the image for Terraform", 3),
    "roll-back": ("Roll back", 11),
}


def pipelines(environment: Environment) -> dict[str, str]:
    """For another CI than GitHub Actions: a script for each system, by its path."""
    return {
        f"{PIPELINES}/{system}.{environment.environment}.sh": Templates().file(
            "delivery/pipeline.sh", **_words(environment, system, ""), quoted=shlex.quote
        )
        for system in environment.systems
    }


def workflows(environment: Environment, waves: int | None = None) -> dict[str, str]:
    """Every file, by repository and path: `acme/shop/.github/workflows/shop.production.yml`.

    `waves` is how many environments are applied one after another, in the longest chain of all specs; by
    default in the chain of this one.
    """
    here = environment.chain
    infrastructure = plain(environment.delivery.repository)
    branch = environment.delivery.branch
    written_by = f"{WRITTEN} (make workflows); changes made here are lost."
    files = {
        f"{infrastructure}/{FOLDER}/{name}.yml": Templates().file(
            f"delivery/{name}.yml",
            written_by=written_by,
            actions=ACTIONS,
            branch=branch,
            quoted=_quoted,
            inputs=list(account_of(environment)),
            waves=waves if waves is not None else (here.position + 1 + bool(here.consumers)) * here.linked,
        )
        for name in ("infrastructure", "infrastructure-environment", "versions")
    }
    for system in environment.systems:
        file = f"{FOLDER}/{system}.{environment.environment}.yml"
        files[f"{_repository(environment, system)}/{file}"] = _system(environment, system, file)
        if not here.source and here.consumers:
            chained = f"{FOLDER}/{system}.chain.{environment.environment}.yml"
            files[f"{_repository(environment, system)}/{chained}"] = _chain(environment, system, chained)
    return files


def _chain(environment: Environment, system: str, file: str) -> str:
    """The workflow that calls those of a system for an environment and for the environments that take their
    images from it."""
    delivery = environment.delivery
    return Templates().file(
        "delivery/chain.yml",
        written_by=_written_by(environment),
        system=system,
        branch=delivery.branch,
        paths=_paths(environment, system, file, f"{FOLDER}/{system}.{environment.environment}.yml"),
        links=[
            {"environment": link.environment, "after": link.delivery.promote_from}
            for link in _onwards(environment, system)
        ],
    )


def _onwards(environment: Environment, system: str) -> list[Environment]:
    """The environment and all environments that its images of a system reach, sources first."""
    later = [consumer for consumer in environment.chain.consumers if system in consumer.systems]
    return [environment, *(link for consumer in later for link in _onwards(consumer, system))]


def _written_by(environment: Environment) -> str:
    return (
        f"{WRITTEN} (make workflows) from environments/{environment.environment}.yaml; changes made here are"
        " lost."
    )


def _paths(environment: Environment, system: str, *files: str) -> list[str]:
    """The paths that start the workflow of a system; empty if every commit starts it."""
    shared = _repository(environment, system).lower() == plain(environment.delivery.repository).lower()
    return [f"{_folder(environment, system)}/**", *files] if shared else []


def _folder(environment: Environment, system: str) -> str:
    return environment.systems[system].folder or f"systems/{environment.called(system)}"


def account_of(environment: Environment) -> dict[str, Any]:
    """The facts that the workflow of the infrastructure needs to plan and apply an environment."""
    trusted = github_environments(environment.delivery, environment.environment)
    return {
        "environment": environment.environment,
        "region": environment.region,
        "account": environment.account,
        "audience": _audience(environment),
        "runner": labels(environment, environment.delivery.repository),
        **{
            f"{job}_{key}": value
            for job in ("plan", "apply")
            for key, value in (("environment", trusted[job]), ("role", _role(environment, job)))
        },
        "drift_environment": trusted["drift"],
    }


def infrastructure_repository(environment: Environment) -> str:
    """The repository that holds the specs, without the numbers of its tokens."""
    return plain(environment.delivery.repository)


def _system(environment: Environment, system: str, file: str) -> str:
    return Templates().file("delivery/system.yml", **_words(environment, system, file))


def _words(environment: Environment, system: str, file: str) -> dict[str, Any]:
    """The variables of the templates of a system."""
    settings, delivery = environment.systems[system], environment.delivery
    trusted = github_environments(delivery, environment.environment)
    names = _names(environment)
    kind = architecture(environment.compute, settings.nodes)
    called = environment.called(system)
    shared = _repository(environment, system).lower() == plain(delivery.repository).lower()
    repository = names.repository(called)
    start = f"https://{host(settings, environment.edge)}{settings.path.rstrip('/')}"
    jobs = {"JOBS": " ".join(f"{called}-{job}" for job in settings.jobs)} if settings.jobs else {}
    public = settings.shape == "public"
    pods = {"REPLICAS": str(settings.replicas), "WORKERS": str(settings.workers)}
    values = {
        "connect": {"CLUSTER": names.of("cluster")},
        "migrate": {"TRIES": "180", "PAUSE": "5"},
        "remember": jobs,
        "roll-out": {**pods, **jobs, "TIMEOUT": "600s"},
        "check-health": {"URL": start + settings.health.ready, "TRIES": "60", "PAUSE": "5"},
        "record": {"PARAMETER": names.image_parameter(called)},
        "roll-back": {"TIMEOUT": "300s"},
    }
    return {
        "written_by": _written_by(environment),
        "chained": environment.chain.linked,
        "source": _source(environment, system),
        "actions": ACTIONS,
        "system": system,
        "called": called,
        "environment": environment.environment,
        "branch": delivery.branch,
        "folder": _folder(environment, system) if shared else settings.folder or ".",
        "paths": _paths(environment, system, file),
        "builder": "ubuntu-24.04-arm" if kind == "arm64" else "ubuntu-24.04",
        "platform": f"linux/{kind}",
        "runner": json.dumps(
            [_label(label) for label in labels(environment, _repository(environment, system))]
        ),
        "region": environment.region,
        "account": environment.account,
        "audience": _audience(environment),
        "severity": delivery.image_severity,
        "push_environment": trusted["push"],
        "push_role": _role(environment, f"push-{called}"),
        "deploy_environment": trusted["deploy"],
        "deploy_role": _role(environment, f"deploy-{called}"),
        "repository": _registry(environment, system),
        "repository_name": repository,
        "url": start if public else "",
        "steps": [
            {"id": step, "name": name, "minutes": minutes, "env": values.get(step, {})}
            for step, (name, minutes) in STEPS.items()
            if public or step != "check-health"
        ],
    }


def _registry(environment: Environment, system: str) -> str:
    host = f"{environment.account}.dkr.ecr.{environment.region}.{environment.dns_suffix}"
    return f"{host}/{_names(environment).repository(environment.called(system))}"


def _source(environment: Environment, system: str) -> dict[str, str]:
    """The source of the images of a system; empty if they are built."""
    source = environment.chain.source
    if not source:
        return {}
    return {
        "environment": source.environment,
        "region": source.region,
        "repository": _registry(source, system),
    }


def _names(environment: Environment) -> Names:
    return Names(environment.project, environment.environment, environment.account)


def _role(environment: Environment, name: str) -> str:
    """ARN of a role of this tier; its name follows from the spec, so it need not be copied from an output."""
    return role_arn(environment, _names(environment).of("iam_role", name))


def _audience(environment: Environment) -> str:
    """The audience of tokens, the same as in modules/delivery/github.py."""
    return f"sts.{environment.dns_suffix}"


def _repository(environment: Environment, system: str) -> str:
    return plain(environment.systems[system].repository or environment.delivery.repository)


def _label(label: str) -> str:
    """A label of a runner. CodeBuild starts a runner for each run, with the number of the run in its
    label."""
    run = "-${{ github.run_id }}-${{ github.run_attempt }}"
    return label + run if label.startswith(CODEBUILD) else label


def _quoted(text: str) -> str:
    """A text in an expression of GitHub."""
    return "'" + text.replace("'", "''") + "'"
