"""The real helm: its path, the charts that it finds without a network, and what it renders.

Sources: helm.sh/helm/v3, pkg/action/install.go (LocateChart) and pkg/chartutil; getValues, getListValue and
setValue in helm/resource_helm_release.go of hashicorp/terraform-provider-helm.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rehearsal.catalog import catalog_path
from rehearsal.charts.manifests import mapping
from tierra.files import write

INSTALLED = ".venv/installed-helm"
SECONDS = 120
_ASKS = re.compile(r"\blookup\b|Capabilities\.APIVersions")
_ASKS_OR_CALLS = re.compile(rf"{_ASKS.pattern}|\b(include|template|tpl)\b")
_SETTERS = {"string": "--set-string", "literal": "--set-literal"}


def program() -> str:
    """The helm that `make charts` installed; empty if it is not installed."""
    project = catalog_path().parent.parent
    if not (project / INSTALLED).exists():
        return ""
    own = project / ".venv/bin/helm"
    return str(own) if own.exists() else shutil.which("helm") or ""


def stored(name: str, version: str, repository_cache: str = "") -> Path | None:
    """The archive of a published chart, in the cache of helm or in `.rehearsal/charts`."""
    cache = os.environ.get("HELM_CACHE_HOME") or str(
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "helm")
    )
    mac = Path.home() / "Library/Caches/helm/repository"
    folders = [
        Path(repository_cache or os.environ.get("HELM_REPOSITORY_CACHE") or Path(cache, "repository")),
        mac,
        catalog_path().parent / "charts",
    ]
    file = f"{name.rpartition('/')[2]}-{version}.tgz"
    return next((folder / file for folder in folders if (folder / file).is_file()), None)


@dataclass(frozen=True)
class Chart:
    """A folder or an archive."""

    path: Path

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Each file by its path in the chart. Raises OSError or tarfile.TarError if the chart cannot be
        read."""
        if self.path.is_dir():
            paths = sorted(path for path in self.path.rglob("*") if path.is_file())
            return {path.relative_to(self.path).as_posix(): path.read_bytes() for path in paths}
        with tarfile.open(self.path) as archive:
            members = [member for member in archive.getmembers() if member.isfile()]
            read = ((member.name.partition("/")[2], archive.extractfile(member)) for member in members)
            return {name: file.read() for name, file in read if file}

    @cached_property
    def digest(self) -> str:
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    @cached_property
    def text(self) -> str:
        """All templates, including those of subcharts, and the manifest."""
        named = (
            content
            for name, content in self.files.items()
            if "templates/" in name or name.endswith("Chart.yaml")
        )
        return "\n".join(content.decode(errors="replace") for content in named)

    def may_fail_on_lookup(self, error: str) -> bool:
        """Whether a template that called `fail` may have done so because of a lookup in the cluster."""
        if not _ASKS.search(self.text):
            return False
        match = re.search(r"execution error at \([^/]+/(\S+?):(\d+):", error)
        if not match or match[1] not in self.files:
            return True
        lines = self.files[match[1]].decode(errors="replace").splitlines()
        return bool(_ASKS_OR_CALLS.search("\n".join(lines[: int(match[2])])))

    @property
    def chooses(self) -> bool:
        """Whether a template reads the available apiVersions: helm without a cluster lists old ones too."""
        return "Capabilities.APIVersions" in self.text

    def unknown(self, values: Mapping[str, Any]) -> list[str]:
        """Top-level keys that the chart does not mention; none if that cannot be determined."""
        if "values.schema.json" in self.files or "values.yaml" not in self.files:
            return []
        if re.search(r"\.Values(?![\w.])|\bindex\s+\S*\.Values\s|Files\.", self.text):
            return []
        text = self.text + self.files["values.yaml"].decode(errors="replace")
        parts = {name.split("/")[1] for name in self.files if name.startswith("charts/")}
        inside = {re.sub(r"-v?\d+\.\d+.*$", "", part) for part in parts}
        return sorted(
            key
            for key in map(str, values)
            if key not in {"global", *inside} and not re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", text)
        )


