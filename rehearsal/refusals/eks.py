"""EKS: clusters, node groups, access and add-ons. Refused version changes are in `tierra.aws.transitions`."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from rehearsal.refusals.documents import trusted
from rehearsal.refusals.rules import (
    CREATE,
    Rule,
    blocks,
    changed,
    find_object,
    foreign_groups,
    networks,
    others,
    texts,
)
from rehearsal.refusals.rules import zones as zones_of
from tierra.aws.transition_answers import Around, Values, at

CLUSTER, NODES = "aws_eks_cluster", "aws_eks_node_group"
ENTRY, ASSOCIATION = "aws_eks_access_entry", "aws_eks_pod_identity_association"
# Certainly not on the internet: RFC 1918, RFC 6598, RFC 3927 and loopback. Ranges of documentation may pass.
PRIVATE = [
    IPv4Network(block)
    for block in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
    )
]
ORDER = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
# Families of Graviton have a g behind the number of their generation: m7g, c7gn, im4gn, hpc7g; and a1.
# Source: page ec2/latest/instancetypes/instance-type-names.html.
ARM = re.compile(r"(a1|[a-z]+-?\d+[a-z]*?g[a-z]*)\.")
INTEL_OR_AMD = re.compile(r"(?!a1\.|mac)[a-z]+\d+[a-fh-z]*\.")


def zones(was: Values, now: Values, around: Around) -> str:
    here = zones_of(around, at(now, "vpc_config.subnet_ids"))
    if not here or len(set(here)) > 1 or not changed(was, now, "vpc_config"):
        return ""
    return "InvalidParameterException: Subnets specified must be in at least two different AZs"


def cluster_networks(was: Values, now: Values, around: Around) -> str:
    if not changed(was, now, "vpc_config"):
        return ""
    vpcs = networks(around, at(now, "vpc_config.subnet_ids"))
    if len(vpcs) > 1:
        return f"InvalidParameterException: Subnets must belong to the same VPC: {', '.join(sorted(vpcs))}"
    for group, its in foreign_groups(around, at(now, "vpc_config.security_group_ids"), vpcs):
        return (
            f"InvalidParameterException: Security group {group} is of {its}, the subnets are of {min(vpcs)}"
        )
    return ""


def endpoints(was: Values, now: Values, _around: Around) -> str:
    both = [at(now, f"vpc_config.endpoint_{name}_access") for name in ("public", "private")]
    if both != [False, False] or not changed(was, now, "vpc_config"):
        return ""
    return "InvalidParameterException: Private and public endpoint access cannot both be disabled"


def cluster_role(was: Values, now: Values, around: Around) -> str:
    arn = now.get("role_arn")
    if not changed(was, now, "role_arn") or trusted(around, arn, "eks.amazonaws.com"):
        return ""
    return (
        f"InvalidParameterException: Role with arn: {arn}, could not be assumed because it does not exist or"
        " the"
        " trusted entity is not correct"
    )


def node_role(was: Values, now: Values, around: Around) -> str:
    arn = now.get("node_role_arn")
    if not changed(was, now, "node_role_arn") or trusted(around, arn, "ec2.amazonaws.com"):
        return ""
    return (
        "InvalidParameterException: Following required service principals [ec2.amazonaws.com] were not found"
        " in"
        f" the trust relationships of nodeRole {arn}"
    )


def node_subnets(_was: Values, now: Values, around: Around) -> str:
    cluster = find_object(around, CLUSTER, "name", now.get("cluster_name"))
    own = networks(around, at(cluster or {}, "vpc_config.subnet_ids"))
    its = networks(around, now.get("subnet_ids"))
    if not own or not its or own & its:
        return ""
    return f"InvalidParameterException: Subnets are of {min(its)}, and the cluster is in {min(own)}"


def architecture(was: Values, now: Values, _around: Around) -> str:
    kind = str(now.get("ami_type"))
    if not changed(was, now, "ami_type", "instance_types"):
        return ""
    for instance_type in texts(now.get("instance_types")):
        arm = bool(ARM.match(instance_type))
        wrong = (arm and "x86_64" in kind) or (INTEL_OR_AMD.match(instance_type) and "ARM_64" in kind)
        if wrong:
            return (
                f"InvalidParameterException: [{instance_type}] is not a valid instance type for requested"
                f" amiType {kind}"
            )
    return ""


def template(was: Values, now: Values, around: Around) -> str:
    """Arguments of a launch template must not be repeated in the node group."""
    if not changed(was, now, "launch_template", "disk_size", "instance_types"):
        return ""
    for block in blocks(now, "launch_template"):
        named = find_object(around, "aws_launch_template", "id", block.get("id")) or find_object(
            around, "aws_launch_template", "name", block.get("name")
        )
        size = now.get("disk_size")
        if isinstance(size, int) and size and not was:
            return "InvalidParameterException: Disk size must be specified within the launch template."
        if named and texts(named.get("instance_type")) and texts(now.get("instance_types")):
            return (
                "InvalidParameterException: Instance types are given in the launch template and in the node"
                " group; give them in one of the two"
            )
    return ""


def authentication(was: Values, now: Values, _around: Around) -> str:
    old, new = (at(side, "access_config.authentication_mode") for side in (was, now))
    if old not in ORDER or new not in ORDER or ORDER.index(new) >= ORDER.index(old):
        return ""
    return f"InvalidParameterException: Unsupported authentication mode update from {old} to {new}"


def entries_allowed(_was: Values, now: Values, around: Around) -> str:
    cluster = find_object(around, CLUSTER, "name", now.get("cluster_name"))
    if cluster is None or at(cluster, "access_config.authentication_mode") != "CONFIG_MAP":
        return ""
    return (
        "InvalidRequestException: The cluster's authentication mode must be set to one of [API,"
        " API_AND_CONFIG_MAP] to perform this operation."
    )


def entry_groups(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "kubernetes_groups"):
        return ""
    for group in texts(now.get("kubernetes_groups")):
        if group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
            start = group.partition(":")[0]
            return (
                f"InvalidParameterException: The kubernetes group name {group} is invalid, it cannot start"
                " with"
                f" {start}:"
            )
    return ""


def pod_role(was: Values, now: Values, around: Around) -> str:
    wanted = ("sts:AssumeRole", "sts:TagSession")
    if not changed(was, now, "role_arn"):
        return ""
    if trusted(around, now.get("role_arn"), "pods.eks.amazonaws.com", wanted=wanted):
        return ""
    return "InvalidParameterException: Trust policy of the role provided is invalid"


def identity_provider(_was: Values, now: Values, around: Around) -> str:
    cluster = now.get("cluster_name")
    for provider in others(around, "aws_eks_identity_provider_config", {**now, "id": None}):
        if isinstance(cluster, str) and provider.get("cluster_name") == cluster:
            return (
                f"ResourceLimitExceededException: Cluster {cluster} already has an identity provider config"
            )
    return ""


API = "API eks, "


def public_ranges(was: Values, now: Values, _around: Around) -> str:
    public = at(now, "vpc_config.endpoint_public_access") is True
    given = texts(at(now, "vpc_config.public_access_cidrs"))
    if not public or (was and given == texts(at(was, "vpc_config.public_access_cidrs"))):
        return ""
    for cidr in given:
        network = block(cidr)
        if isinstance(network, IPv4Network) and any(network.subnet_of(private) for private in PRIVATE):
            return f"InvalidParameterException: The following CIDRs are not allowed: {cidr} is reserved"
    return ""


def service_range(_was: Values, now: Values, around: Around) -> str:
    mine = block(at(now, "kubernetes_network_config.service_ipv4_cidr"))
    for vpc in networks(around, at(now, "vpc_config.subnet_ids")):
        its = block((find_object(around, ("aws_vpc", "aws_default_vpc"), "id", vpc) or {}).get("cidr_block"))
        if mine and its and mine.version == its.version and mine.overlaps(its):
            return (
                f"InvalidParameterException: serviceIpv4Cidr {mine} overlaps with the CIDR block {its} of the"
                " VPC"
            )
    return ""


def block(text: Any) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text) if isinstance(text, str) else None
    except ValueError:
        return None


RULES = (
    Rule(
        "cluster_zones",
        (CLUSTER,),
        "a cluster must have subnets in at least two zones",
        API + "CreateCluster, resourcesVpcConfig; page eks/latest/userguide/network-reqs.html",
        zones,
    ),
    Rule(
        "cluster_networks",
        (CLUSTER,),
        "subnets and security groups of a cluster must be in the same VPC",
        API + "CreateCluster, resourcesVpcConfig",
        cluster_networks,
    ),
    Rule(
        "cluster_endpoints",
        (CLUSTER,),
        "the public or the private endpoint, or both, must be on",
        API + "UpdateClusterConfig, resourcesVpcConfig; page eks/latest/userguide/cluster-endpoint.html",
        endpoints,
    ),
    Rule(
        "cluster_role",
        (CLUSTER,),
        "the role of a cluster must trust eks.amazonaws.com",
        "aws-samples/karpenter-blueprints#20 quotes the answer",
        cluster_role,
    ),
    Rule(
        "authentication",
        (CLUSTER,),
        "the authentication mode must not change back from API towards CONFIG_MAP",
        API + "UpdateClusterConfig, accessConfig; page eks/latest/userguide/setting-up-access-entries.html",
        authentication,
    ),
    Rule(
        "node_role",
        (NODES,),
        "the role of nodes must trust ec2.amazonaws.com",
        API + "CreateNodegroup, nodeRole; page eks/latest/userguide/create-node-role.html",
        node_role,
    ),
    Rule(
        "node_subnets",
        (NODES,),
        "nodes must be in the VPC of their cluster",
        API + "CreateNodegroup, subnets",
        node_subnets,
        CREATE,
    ),
    Rule(
        "architecture",
        (NODES,),
        "instance types must have the architecture of the image",
        API + "CreateNodegroup, amiType",
        architecture,
    ),
    Rule(
        "node_template",
        (NODES,),
        "disk size and instance types must be set in the launch template or in the node group, not in both",
        API + "CreateNodegroupRequest, diskSize, instanceTypes, launchTemplate",
        template,
    ),
    Rule(
        "entries_allowed",
        (ENTRY, "aws_eks_access_policy_association"),
        "access entries require an authentication mode with API",
        API + "CreateAccessEntry, InvalidRequestException; CreateAccessConfigRequest, authenticationMode",
        entries_allowed,
        CREATE,
    ),
    Rule(
        "entry_groups",
        (ENTRY,),
        "groups of an access entry must not begin with `system:`, `eks:`, `aws:`, `amazon:` or `iam:`",
        "aws/karpenter-provider-aws#7558 quotes the answer; API eks, CreateAccessEntry, kubernetesGroups",
        entry_groups,
    ),
    Rule(
        "pod_role",
        (ASSOCIATION,),
        "the role of a pod must let pods.eks.amazonaws.com assume it and tag its session",
        "hashicorp/terraform-provider-aws#41483 quotes the answer",
        pod_role,
    ),
    Rule(
        "identity_provider",
        ("aws_eks_identity_provider_config",),
        "a cluster must have at most one identity provider",
        API + "AssociateIdentityProviderConfig;"
        " page eks/latest/userguide/authenticate-oidc-identity-provider.html",
        identity_provider,
        CREATE,
    ),
    Rule(
        "public_ranges",
        (CLUSTER,),
        "ranges that may reach the public endpoint must not be reserved ranges",
        "page eks/latest/userguide/cluster-endpoint.html, the block cannot include reserved addresses",
        public_ranges,
    ),
    Rule(
        "service_range",
        (CLUSTER,),
        "the range of services must not overlap the range of the VPC",
        "API eks, KubernetesNetworkConfigRequest, serviceIpv4Cidr",
        service_range,
        CREATE,
    ),
)
