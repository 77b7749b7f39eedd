"""Rules of `compute:` that depend on the rest of the environment."""

from __future__ import annotations

from collections.abc import Iterator

from modules.compute.nodes_spec import Group
from modules.compute.spec import Compute
from modules.network.ranges import CONTAINER_BRIDGE, SERVICES, free_range
from modules.network.spec import Network
from tierra.validation.messages import choices
from tierra.validation.model import Violation

MOST_GROUPS = 30  # maximum number of managed node groups of a cluster (quotas of EKS)


def compute_violations(
    compute: Compute, zones: tuple[str, ...], partition: str, home: str
) -> Iterator[Violation]:
    """Rules that also depend on the network and the region. Paths start at the root."""
    yield from zone_violations(compute, zones)
    for index, zone in enumerate(compute.endpoint.zones):
        if zone not in zones:
            rule = f"a zone of the control plane must be one of network.zones: {choices(zones)}"
            yield Violation(
                ("compute", "endpoint", "zones", index), rule, "name one of these, or remove the zone"
            )
    for key in ("docker_hub", "github"):
        secret = getattr(compute.image_cache, key)
        if secret and not secret.startswith(f"arn:aws:secretsmanager:{home}:"):
            rule = f"the secret must be in the account and region of the registry, {home}"
            yield Violation(
                ("compute", "image_cache", key),
                rule,
                "create it there and write its ARN, or remove the line",
            )
    for key in ("admins", "viewers"):
        for index, arn in enumerate(getattr(compute, key)):
            if arn.split(":")[1] != partition:
                rule = f"a role must be of the region's partition, {partition}"
                yield Violation(
                    ("compute", key, index), rule, f"write a role that starts with arn:{partition}:"
                )


def service_violations(compute: Compute, network: Network) -> Iterator[Violation]:
    """The range of services must not overlap another range: it exists only inside nodes, which rewrite
    packets to it (Amazon EKS API Reference, KubernetesNetworkConfigRequest: the range overlaps neither the
    VPC nor networks connected to it). Ranges that another rule refuses are skipped. Paths start at the
    root."""
    services = compute.service_cidr
    refused = {violation.path for violation in network.violations()}
    if any(violation.path == ("service_cidr",) for violation in compute.violations()):
        return
    taken = (CONTAINER_BRIDGE, *network.blocks, *network.elsewhere)
    alternative = (
        SERVICES if not any(map(SERVICES.overlaps, taken)) else free_range(SERVICES.prefixlen, taken)
    )
    for key, block in zip(("cidr", "pods"), network.blocks, strict=False):
        if (key,) in refused or not services.overlaps(block):
            continue
        if services != SERVICES or network.existing:
            rule = f"the range of services must not overlap the VPC range {block}"
            usual = alternative == SERVICES
            remedy = (
                f"remove the line to use {alternative}"
                if usual
                else f"write compute.service_cidr: {alternative}"
            )
            yield Violation(("compute", "service_cidr"), rule, remedy, str(services))
        else:
            what = "the VPC range" if key == "cidr" else "the range of pods"
            rule = f"{what} must not overlap {services}, the range of Kubernetes services"
            free = free_range(block.prefixlen, network.taken) if key == "cidr" else network.free_pods(taken)
            yield Violation(("network", key), rule, f"write {free}")
    for index, route in enumerate(() if network.existing else network.routes):
        if ("routes", index, "to") in refused or not services.overlaps(route.to):
            continue
        rule = f"a route must not overlap {services}, the range of Kubernetes services inside the cluster"
        parts = [] if route.to.subnet_of(services) else sorted(route.to.address_exclude(services))
        remedy = f"write a route to each of {', '.join(map(str, parts))}" if parts else "remove it"
        remedy += f"; or, if there is no cluster yet, write compute.service_cidr: {alternative}"
        yield Violation(("network", "routes", index, "to"), rule, remedy)


def zone_violations(compute: Compute, zones: tuple[str, ...]) -> Iterator[Violation]:
    """Each zone of a group must have at least one node."""
    for path, nodes in compute.all_nodes():
        group_zones = nodes.zones if isinstance(nodes, Group) else ()
        for index, zone in enumerate(group_zones):
            if zone not in zones:
                rule = f"nodes must be in zones of network.zones, which are {choices(zones)}"
                yield Violation(("compute", *path, "zones", index), rule, "name one of these, or remove it")
        count = len(group_zones or zones)
        if compute.scaling == "cpu" and nodes.min < count:
            rule = f"min ({nodes.min}) must be at least {count} with scaling: cpu, one node for each zone:"
            rule += " a zone without a node has no load to scale by"
            remedy = f"write min: {count} or more, or scaling: pods"
            yield Violation(("compute", *path, "min"), rule, remedy)
        if nodes.max < count:
            rule = f"max ({nodes.max}) must be at least {count}, one node for each zone"
            where = f"compute.groups.{path[-1]}.zones" if group_zones else "network.zones"
            yield Violation(
                ("compute", *path, "max"),
                rule,
                f"raise it to {count} or more, or name fewer zones in {where}",
            )
    if (
        count := sum(len(group.zones or zones) for group in compute.groups.values()) + len(zones)
    ) > MOST_GROUPS:
        rule = f"a cluster must have at most {MOST_GROUPS} managed node groups, one for each group and zone"
        yield Violation(("compute", "groups"), rule, "name fewer zones, or fewer groups", f"{count} of them")
