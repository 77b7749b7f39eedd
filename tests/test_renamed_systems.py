"""Tests of renamed systems: resources are moved, keep their names, and are not destroyed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Root, Variant
from support.changing import bases
from support.living import AppliedEnvironment, applied

from modules.spec import Environment
from tierra.github.workflows import workflows
from tierra.validation.errors import SpecError

SHOP: dict[str, Any] = {"framework": "django", "needs": ["postgres", "redis", "files"], "calls": ["cart"]}
SHOP |= {
    "secrets": {"SECRET_KEY": "create"},
    "jobs": {"nightly": {"schedule": "30 2 * * *", "command": ["x"]}},
}
CART = {"framework": "go", "needs": ["redis"], "calls": ["shop"]}
TIERS = ("delivery", "systems", "observability")
OTHER = {"framework": "go"}


def addresses(root: Root) -> set[str]:
    return {f"{kind}.{name}" for kind, name, _ in root.each()}


def moved(root: Root) -> dict[str, str]:
    return {each["from"]: each["to"] for each in root.body.get("moved", [])}


@pytest.mark.parametrize("formerly", ["shop", ["shop"], ["shop", "store"]])
def test_resources_are_moved_without_changes(
    variant: Callable[..., Variant], formerly: str | list[str]
) -> None:
    before = variant(environment="before", systems={"shop": SHOP, "cart": CART, "shop-api": OTHER})
    after = variant(
        environment="after",
        systems={
            "orders": {**SHOP, "formerly": formerly},
            "cart": {**CART, "calls": ["orders"]},
            "shop-api": OTHER,
        },
    )
    for tier in TIERS:
        was, now = addresses(before[tier]), addresses(after[tier])
        moves = moved(after[tier])
        led = {moves[moves[each]] if moves[each] in moves else moves[each] for each in was - now}
        assert led == now - was, tier
        assert was - now, tier
        assert all("shop_api" not in each for each in moves), tier
        for kind, name, arguments in before[tier].each():
            address = moves.get(f"{kind}.{name}", f"{kind}.{name}")
            address = moves.get(address, address)
            now_named = after[tier].body["resource"][kind][address.partition(".")[2]].get("name")
            assert now_named == str(arguments["name"]).replace("before", "after") if now_named else True, (
                address
            )
    text = json.dumps([after[tier].body["resource"] for tier in TIERS])
    assert "acme-after/shop" in text
    assert "acme-after/orders" not in text
    assert "SYSTEM_SHOP_URL" in text
    assert "SYSTEM_ORDERS_URL" not in text


def test_outputs_use_the_current_name(variant: Callable[..., Variant]) -> None:
    tiers = variant(systems={"orders": {**OTHER, "formerly": "shop"}})
    assert list(tiers["delivery"].body["output"]["repository_urls"]["value"]) == ["orders"]
    assert list(tiers["systems"].body["output"]["pod_role_arns"]["value"]) == ["orders"]


def test_a_rename_can_be_reverted(variant: Callable[..., Variant]) -> None:
    first = variant(environment="first", systems={"shop": OTHER})
    back = variant(environment="back", systems={"shop": {**OTHER, "formerly": ["shop", "orders"]}})
    for tier in TIERS:
        assert addresses(first[tier]) == addresses(back[tier]), tier
        moves = moved(back[tier])
        assert set(moves.values()) < addresses(back[tier]), tier
        assert all(new == old.replace("orders", "shop") != old for old, new in moves.items()), tier


def test_pipelines_push_and_deploy_with_the_first_name(environment: Callable[..., Environment]) -> None:
    trial = environment(systems={"orders": {**SHOP, "calls": [], "formerly": "shop"}})
    files = workflows(trial)
    [text] = [text for name, text in files.items() if name.endswith("orders.trial.yml")]
    for part in ("SYSTEM: shop", "acme-trial/shop", "push-shop", "deploy-shop", "shop-nightly"):
        assert part in text, part
    assert "systems/shop" in text
    assert not re.search(r"(acme-trial|systems)/orders", text)


def test_images_are_promoted_between_different_names(tmp_path: Path) -> None:
    from modules.delivery.promotion import push_role_arn, source_arns
    from modules.loader import load

    common = {"project": "acme", "region": "us-east-1"}
    (tmp_path / "old.yaml").write_text(
        yaml.safe_dump({**common, "systems": {"orders": {**OTHER, "formerly": "shop"}}})
    )
    new = {**common, "systems": {"orders": OTHER}, "delivery": {"promote_from": "old"}}
    (tmp_path / "new.yaml").write_text(yaml.safe_dump(new))
    production = load(tmp_path / "new.yaml")
    assert source_arns(production, "orders")[0].endswith(":repository/acme-old/shop")
    assert push_role_arn(production, "orders").endswith(":role/acme-new-push-orders")


@pytest.mark.parametrize(
    ("systems", "says"),
    [
        ({"orders": {**OTHER, "formerly": "shop"}, "shop": OTHER}, "shop is in this spec"),
        (
            {"orders": {**OTHER, "formerly": "shop"}, "sales": {**OTHER, "formerly": ["store", "shop"]}},
            "systems.orders.formerly also names",
        ),
        ({"orders": {**OTHER, "formerly": "Shop_1"}}, "the name of a system must be"),
        ({"orders": {**OTHER, "formerly": ["kong"]}}, "the platform uses"),
    ],
)
def test_invalid_former_names_are_refused(
    environment: Callable[..., Environment], systems: dict[str, Any], says: str
) -> None:
    with pytest.raises(SpecError, match=says) as refused:
        environment(systems=systems)
    assert "remedy:" in str(refused.value)


@pytest.mark.soak
def test_a_rename_and_its_reversal_are_applied(tmp_path: Path) -> None:
    project = AppliedEnvironment(tmp_path / "tierra", applied("usual"))
    spec = bases()["usual"]
    systems = spec["systems"]
    first = project.states()
    names: list[str] = []
    for name in ("store", "sales", "shop"):
        names.append({"store": "shop", "sales": "store", "shop": "sales"}[name])
        renamed = {
            name if other == "shop" else other: {**system, "formerly": names} if other == "shop" else system
            for other, system in systems.items()
        }
        project.write({**spec, "systems": renamed})
        for command in (("plan",), ("apply", "APPROVE=yes"), ("plan",)):
            run = project.make(*command)
            assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
            assert not project.actions(), command
        assert "No changes" in run.stdout
    now = project.states()
    assert {tier: set(values) for tier, values in now.items()} == {
        tier: set(values) for tier, values in first.items()
    }
