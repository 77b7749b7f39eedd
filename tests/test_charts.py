"""Published charts, of every tier: at one version, with values under keys that they have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_values import TREES, keys_of, unknown
from conftest import Root

# A value that is a reference to a resource is known to nobody yet.
REFERENCE = re.compile(r"(?<!\$)\$\{[^}]*\}")


def published(roots: dict[str, Root]) -> dict[str, dict[str, Any]]:
    """Releases of published charts, by tier and name."""
    found = {
        f"{tier}.{name}": release
        for tier, root in roots.items()
        for name, release in root.all("helm_release").items()
        if "repository" in release
    }
    assert {"gateway.kong", "observability.prometheus", "observability.grafana"} <= found.keys()
    return found


def test_every_value_is_one_that_its_chart_knows(roots: dict[str, Root]) -> None:
    for name, release in published(roots).items():
        keys = keys_of(release["chart"], release["version"]) if "values" in release else {}
        for text in release.get("values", []):
            assert list(unknown(yaml.safe_load(REFERENCE.sub("it", text)), keys)) == [], name


def test_charts_are_pinned_to_one_version(roots: dict[str, Root]) -> None:
    for name, release in published(roots).items():
        assert re.fullmatch(r"v?\d+\.\d+\.\d+", release["version"]), name
        assert release["repository"].startswith("https://"), name


@pytest.mark.parametrize("path", sorted(TREES.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_tree_of_keys_is_left_over_from_an_earlier_version(path: Path, roots: dict[str, Root]) -> None:
    used = {f"{each['chart']}-{each['version']}" for each in published(roots).values()}
    scaling = roots["compute"].environment.compute.scaling
    assert path.stem in used | ({path.stem} if "autoscaler" in path.stem and scaling != "pods" else set())
