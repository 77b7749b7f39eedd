"""Compares values with the keys of published charts, because helm silently ignores misspelt keys.

tests/charts/<chart>-<version>.yaml is the tree of a chart's keys, made from its values.yaml by

    .venv/bin/python tests/support/chart_values.py VALUES_YAML > tests/charts/<chart>-<version>.yaml

`null` is a single value or a list, `{}` a place below which a chart takes anything. Keys that a chart's
templates read although its values.yaml lacks them are added by hand, and the head of the tree says which.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TREES = Path(__file__).resolve().parents[1] / "charts"


def keys_of(chart: str, version: str) -> dict[str, Any]:
    """The tree of a chart's keys. Raises FileNotFoundError for a chart or version without one."""
    tree: dict[str, Any] = yaml.safe_load((TREES / f"{chart}-{version}.yaml").read_text(encoding="utf-8"))
    return tree


def unknown(values: dict[str, Any], tree: dict[str, Any], at: str = "") -> Iterator[str]:
    """Dotted paths of keys that the chart lacks, and of mappings where it expects a single value or a
    list."""
    for key, value in values.items():
        path = f"{at}.{key}" if at else key
        if key not in tree or (isinstance(value, dict) and tree[key] is None):
            yield path
        elif isinstance(value, dict) and tree[key]:
            yield from unknown(value, tree[key], path)


def tree_of(values: dict[str, Any]) -> dict[str, Any]:
    """Keys without values. A key without a value in the chart (`key:`) may have any value."""
    return {
        key: tree_of(value) if isinstance(value, dict) else {} if value is None else None
        for key, value in values.items()
    }


if __name__ == "__main__":
    yaml.safe_dump(tree_of(yaml.safe_load(Path(sys.argv[1]).read_text())), sys.stdout)
