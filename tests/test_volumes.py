"""Tests of volumes of systems: EFS file systems and their claims."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Variant
from support.charts import DIGEST, pods, values
from support.rendering import rendered

from modules.capacity import room
from modules.observability.spec import Observability
from modules.overhead import Overhead
from modules.spec import Environment
from tierra.diagram import stores
from tierra.diagram.terraform import Terraform
from tierra.plans.changes import Change
from tierra.report.losses import losses
from tierra.report.protection import protected_deletions
from tierra.validation.errors import SpecError

Variants = Callable[..., Variant]
SHOP = {
    "framework": "django",
    "needs": ["redis"],
    "workers": 1,
    "beat": True,
    "jobs": {"nightly": {"schedule": "0 1 * * *", "command": ["true"]}},
    "sidecars": {"agent": {"image": "public.ecr.aws/docker/library/busybox:1.37.0"}},
    "volumes": {"media": {"path": "/srv/media"}, "index": {"path": "/srv/index", "size_gb": 5}},
}
SYSTEMS = {"shop": SHOP, "cart": {"framework": "go"}}


@pytest.fixture
def tiers(variant: Variants) -> Variant:
    return variant(systems=SYSTEMS)


def test_each_volume_is_an_encrypted_protected_file_system_with_backups(tiers: Variant) -> None:
    data = tiers["data"]
    assert set(data.all("aws_efs_file_system")) == {"shop_media", "shop_index"}
    media = data["aws_efs_file_system.shop_media"]
    assert media["encrypted"] is True
    assert media["kms_key_id"] == "${aws_kms_key.volumes.arn}"
    assert media["tags"]["Backup"] == "acme-trial"
    assert media["lifecycle"] == {"prevent_destroy": True}
    statement = data.statements("aws_efs_file_system_policy.shop_media")["MountThroughAccessPoints"]
    assert statement["Condition"]["Bool"]["aws:SecureTransport"] == "true"
    assert statement["Condition"]["Null"] == {"elasticfilesystem:AccessPointArn": "false"}
    assert "elasticfilesystem:ClientRootAccess" not in statement["Action"]


def test_every_zone_has_a_mount_target_and_pods_own_the_files(tiers: Variant, tmp_path: Path) -> None:
    data, network = tiers["data"], tiers["network"]
    targets = data.all("aws_efs_mount_target")
    assert {name for name in targets if "media" in name} == {f"shop_media_{zone}" for zone in "abc"}
    for target in targets.values():
        assert "database_subnet_ids" in target["subnet_id"]
        assert "volumes_security_group_id" in target["security_groups"][0]
    point = data["aws_efs_access_point.shop_media"]
    assert {f"aws_efs_mount_target.shop_media_{zone}" for zone in "abc"} <= set(point["depends_on"])
    chart = rendered("systems/chart", {**values(tiers["systems"], "shop"), "image": DIGEST}, tmp_path)
    security = pods(chart)["Deployment/shop"]["securityContext"]
    owner = point["root_directory"]["creation_info"]
    assert point["posix_user"]["uid"] == owner["owner_uid"] == security["runAsUser"]
    assert point["posix_user"]["gid"] == owner["owner_gid"] == security["fsGroup"]
    rule = network["aws_vpc_security_group_ingress_rule.volumes_from_node_2049"]
    assert (rule["from_port"], rule["referenced_security_group_id"]) == (
        2049,
        "${aws_security_group.node.id}",
    )


def test_only_pods_of_the_system_mount_its_volumes(tiers: Variant, tmp_path: Path) -> None:
    root = tiers["systems"]
    chart = rendered("systems/chart", {**values(root, "shop"), "image": DIGEST}, tmp_path)
    assert {name.partition("/")[0] for name in pods(chart)} == {"Deployment", "Job", "CronJob"}
    for name, pod in pods(chart).items():
        claims = {
            each["name"]: each["persistentVolumeClaim"]["claimName"]
            for each in pod["volumes"]
            if "persistentVolumeClaim" in each
        }
        assert claims == {"volume-media": "media", "volume-index": "index"}, name
        app = pod["containers"][0]
        assert {"name": "volume-media", "mountPath": "/srv/media"} in app["volumeMounts"]
        assert app["securityContext"]["readOnlyRootFilesystem"] is True
    (agent,) = pods(chart)["Deployment/shop"]["initContainers"]
    assert [each["name"] for each in agent["volumeMounts"]] == ["scratch"]
    assert "volumes" not in values(root, "cart")
    assert "volumes" not in values(root, "cart_namespace")


def test_a_claim_is_bound_to_the_file_system_of_terraform(tiers: Variant, tmp_path: Path) -> None:
    given = values(tiers["systems"], "shop_namespace")
    text = tiers["systems"]["helm_release.shop_namespace"]["values"][0]
    assert "data.outputs.volume_handles.shop_media}" in text
    assert "compute.outputs.volumes_driver_arn}" in text
    around = rendered("systems/namespace", given, tmp_path)
    volume = around["PersistentVolume/shop-media"]["spec"]
    assert volume["csi"] == {"driver": "efs.csi.aws.com", "volumeHandle": given["volumes"]["media"]}
    assert volume["persistentVolumeReclaimPolicy"] == "Retain"
    assert volume["claimRef"] == {"namespace": "shop", "name": "media"}
    claim = around["PersistentVolumeClaim/media"]["spec"]
    assert claim["volumeName"] == "shop-media"
    assert claim["accessModes"] == volume["accessModes"] == ["ReadWriteMany"]
    ports = [
        port["port"]
        for rule in around["NetworkPolicy/ways-out"]["spec"]["egress"]
        for port in rule.get("ports", ())
    ]
    assert 2049 not in ports  # the node mounts


def test_the_efs_driver_is_installed_with_the_first_volume(variant: Variants, tiers: Variant) -> None:
    bare = variant(environment="bare", systems={"cart": {"framework": "go"}})
    assert "aws_efs_csi_driver" in tiers["compute"].all("aws_eks_addon")
    assert "aws_efs_csi_driver" not in bare["compute"].all("aws_eks_addon")
    assert "volumes" not in bare["network"].all("aws_security_group")
    assert "volumes" not in bare["data"].all("aws_kms_key")
    assert not any(name.startswith("volume") for name in bare["data"].body["output"])


def test_alarms_cover_volumes_that_are_large_or_busy(tiers: Variant) -> None:
    root = tiers["observability"]
    size = root["aws_cloudwatch_metric_alarm.volume_shop_index_size"]
    assert size["threshold"] == 5 * 1024**3
    assert size["dimensions"]["StorageClass"] == "Total"
    assert "volume_ids.shop_index" in size["dimensions"]["FileSystemId"]
    busy = root["aws_cloudwatch_metric_alarm.volume_shop_media_busy"]
    assert (busy["metric_name"], busy["threshold"]) == ("PercentIOLimit", 90)
    assert "Volumes: bytes" in json.dumps(root["aws_cloudwatch_dashboard.data"])


def test_a_renamed_system_keeps_its_volumes(variant: Variants) -> None:
    now = variant(systems={"store": {**SHOP, "formerly": "shop"}})
    moves = {each["from"]: each["to"] for each in now["data"].body["moved"]}
    assert moves["aws_efs_file_system.shop_media"] == "aws_efs_file_system.store_media"
    assert moves["aws_efs_mount_target.shop_media_a"] == "aws_efs_mount_target.store_media_a"
    assert now["data"]["aws_efs_file_system.store_media"]["creation_token"] == "acme-trial-shop-media"
    watching = {each["from"]: each["to"] for each in now["observability"].body["moved"]}
    alarm = "aws_cloudwatch_metric_alarm.volume_{}_media_size"
    assert watching[alarm.format("shop")] == alarm.format("store")


def test_the_efs_driver_is_in_the_capacity_calculation(environment: Callable[..., Environment]) -> None:
    nodes = environment(systems=SYSTEMS).compute.nodes
    without, with_volumes = (Overhead(Observability(), volumes=each) for each in (False, True))
    assert room(nodes, with_volumes).pods == room(nodes, without).pods - 1


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("media", "must be absolute"),
        ("/srv/../etc", "must be absolute"),
        ("/", "must be absolute"),
        ("/dev/shm", "must not be in /dev"),
        ("/etc/shop", "must not be in /etc"),
        ("/usr/share/media", "must not be in /usr"),
        ("/var", "must not be /var"),
        ("/srv/index/deep", "the paths of volumes must not overlap"),
        ("/srv/index", "the paths of volumes must not overlap"),
        ("/srv", "the paths of volumes must not overlap"),
    ],
)
def test_paths_that_hide_other_files_are_refused(
    environment: Callable[..., Environment], path: str, says: str
) -> None:
    with pytest.raises(SpecError, match=says):
        environment(
            systems={"shop": {**SHOP, "volumes": {"index": {"path": "/srv/index"}, "x": {"path": path}}}}
        )


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"config": {"/srv/media/a.ini": "a"}}, "must not contain files of config"),
        (
            {"config": {"/srv/media": "a"}, "volumes": {"x": {"path": "/srv/media/x"}}},
            "below a file of config",
        ),
        ({"volumes": {"my-media": {"path": "/srv/media"}}}, "write mymedia"),
        ({"volumes": {"no": {"path": "/srv/media"}}}, "YAML reads them"),
        ({"volumes": {f"v{n}": {"path": f"/srv/{n}"} for n in range(6)}}, "at most 5 volumes"),
        ({"volumes": {"media": {"size_gb": 5}}}, "path"),
    ],
)
def test_invalid_volumes_are_refused(
    environment: Callable[..., Environment], more: dict[str, Any], says: str
) -> None:
    with pytest.raises(SpecError, match=says):
        environment(systems={"shop": {**SHOP, **more}})


def test_the_picture_shows_a_volume_in_each_zone(tiers: Variant) -> None:
    terraform = Terraform({tier: tiers[tier].body for tier in ("network", "data")})
    rows = {each.title: each for each in stores.databases(terraform)}
    row = rows["Volume: shop media"]
    assert [each.title for each in row.boxes[1:]] == ["mount target"] * 3
    assert len({each.zone for each in row.boxes[1:]}) == 3


def test_a_removed_volume_is_a_loss_of_data_and_protection_refuses_it() -> None:
    address = "aws_efs_file_system.shop_media"
    gone = Change("data", address, "aws_efs_file_system", "delete", {"id": "fs-0123456789abcdef0"}, {})
    (loss,) = losses(gone)
    assert loss.critical
    assert "permanently lost" in loss.message
    plan = {"output_changes": {"protection": {"before": True, "after": True}}}
    assert [each.address for each in protected_deletions(gone, plan)] == [address]
    assert not list(
        protected_deletions(gone, {"output_changes": {"protection": {"before": False, "after": False}}})
    )
