"""Tests of further node groups: placement, scaling from zero, and monitoring."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from conftest import Root

from modules.spec import Environment
from tierra.diagram.cluster import cluster
from tierra.diagram.terraform import Terraform
from tierra.github.workflows import pipelines, workflows
from tierra.plans.changes import Change
from tierra.report.compatibility import compatibility

Variant = Callable[..., dict[str, Root]]
SPOT = {
    "instance_type": "m7a.large",
    "alternatives": ["m6a.large", "m5a.large"],
    "capacity": "spot",
    "max": 6,
}
ARM = {"instance_type": "m7g.large", "min": 1, "max": 2, "zones": ["a", "b"], "labels": {"workload": "batch"}}
NODES = {"instance_type": "t3.large", "min": 3, "max": 12}
SYSTEMS = {"shop": {"framework": "go", "nodes": "spot"}, "cart": {"framework": "go"}}


def spec(systems: dict[str, Any] = SYSTEMS, **groups: Any) -> dict[str, Any]:
    return {"compute": {"nodes": NODES, "groups": {"spot": SPOT, **groups}}, "systems": systems}


def values(root: Root, system: str) -> dict[str, Any]:
    """The values of the chart of a system."""
    parsed: dict[str, Any] = json.loads(root[f"helm_release.{system}"]["values"][0])
    return parsed


def test_a_group_has_a_managed_node_group_in_each_of_its_zones(variant: Variant) -> None:
    root = variant(**spec(arm=ARM))["compute"]
    groups = root.all("aws_eks_node_group")
    assert sorted(groups) == ["a", "arm_a", "arm_b", "b", "c", "spot_a", "spot_b", "spot_c"]
    spot, arm = groups["spot_b"], groups["arm_a"]
    assert spot["capacity_type"] == "SPOT"
    assert groups["b"]["capacity_type"] == "ON_DEMAND"
    assert spot["instance_types"] == ["m7a.large", "m6a.large", "m5a.large"]
    assert spot["scaling_config"] == {"desired_size": 0, "min_size": 0, "max_size": 2}
    assert spot["labels"] == {"node-group": "spot"}
    assert spot["taint"] == [{"key": "node-group", "value": "spot", "effect": "NO_SCHEDULE"}]
    assert arm["ami_type"] == "AL2023_ARM_64_STANDARD"
    assert arm["labels"] == {"node-group": "arm", "workload": "batch"}
    assert arm["subnet_ids"][0].endswith("private_subnet_ids.a}")
    assert not {"labels", "taint"} & set(groups["a"])


def test_a_further_group_does_not_change_existing_nodes(variant: Variant) -> None:
    before = variant(compute={"nodes": NODES}, systems={"cart": {"framework": "go"}})
    after = variant(**spec(systems={"cart": {"framework": "go"}}))
    for tier in ("compute", "systems", "gateway"):
        for kind, name, arguments in before[tier].each():
            if (kind, name) != ("aws_eks_addon", name):  # they also depend on the further groups
                assert after[tier].body["resource"][kind][name] == arguments, (kind, name)


def test_each_group_has_its_launch_template(variant: Variant) -> None:
    group = {**SPOT, "disk_gb": 80, "pods": 20}
    root = variant(**spec(spot=group))["compute"]
    template = root["aws_launch_template.nodes_spot"]
    assert template["block_device_mappings"][0]["ebs"]["volume_size"] == 80
    assert "--max-pods=20" in base64.b64decode(template["user_data"]).decode()
    assert template["name"] != root["aws_launch_template.nodes"]["name"]
    used = root["aws_eks_node_group.spot_a"]["launch_template"]["id"]
    assert used == "${aws_launch_template.nodes_spot.id}"


def test_the_autoscaler_can_scale_a_group_from_zero(variant: Variant) -> None:
    taints = [{"key": "workload", "value": "batch", "effect": "NoExecute"}, {"key": "example.com/slow"}]
    root = variant(**spec(slow={"instance_type": "m7a.large", "taints": taints}))["compute"]
    tags = {
        name: (
            each["tag"]["key"].removeprefix("k8s.io/cluster-autoscaler/node-template/"),
            each["tag"]["value"],
        )
        for name, each in root.all("aws_autoscaling_group_tag").items()
    }
    assert tags["spot_a_disk"] == ("resources/ephemeral-storage", "25600Mi")
    assert tags["spot_a_taint_1"] == ("taint/node-group", "spot:NoSchedule")
    assert tags["spot_a_zone"][0] == "label/topology.ebs.csi.aws.com/zone"
    assert tags["slow_c_taint_1"] == ("taint/workload", "batch:NoExecute")
    assert tags["slow_c_taint_2"] == ("taint/example.com/slow", ":NoSchedule")
    assert not {"a_disk", "a_taint_1"} & set(tags)
    assert root["aws_eks_node_group.slow_a"]["taint"][0]["effect"] == "NO_EXECUTE"


def test_pods_select_the_group_of_their_system_and_tolerate_its_taints(variant: Variant) -> None:
    roots = variant(**spec(arm=ARM, systems={**SYSTEMS, "batch": {"framework": "go", "nodes": "arm"}}))
    shop = values(roots["systems"], "shop")
    assert shop["nodeSelector"] == {"node-group": "spot"}
    assert shop["tolerations"] == [
        {"key": "node-group", "operator": "Equal", "value": "spot", "effect": "NoSchedule"}
    ]
    assert values(roots["systems"], "batch")["nodeSelector"]["kubernetes.io/arch"] == "arm64"
    assert not {"nodeSelector", "tolerations"} & set(values(roots["systems"], "cart"))


def test_pods_without_a_group_select_the_architecture_of_their_image(variant: Variant) -> None:
    root = variant(**spec(arm={**ARM, "taints": []}))["systems"]
    assert values(root, "cart")["nodeSelector"] == {"kubernetes.io/arch": "amd64"}


def test_images_are_built_for_the_architecture_of_the_group(environment: Callable[..., Environment]) -> None:
    systems = {"shop": {"framework": "go", "nodes": "arm"}, "cart": {"framework": "go"}}
    trial = environment(**spec(arm=ARM, systems=systems))
    builders = {
        name.split("/")[-1].split(".")[0]: set(re.findall(r"runs-on: (ubuntu-\S+)", text))
        for name, text in workflows(trial).items()
    }
    assert "ubuntu-24.04-arm" in builders["shop"]
    assert builders["cart"] == {"ubuntu-24.04"}
    platforms = {
        name.split("/")[-1].split(".")[0]: set(re.findall(r"--platform (\S+)", text))
        for name, text in pipelines(trial).items()
    }
    assert platforms == {"shop": {"linux/arm64"}, "cart": {"linux/amd64"}}


def test_alarms_and_dashboards_watch_every_group(variant: Variant) -> None:
    roots = variant(**spec())
    names = roots["compute"].body["output"]["autoscaling_group_names"]["value"]
    assert list(names) == ["a", "b", "c", "spot-a", "spot-b", "spot-c"]
    alarms = roots["observability"].all("aws_cloudwatch_metric_alarm")
    for kind in ("few", "busy", "failed"):
        assert f"nodes_{kind}_spot_c" in alarms
    # Of the two groups, t3 is burstable and m7a is not.
    assert "nodes_credits_a" in alarms
    assert "nodes_credits_spot_a" not in alarms
    assert "zone c of the group spot" in alarms["nodes_busy_spot_c"]["alarm_description"]
    assert any(
        "spot-a" in str(each) for each in roots["observability"].all("aws_cloudwatch_dashboard").values()
    )


def test_cpu_scaling_covers_each_group(variant: Variant) -> None:
    group = {**SPOT, "min": 3}
    compute = {"nodes": {**NODES, "min": 5}, "scaling": "cpu", "groups": {"spot": group}}
    root = variant(compute=compute, systems=SYSTEMS)["compute"]
    assert set(root.all("aws_autoscaling_policy")) == {"a", "b", "c", "spot_a", "spot_b", "spot_c"}


def test_pods_of_a_group_only_use_capacity_of_its_nodes(environment: Callable[..., Environment]) -> None:
    many = {"framework": "go", "replicas": 40, "cpu": "500m"}
    with pytest.raises(Exception, match=r"(?s)compute\.nodes\.max.*12 nodes must hold"):
        environment(**spec(systems={"shop": many}))
    with pytest.raises(Exception, match=r"(?s)compute\.groups\.spot\.max.*6 nodes must hold"):
        environment(**spec(systems={"shop": {**many, "nodes": "spot"}}))
    large = {**SPOT, "instance_type": "m7a.4xlarge", "alternatives": []}
    environment(**spec(systems={"shop": {**many, "nodes": "spot"}}, spot=large))


def test_addresses_of_all_groups_are_counted_in_each_zone(environment: Callable[..., Environment]) -> None:
    group = {"instance_type": "m7a.large", "max": 60}
    with pytest.raises(
        Exception, match=r"(?s)compute\.groups\.more\.max.* \+ 20 nodes x .*compute\.groups\.more\.max to"
    ):
        environment(network={"cidr": "10.20.0.0/19"}, compute={"nodes": NODES, "groups": {"more": group}})


def test_the_agents_of_nodes_tolerate_every_taint(variant: Variant) -> None:
    exporter = yaml.safe_load(variant(**spec())["observability"]["helm_release.prometheus"]["values"][0])[
        "prometheus-node-exporter"
    ]
    assert exporter["tolerations"] == [{"operator": "Exists"}]
    assert exporter["resources"]


def test_the_picture_names_the_group_and_says_that_its_nodes_are_spot(variant: Variant) -> None:
    roots = variant(**spec())
    terraform = Terraform({tier: roots[tier].body for tier in ("network", "compute")})
    boxes = {box.addresses[0]: box for each in cluster(terraform) for box in each.walk() if box.addresses}
    assert boxes["compute/aws_eks_node_group.a"].title == "Nodes"
    spot = boxes["compute/aws_eks_node_group.spot_a"]
    assert spot.title == "Nodes: spot"
    assert spot.notes[0].endswith(", spot, 0 to 2 nodes")


def test_a_change_of_architecture_is_in_the_report() -> None:
    def values(**selector: str) -> dict[str, Any]:
        return {"chart": "./charts/chart", "values": [json.dumps({"nodeSelector": selector})]}

    def says(was: dict[str, Any], now: dict[str, Any]) -> list[str]:
        change = Change("systems", "helm_release.shop", "helm_release", "update", was, now)
        return [each.message for each in compatibility(change, {})]

    arm = values(**{"node-group": "arm", "kubernetes.io/arch": "arm64"})
    [moved] = says(values(), arm)
    assert "nodes of arm64" in moved
    [back] = says(arm, values())
    assert "another architecture than arm64" in back
    assert says(values(), values(**{"node-group": "spot"})) == []
    assert says(arm, arm) == []
