"""Records which values a published chart accepts, for the tests, which cannot download it.

    python -m tools.chart_keys <folder of the chart>

It reads the chart's own values and the values that its templates use, and writes their names to
tests/charts/<chart>-<version>.yaml. `{}` stands for an open map, such as labels, in which every key is valid.
Dependencies are read from the folder charts/ of the chart.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

KEYS = Path(__file__).resolve().parent.parent / "tests/charts"
Tree = dict[str, Any]
# Keys that every chart accepts.
ALWAYS: Tree = {"global": {}}

_PATH = r"\.Values((?:\.[A-Za-z_][A-Za-z0-9_]*)+)"
_ASKED = re.compile(_PATH)
# A map that a template prints as a whole or iterates over is an open map.
_OPEN = re.compile(
    rf"(?:toYaml|tpl \(toYaml|range \$\w+, \$\w+ :=|\"value\")\s+\(?\$?{_PATH}"
    rf"|with \$?{_PATH}\s*-?}}}}[^{{]*{{{{-?\s*(?:toYaml|tpl \(toYaml) \.[\s)]"
    rf"|\$?{_PATH}\s*\|\s*toYaml"
)


def keys(chart: Path) -> Tree:
    """The tree of keys: None for a value, `{}` for an open map."""
    tree = _of_values(_read(chart / "values.yaml"))
    sources = "\n".join(path.read_text(encoding="utf-8") for path in _templates(chart))
    for path in _paths(_ASKED, sources):
        _reach(tree, path)
    for path in _paths(_OPEN, sources):
        _open(tree, path)
    for name, below in _dependencies(chart):
        tree[name] = _merged(keys(below), tree.get(name) or {})
    return {**ALWAYS, **tree}


def _templates(chart: Path) -> Iterator[Path]:
    for path in sorted((chart / "templates").rglob("*")):
        if path.suffix in (".yaml", ".yml", ".tpl", ".txt"):
            yield path


def _dependencies(chart: Path) -> Iterator[tuple[str, Path]]:
    """Charts on which this one depends, each with the key of its values."""
    aliases = {
        dependency["name"]: dependency.get("alias", dependency["name"])
        for dependency in _read(chart / "Chart.yaml").get("dependencies", [])
    }
    for below in sorted(chart.glob("charts/*/Chart.yaml")):
        name = _read(below)["name"]
        yield aliases.get(name, name), below.parent


def _of_values(value: Any) -> Any:
    """An empty map or null by default may have any keys; a list is a value."""
    if isinstance(value, dict):
        return {str(key): _of_values(item) for key, item in value.items()}
    return {} if value is None else None


def _paths(pattern: re.Pattern[str], text: str) -> Iterator[list[str]]:
    for match in pattern.finditer(text):
        yield next(group for group in match.groups() if group).strip(".").split(".")


def _reach(tree: Tree, path: list[str]) -> None:
    """Adds a path that a template uses, unless it leads into an open map."""
    for index, step in enumerate(path):
        last = index == len(path) - 1
        if step not in tree:
            tree[step] = None if last else {}
            if last:
                return
            tree = tree[step]
            for missing in path[index + 1 : -1]:
                tree = tree.setdefault(missing, {})
            tree[path[-1]] = None
            return
        if last or not tree[step]:
            return
        tree = tree[step]


def _open(tree: Tree, path: list[str]) -> None:
    for step in path[:-1]:
        below = tree.get(step)
        if not below:
            return
        tree = below
    if isinstance(tree.get(path[-1], {}), dict):
        tree[path[-1]] = {}


def _merged(first: Any, second: Any) -> Any:
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return first
    if not first or not second:
        return first or second
    return {
        key: _merged(first[key], second[key])
        if key in first and key in second
        else first.get(key, second.get(key))
        for key in {**first, **second}
    }


def _read(path: Path) -> Any:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}


def main() -> int:
    """The exit code."""
    for folder in map(Path, sys.argv[1:]):
        manifest = _read(folder / "Chart.yaml")
        if not manifest:
            print(f"{folder}: no Chart.yaml there; give the folder of an unpacked chart", file=sys.stderr)
            return 1
        path = KEYS / f"{manifest['name']}-{manifest['version']}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(keys(folder), sort_keys=True, width=100), encoding="utf-8")
        print(f"wrote {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
