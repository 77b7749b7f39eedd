"""Conflicts of own charts with each other, with systems, and with the capacity of the nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modules.capacity import capacity_violations
from modules.overhead import Overhead, Pods
from modules.own.charts import FOLDER, Release
from modules.spec import Environment
from tierra.validation.errors import Problem
from tierra.validation.messages import choices, dotted


def chart_problems(releases: Sequence[Release], environment: Environment) -> Iterator[tuple[str, Problem]]:
    """The conflicts, by file."""
    yield from _clashes(releases, [environment.called(name) for name in environment.systems], environment)
    counted = [release for release in releases if release.chart.pods]
    if not counted:
        return
    files = [release.file for release in counted]
    pods = [pods for release in counted for pods in _pods(release)]
    overhead = Overhead(
        environment.observability,
        environment.has_volumes,
        charts=tuple(pod for pod, node in pods if not node),
        on_nodes=tuple(pod for pod, node in pods if node),
    )
    layout = environment.network.layout
    for violation in capacity_violations(
        environment.compute, environment.gateway, overhead, environment.systems, layout
    ):
        yield (
            files[0],
            Problem(
                dotted(violation.path),
                violation.value,
                f"with the pods of own charts, {violation.rule}",
                f"in the spec, {violation.remedy}; or request less in {choices(files)}",
            ),
        )


def _pods(release: Release) -> Iterator[tuple[Pods, bool]]:
    """The pods of a chart, and whether they run on every node."""
    for name, pods in release.chart.pods.items():
        node = pods.count == "node"
        count = 1 if pods.count == "node" else pods.count
        yield Pods(f"{release.name}/{name}", count, pods.cpu, pods.memory), node


def _clashes(
    releases: Sequence[Release], systems: Sequence[str], environment: Environment
) -> Iterator[tuple[str, Problem]]:
    first: dict[str, Release] = {}
    for release in releases:
        name = release.chart.namespace
        earlier = first.setdefault(name, release)
        if name in systems:
            rule = f"a chart must have a separate namespace, but {name} is the namespace of a system"
            yield release.file, release.problem("namespace", rule, f"write another name, such as {name}-own")
        elif earlier.tier != release.tier:
            rule = f"charts of one namespace must be in one tier, but {earlier.file} is in {earlier.tier}"
            yield (
                release.file,
                release.problem("namespace", rule, f"move the file to {earlier.tier}/{FOLDER}/"),
            )
        elif earlier.chart.of_namespace != release.chart.of_namespace:
            rule = (
                "charts of one namespace must have the same pod_security and collects_metrics, but"
                f" {earlier.file} has other values"
            )
            yield release.file, release.problem("namespace", rule, "write the same in both files")
        if release.chart.collects_metrics and environment.observability.monitoring:
            rule = "collects_metrics requires observability.monitoring: false; otherwise Prometheus collects"
            yield release.file, release.problem("collects_metrics", rule, "remove the line")
