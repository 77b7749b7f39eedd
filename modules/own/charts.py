"""Own charts: Helm charts of the company in `environments/<env>/<tier>/charts/`, a file for each release.

    chart, repository, version      the chart, at an exact version
    namespace, pod_security         its namespace, which Tierra creates, with its Pod Security Standard
    values                          the values of the chart
    pods                            the requests of its pods, for the capacity calculation

Each becomes a `helm_release` in the own Terraform of its tier, with the same settings as Tierra's releases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WithJsonSchema

from modules.systems.quantities import Cpu, Memory
from tierra.validation.errors import KeyPath, Problem, SpecError
from tierra.validation.explain import Explainer, place
from tierra.validation.labels import is_label, is_name
from tierra.validation.messages import choices, dotted
from tierra.validation.model import Model, rule_error
from tierra.validation.reader import Document, read
from tierra.validation.system_names import TAKEN

FOLDER = "charts"
# Tiers with the helm provider.
TIERS = ("gateway", "systems", "observability")
# Required keys.
LEAST = {
    "chart": "argo-cd",
    "repository": "https://charts.example.com",
    "version": "1.2.3",
    "namespace": "argo-cd",
}
MOST_PODS = 100  # identical pods of a chart
# A reference to an output of a tier; Terraform sees any other ${…} in values as text.
REFERENCE = r"\$\{data\.terraform_remote_state\.(\w+)\.outputs\.([a-zA-Z_]\w*)\}"
# Texts that are booleans in YAML 1.1, which Helm reads, and strings in YAML 1.2.
DOUBTFUL = re.compile(r"yes|no|on|off|y|n", re.IGNORECASE)


def _chart(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        return name
    rule = "chart must be the name of a chart in its repository"
    remedy = "write only the name, such as argo-cd, and the address as repository"
    raise rule_error(rule, remedy)


def _repository(address: str) -> str:
    if re.fullmatch(r"(https|oci)://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?", address):
        return address
    rule = "repository must start with https:// or oci://, without user, query or #"
    secure = re.sub(r"^http://", "https://", address)
    example = "https://charts.example.com or oci://registry.example.com/charts"
    raise rule_error(rule, f"write {secure}" if secure != address else f"write it like {example}")


def _version(version: str) -> str:
    if re.fullmatch(r"v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", version):
        return version
    rule = "version must be exact, so that a plan shows what an apply installs"
    raise rule_error(rule, 'write one version in full, such as "1.2.3"')


def _namespace(name: str) -> str:
    if not is_label(name, 43):
        rule = "a namespace must be at most 43 lowercase letters, digits and hyphens"
        raise rule_error(rule, "write it like datadog")
    if name in TAKEN or name.startswith("kube-"):
        rule = "a chart must have a separate namespace, but the platform uses this one"
        raise rule_error(rule, f"write another name, such as {name.removeprefix('kube-')}-own")
    return name


def _count(value: Any) -> Any:
    if value == "node" or (type(value) is int and 1 <= value <= MOST_PODS):
        return value
    rule = f"count must be a whole number from 1 to {MOST_PODS}, or node for one on each node"
    raise rule_error(rule, "write a number without quotes, or node")


def _such_as(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [example]})


ChartName = Annotated[str, AfterValidator(_chart), _such_as("argo-cd")]
Repository = Annotated[str, AfterValidator(_repository), _such_as("https://charts.example.com")]
Version = Annotated[str, AfterValidator(_version), _such_as("1.2.3")]
Namespace = Annotated[str, AfterValidator(_namespace), _such_as("argo-cd")]


class ChartPods(Model):
    """Identical pods of a chart: their requests and their number."""

    cpu: Cpu = Field(description="CPU request of each pod.")
    memory: Memory = Field(description="Memory request of each pod.")
    count: Annotated[Literal["node"] | int, BeforeValidator(_count)] = Field(
        default=1, description="Number of pods; node: one pod on every node."
    )


class OwnChart(Model):
    """A release of a chart of the company."""

    chart: ChartName
    repository: Repository
    version: Version
    namespace: Namespace
    pod_security: Literal["privileged", "baseline", "restricted"] = "baseline"
    collects_metrics: bool = False
    timeout_seconds: int = Field(default=600, ge=60, le=3600)
    pods: dict[str, ChartPods] = Field(default_factory=dict)
    values: dict[str, Any] = Field(default_factory=dict)

    @property
    def of_namespace(self) -> tuple[str, bool]:
        """The settings of its namespace."""
        return self.pod_security, self.collects_metrics


@dataclass(frozen=True)
class Release:
    """A chart, its file, and the lines of its keys. The name of the file is the name of the release."""

    name: str
    tier: str
    file: str
    chart: OwnChart
    document: Document

    @property
    def address(self) -> str:
        """The name of its `helm_release`."""
        return f"chart_{plain(self.name)}"

    def problem(self, key: str, rule: str, remedy: str) -> Problem:
        """A problem with a key of the file."""
        return Problem(key, self.document.shown((key,)), rule, remedy, self.document.line((key,)))


def plain(name: str) -> str:
    """A name as part of a Terraform name."""
    return name.replace("-", "_")


def read_chart(path: Path, tier: str) -> Release:
    """The release of a file. Raises SpecError with every problem of the file."""
    file, name = path.as_posix(), path.stem
    if tier not in TIERS:
        rule = f"own charts must be in a tier that has the provider helm: {choices(TIERS)}"
        raise SpecError(file, [Problem("", "", rule, f"move the file to {TIERS[-1]}/{FOLDER}/")])
    if path.suffix != ".yaml" or path.is_symlink() or not path.is_file():
        rule = f"a file in {FOLDER}/ must be *.yaml, named after its release"
        raise SpecError(file, [Problem("", "", rule, "write one file for each release")])
    if not is_name(name, 53):
        rule = "the name of the file must fit a release: at most 53 lowercase letters, digits and hyphens"
        raise SpecError(file, [Problem("", "", rule, "rename the file, such as to argo-cd.yaml")])
    document = read(path, LEAST)
    problems = [*document.problems, *_doubtful(document), *_unreadable(document)]
    try:
        chart = OwnChart.model_validate(document.data)
    except ValidationError as error:
        explainer = Explainer(OwnChart.model_json_schema(), "the file of a chart")
        for failure in error.errors():
            violation = explainer.violation(failure, document.shown(place(failure)))
            value = violation.value or document.shown(violation.path)
            line = document.line(violation.path)
            problems.append(Problem(dotted(violation.path), value, violation.rule, violation.remedy, line))
    if problems:
        raise SpecError(file, problems)
    return Release(name, tier, file, chart, document)


def _doubtful(document: Document) -> Iterator[Problem]:
    for path, text in document.texts.items():
        if path[:1] == ("values",) and DOUBTFUL.fullmatch(text):
            rule = f"a value must not be {text} without quotes: some YAML parsers read it as true or false"
            remedy = f'write true or false, or "{text}" for the text'
            yield Problem(dotted(path), text, rule, remedy, document.line(path))


def _unreadable(document: Document) -> Iterator[Problem]:
    for path, text in _texts(document.data.get("values"), ("values",)):
        if "data.terraform_remote_state" in re.sub(REFERENCE, "", text):
            rule = "values must read an output as ${data.terraform_remote_state.<tier>.outputs.<name>}"
            remedy = (
                "write it like this, without an index or a function; or write the helm_release in a file *.tf"
            )
            yield Problem(dotted(path), document.shown(path), rule, remedy, document.line(path))


def _texts(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def in_texts(release: Release) -> Iterator[tuple[KeyPath, str, str]]:
    """Outputs that are a part of a text or of a key: path, tier and name."""
    for path, text in _texts(release.chart.values, ("values",)):
        if not re.fullmatch(REFERENCE, text):
            yield from ((path, match[1], match[2]) for match in re.finditer(REFERENCE, text))
    for path in release.document.lines:
        if path[:1] == ("values",) and isinstance(path[-1], str):
            yield from ((path, match[1], match[2]) for match in re.finditer(REFERENCE, path[-1]))
