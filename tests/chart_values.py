"""The values that releases give to published charts, held against the keys that these charts have.

Charts take a misspelt value silently. tests/charts/<chart>-<version>.yaml lists the keys of a chart at its
version; `python -m tools.chart_keys` writes it. There `{}` is an open map, in which every key is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from conftest import Root

KEYS = Path(__file__).parent / "charts"


class Values(NamedTuple):
    """What one release gives to a published chart."""

    address: str
    chart: str
    version: str
    documents: list[dict[str, Any]]


def published(root: Root) -> Iterator[Values]:
    """The releases of a root module whose charts come from a repository."""
    for name, release in root.all("helm_release").items():
        if "repository" in release:
            texts = [text.replace("$${", "${").replace("%%{", "%{") for text in release.get("values", [])]
            documents = [yaml.safe_load(text) or {} for text in texts]
            yield Values(f"helm_release.{name}", release["chart"], release["version"], documents)


def keys_of(chart: str, version: str) -> dict[str, Any]:
    """The keys of a chart. A version whose keys nobody wrote down is an error, not a pass."""
    path = KEYS / f"{chart}-{version}.yaml"
    assert path.exists(), f"no {path.name}: unpack the chart and run python -m tools.chart_keys on its folder"
    keys: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return keys


def unknown(values: dict[str, Any], keys: dict[str, Any]) -> list[str]:
    """The dotted paths of what the chart would ignore."""
    return list(_unknown(values, keys, ()))


def misspelt(root: Root) -> list[str]:
    """The dotted paths, by release, of what the charts of a root module would ignore."""
    return [
        f"{release.address}: {path}"
        for release in published(root)
        for document in release.documents
        for path in unknown(document, keys_of(release.chart, release.version))
    ]


def _unknown(values: dict[str, Any], keys: dict[str, Any], at: tuple[str, ...]) -> Iterator[str]:
    for key, value in values.items():
        path = (*at, str(key))
        if key not in keys:
            yield ".".join(path)
        elif isinstance(value, dict) and keys[key] != {}:
            if keys[key] is None:  # a single value, to the chart
                yield ".".join(path)
            else:
                yield from _unknown(value, keys[key], path)
