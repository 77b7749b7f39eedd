"""Lists everything that has a version: the pinned version, the newest one, and since when the pinned one is
outdated.

    python -m tools.renewal [FILE]

Pinned versions are read from the files that pin them, so nothing is listed twice; the newest ones come from
registries, without credentials. A registry that does not answer is reported, and is no error. FILE gets the
outdated ones as Markdown, or is empty if there are none: a workflow opens an issue with this text. Exit
code 0.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from tierra.bindings.imports import sources
from tierra.bindings.terraform import REGISTRIES
from tierra.versions import numbers
from tools import registries
from tools.registries import ASKED, Unreachable, Version

ROOT = Path(__file__).resolve().parent.parent
STACK = "tierra/terraform/stack.py"
AWS = "aws"  # answers with credentials alone: tools.versions
# endoflife.date's name of each table of tierra/aws/versions.yaml.
LIFE = {
    "kubernetes": "amazon-eks",
    "postgres": "amazon-rds-postgresql",
    "redis": "amazon-elasticache-redis",
    "valkey": "amazon-elasticache-valkey",
    "documentdb": "amazon-documentdb",
}
ORDER = (
    "terraform", "provider", "bindings", "chart", "image", "plugin", "action", "runner", "kubernetes",
    "add-on", "engine", "python", "npm",
)  # fmt: skip
PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.M)
ACTION = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40}) # (v[\w.]+)")
LOCKED = re.compile(r'^provider "([^"]+)" \{\s*version\s*=\s*"([^"]+)"', re.M)
TAGGED = re.compile(
    r'repository: <%= registry\["(?P<host>[^"]+)"\] %>/(?P<path>\S+)\n\s+tag: <%= (?P<name>\w+) \| tojson %>'
)
IMAGE = re.compile(r"^\s+\w+: ((?:[a-z0-9-]+/)+[a-z0-9-]+):([\w.-]+)$", re.M)


@dataclass(frozen=True)
class Pin:
    """A version in a file. `asked` is the registry that has it, with its name there; empty: none. Only
    versions that start with `line` count as newer."""

    kind: str
    name: str
    version: str
    file: str
    asked: tuple[str, str] = ("", "")
    line: str = ""


@dataclass(frozen=True)
class Row:
    """The result for a pin. `newest` is empty if no registry answered, which `remark` explains; `since` is
    the day of the first newer release, if the registry has it."""

    pin: Pin
    newest: str = ""
    old: bool = False
    since: date | None = None
    remark: str = ""


# --- pinned versions ---


def pins(root: Path = ROOT) -> list[Pin]:
    """Everything that has a version, in order."""
    result = {
        *_terraform(root),
        *_modules(root),
        *_images(root),
        *_table(root),
        *_packages(root),
    }
    return sorted(result, key=lambda pin: (ORDER.index(pin.kind), pin.name, pin.file, pin.version))


def _read(root: Path, path: str) -> str:
    file = root / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _terraform(root: Path) -> Iterator[Pin]:
    values = _constants(root / STACK)
    for name, repository in (("Terraform", "hashicorp/terraform"), ("OpenTofu", "opentofu/opentofu")):
        yield Pin("terraform", name, str(values["TERRAFORM"]), STACK, ("github", repository))
    for name, version in dict(values["PROVIDERS"]).items():
        yield Pin(
            "provider",
            f"hashicorp/{name}",
            version,
            STACK,
            ("terraform", f"hashicorp/{name}"),
        )
    schemas = root / "tierra/bindings/providers.json.gz"
    for name, provider in _providers(schemas):
        file = schemas.relative_to(root).as_posix()
        yield Pin("provider", f"hashicorp/{name}", provider, file, ("terraform", f"hashicorp/{name}"))
    lock = "environments/providers.lock.hcl"
    programs = {host: name.lower() for name, host in REGISTRIES.items()}
    for address, version in LOCKED.findall(_read(root, lock)):
        host, _, name = address.partition("/")
        yield Pin("provider", address, version, lock, (programs.get(host, ""), name))


def _providers(file: Path) -> Iterator[tuple[str, str]]:
    for name, provider in json.loads(gzip.decompress(file.read_bytes())).items():
        yield name, str(provider["version"])


def _modules(root: Path) -> Iterator[Pin]:
    """Charts, actions and plugins, from the source of the modules; nothing is imported."""
    for file in [*sources(root), *sorted((root / "tierra" / "github").glob("*.py"))]:
        path, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
        for name, _, tag in ACTION.findall(text):
            yield Pin("action", name, tag, path, ("github", name))
        values = _constants(file)
        for call in ast.walk(ast.parse(text)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Chart":
                words = [_value(argument, values) for argument in call.args]
                if len(words) == 3 and all(isinstance(word, str) for word in words):
                    name, version, repository = words
                    yield Pin("chart", name, version, path, ("helm", f"{repository} {name}"))
        for name, value in values.items():
            if name.endswith("_PLUGIN") and isinstance(value, str):
                plugin, _, version = value.partition("@")
                yield Pin("plugin", plugin, version, path, ("grafana", plugin))
            if name == "IMAGE" and isinstance(value, str):
                image, _, version = value.rpartition(":")
                yield Pin("image", image, version, path, (AWS, image))
    for file in sorted((root / "templates").rglob("*.yml")):
        path = file.relative_to(root).as_posix()
        for label in set(re.findall(r"runs-on: (ubuntu-[\d.]+)$", file.read_text(encoding="utf-8"), re.M)):
            yield Pin("runner", "ubuntu", label.partition("-")[2], path)


def _images(root: Path) -> Iterator[Pin]:
    """Images with a tag in values of charts: written there, or from a constant of a module."""
    texts = {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in sources(root)}
    for file in sorted((root / "templates").rglob("*.yaml")):
        path, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
        for match in TAGGED.finditer(text):
            image = f"{match['host']}/{match['path']}"
            for source, code in texts.items():
                if source.split("/")[1] != path.split("/")[1]:
                    continue  # values are filled in by the tier of the same name
                for constant in re.findall(rf"\b{match['name']}=(\w+)[,)]", code):
                    if version := _constants(root / source).get(constant):
                        yield Pin("image", image, str(version), source, ("image", image))
        if host := re.search(r"^registry: (\S+)$", text, re.M):
            for name, version in IMAGE.findall(text):
                image = f"{host[1]}/{name}"
                yield Pin("image", image, version, path, ("image", image))


def _table(root: Path) -> Iterator[Pin]:
    """Rows of tierra/aws/versions.yaml: of Kubernetes and engines the newest that is offered, of add-ons and
    of the autoscaler all."""
    path = "tierra/aws/versions.yaml"
    table = yaml.safe_load(_read(root, path))
    for section, rows in table.items():
        if section in LIFE:
            offered = [version for version, row in rows.items() if row.get("offered", True)]
            kind = "kubernetes" if section == "kubernetes" else "engine"
            yield Pin(kind, section, max(offered, key=numbers), path, ("endoflife", LIFE[section]))
        elif section == "addons":
            for kubernetes, row in rows.items():
                for name, version in row.items():
                    if name not in ("source", "read"):
                        yield Pin("add-on", f"{name} of {kubernetes}", version, path, (AWS, name))
        elif section == "autoscaler":
            image = "registry.k8s.io/autoscaling/cluster-autoscaler"
            for kubernetes, row in rows.items():
                line = f"v{kubernetes}."
                yield Pin("image", f"{image} of {kubernetes}", row["image"], path, ("image", image), line)


def _packages(root: Path) -> Iterator[Pin]:
    for file in sorted((root / "requirements").glob("*.lock")):
        path = file.relative_to(root).as_posix()
        for name, version in PACKAGE.findall(file.read_text(encoding="utf-8")):
            kind = "bindings" if name.startswith(("cdktf", "cdktn")) else "python"
            yield Pin(kind, name, version, path, ("python", name))
    for file in sorted((root / "requirements").glob("*.json")):
        lock = json.loads(file.read_text(encoding="utf-8"))
        path = file.relative_to(root).as_posix()
        yield Pin("npm", lock["package"], lock["version"], path, ("npm", lock["package"]))


def _constants(file: Path) -> dict[str, Any]:
    """The constants at the top of a module that have plain values."""
    constants: dict[str, Any] = {}
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=False))
            for name, element in pairs:
                if isinstance(name, ast.Name) and (constant := _value(element, constants)) is not None:
                    constants[name.id] = constant
    return constants


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


# --- newest versions ---


def newer(pin: Pin, releases: list[Version]) -> list[Version]:
    """The releases that are newer than the pinned one, the newest last; for a range, those after its end."""
    last = re.findall(r"< *([\d.]+)", pin.version)
    if pin.version.startswith(">") and not last:
        return []
    ours = numbers(last[0] if last else pin.version)
    same = [release for release in releases if release[0].startswith(pin.line) and numbers(release[0])]
    if pin.kind == "image" and not last:  # a tag with fewer numbers moves
        same = [release for release in same if len(numbers(release[0])) == len(ours)]
    past = [
        release for release in same if numbers(release[0]) > ours or (last and numbers(release[0]) == ours)
    ]
    return sorted(past, key=lambda release: numbers(release[0])) if ours else []


def answer(pin: Pin) -> Row:
    """The result of asking the registry of a pin."""
    registry, name = pin.asked
    if registry == AWS:
        return Row(pin, remark="only AWS has it: run make versions with credentials")
    if not registry:
        return Row(pin, remark="no registry")
    try:
        releases = [
            release
            for release in ASKED[registry](name)
            if numbers(release[0]) and release[0].startswith(pin.line)
        ]
    except (Unreachable, KeyError, TypeError, ValueError, AttributeError) as error:
        return Row(
            pin, remark=f"not asked: {error}" if isinstance(error, Unreachable) else "unexpected answer"
        )
    if not releases:
        return Row(pin, remark="the registry has no release of it")
    past = newer(pin, releases)
    newest = past[-1][0] if past else max((version for version, _ in releases), key=numbers)
    return Row(pin, newest, bool(past), _first(registry, name, past))


def _first(registry: str, name: str, past: list[Version]) -> date | None:
    """The day of the first newer release; None if the registry does not have the day of each."""
    days = [released for _, released in past if released]
    if past and len(days) < len(past):
        try:
            return registries.released(registry, name, past[0][0])
        except (Unreachable, AttributeError):
            return None
    return min(days, default=None)


def rows(root: Path = ROOT) -> list[Row]:
    """The result for each pin, in the order of the pins."""
    all_pins = pins(root)
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(answer, all_pins))


# --- output ---


def lines(results: list[Row], today: date) -> Iterator[str]:
    table = [("", "", "here", "newest", "since", "file"), *(_cells(row, today) for row in results)]
    widths = [max(len(cells[at]) for cells in table) for at in range(5)]
    for cells in table:
        start = "  ".join(f"{cell:{width}}" for cell, width in zip(cells[:5], widths, strict=True))
        yield f"{start}  {cells[5]}".rstrip()
    old, silent = sum(row.old for row in results), sum(not row.newest for row in results)
    yield f"versions: {len(results)} in all, {old} old, {silent} without an answer"


def _cells(row: Row, today: date) -> tuple[str, ...]:
    pin = row.pin
    since = _since(row, today) if row.old else row.remark
    return (pin.kind, pin.name, pin.version, row.newest or "?", since, pin.file)


def _since(row: Row, today: date) -> str:
    return f"{row.since} ({(today - row.since).days} days)" if row.since else "old; the date is unknown"


def markdown(results: list[Row], today: date) -> str:
    """The outdated versions as a table; empty if there are none."""
    old = sorted((row for row in results if row.old), key=lambda row: (row.since or today, row.pin.name))
    if not old:
        return ""
    head = f"{len(old)} of {len(results)} versions are old. `make versions` lists all of them."
    table = ["| | | here | newest | since | file |", "|---|---|---|---|---|---|"]
    table += [f"| {' | '.join(_plain(cell) for cell in _cells(row, today))} |" for row in old]
    silent = [row for row in results if not row.newest]
    reasons = sorted({row.remark for row in silent})
    more = [f"No answer for {len(silent)}: {'; '.join(map(_plain, reasons))}."] if silent else []
    return "\n".join([head, "", *table, "", *more]).rstrip() + "\n"


def _plain(text: str) -> str:
    """Text of a registry without Markdown and without mentions of users."""
    return re.sub(r"([|<>\[\]`*_@\\])", r"\\\1", text)


def main() -> int:
    today = datetime.now(UTC).date()
    results = rows()
    print("\n".join(lines(results, today)))
    for file in sys.argv[1:2]:
        Path(file).write_text(markdown(results, today), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
