"""The picture of an environment, read from its Terraform."""

from __future__ import annotations

from review.picture import cluster, network, services, stores
from review.picture.graph import Box, Picture
from review.picture.rules import edges
from review.picture.terraform import Terraform


def read(name: str, target: str, terraform: Terraform) -> Picture:
    """Every box and edge, in the order in which they are drawn."""
    provider = terraform.bodies["network"]["provider"]["aws"][0]
    accounts = provider.get("allowed_account_ids") or [""]
    tags = [tags["tags"] for tags in provider.get("default_tags", ())]
    parts = {
        "public": _band(
            "public",
            "Public subnets",
            [
                *network.load_balancers(terraform),
                *network.nat_gateways(terraform),
                *network.subnets(terraform, "public"),
            ],
        ),
        "private": _band(
            "private",
            "Private subnets",
            [
                *cluster.cluster(terraform),
                *network.endpoints(terraform),
                *network.subnets(terraform, "private"),
            ],
        ),
        "database": _band(
            "database",
            "Database subnets",
            [*stores.databases(terraform), *network.subnets(terraform, "database")],
        ),
    }
    inside = [box for part in parts.values() for box in part.walk()]
    return Picture(
        name=" ".join([*(each["Project"] for each in tags if "Project" in each), name]),
        region=provider["region"],
        place="rehearsal, no AWS account" if target == "rehearsal" else f"AWS account {accounts[0]}",
        zones=network.zones(terraform),
        front=tuple(network.front(terraform)),
        vpc=network.vpc(terraform),
        regional=_band("regional", "In the region", stores.regional(terraform)),
        monitoring=_band("monitoring", "Monitoring", services.monitoring(terraform)),
        pipeline=_band("pipeline", "From commit to production", services.pipeline(terraform)),
        edges=edges(terraform, [box for box in inside if not _in_engine(box, inside)]),
        plans=terraform.tier_plans(),
        **parts,
    )


def _band(kind: str, title: str, boxes: list[Box]) -> Box:
    return Box(kind, kind, title, boxes=tuple(boxes))


def _in_engine(box: Box, boxes: list[Box]) -> bool:
    return any(each.kind == "engine" and box in each.boxes for each in boxes)
