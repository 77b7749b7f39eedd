"""What Kong does for one system otherwise than for all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Variant
from rendering import Objects, rendered
from test_systems import DIGEST, pods, values

from modules.errors import SpecError
from modules.spec import Environment

Variants = Callable[..., Variant]
SLOW = {"framework": "go", "timeout_seconds": 200, "upload_mb": 10, "rate_limit": 60}


def chart(found: Variant, folder: Path, name: str) -> Objects:
    return rendered("systems/chart", {**values(found["systems"], name), "image": DIGEST}, folder)


def kong(found: Variant) -> dict[str, Any]:
    release = found["gateway"].all("helm_release")["kong"]
    said: dict[str, Any] = yaml.safe_load(release["values"][0])
    return said


def test_limits_of_a_system_stand_at_its_service(variant: Variants, tmp_path: Path) -> None:
    objects = chart(variant(systems={"shop": SLOW}), tmp_path, "shop")
    assert objects["Service/shop"]["metadata"]["annotations"] == {
        "konghq.com/connect-timeout": "60000",
        "konghq.com/read-timeout": "200000",
        "konghq.com/write-timeout": "200000",
        "konghq.com/plugins": "upload,rate",
    }
    upload, rate = objects["KongPlugin/upload"], objects["KongPlugin/rate"]
    assert (upload["plugin"], upload["config"]["allowed_payload_size"]) == ("request-size-limiting", 10)
    assert (rate["plugin"], rate["config"]["minute"]) == ("rate-limiting", 60)


def test_a_system_that_says_nothing_has_what_all_have(variant: Variants, tmp_path: Path) -> None:
    found = variant(systems={"shop": {"framework": "go"}})
    objects = chart(found, tmp_path, "shop")
    assert "annotations" not in objects["Service/shop"]["metadata"]
    assert not [each for each in objects if each.startswith("KongPlugin/")]
    assert pods(objects)["Deployment/shop"]["terminationGracePeriodSeconds"] == 60
    assert found["edge"].all("aws_lb")["main"]["idle_timeout"] == 60
    assert found["edge"].all("aws_lb_target_group")["gateway"]["deregistration_delay"] == "30"
    assert kong(found)["env"]["nginx_proxy_keepalive_timeout"] == "75s"
    assert "nginx_proxy_proxy_next_upstream" not in kong(found)["env"]
    assert kong(found)["terminationGracePeriodSeconds"] == 60


def test_all_on_the_way_wait_for_the_slowest_system(variant: Variants, tmp_path: Path) -> None:
    """Kong answers before the load balancer gives up, and nothing goes while a request may be in flight."""
    found = variant(systems={"shop": SLOW, "cart": {"framework": "go", "timeout_seconds": 5}})
    idle = found["edge"].all("aws_lb")["main"]["idle_timeout"]
    assert idle > 200
    said = kong(found)
    assert int(said["env"]["nginx_proxy_keepalive_timeout"].removesuffix("s")) > idle
    assert said["env"]["nginx_proxy_proxy_next_upstream"] == "error"
    assert said["lifecycle"]["preStop"]["exec"]["command"] == ["kong", "quit", "--wait=20", "--timeout=200"]
    assert said["terminationGracePeriodSeconds"] > 220
    assert found["edge"].all("aws_lb_target_group")["gateway"]["deregistration_delay"] == "200"
    shop, cart = (pods(chart(found, tmp_path, each))[f"Deployment/{each}"] for each in ("shop", "cart"))
    pause = shop["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert shop["terminationGracePeriodSeconds"] >= pause + 200
    assert cart["terminationGracePeriodSeconds"] == 60
    quick = chart(found, tmp_path, "cart")["Service/cart"]["metadata"]["annotations"]
    assert set(quick.values()) == {"5000"}


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"timeout_seconds": 301}, "300"),
        ({"upload_mb": 51}, "raise gateway.upload_mb"),
        ({"upload_mb": 40, "scratch_mb": 30}, "lower systems.shop.upload_mb"),
        ({"shape": "internal", "rate_limit": 60}, "Kong alone knows rate_limit"),
        ({"shape": "worker", "timeout_seconds": 10}, "Kong alone knows timeout_seconds"),
    ],
)
def test_what_cannot_work_is_refused(
    keys: dict[str, Any], says: str, environment: Callable[..., Environment]
) -> None:
    with pytest.raises(SpecError) as refused:
        environment(systems={"shop": {"framework": "go", **keys}})
    assert says in str(refused.value)
    assert len(refused.value.problems) == 1


def test_small_bodies_need_little_room(environment: Callable[..., Environment]) -> None:
    assert environment(systems={"shop": {"framework": "go", "upload_mb": 10, "scratch_mb": 16}})
