"""The own Terraform of own charts: a `helm_release` for each, and one for each of their namespaces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modules.own.charts import FOLDER, REFERENCE, Release, plain
from tierra.validation.namespaces import RELEASES

NAMESPACE_CHART = "own/own-namespace"


def chart_terraform(releases: Sequence[Release]) -> Iterator[tuple[Release, dict[str, Any]]]:
    """The own Terraform of a tier's charts, by file. The first release in a namespace creates it."""
    from tierra.patterns.helm import (  # imported late, because it loads cdktf
        WAIT_SECONDS,
        safety,
        texts,
        version,
    )

    created: set[str] = set()
    for release in releases:
        chart = release.chart
        resources: dict[str, dict[str, Any]] = {}
        space = f"namespace_{plain(chart.namespace)}"
        if chart.namespace not in created:
            created.add(chart.namespace)
            values: dict[str, Any] = {"name": chart.namespace, "podSecurity": chart.pod_security}
            if chart.collects_metrics:
                values["collectsMetrics"] = True
            resources[space] = {
                "name": f"{chart.namespace}-namespace",
                "namespace": RELEASES,
                "chart": f"./{FOLDER}/{Path(NAMESPACE_CHART).name}",
                "version": version(texts(NAMESPACE_CHART)),
                "values": [_document(values)],
                **safety(WAIT_SECONDS),
                **({"depends_on": ["helm_release.cluster"]} if release.tier == "gateway" else {}),
            }
        resources[release.address] = {
            "name": release.name,
            "namespace": chart.namespace,
            "repository": chart.repository,
            "chart": chart.chart,
            "version": chart.version,
            **({"values": [_document(chart.values)]} if chart.values else {}),
            **safety(chart.timeout_seconds),
            "depends_on": [f"helm_release.{space}"],
        }
        yield release, {"resource": {"helm_release": resources}}


def _document(values: Mapping[str, Any]) -> str:
    """Values as a YAML document, in which Terraform sees outputs of tiers and nothing else. An output that is
    a whole value keeps its type: text, number, list or mapping."""
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    text = re.sub(rf"(?!{REFERENCE})\$\{{", "$${", text).replace("%{", "%%{")
    return re.sub(r'"(?:[^"\\]|\\.)*":?', _encoded, text)


def _encoded(literal: re.Match[str]) -> str:
    """A text or a key of JSON; of a text with outputs, the expression that gives it."""
    text = literal[0]
    if text.endswith(":"):
        return text
    if re.fullmatch(f'"{REFERENCE}"', text):
        return f"${{jsonencode({text[3:-2]})}}"
    return f"${{jsonencode({text})}}" if re.search(REFERENCE, text) else text


def namespace_chart() -> dict[str, bytes]:
    """The files of the chart that creates namespaces, by their path in a root module."""
    from tierra.patterns.helm import own_chart, texts

    folder = f"{FOLDER}/{Path(NAMESPACE_CHART).name}"
    return {f"{folder}/{path}": text.encode() for path, text in own_chart(texts(NAMESPACE_CHART)).items()}
