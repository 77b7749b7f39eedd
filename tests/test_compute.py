"""Tests of the compute tier: its generated Terraform and its capacity calculation."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from conftest import Root

from modules.capacity import Room, nodes_needed, release_pods, reserved_cpu, reserved_memory, room
from modules.compute.addons import BEFORE_NODES, MOUNTS, ON_NODES
from modules.compute.instances import instances
from modules.compute.pools import share_out
from modules.compute.versions import ADDONS, VERSIONS
from modules.observability.spec import Observability
from modules.overhead import Overhead, Pods
from modules.spec import Environment
from tierra.aws.service_models import instance_types
from tierra.validation.errors import SpecError

Variant = Callable[..., dict[str, Root]]
CLUSTER = "aws_eks_cluster.main"


@pytest.fixture
def compute(roots: dict[str, Root]) -> Root:
    return roots["compute"]


def test_cluster_is_private_unless_ranges_are_named(compute: Root, variant: Variant) -> None:
    [vpc] = [compute[CLUSTER]["vpc_config"]]
    assert vpc["endpoint_private_access"] is True
    assert vpc["endpoint_public_access"] is False
    assert "public_access_cidrs" not in vpc
    opened = variant(compute={"endpoint": {"public_cidrs": ["203.0.113.0/24"]}})["compute"]
    assert opened[CLUSTER]["vpc_config"]["public_access_cidrs"] == ["203.0.113.0/24"]
    assert opened[CLUSTER]["vpc_config"]["endpoint_private_access"] is True


def test_the_creator_of_the_cluster_gets_no_access(compute: Root) -> None:
    assert compute[CLUSTER]["access_config"] == {
        "authentication_mode": "API",
        "bootstrap_cluster_creator_admin_permissions": False,
    }
    entries = compute.all("aws_eks_access_entry")
    assert len(entries) == len(compute.environment.compute.admins) + len(compute.environment.compute.viewers)
    assert set(compute.all("aws_eks_access_policy_association")) == set(entries)


def test_viewers_can_read_and_admins_can_write(variant: Variant) -> None:
    role = "arn:aws:iam::123456789012:role"
    root = variant(compute={"admins": [f"{role}/ops/Lead"], "viewers": [f"{role}/dev"]})["compute"]
    policies = {
        name: each["policy_arn"].rpartition("/")[2]
        for name, each in root.all("aws_eks_access_policy_association").items()
    }
    assert policies == {"admin_lead": "AmazonEKSClusterAdminPolicy", "viewer_dev": "AmazonEKSViewPolicy"}


def test_control_plane_logs_go_to_an_encrypted_group_that_exists_first(compute: Root) -> None:
    cluster, group = compute[CLUSTER], compute["aws_cloudwatch_log_group.cluster"]
    assert len(cluster["enabled_cluster_log_types"]) == 5
    assert group["name"] == f"/aws/eks/{cluster['name']}/cluster"
    assert "logs_key_arn" in group["kms_key_id"]
    assert group["retention_in_days"] == compute.environment.compute.log_days
    assert "aws_cloudwatch_log_group.cluster" in cluster["depends_on"]


def test_policies_of_the_cluster_role_outlive_the_cluster(compute: Root) -> None:
    assert {"aws_iam_role_policy_attachment.cluster", "aws_iam_role_policy.cluster_secrets"} <= set(
        compute[CLUSTER]["depends_on"]
    )


def test_secrets_are_encrypted_and_resources_with_data_are_protected(compute: Root) -> None:
    cluster, guarded = compute[CLUSTER], compute.environment.protection
    assert cluster["encryption_config"]["resources"] == ["secrets"]
    assert "aws_kms_key.eks_secrets" in cluster["encryption_config"]["provider"]["key_arn"]
    assert cluster["deletion_protection"] is guarded
    for address in (CLUSTER, "aws_kms_key.eks_secrets", "aws_kms_key.ebs"):
        assert compute[address].get("lifecycle", {}).get("prevent_destroy", False) is guarded


def test_a_new_zone_does_not_change_the_control_plane(variant: Callable[..., Variant]) -> None:
    def subnets(**compute: Any) -> list[str]:
        tier = variant(network={"zones": ["a", "b", "c"]}, compute=compute)["compute"]
        ids: list[str] = tier[CLUSTER]["vpc_config"]["subnet_ids"]
        return [each.removesuffix("}").rpartition(".")[2] for each in ids]

    assert subnets() == ["a", "b", "c"]
    assert subnets(endpoint={"zones": ["a", "b"]}) == ["a", "b"]


def test_every_version_is_pinned(compute: Root) -> None:
    settings = compute.environment.compute
    addons = {each["addon_name"]: each["addon_version"] for each in compute.all("aws_eks_addon").values()}
    assert addons == {name: ADDONS[settings.kubernetes][name] for name in (*BEFORE_NODES, *ON_NODES)}
    assert compute[CLUSTER]["version"] == settings.kubernetes
    assert compute[CLUSTER]["upgrade_policy"]["support_type"] == "STANDARD"
    assert compute[CLUSTER]["bootstrap_self_managed_addons"] is False
    assert {group["version"] for group in compute.all("aws_eks_node_group").values()} == {settings.kubernetes}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_available_version_has_every_addon(version: str) -> None:
    assert set(ADDONS[version]) == {*BEFORE_NODES, *ON_NODES, MOUNTS}
    assert ADDONS[version]["kube-proxy"].startswith(f"v{version}.")


def test_network_addons_precede_nodes_and_others_follow(compute: Root) -> None:
    first = {f"aws_eks_addon.{name.replace('-', '_')}" for name in BEFORE_NODES}
    groups = {f"aws_eks_node_group.{zone}" for zone in compute.environment.network.zones}
    for group in compute.all("aws_eks_node_group").values():
        assert first <= set(group["depends_on"])
    for name in ON_NODES:
        assert groups <= set(compute[f"aws_eks_addon.{name.replace('-', '_')}"]["depends_on"])


def test_pods_get_prefixes_and_network_policies_are_enforced(compute: Root) -> None:
    values = json.loads(compute["aws_eks_addon.vpc_cni"]["configuration_values"])
    assert values["env"]["ENABLE_PREFIX_DELEGATION"] == "true"
    assert values["enableNetworkPolicy"] == "true"


def test_pods_cannot_get_the_credentials_of_their_node(compute: Root) -> None:
    options = compute["aws_launch_template.nodes"]["metadata_options"]
    assert (options["http_tokens"], options["http_put_response_hop_limit"]) == ("required", 1)


def test_node_disks_are_encrypted_with_the_projects_key(compute: Root) -> None:
    [disk] = compute["aws_launch_template.nodes"]["block_device_mappings"]
    assert disk["ebs"]["encrypted"] == "true"
    assert disk["ebs"]["volume_type"] == "gp3"
    assert "aws_kms_key.ebs" in disk["ebs"]["kms_key_id"]


def test_the_launch_template_has_no_argument_that_node_groups_refuse(compute: Root) -> None:
    refused = {
        *("iam_instance_profile", "instance_market_options", "hibernation_options", "image_id"),
        *("network_interfaces", "instance_type"),
    }
    assert not refused & set(compute["aws_launch_template.nodes"])
    for group in compute.all("aws_eks_node_group").values():
        assert not {"disk_size", "remote_access"} & set(group)


def test_the_kubelet_reserves_what_the_capacity_calculation_assumes(compute: Root) -> None:
    nodes = compute.environment.compute.nodes
    text = base64.b64decode(compute["aws_launch_template.nodes"]["user_data"]).decode()
    # EKS appends a part with maxPods, which overrides ours, but not a flag of the kubelet.
    assert "maxPods" not in text
    config = yaml.safe_load(text.partition("---\n")[2].partition("--//")[0])
    assert config["spec"]["kubelet"]["flags"] == [f"--max-pods={nodes.pods_each}"]
    assert f"cpu: {reserved_cpu(nodes.instance.vcpus)}m\n" in text
    assert f"memory: {reserved_memory(nodes.pods_each)}Mi\n" in text


def test_nodes_have_only_the_security_group_of_the_network_tier(roots: dict[str, Root]) -> None:
    groups = roots["compute"]["aws_launch_template.nodes"]["vpc_security_group_ids"]
    assert groups == ["${data.terraform_remote_state.network.outputs.node_security_group_id}"]
    cluster = roots["compute"]["aws_eks_cluster.main"]["vpc_config"]
    assert "control_plane_security_group_id" in cluster["security_group_ids"][0]
    rules = roots["network"].all("aws_vpc_security_group_egress_rule")
    assert {"node_to_control_plane_443", "control_plane_to_node_10250"} <= rules.keys()
    # The load-balancer controller fails if a node has several groups with this tag.
    for group in roots["network"].all("aws_security_group").values():
        assert not any(key.startswith("kubernetes.io/cluster/") for key in group["tags"])


def test_each_zone_has_a_node_group_in_its_subnet(compute: Root) -> None:
    for zone in compute.environment.network.zones:
        [subnet] = compute[f"aws_eks_node_group.{zone}"]["subnet_ids"]
        assert subnet.endswith(f"private_subnet_ids.{zone}}}")


def counts(root: Root) -> dict[str, tuple[int, int, int]]:
    return {
        zone: tuple(group["scaling_config"][key] for key in ("min_size", "desired_size", "max_size"))
        for zone, group in root.all("aws_eks_node_group").items()
    }


def test_nodes_are_distributed_over_zones_and_plans_ignore_the_current_number(variant: Variant) -> None:
    root = variant(compute={"nodes": {"min": 4, "max": 11, "desired": 5}})["compute"]
    assert counts(root) == {"a": (2, 2, 4), "b": (1, 2, 4), "c": (1, 1, 3)}
    for group in root.all("aws_eks_node_group").values():
        assert group["lifecycle"]["ignore_changes"] == ["scaling_config[0].desired_size"]


def test_more_nodes_only_change_node_groups(variant: Variant) -> None:
    before = variant(compute={"nodes": {"min": 3, "max": 9}})["compute"]
    after = variant(compute={"nodes": {"min": 3, "max": 12}})["compute"]
    changed = {
        f"{kind}.{name}"
        for kind, name, arguments in after.each()
        if before.body["resource"][kind][name] != arguments
    }
    assert changed == {f"aws_eks_node_group.{zone}" for zone in "abc"}
    assert {**before.body, "resource": None} == {**after.body, "resource": None}
    assert [most for *_, most in counts(after).values()] == [4, 4, 4]


def test_graviton_nodes_get_images_for_arm(variant: Variant) -> None:
    root = variant(compute={"nodes": {"instance_type": "m7g.large"}})["compute"]
    assert {each["ami_type"] for each in root.all("aws_eks_node_group").values()} == {
        "AL2023_ARM_64_STANDARD"
    }


@pytest.mark.parametrize("scaling", ["pods", "cpu"])
def test_either_the_autoscaler_or_a_cpu_policy_scales_nodes(scaling: str, variant: Variant) -> None:
    root = variant(compute={"scaling": scaling})["compute"]
    by_pods = scaling == "pods"
    assert bool(root.all("aws_autoscaling_policy")) is not by_pods
    assert ("cluster_autoscaler" in root.all("aws_iam_role")) is by_pods
    assert bool(root.all("aws_autoscaling_group_tag")) is by_pods
    assert (root.body["output"]["autoscaler_role_arn"]["value"] != "") is by_pods


def test_the_cpu_policy_has_the_target_of_the_spec(variant: Variant) -> None:
    root = variant(compute={"scaling": "cpu", "cpu_percent": 45})["compute"]
    for policy in root.all("aws_autoscaling_policy").values():
        tracking = policy["target_tracking_configuration"]
        assert tracking["target_value"] == 45
        assert (
            tracking["predefined_metric_specification"]["predefined_metric_type"]
            == "ASGAverageCPUUtilization"
        )


def test_each_pod_role_is_for_one_service_account_of_the_cluster(compute: Root) -> None:
    for name, account in (
        *(("vpc_cni", "aws-node"), ("ebs_csi", "ebs-csi-controller-sa")),
        ("cluster_autoscaler", "cluster-autoscaler"),
    ):
        [statement] = compute.statements(f"aws_iam_role.{name}", "assume_role_policy").values()
        assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
        tests = statement["Condition"]["StringEquals"]
        assert tests["aws:RequestTag/kubernetes-service-account"] == account
        assert tests["aws:RequestTag/eks-cluster-arn"].endswith(f":cluster/{compute[CLUSTER]['name']}")
        assert tests["aws:SourceAccount"] == compute.environment.account


def test_nodes_have_no_network_permissions(compute: Root) -> None:
    attached = {
        each["policy_arn"].rpartition("/")[2]
        for each in compute.all("aws_iam_role_policy_attachment").values()
        if each["role"] == "${aws_iam_role.node.name}"
    }
    assert attached == {
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonSSMManagedInstanceCore",
    }


def test_the_autoscaler_only_changes_groups_of_this_cluster(compute: Root) -> None:
    statements = compute.statements("aws_iam_role_policy.cluster_autoscaler")
    scale = statements["ScaleGroupsOfThisCluster"]
    key = f"autoscaling:ResourceTag/kubernetes.io/cluster/{compute[CLUSTER]['name']}"
    assert scale["Condition"] == {"StringEquals": {key: "owned"}}
    wide = [sid for sid, statement in statements.items() if statement["Resource"] == "*"]
    assert wide == ["SeeGroupsAndTypes"]
    assert all(":Describe" in action or ":Get" in action for action in statements[wide[0]]["Action"])


def test_only_auto_scaling_can_use_the_disk_key(compute: Root) -> None:
    statements = compute.statements("aws_kms_key.ebs")
    others = {sid: each for sid, each in statements.items() if sid != "AccountAdministersThroughIam"}
    for statement in others.values():
        assert statement["Principal"]["AWS"].endswith("AWSServiceRoleForAutoScaling")
    assert others["AutoScalingGrantsToDisks"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert set(compute.statements("aws_kms_key.eks_secrets")) == {"AccountAdministersThroughIam"}


def test_the_service_linked_role_is_created_before_the_key_if_requested(variant: Variant) -> None:
    assert not variant()["compute"].all("aws_iam_service_linked_role")
    root = variant(compute={"autoscaling_role": "create"})["compute"]
    assert "aws_iam_service_linked_role.autoscaling" in root["aws_kms_key.ebs"]["policy"]


def test_longest_names_are_within_the_limits(variant: Variant) -> None:
    root = variant(project="a" * 16, environment="b" * 12, compute={"scaling": "pods"})["compute"]
    for role in root.all("aws_iam_role").values():
        assert len(role["name"]) <= 64
    for group in root.all("aws_eks_node_group").values():
        assert len(group["node_group_name_prefix"]) + 26 <= 63
    assert len(root[CLUSTER]["name"]) <= 100


# Capacity


def test_every_instance_type_of_the_table_exists() -> None:
    known = instance_types()
    assert len(known) > 1000
    assert set(instances()) <= known


def test_instance_types_agree_with_the_node_image() -> None:
    """The figures of eni-max-pods.txt in awslabs/amazon-eks-ami: interfaces x (addresses - 1) + 2."""
    published = {"t3.medium": 17, "t3a.small": 8, "t3.small": 11, "t4g.large": 35, "t3.xlarge": 58}
    published |= {"m5.large": 29, "c6i.xlarge": 58, "r7g.4xlarge": 234, "m7i-flex.16xlarge": 737}
    for name, pods in published.items():
        kind = instances()[name]
        assert kind.interfaces * (kind.addresses - 1) + 2 == pods, name


OWN_RANGE = {"pods": "100.64.0.0/16"}


def test_pods_with_a_separate_range_get_interfaces_in_their_subnets(
    variant: Callable[..., dict[str, Root]],
) -> None:
    compute = variant(network=OWN_RANGE)["compute"]
    values = json.loads(compute["aws_eks_addon.vpc_cni"]["configuration_values"])
    assert values["env"] == {
        "ENABLE_PREFIX_DELEGATION": "true",
        "WARM_PREFIX_TARGET": "1",
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true",
        "ENI_CONFIG_LABEL_DEF": "topology.kubernetes.io/zone",
    }
    assert values["eniConfig"]["create"] is True
    outputs = "${data.terraform_remote_state.network.outputs."
    assert values["eniConfig"]["subnets"] == {
        f"us-east-1{zone}": {
            "id": f"{outputs}pod_subnet_ids.{zone}}}",
            "securityGroups": [f"{outputs}node_security_group_id}}"],
        }
        for zone in "abc"
    }
    template = compute["aws_launch_template.nodes"]
    assert template["vpc_security_group_ids"] == [f"{outputs}node_security_group_id}}"]
    tags = {each["resource_type"]: each["tags"] for each in template["tag_specifications"]}
    assert tags["instance"]["PodRange"] == "100.64.0.0/16", "other nodes take over"


@pytest.mark.parametrize(
    ("network", "compute", "rule"),
    [
        ({**OWN_RANGE, "cidr": "10.20.0.0/22"}, {"nodes": {"max": 60}}, "10.20.0.0/26 has 17"),
        ({"pods": "100.64.0.0/19"}, {"nodes": {"max": 66}}, "100.64.0.0/22 has 1019"),
        (OWN_RANGE, {"nodes": {"instance_type": "t3.small", "pods": 110, "max": 30}}, "at most 98 pods"),
    ],
)
def test_subnets_too_small_for_nodes_or_pods_are_refused(
    environment: Callable[..., Environment], network: dict[str, Any], compute: dict[str, Any], rule: str
) -> None:
    with pytest.raises(SpecError, match=rule):
        environment(network=network, compute=compute)


def test_the_documented_capacity_of_a_t3_medium_is_current(environment: Callable[..., Environment]) -> None:
    nodes = environment().compute.nodes
    assert nodes.pods_allowed == 110
    assert nodes.pods_each == 32
    assert (reserved_cpu(2), reserved_cpu(4), reserved_cpu(8)) == (70, 80, 90)
    assert reserved_memory(110) == 1465
    assert room(nodes, Overhead(Observability())) == Room(cpu=1680, memory=2801, pods=26)


@pytest.mark.parametrize(
    ("wanted", "needed"),
    [
        ([], 0),
        ([Pods("a", 3, 600, 1)], 3),
        ([Pods("a", 1, 600, 1), Pods("b", 2, 400, 1)], 2),
        ([Pods("a", 11, 0, 0)], 2),
        ([Pods("a", 1, 1001, 1)], None),
    ],
)
def test_pods_are_packed_by_cpu_memory_and_number(wanted: list[Pods], needed: int | None) -> None:
    assert nodes_needed(wanted, Room(1000, 1000, 10)) == needed


def test_nodes_have_room_for_a_release_of_the_largest_system(environment: Callable[..., Environment]) -> None:
    """There is room for one new pod and one migration job of the largest system at the same time."""
    systems = {
        "small": {"framework": "go"},
        "large": {"framework": "django", "cpu": "1600m", "replicas": 1, "max_replicas": 1},
    }
    settings = environment(systems=systems, compute={"nodes": {"max": 450}})
    release = release_pods(settings.systems, room(settings.compute.nodes, Overhead(settings.observability)))
    assert release == [Pods("large-surge", 1, 1600, 512), Pods("large-migrate", 1, 1600, 512)]
    systems["large"] |= {"commands": {"migrate": []}}
    settings = environment(systems=systems, compute={"nodes": {"max": 450}})
    assert [
        each.name
        for each in release_pods(
            settings.systems, room(settings.compute.nodes, Overhead(settings.observability))
        )
    ] == ["large-surge"]


def test_distributing_nodes_keeps_their_total() -> None:
    assert share_out(10, "abc") == {"a": 4, "b": 3, "c": 3}
    assert all(sum(share_out(total, "abcd").values()) == total for total in range(30))


def test_capacity_of_hundreds_of_systems_is_calculated_fast(environment: Callable[..., Environment]) -> None:
    systems: dict[str, Any] = {f"system-{number}": {"framework": "go"} for number in range(300)}
    assert len(environment(systems=systems, compute={"nodes": {"min": 9, "max": 200}}).systems) == 300
