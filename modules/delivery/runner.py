"""Where jobs run that talk to the Kubernetes API: runners of GitHub cannot, so the spec says which can."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.section import Finding, fault

# Labels of the runners that GitHub has for everybody, such as ubuntu-24.04-arm. Larger runners, with
# addresses of their own, have labels that their owner has chosen.
_HOSTED = re.compile(r"(ubuntu|windows|macos)-", re.IGNORECASE)


def _label(label: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}", label):
        return label
    plain = re.sub(r"[^A-Za-z0-9._:-]+", "-", label).strip("-._:")[:100]
    raise fault(
        "the label of a runner is 1 to 100 letters, digits and . _ : -",
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
    raise fault(
        "a runner has at least one label", "write runner: [self-hosted, production], or the labels of yours"
    )


Runner = Annotated[tuple[Label, ...], Field(strict=False), AfterValidator(_labels)]


def runner_findings(
    runner: Sequence[str], named: bool, target: str, environment: str, public_cidrs: Sequence[object]
) -> Iterator[Finding]:
    """A runner of GitHub that would have to reach the cluster. `named`: the file says which runner."""
    own = any(label.lower() == "self-hosted" for label in runner)
    if target != "aws" or own or not any(_HOSTED.match(label) for label in runner):
        return
    reach = "the VPC and compute.endpoint.public_cidrs" if public_cidrs else "the VPC"
    rule = (
        f"jobs that plan and deploy reach the Kubernetes API from {reach} alone, and runners of GitHub are"
        " not there: their addresses are thousands and change"
    )
    remedy = f"write runner: [self-hosted, {environment}], labels of a runner inside: docs/delivery.md"
    yield Finding(("delivery", "runner"), rule, remedy, "" if named else "(missing)")
