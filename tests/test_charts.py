"""Published charts: values under keys that exist, at versions that are pinned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from chart_values import KEYS, keys_of, misspelt, published, unknown
from conftest import Root

from tools import chart_keys

PINNED = re.compile(r"v?\d+\.\d+\.\d+")


def test_charts_know_every_value_they_are_given(roots: dict[str, Root]) -> None:
    assert {tier: found for tier, root in roots.items() if (found := misspelt(root))} == {}


def test_charts_are_pinned_to_one_version(roots: dict[str, Root]) -> None:
    for root in roots.values():
        for release in published(root):
            assert PINNED.fullmatch(release.version), release.address


def test_a_misspelt_value_is_named_with_its_path() -> None:
    keys = keys_of("kong", "3.4.1")
    values = {
        "proxy": {"tpye": "ClusterIP", "http": {"containerPort": 8000, "servicePrt": 80}},
        "autoscalling": {"enabled": True},
        "podAnnotations": {"anything": "goes"},
    }
    assert unknown(values, keys) == ["proxy.tpye", "proxy.http.servicePrt", "autoscalling"]


def test_a_map_where_the_chart_takes_one_value_is_named() -> None:
    assert unknown({"replicaCount": {"min": 2}}, keys_of("kong", "3.4.1")) == ["replicaCount"]


def test_a_chart_nobody_looked_at_is_an_error() -> None:
    with pytest.raises(AssertionError, match=r"no kong-0\.0\.1\.yaml"):
        keys_of("kong", "0.0.1")


@pytest.mark.parametrize("path", sorted(KEYS.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_list_of_keys_is_left_over_from_an_earlier_version(path: Path, roots: dict[str, Root]) -> None:
    used = {f"{each.chart}-{each.version}" for root in roots.values() for each in published(root)}
    assert path.stem in used


def test_keys_are_read_from_values_templates_and_charts_below(tmp_path: Path) -> None:
    def write(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    write(
        "Chart.yaml", "name: it\nversion: 1.0.0\ndependencies: [{name: part, alias: piece, version: 1.0.0}]\n"
    )
    write(
        "values.yaml",
        "replicas: 1\nlabels: {}\nargs: []\nname:\nprobe: {path: /}\nbudget: {enabled: false}\n",
    )
    write(
        "templates/it.yaml",
        "{{ .Values.budget.most }}{{ toYaml .Values.probe | nindent 2 }}{{ .Values.new }}",
    )
    write("charts/part/Chart.yaml", "name: part\nversion: 1.0.0\n")
    write("charts/part/values.yaml", "size: 1\n")
    assert yaml.safe_load(yaml.safe_dump(chart_keys.keys(tmp_path))) == {
        "args": None,
        "budget": {"enabled": None, "most": {}},
        "global": {},
        "labels": {},
        "name": {},
        "new": {},
        "piece": {"global": {}, "size": None},
        "probe": {},
        "replicas": None,
    }
