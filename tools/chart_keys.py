"""Records which values a published chart accepts, for the tests, which cannot download it.

    python -m tools.chart_keys <folder of the chart>

It reads the chart's own values and the values that its templates ask for, and writes their names to
tests/charts/<chart>-<version>.yaml. `{}` stands for an open map, such as labels, in which every key is right.
Charts that it depends on are read where they lie, below charts/.
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
# Every chart has these, whatever its values say.
ALWAYS: Tree = {"global": {}}

_PATH = r"\.Values((?:\.[A-Za-z_][A-Za-z0-9_]*)+)"
_ASKED = re.compile(_PATH)
# What is printed as it comes, or looked through key by key, is an open map.
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
    """Charts below this one, by the key under which their values stand."""
    named = {
        each["name"]: each.get("alias", each["name"])
        for each in _read(chart / "Chart.yaml").get("dependencies", [])
    }
    for below in sorted(chart.glob("charts/*/Chart.yaml")):
        name = _read(below)["name"]
        yield named.get(name, name), below.parent


def _of_values(value: Any) -> Any:
    """What is an empty map or nothing by default may be anything; a list is a value."""
    if isinstance(value, dict):
        return {str(key): _of_values(item) for key, item in value.items()}
    return {} if value is None else None


def _paths(pattern: re.Pattern[str], text: str) -> Iterator[list[str]]:
    for found in pattern.finditer(text):
        yield next(group for group in found.groups() if group).strip(".").split(".")


def _reach(tree: Tree, path: list[str]) -> None:
    """Adds a path that a template asks for, unless it leads into an open map."""
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


def _merged(one: Any, other: Any) -> Any:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return one
    if not one or not other:
        return one or other
    return {
        key: _merged(one[key], other[key]) if key in one and key in other else one.get(key, other.get(key))
        for key in {**one, **other}
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
