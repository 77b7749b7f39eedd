"""Tests of published charts: each is pinned to one version, and its values have keys that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Root
from support.chart_values import TREES, keys_of, unknown

# A value that refers to a resource is unknown here.
REFERENCE = re.compile(r"(?<!\$)\$\{[^}]*\}")


def published(roots: dict[str, Root]) -> dict[str, dict[str, Any]]:
    """Releases of published charts, by tier and name."""
    releases = {
        f"{tier}.{name}": release
        for tier, root in roots.items()
        for name, release in root.all("helm_release").items()
        if "repository" in release
    }
    assert {"gateway.kong", "observability.prometheus", "observability.grafana"} <= releases.keys()
    return releases


def test_every_value_has_a_key_of_its_chart(roots: dict[str, Root]) -> None:
    for name, release in published(roots).items():
        keys = keys_of(release["chart"], release["version"]) if "values" in release else {}
        for text in release.get("values", []):
            assert list(unknown(yaml.safe_load(REFERENCE.sub("it", text)), keys)) == [], name


def test_charts_are_pinned_to_one_version(roots: dict[str, Root]) -> None:
    for name, release in published(roots).items():
        assert re.fullmatch(r"v?\d+\.\d+\.\d+", release["version"]), name
        assert release["repository"].startswith("https://"), name


def test_crds_that_helm_never_upgrades_are_documented(roots: dict[str, Root]) -> None:
    """A new chart version requires a review; a chart with a folder crds/ needs a documented command."""
    lines = (TREES / "definitions.txt").read_text(encoding="utf-8").splitlines()
    where = {
        (chart, version): kind for chart, version, kind in (line.split() for line in lines if line[0] != "#")
    }
    asked = re.findall(
        r"^helm show crds (\S+) --repo (\S+) --version (\S+) \|",
        (ROOT / "docs/upgrade-cluster.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    releases = published(roots).values()
    used = {(each["chart"], each["repository"], each["version"]) for each in releases}
    assert {(chart, version) for chart, _, version in used} <= where.keys()
    assert {(chart, version) for chart, _, version in asked} == {key for key in where if where[key] == "crds"}
    assert set(asked) == {each for each in used if where[each[0], each[2]] == "crds"}
    for each in releases:
        if where[each["chart"], each["version"]] == "off":
            assert [yaml.safe_load(REFERENCE.sub("it", text))["crds"] for text in each["values"]] == [
                {"enabled": False}
            ]


@pytest.mark.parametrize("path", sorted(TREES.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_key_list_of_an_earlier_chart_version_remains(path: Path, roots: dict[str, Root]) -> None:
    used = {f"{each['chart']}-{each['version']}" for each in published(roots).values()}
    scaling = roots["compute"].environment.compute.scaling
    assert path.stem in used | ({path.stem} if "autoscaler" in path.stem and scaling != "pods" else set())