@dataclass(frozen=True)
class Release:
    """A release to be installed. `given` are values as YAML, `setting` the options for single values."""

    name: str
    namespace: str
    given: Sequence[str] = ()
    setting: Sequence[str] = ()
    version: str = ""  # of Kubernetes
    apis: Sequence[str] = ()  # that custom resources bring
    upgrade: bool = False
    crds: bool = True
    hooks: bool = True
    secret: bool = False  # never written to a file

    @property
    def options(self) -> Iterator[str]:
        yield from ("--namespace", self.namespace)
        if self.version:
            yield from ("--kube-version", self.version)
        for api in self.apis:
            yield from ("--api-versions", api)
        if self.upgrade:
            yield "--is-upgrade"
        if self.crds:
            yield "--include-crds"
        if not self.hooks:
            yield "--no-hooks"
        yield from self.setting


@dataclass(frozen=True)
class Rendering:
    """The output of helm, or its error."""

    printed: str = ""
    error: str = ""


def setting(kind: str, block: Mapping[str, Any]) -> tuple[str, str]:
    """The option of helm for one block `set`, `set_sensitive` or `set_list`."""
    if kind == "set_list":
        return "--set", f"{block['name']}={{{','.join(map(str, block.get('value') or []))}}}"
    return _SETTERS.get(str(block.get("type")), "--set"), f"{block['name']}={block.get('value')}"


def rendered(helm: str, chart: Chart, release: Release) -> Rendering:
    """The output of `helm template`, cached by the contents of everything that it depends on."""
    what = json.dumps([chart.digest, release.name, list(release.given), list(release.options), _stamp(helm)])
    file = catalog_path().parent / "scratch/charts" / hashlib.sha256(what.encode()).hexdigest()
    if file.exists():
        return Rendering(**json.loads(file.read_text(encoding="utf-8")))
    output = _run(helm, str(chart.path), release)
    if not release.secret:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(file, json.dumps({"printed": output.printed, "error": output.error}))
    return output


def refuses_values(helm: str, text: str) -> str:
    """The error of helm for values that are not YAML; empty if it can read them."""
    with tempfile.TemporaryDirectory(prefix="tierra-chart-") as folder:
        Path(folder, "Chart.yaml").write_text("apiVersion: v2\nname: it\nversion: 1.0.0\n")
        return _run(helm, folder, Release("it", "default", [text])).error


def _stamp(helm: str) -> int:
    return os.stat(helm).st_mtime_ns


def _run(helm: str, chart: str, release: Release) -> Rendering:
    with tempfile.TemporaryDirectory(prefix="tierra-helm-") as folder:
        options = list(release.options)
        for number, text in enumerate(release.given):
            file = Path(folder, f"values-{number}.yaml")
            file.write_text(text, encoding="utf-8")
            options += ["--values", str(file)]
        homes = {f"HELM_{kind}_HOME": folder for kind in ("CACHE", "CONFIG", "DATA")}
        try:
            ended = subprocess.run(
                [helm, "template", release.name, chart, *options],
                capture_output=True,
                text=True,
                env={**os.environ, **homes, "KUBECONFIG": os.devnull, "HELM_PLUGINS": folder},
                check=False,
                timeout=SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return Rendering()
        error = _shortened(ended.stderr, folder) if ended.returncode else ""
        return Rendering("" if error else ended.stdout, error)


def _shortened(text: str, folder: str) -> str:
    """The error of helm, without its advice and the paths of this run."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("WARNING", "Use --debug"))]
    return "\n".join(lines).removeprefix("Error: ").replace(f"{folder}/", "").strip() or "it failed"


def merged(documents: Sequence[Any]) -> dict[str, Any]:
    """Values as helm merges them: a later document overrides an earlier one, key by key."""
    result: dict[str, Any] = {}
    for document in documents:
        result = _merge(result, mapping(document))
    return result


def _merge(first: dict[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(first)
    for key, value in second.items():
        old = both.get(key)
        both[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both
