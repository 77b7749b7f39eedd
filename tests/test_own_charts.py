"""Tests of own charts: the generated releases, refusals and consequences."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.own_terraform import change
from support.rehearsing import Project

from modules.architecture import TIERS, synthesize
from modules.own.terraform import OwnError, read
from modules.spec import Environment
from tierra.diagram.read import picture_of as picture
from tierra.diagram.terraform import load as loaded
from tierra.hcl import __main__ as hcl
from tierra.report.releases import NAMESPACES, runs_pods
from tierra.run import saved
from tierra.run.workspace import Workspace

ARGO = {
    "chart": "argo-cd",
    "repository": "https://charts.example.com",
    "version": "9.1.0",
    "namespace": "argo-cd",
}
AGENT: dict[str, Any] = {
    "chart": "agent",
    "repository": "oci://registry.example.com/charts",
    "version": "3.135.4",
    "namespace": "agent",
    "pod_security": "privileged",
    "values": {
        "clusterName": "${data.terraform_remote_state.compute.outputs.cluster_name}",
        "command": "echo ${HOSTNAME} 100%{load}",
        "ports": [8125],
        "enabled": True,
    },
}
Build = Callable[..., Path]


@pytest.fixture
def build(environment: Callable[..., Environment], tmp_path: Path) -> Build:
    """Writes files of own charts, synthesizes these tiers, and returns the output folder."""

    def make(files: dict[str, Any], tiers: str = "compute observability", **spec: Any) -> Path:
        for name, content in files.items():
            file = tmp_path / "own" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
        chosen = {name: TIERS[name] for name in tiers.split()}
        synthesize(environment(**spec), tmp_path / "out", chosen, own=read(tmp_path / "own", list(TIERS)))
        return tmp_path / "out"

    return make


def releases(out: Path, file: str, tier: str = "observability") -> dict[str, dict[str, Any]]:
    body = json.loads((out / "stacks" / tier / file).read_text())
    assert list(body) == ["resource"]
    assert list(body["resource"]) == ["helm_release"]
    by_name: dict[str, dict[str, Any]] = body["resource"]["helm_release"]
    return by_name


def test_an_own_chart_is_a_release_with_the_settings_of_tierra(build: Build) -> None:
    out = build({"observability/charts/argo-cd.yaml": ARGO})
    own_releases = releases(out, "own_chart_argo_cd.tf.json")
    generated = json.loads((out / "stacks/observability/cdk.tf.json").read_text())["resource"]["helm_release"]
    safe = ("atomic", "cleanup_on_fail", "wait", "max_history")
    for each in own_releases.values():
        assert {key: each[key] for key in safe} == {key: generated["grafana"][key] for key in safe}
    assert {key: own_releases["chart_argo_cd"][key] for key in ARGO} == ARGO
    assert own_releases["chart_argo_cd"]["name"] == "argo-cd"
    assert own_releases["chart_argo_cd"]["timeout"] == 600
    assert own_releases["chart_argo_cd"]["depends_on"] == ["helm_release.namespace_argo_cd"]
    assert "values" not in own_releases["chart_argo_cd"]


def test_tierra_creates_the_namespace_of_a_chart(build: Build) -> None:
    out = build(
        {"observability/charts/agent.yaml": AGENT, "systems/charts/argo-cd.yaml": ARGO},
        "compute systems observability",
    )
    space = releases(out, "own_chart_agent.tf.json")["namespace_agent"]
    assert json.loads(space["values"][0]) == {"name": "agent", "podSecurity": "privileged"}
    assert (space["name"], space["namespace"]) == ("agent-namespace", "releases")
    assert space["chart"] in NAMESPACES
    assert not runs_pods(space)
    assert runs_pods(releases(out, "own_chart_agent.tf.json")["chart_agent"])
    chart = yaml.safe_load((out / "stacks/observability" / space["chart"] / "Chart.yaml").read_text())
    assert chart["version"] == space["version"]
    in_systems = releases(out, "own_chart_argo_cd.tf.json", "systems")["namespace_argo_cd"]
    assert json.loads(in_systems["values"][0])["podSecurity"] == "baseline"


def test_two_charts_share_a_namespace(build: Build) -> None:
    out = build({f"observability/charts/{name}.yaml": ARGO for name in ("argo-cd", "rollouts")})
    assert set(releases(out, "own_chart_argo_cd.tf.json")) == {"chart_argo_cd", "namespace_argo_cd"}
    assert set(releases(out, "own_chart_rollouts.tf.json")) == {"chart_rollouts"}


def test_values_interpolate_outputs_only(build: Build) -> None:
    out = build({"observability/charts/agent.yaml": AGENT}, "compute observability")
    (text,) = releases(out, "own_chart_agent.tf.json")["chart_agent"]["values"]
    assert '"clusterName": ${jsonencode(data.terraform_remote_state.compute.outputs.cluster_name)}' in text
    assert '"echo $${HOSTNAME} 100%%{load}"' in text
    assert '"enabled": true' in text


def test_an_output_in_values_keeps_its_type(build: Build, tmp_path: Path) -> None:
    """Terraform evaluates the values: mappings and lists keep their types, texts may have any character."""
    state = "${data.terraform_remote_state.network.outputs.%s}"
    values = {
        "zones": state % "zone_names",
        "addresses": [state % "nat_public_ips"],
        "command": f'say "{state % "vpc_id"}" ${{HOSTNAME}} %{{load}} \\',
    }
    out = build({"observability/charts/agent.yaml": {**AGENT, "values": values}}, "network observability")
    (text,) = releases(out, "own_chart_agent.tf.json")["chart_agent"]["values"]
    outputs = {"zone_names": {"a": "us-east-1a"}, "nat_public_ips": ["192.0.2.1"], "vpc_id": 'a "b"'}
    body = {
        "locals": {"outputs": outputs},
        "output": {"values": {"value": text.replace("data.terraform_remote_state.network.", "local.")}},
    }
    project = Project(tmp_path / "evaluated", "")
    (project.folder / "values.tf.json").write_text(json.dumps(body))
    project.apply()
    assert json.loads(project.outputs()["values"]) == {
        "zones": outputs["zone_names"],
        "addresses": [outputs["nat_public_ips"]],
        "command": 'say "a "b"" ${HOSTNAME} %{load} \\',
    }


def test_an_own_release_in_the_gateway_tier_follows_the_namespace_of_records(build: Build) -> None:
    out = build({"gateway/charts/argo-cd.yaml": ARGO}, "gateway")
    space = releases(out, "own_chart_argo_cd.tf.json", "gateway")["namespace_argo_cd"]
    assert space["depends_on"] == ["helm_release.cluster"]


def test_plans_of_workflows_may_read_the_records_of_own_charts(build: Build) -> None:
    def scope(out: Path) -> list[str]:
        body = json.loads((out / "stacks/delivery/cdk.tf.json").read_text())["resource"]
        namespaces: list[str] = body["aws_eks_access_policy_association"]["plan"]["access_scope"][
            "namespaces"
        ]
        return namespaces

    before = scope(build({}, "delivery"))
    assert scope(build({"observability/charts/agent.yaml": AGENT}, "delivery")) == [*before, "agent"]


def test_a_deleted_file_removes_its_release(build: Build, tmp_path: Path) -> None:
    stack = build({"observability/charts/agent.yaml": AGENT}) / "stacks/observability"
    assert (stack / "charts/own-namespace/Chart.yaml").exists()
    (tmp_path / "own/observability/charts/agent.yaml").unlink()
    build({})
    assert not list(stack.glob("own*"))
    assert not (stack / "charts/own-namespace").exists()
    assert (stack / "charts/platform").exists()


def test_a_seal_covers_own_charts(build: Build) -> None:
    tier = Workspace("trial", build({"observability/charts/agent.yaml": AGENT}), {}).tier("observability")
    first = saved.carried(tier)
    build({"observability/charts/agent.yaml": {**AGENT, "version": "3.135.5"}})
    assert saved.carried(tier) != first


def test_generated_hcl_has_own_charts(build: Build) -> None:
    carried = hcl.carried(build({"observability/charts/agent.yaml": AGENT}) / "stacks/observability")
    assert {"own_chart_agent.tf.json", "charts/own-namespace/Chart.yaml"} < set(carried)


def test_own_charts_are_in_the_box_of_own_terraform(build: Build) -> None:
    out = build({"observability/charts/agent.yaml": AGENT}, " ".join(TIERS))
    tier = Workspace("trial", out, {}).tier("observability")
    tier.keep_configuration()
    changes = [change("helm_release.chart_agent"), change("helm_release.namespace_agent")]
    tier.plan_json.write_text(json.dumps({"resource_changes": changes}))
    terraform, stale = loaded(out, list(TIERS))
    assert not stale
    [box] = [each for each in picture("trial", "rehearsal", terraform).boxes() if each.kind == "own"]
    assert (box.title, box.badge) == ("Own Terraform", "+2")
    assert box.notes == ("observability: helm_release.namespace_agent, helm_release.chart_agent",)


@pytest.mark.parametrize(
    ("keys", "line", "says"),
    [
        ({"colour": 1}, 5, ["colour: 1", "one that the file of a chart has: chart, repository"]),
        ({"version": "9.x"}, 3, ["version must be exact", 'such as "1.2.3"']),
        ({"version": "^9.1.0"}, 3, ["version must be exact"]),
        ({"version": ">=9.1.0"}, 3, ["version must be exact"]),
        ({"version": 9.1}, 3, ["version: 9.1", "text"]),
        ({"repository": "http://charts.example.com"}, 2, ["write https://charts.example.com"]),
        ({"repository": "https://user:it@charts.example.com"}, 2, ["without user, query or #"]),
        ({"chart": "./charts/argo"}, 1, ["the name of a chart in its repository"]),
        ({"chart": "oci://registry.example.com/argo"}, 1, ["write only the name"]),
        (
            {"namespace": "kube-system"},
            4,
            ["a separate namespace", "write another name, such as system-own"],
        ),
        ({"namespace": "observability"}, 4, ["a separate namespace"]),
        ({"namespace": "Argo"}, 4, ["43 lowercase letters"]),
        ({"values": ["a"]}, 5, ["values: [a]", "a mapping"]),
        ({"values": "a: 1"}, 5, ["a mapping"]),
        ({"pod_security": "none"}, 5, ["privileged, baseline or restricted"]),
        ({"timeout_seconds": 5}, 5, ["from 60 to 3600"]),
        ({"pods": {"agent": {"cpu": "1", "memory": "1"}}}, 8, ["memory must be a whole number with a unit"]),
        (
            {"pods": {"agent": {"cpu": "1", "memory": "1Gi", "count": "nodes"}}},
            9,
            ["pods.agent.count: nodes", "from 1 to 100, or node"],
        ),
        ({"pods": {"agent": {"cpu": "1", "memory": "1Gi", "count": 0}}}, 9, ["pods.agent.count: 0"]),
        (
            {"values": {"name": "${data.terraform_remote_state.compute.outputs.zones[0]}"}},
            6,
            ["values.name", "without an index or a function"],
        ),
        ({"collects_metrics": True}, 5, ["requires observability.monitoring: false", "remove the line"]),
        ({"namespace": "shop"}, 4, ["shop is the namespace of a system", "shop-own"]),
    ],
)
def test_invalid_own_charts_are_refused_with_file_line_and_remedy(
    build: Build, keys: dict[str, Any], line: int, says: list[str]
) -> None:
    with pytest.raises(OwnError) as refused:
        build({"observability/charts/argo-cd.yaml": {**ARGO, **keys}}, systems={"shop": {"framework": "go"}})
    text = str(refused.value)
    assert f"observability/charts/argo-cd.yaml:{line}: " in text
    assert "remedy:" in text
    assert all(each in text for each in says), text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("network/charts/argo-cd.yaml", "", ["gateway, systems or observability", "move the file to"]),
        ("observability/charts/argo-cd.yml", "", ["must be *.yaml"]),
        ("observability/charts/argo/values.yaml", "", ["must be *.yaml", "one file for each release"]),
        ("observability/charts/Argo.yaml", "", ["the name of the file must fit a release"]),
        ("observability/charts/argo-cd.yaml", "chart: argo-cd\n", ["repository", "version", "namespace"]),
        ("observability/charts/argo-cd.yaml", "- a\n", ["must be", "such as chart: argo-cd"]),
        (
            "observability/charts/argo-cd.yaml",
            "",
            ["it is empty", "write at least chart:, repository:, version: and namespace:"],
        ),
        (
            "observability/charts/argo-cd.yaml",
            yaml.safe_dump(ARGO) + "values:\n  enabled: no\n",
            [
                "argo-cd.yaml:6: values.enabled: no",
                "some YAML parsers read it",
                'write true or false, or "no"',
            ],
        ),
        (
            "observability/charts/argo-cd.yaml",
            yaml.safe_dump(
                {**ARGO, "values": {"x": "${data.terraform_remote_state.compute.outputs.nowhere}"}}
            ),
            ["compute has no nowhere"],
        ),
        (
            "observability/charts/argo-cd.yaml",
            yaml.safe_dump(ARGO)
            + "values:\n  zones: in ${data.terraform_remote_state.network.outputs.zone_names}\n",
            [
                "argo-cd.yaml:6: values.zones: in ${data",
                "must be text or a number, and zone_names of network is a mapping",
                "write only the output as the value",
            ],
        ),
        (
            "observability/charts/argo-cd.yaml",
            yaml.safe_dump(ARGO)
            + "values:\n  ${data.terraform_remote_state.network.outputs.nat_public_ips}: 1\n",
            ["argo-cd.yaml:6: values", "nat_public_ips of network is a list"],
        ),
    ],
)
def test_a_file_that_is_not_a_release_is_refused(build: Build, name: str, text: str, says: list[str]) -> None:
    with pytest.raises(OwnError) as refused:
        build({name: text}, "network compute observability")
    assert all(each in str(refused.value) for each in says), str(refused.value)


def test_settings_of_a_shared_namespace_must_agree(build: Build) -> None:
    with pytest.raises(OwnError, match="must have the same pod_security"):
        build(
            {
                "observability/charts/argo-cd.yaml": ARGO,
                "observability/charts/rollouts.yaml": {**ARGO, "pod_security": "restricted"},
            }
        )
    with pytest.raises(OwnError, match="charts of one namespace must be in one tier"):
        build({"observability/charts/rollouts.yaml": ARGO, "systems/charts/argo-cd.yaml": ARGO})


def test_a_release_of_an_own_tf_with_the_same_address_is_refused(build: Build) -> None:
    with pytest.raises(OwnError, match=r"each name must be unique in a tier"):
        build(
            {
                "observability/charts/argo-cd.yaml": ARGO,
                "observability/a.tf": 'resource "helm_release" "chart_argo_cd" {\n}\n',
            }
        )


def test_nodes_hold_the_pods_of_own_charts(build: Build) -> None:
    small = {
        "compute": {"nodes": {"min": 3, "max": 3, "instance_type": "t3.large"}},
        "systems": {"shop": {"framework": "go"}},
    }
    file = "observability/charts/agent.yaml"
    build({file: {**AGENT, "pods": {"agent": {"cpu": "50m", "memory": "64Mi", "count": "node"}}}}, **small)
    for pods in (
        {"cluster-agent": {"cpu": "1000m", "memory": "1Gi", "count": 9}},
        {"agent": {"cpu": "1500m", "memory": "6Gi", "count": "node"}},
    ):
        with pytest.raises(OwnError, match="with the pods of own charts") as refused:
            build({file: {**AGENT, "pods": pods}}, **small)
        assert "compute.nodes." in str(refused.value)
        assert "or request less in" in str(refused.value)


def test_collector_namespaces_are_labelled_if_prometheus_is_off(build: Build) -> None:
    file = {**AGENT, "collects_metrics": True}
    out = build({"observability/charts/agent.yaml": file}, observability={"monitoring": False})
    space = releases(out, "own_chart_agent.tf.json")["namespace_agent"]
    assert json.loads(space["values"][0])["collectsMetrics"] is True
