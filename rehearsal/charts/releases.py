"""Checks `helm_release` if helm is installed: renders the chart and checks the resulting objects.

What a rendering cannot contain is not checked: unknown values, charts that are not available locally, custom
resources whose definitions no chart installs. The account remembers the objects of each release that was
applied.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rehearsal.charts import helm, names, objects, quantities, schemas
from rehearsal.charts.manifests import Thing, mapping, parse_yaml, sequence, things
from rehearsal.charts.violations import Violation
from rehearsal.cloud import Cloud
from rehearsal.protocol import UNKNOWN, Object

TYPE = "helm_release"
NOTES = "release"  # the kind of the notes in the account
SETS = ("set", "set_list", "set_sensitive")
VALIDATE = "helm.sh/helm/v3, pkg/chartutil/validate_name.go"
LOCATE = "helm.sh/helm/v3, pkg/action/install.go, LocateChart"
PROVIDER = "hashicorp/terraform-provider-helm, helm/resource_helm_release.go"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class Releases:
    """The releases of the cluster that a provider block names, in a root module."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self.host = ""
        self.cache = ""

    def configure(self, config: Object) -> None:
        host = mapping(config.get("kubernetes")).get("host")
        cache = config.get("repository_cache")
        self.host = host if isinstance(host, str) else ""
        self.cache = cache if isinstance(cache, str) else ""

    def violations(
        self, planned: Object, config: Object, upgrade: bool, applying: bool = False
    ) -> list[Violation]:
        """The problems of a release that is installed or upgraded."""
        program = helm.program()
        if not program or not self.cloud.remembers:
            return []
        violations = list(self._arguments(program, planned))
        chart = self._chart(planned)
        if isinstance(chart, Violation):
            return [*violations, chart]
        if violations or not _known(planned) or config.get("set_wo"):
            return violations
        values = helm.merged([parse_yaml(text) for text in sequence(planned.get("values"))])
        if chart is None:
            return list(_resources(values))
        try:
            violations = [
                Violation(
                    f"values: {key}",
                    "neither the chart's values.yaml nor a template mentions it",
                    "",
                    sure=False,
                )
                for key in chart.unknown(values)
            ]
            if upgrade and planned.get("reuse_values") and not planned.get("reset_values"):
                return violations
            rendering = self._rendering(program, chart, planned, upgrade)
        except (OSError, tarfile.TarError, EOFError):
            return violations
        if planned.get("dependency_update") and "missing in charts/" in rendering.error:
            return violations  # helm would download them
        if rendering.error:
            return [*violations, *self._failed(chart, rendering.error)]
        if planned.get("postrender"):
            return violations
        created = list(things(rendering.printed, str(planned["namespace"])))
        violations += self._objects(chart, created, planned, upgrade)
        others = {name: objects for name, objects in self._others(planned).items() if name != _key(planned)}
        if applying and not planned.get("take_ownership"):
            violations += objects.owned_by_others(created, others)
        return violations

    def remember(self, planned: Object, upgrade: bool) -> None:
        """Records the objects of an applied release, as far as they are known."""
        program, chart = helm.program(), self._chart(planned)
        if not program or not self.cloud.remembers:
            return
        created: list[Thing] = []
        if isinstance(chart, helm.Chart) and _known(planned) and not planned.get("postrender"):
            try:
                printed = self._rendering(program, chart, planned, upgrade).printed
            except (OSError, tarfile.TarError, EOFError):
                printed = ""
            created = [thing for thing in things(printed, str(planned["namespace"])) if not thing.hook]
        records = [[thing.source, thing.namespace, thing.body] for thing in created]
        self.cloud.write_note(
            NOTES, self._id(planned), {"host": self.host, "release": _key(planned), "objects": records}
        )

    def forget(self, state: Object) -> None:
        self.cloud.forget_note(NOTES, self._id(state))

    def _id(self, state: Object) -> str:
        return f"{self.host} {_key(state)}"

    @property
    def version(self) -> str:
        """The Kubernetes version of the cluster; empty if the account has no such cluster."""
        clusters = self.cloud.all("aws_eks_cluster") if self.host else []
        versions = (
            str(cluster.get("version") or "") for cluster in clusters if cluster.get("endpoint") == self.host
        )
        return next(versions, "")

    def _others(self, planned: Object) -> dict[str, list[Thing]]:
        """The objects of each release that was applied to the cluster."""
        notes = (note for note in self.cloud.notes(NOTES) if note["host"] == self.host)
        return {
            note["release"]: [Thing(body, source, home) for source, home, body in note["objects"]]
            for note in notes
        }

    def _arguments(self, program: str, planned: Object) -> Iterator[Violation]:
        name, namespace = planned.get("name"), planned.get("namespace")
        if isinstance(name, str) and (len(name) > 53 or not _NAME.fullmatch(name)):
            message = (
                "must be a release name: at most 53 of a-z, 0-9, - and ., with a letter or digit at both ends"
            )
            yield Violation("name", f"{message}, got {name!r}", VALIDATE)
        if isinstance(namespace, str) and (words := names.label(namespace)):
            yield Violation("namespace", words, names.SOURCE)
        for index, text in enumerate(sequence(planned.get("values"))):
            if not isinstance(text, str):
                continue
            try:
                fits = isinstance(parse_yaml(text), dict | None)
            except (yaml.YAMLError, ValueError):
                fits = False
            if not fits and (answer := helm.refuses_values(program, text)):
                yield Violation(f"values[{index}]", answer, PROVIDER)

    def _chart(self, planned: Object) -> helm.Chart | Violation | None:
        """The chart, None if it is not available locally, or the problem of its path."""
        name, version, repository = (planned.get(argument) for argument in ("chart", "version", "repository"))
        if not isinstance(name, str) or repository is UNKNOWN:
            return None
        path = self.folder / name
        if not repository and not name.startswith("oci://"):
            if path.exists():
                return helm.Chart(path)
            if name.startswith(("/", ".")):
                return Violation("chart", f"path {name!r} not found", LOCATE)
        stored = helm.stored(name, version, self.cache) if isinstance(version, str) else None
        return helm.Chart(stored) if stored else None

    def _rendering(self, program: str, chart: helm.Chart, planned: Object, upgrade: bool) -> helm.Rendering:
        settings = [(kind, block) for kind in SETS for block in sequence(planned.get(kind))]
        served = set(schemas.built_in(schemas.nearest(self.version)).kinds)
        served |= {api for objects in self._others(planned).values() for api in _custom(objects)}
        release = helm.Release(
            name=str(planned["name"]),
            namespace=str(planned["namespace"]),
            given=[str(text) for text in sequence(planned.get("values"))],
            setting=[word for kind, block in settings for word in helm.setting(kind, block)],
            version=self.version or schemas.nearest(""),
            apis=sorted({name for api, kind in served for name in (api, f"{api}/{kind}")}),
            upgrade=upgrade,
            crds=not planned.get("skip_crds"),
            hooks=not planned.get("disable_webhooks"),
            secret=any(kind == "set_sensitive" for kind, _ in settings),
        )
        return helm.rendered(program, chart, release)

    def _failed(self, chart: helm.Chart, text: str) -> Iterator[Violation]:
        if "incompatible with Kubernetes" in text and not self.version:
            return
        # The results of lookups in the cluster, and features of a newer helm, are unknown here.
        unsure = ("execution error at" in text and chart.may_fail_on_lookup(text)) or "not defined" in text
        yield Violation("chart", text, "helm template", sure=not unsure)

    def _objects(
        self, chart: helm.Chart, created: Sequence[Thing], planned: Object, upgrade: bool
    ) -> Iterator[Violation]:
        others = self._others(planned)
        version = schemas.nearest(self.version)
        known = schemas.built_in(version)
        custom = {
            key: schema
            for objects_ in (*others.values(), created)
            for key, schema in _custom(objects_).items()
        }
        validator = objects.Validator(
            schemas=schemas.Schemas(known.definitions, custom),
            exact=bool(version) and self.version == version,
            waits=planned.get("wait") is not False,
            labels=_labels([thing for objects_ in (*others.values(), created) for thing in objects_]),
            chooses=chart.chooses,
        )
        yield from validator.violations(created)
        if upgrade:
            yield from objects.changes_of_immutable_fields(others.get(_key(planned), []), created)
        else:
            yield from objects.duplicates(created)


