"""Boxes of the cluster: control plane, nodes, Kong, the systems and their pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from modules.compute.nodes_spec import LABEL
from tierra.diagram.boxes import groups_of, listed, make, named
from tierra.diagram.graph import Box, Pods
from tierra.diagram.network import zone_of
from tierra.diagram.rules import ranges
from tierra.diagram.terraform import Resource, Terraform

STORES = (
    ("DATABASE_HOST", "PostgreSQL"),
    ("REDIS_HOST", "Redis"),
    ("DOCUMENTDB_HOST", "DocumentDB"),
    ("FILES_BUCKET", "S3"),
)


def cluster(terraform: Terraform) -> list[Box]:
    """EKS: its nodes with everything that runs on them, and the control plane."""
    if not terraform.all("aws_eks_cluster"):
        return []
    inside = [_nodes(terraform), *_control_planes(terraform)]
    name = terraform.all("aws_eks_cluster")[0].values["name"]
    return [make("eks", f"EKS {name}", [], boxes=inside)]


def _control_planes(terraform: Terraform) -> list[Box]:
    boxes = []
    addons = terraform.all("aws_eks_addon")
    for cluster in terraform.all("aws_eks_cluster"):
        vpc_config = _first(cluster.values["vpc_config"])
        groups = groups_of(terraform, cluster)
        open_to = ranges(terraform, [group.address for group in groups])
        if vpc_config.get("endpoint_public_access"):
            open_to += vpc_config.get("public_access_cidrs") or ["everywhere"]
        public = f"API for {listed(open_to)} too" if open_to else "API inside the VPC only"
        notes = [
            f"Kubernetes {cluster.values['version']}, {public}",
            listed(a.values["addon_name"] for a in addons),
        ]
        related = [*groups, *addons]
        boxes.append(make("control_plane", "Control plane", [cluster], related, notes=notes))
    return boxes


def _nodes(terraform: Terraform) -> Box:
    """Everything in the security group of the nodes."""
    templates = terraform.all("aws_launch_template")
    groups = [group for template in templates for group in groups_of(terraform, template)]
    inside = [*_kong(terraform), *_platform(terraform), _systems(terraform), *_node_groups(terraform)]
    return make("nodes", "Nodes and pods", templates, groups, id="nodes", boxes=inside)


def _node_groups(terraform: Terraform) -> list[Box]:
    boxes = []
    for group in terraform.all("aws_eks_node_group"):
        size = _first(group.values["scaling_config"])
        zone = zone_of(terraform, group)
        pods = Pods(size["min_size"], size["max_size"])
        spot = ", spot" if group.values["capacity_type"] == "SPOT" else ""
        notes = [f"{listed(group.values['instance_types'])}{spot}, {_between(pods, 'node')}"]
        name = (group.values.get("labels") or {}).get(LABEL)
        scaling = terraform.all("aws_autoscaling_group_tag", "aws_autoscaling_policy")
        tags = [tag for tag in scaling if f".{group.name}." in str(tag.values["autoscaling_group_name"])]
        boxes.append(
            make(
                "nodes_of_zone",
                f"Nodes: {name}" if name else "Nodes",
                [group],
                tags,
                notes=notes,
                zone=zone,
                pods=pods,
            )
        )
    return boxes


def _first(block: Any) -> Mapping[str, Any]:
    """A single block, which is an object in the configuration and a list in a plan."""
    first: Mapping[str, Any] = block[0] if isinstance(block, list) else block
    return first


def _between(pods: Pods, noun: str) -> str:
    if pods.least == pods.most:
        return named(pods.least, noun)
    return f"{pods.least} to {named(pods.most, noun)}"


def _values(release: Resource) -> Mapping[str, Any]:
    """The values of a release; references in them are text."""
    result: dict[str, Any] = {}
    for text in release.values.get("values") or ():
        result |= yaml.safe_load(text) or {}
    return result


def _kong(terraform: Terraform) -> list[Box]:
    boxes = []
    for release in terraform.all("helm_release", tier="gateway"):
        if release.values["chart"] != "kong":
            continue
        values = _values(release)
        scaling = values.get("autoscaling") or {}
        least = values.get("replicaCount", 1)
        pods = Pods(least, scaling["maxReplicas"] if scaling.get("enabled") else least)
        ports = f"listens on {values['proxy']['http']['containerPort']}"
        boxes.append(make("kong", "Kong", [release], notes=[_between(pods, "pod"), ports], pods=pods))
    return boxes


def _platform(terraform: Terraform) -> list[Box]:
    """The components that the cluster itself needs, in one box."""
    releases = [
        release
        for release in terraform.all("helm_release", tier="gateway")
        if release.values["chart"] != "kong"
    ]
    published = [release.values["name"] for release in releases if release.values.get("repository")]
    if not releases:
        return []
    return [make("platform", "Cluster services", releases, notes=[listed(published)], id="platform")]


def _asked(values: Mapping[str, Any]) -> str:
    """The addresses of a system."""
    if "port" not in values:
        return "answers no requests"
    asks = " with a credential" if (values.get("requests") or {}).get("auth") else ""
    path = values.get("path", "only for other systems,")
    return f"{listed(f'{host}{path}' for host in values.get('hosts') or [''])} on {values['port']}{asks}"


def _systems(terraform: Terraform) -> Box:
    """The systems, each with the services that it may reach."""
    boxes = []
    everything = terraform.all(*sorted({resource.type for resource in terraform.resources}), tier="systems")
    for release in terraform.all("helm_release", tier="systems"):
        values = _values(release)
        if "replicas" not in values:
            continue  # resources that prepare a system, or all of them
        mine = {release.name, f"{release.name}_namespace", f"secrets_{release.name}"}
        prefixes = (f"secrets_{release.name}__", f"keys_{release.name}__")
        related = [
            resource
            for resource in everything
            if (resource.name in mine or resource.name.startswith(prefixes)) and resource != release
        ]
        pods = Pods(values["replicas"]["min"], values["replicas"]["max"])
        helpers = [
            named(values["worker"]["replicas"], "worker") if "worker" in values else "",
            "clock" if "beat" in values else "",
            named(len(values["jobs"]), "job") if "jobs" in values else "",
            *(f"beside it {name}" for name in values.get("sidecars", ())),
        ]
        stores = [name for variable, name in STORES if variable in values["environment"]]
        stores += [f"volume {name}" for name in values.get("volumes", ())]
        notes = [
            listed([_between(pods, "pod"), *filter(None, helpers)]),
            _asked(values),
            f"uses {listed(stores)}" if stores else "",
        ]
        boxes.append(make("system", values["system"], [release], related, notes=notes, pods=pods))
    return make("systems", "Systems", [], boxes=boxes)
