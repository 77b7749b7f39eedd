"""The picture of an environment, read from its Terraform."""

from __future__ import annotations

from datetime import UTC, datetime

from tierra.diagram import cluster, network, services, stores
from tierra.diagram.boxes import named
from tierra.diagram.graph import Box, Picture
from tierra.diagram.rules import edges
from tierra.diagram.terraform import Terraform


def picture_of(name: str, target: str, terraform: Terraform, commit: str = "") -> Picture:
    """Every box and edge, in the order in which they are drawn. `commit` is that of the spec."""
    provider = terraform.bodies["network"]["provider"]["aws"][0]
    accounts = provider.get("allowed_account_ids") or [""]
    tags = [tags["tags"] for tags in provider.get("default_tags", ())]
    parts = {
        "public": _band(
            "public",
            "Public subnets",
            [
                *network.load_balancers(terraform, internal=False),
                *network.nat_gateways(terraform),
                *network.subnets(terraform, "public"),
            ],
        ),
        "private": _band(
            "private",
            "Private subnets",
            [
                *network.load_balancers(terraform, internal=True),
                *cluster.cluster(terraform),
                *network.endpoints(terraform),
                *network.subnets(terraform, "private"),
                *network.subnets(terraform, "pods"),
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
        name=" ".join([*(tag["Project"] for tag in tags if "Project" in tag), name]),
        region=provider["region"],
        location="no AWS account" if target == "rehearsal" else f"AWS account {accounts[0]}",
        rehearsal=target == "rehearsal",
        source=_source(terraform, name, commit),
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


def _source(terraform: Terraform, name: str, commit: str) -> str:
    """The source of the picture: the plans with their times, and the spec."""
    plans = terraform.tier_plans()
    times = sorted(datetime.fromisoformat(plan.created).astimezone(UTC) for plan in plans if plan.created)
    forecasts = sum(plan.forecast for plan in plans)
    words = [
        f"plans of {len(plans)} of {len(terraform.bodies)} tiers" if plans else "no saved plans",
        f"{named(forecasts, 'forecast')} among them" if forecasts else "",
        _time(times) if times else "",
        f"environments/{name}.yaml" + (f" at {commit}" if commit else ""),
    ]
    return ", ".join(filter(None, words))


def _time(times: list[datetime]) -> str:
    """`made 2026-10-30 08:10 UTC`, or from the first to the last."""
    first, last = (f"{time:%Y-%m-%d %H:%M}" for time in (times[0], times[-1]))
    return f"made {first} UTC" if first == last else f"made {first} to {last} UTC"


def _band(kind: str, title: str, boxes: list[Box]) -> Box:
    return Box(kind, kind, title, boxes=tuple(boxes))


def _in_engine(box: Box, boxes: list[Box]) -> bool:
    return any(engine.kind == "engine" and box in engine.boxes for engine in boxes)