def _key(state: Object) -> str:
    return f"{state.get('namespace')}/{state.get('name')}"


def _known(planned: Object) -> bool:
    """Whether everything that a rendering needs is known."""
    needed = [planned.get(argument) for argument in ("name", "namespace", "values", *SETS)]
    return not _unknown(needed)


def _unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_unknown, value.values()))
    return any(map(_unknown, value)) if isinstance(value, list) else value is UNKNOWN


def _custom(created: Sequence[Thing]) -> dict[tuple[str, str], schemas.Schema]:
    schemas_: dict[tuple[str, str], schemas.Schema] = {}
    for thing in created:
        if thing.kind == "CustomResourceDefinition":
            schemas_ |= schemas.defined(thing.body)
    return schemas_


def _labels(created: Sequence[Thing]) -> dict[str, Mapping[str, Any]]:
    """Labels of the namespaces among these objects."""
    namespaces = (thing for thing in created if (thing.api, thing.kind) == ("v1", "Namespace"))
    return {thing.name: mapping(thing.metadata.get("labels")) for thing in namespaces}


def _resources(values: Any, path: str = "") -> Iterator[Violation]:
    """Requests and limits of containers in the values of a chart that is not available locally: all charts
    use these names."""
    if isinstance(values, dict):
        for key, value in values.items():
            where = f"{path}.{key}" if path else str(key)
            if key == "resources" and {"limits", "requests"} & set(mapping(value)):
                for argument, message in quantities.requirements(value, where):
                    if argument.endswith((".cpu", ".memory")):
                        yield Violation(f"values: {argument}", message, quantities.SOURCE)
            else:
                yield from _resources(value, where)
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from _resources(value, f"{path}[{index}]")
