"""Security groups of the whole platform: all allowed connections, in one table.

Each row of RULES opens one port: as an egress rule of the source and an ingress rule of the target.
Everything else is closed. Rules refer to security groups rather than addresses, so scaling and new zones do
not change them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule

from modules.data.outputs import PORTS
from modules.network.vpc import ANYWHERE, AnyVpc
from modules.systems.shape_spec import ways_out
from tierra.terraform.stack import Stack

WORLD = "world"

GROUPS = {
    "load_balancer": "Load balancer, the only door from the internet",
    "node": "Kubernetes nodes and their pods",
    "control_plane": "Kubernetes API, at its network interfaces in the VPC",
    "postgres": "PostgreSQL",
    "redis": "Redis",
    "documentdb": "DocumentDB",
    "runner": "What administers from inside the VPC: runners, bastions, client VPN",
}
INTERNAL = "Load balancer, the only door from the VPC and the ranges of edge.clients"
DATABASES = ("postgres", "redis", "documentdb")
# Only if the spec says endpoints: all.
ENDPOINT = {"endpoint": "Private endpoints of AWS services"}
# Only if a system has volumes.
VOLUMES = {"volumes": "Volumes of systems, at their mount targets"}


@dataclass(frozen=True)
class Rule:
    """`source` opens TCP connections to `port` of `target`; no port means every protocol and port."""

    source: str
    target: str
    port: int | None
    why: str

    @property
    def suffix(self) -> str:
        """Suffix of the names of both rules, so that each port has its own address."""
        return "" if self.port is None else f"_{self.port}"


RULES = (
    Rule(WORLD, "load_balancer", 80, "Browsers, which are sent on to 443"),
    Rule(WORLD, "load_balancer", 443, "Browsers and API clients"),
    Rule("load_balancer", "node", 8000, "Requests to Kong"),
    Rule("load_balancer", "node", 8100, "Health checks of Kong"),
    Rule("node", "node", None, "Pods and nodes among themselves; network policies narrow it"),
    Rule("node", "control_plane", 443, "Nodes and pods to the Kubernetes API"),
    Rule("control_plane", "node", 443, "Kubernetes API to extension servers"),
    Rule("control_plane", "node", 4443, "Kubernetes API to the metrics server"),
    Rule("control_plane", "node", 8443, "Kubernetes API to admission webhooks"),
    Rule("control_plane", "node", 9443, "Kubernetes API to the load-balancer controller"),
    Rule("control_plane", "node", 10250, "Kubernetes API to kubelets: logs, exec, metrics"),
    Rule("control_plane", "node", 10251, "Kubernetes API to the metrics server of the EKS add-on"),
    Rule("node", "postgres", PORTS["postgres"], "Systems to PostgreSQL"),
    Rule("node", "redis", PORTS["redis"], "Systems to Redis"),
    Rule("node", "documentdb", PORTS["documentdb"], "Systems to DocumentDB"),
    Rule("node", WORLD, 443, "Registries, AWS services and partners, over TLS"),
    Rule("runner", "control_plane", 443, "Operators and runners to the Kubernetes API"),
    Rule("runner", WORLD, 443, "GitHub, AWS services, packages and providers, over TLS"),
)
TO_ENDPOINT = (
    Rule("node", "endpoint", 443, "AWS services through their private endpoints"),
    # Private DNS resolves to the endpoints in the whole VPC, so sources that they do not allow lose access to
    # AWS.
    Rule("runner", "endpoint", 443, "AWS services through their private endpoints"),
)
# The node mounts the volumes, so pods themselves never connect to EFS.
TO_VOLUMES = (Rule("node", "volumes", 2049, "Nodes to volumes of systems, by NFS in TLS"),)
# Targets of network.admin_cidrs and of runners.
ADMINISTERED = ("control_plane", "endpoint")


def firewall(stack: Stack, vpc: AnyVpc) -> dict[str, SecurityGroup]:
    """The security groups by role, with their rules; `endpoint` only with endpoints: all, `volumes` only if a
    system has volumes, and none for a database that is off."""
    private_endpoints = stack.environment.network.endpoints == "all"
    with_volumes = stack.environment.has_volumes
    off = set(DATABASES) - set(stack.environment.data.databases)
    roles = {**GROUPS, **(ENDPOINT if private_endpoints else {}), **(VOLUMES if with_volumes else {})}
    internal = stack.environment.edge.internal
    if internal:
        roles["load_balancer"] = INTERNAL
    groups = {
        role: _group(stack, vpc, role, description) for role, description in roles.items() if role not in off
    }
    further = (*(TO_ENDPOINT if private_endpoints else ()), *(TO_VOLUMES if with_volumes else ()))
    for rule in (*RULES, *further):
        if internal and rule.source == WORLD:
            _clients(stack, groups, rule)
        elif rule.target not in off:
            source, target = rule.source, rule.target
            egress, ingress = VpcSecurityGroupEgressRule, VpcSecurityGroupIngressRule
            _add(stack, groups, rule, egress, f"{source}_to_{target}", source, target)
            _add(stack, groups, rule, ingress, f"{target}_from_{source}", target, source)
    _ways_out(stack, groups["node"])
    for role in ADMINISTERED:
        if role in groups:
            _administration(stack, role, groups[role])
    return groups


def _ways_out(stack: Stack, group: SecurityGroup) -> None:
    """`egress` of systems; network policies allow it only for pods of these systems."""
    for port, cidr in ways_out(stack.environment.systems):
        name = f"node_to_{'world' if cidr == ANYWHERE else re.sub('[./]', '_', cidr)}_{port}"
        stack.add(
            VpcSecurityGroupEgressRule,
            name,
            security_group_id=group.id,
            description="Systems that name it in egress",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=cidr,
            tags=stack.tags(name.replace("_", "-")),
        )


def _clients(stack: Stack, groups: dict[str, SecurityGroup], rule: Rule) -> None:
    """The VPC and each range of edge.clients, instead of the internet."""
    for cidr in map(str, (*stack.environment.network.blocks, *stack.environment.edge.clients)):
        name = f"{rule.target}_from_{re.sub('[./]', '_', cidr)}_{rule.port}"
        stack.add(
            VpcSecurityGroupIngressRule,
            name,
            security_group_id=groups[rule.target].id,
            description=rule.why,
            ip_protocol="tcp",
            from_port=rule.port,
            to_port=rule.port,
            cidr_ipv4=cidr,
            tags=stack.tags(name.replace("_", "-")),
        )


def _administration(stack: Stack, role: str, group: SecurityGroup) -> None:
    """443 from each range of network.admin_cidrs, whose hosts are in no security group of this VPC."""
    for cidr in map(str, stack.environment.network.admin_cidrs):
        name = f"{role}_from_{re.sub('[./]', '_', cidr)}_443"
        stack.add(
            VpcSecurityGroupIngressRule,
            name,
            security_group_id=group.id,
            description="Operators beyond the VPC, over a VPN or a peering",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=cidr,
            tags=stack.tags(name.replace("_", "-")),
        )


def _group(stack: Stack, vpc: AnyVpc, role: str, description: str) -> SecurityGroup:
    # A security group without an egress block has no egress at all: the provider removes the default rule of
    # AWS.
    return stack.add(
        SecurityGroup,
        role,
        name_prefix=stack.names.prefix("security_group", role.replace("_", "-")),
        description=description,
        vpc_id=vpc.id,
        lifecycle=TerraformResourceLifecycle(
            create_before_destroy=True,
            # The description depends on edge.scheme, and a new description is a new security group (provider:
            # internal/service/ec2/vpc_security_group.go, ForceNew) while the load balancer still uses the old
            # one.
            ignore_changes=["description"] if role == "load_balancer" else None,
        ),
        tags=stack.tags(role.replace("_", "-")),
    )


def _add(
    stack: Stack,
    groups: dict[str, SecurityGroup],
    rule: Rule,
    kind: type[VpcSecurityGroupEgressRule] | type[VpcSecurityGroupIngressRule],
    name: str,
    group: str,
    peer: str,
) -> None:
    """One direction of a rule, in the group of one side; none if that side is the internet."""
    if group == WORLD:
        return
    name += rule.suffix
    stack.add(
        kind,
        name,
        security_group_id=groups[group].id,
        description=rule.why,
        ip_protocol="-1" if rule.port is None else "tcp",
        from_port=rule.port,
        to_port=rule.port,
        cidr_ipv4=ANYWHERE if peer == WORLD else None,
        referenced_security_group_id=None if peer == WORLD else groups[peer].id,
        tags=stack.tags(name.replace("_", "-")),
    )
