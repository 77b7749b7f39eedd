"""ElastiCache: replication groups, users and their groups."""

from __future__ import annotations

import re
from collections import Counter

from rehearsal.refusals.rules import (
    DELETE,
    Rule,
    changed,
    find_object,
    foreign_groups,
    networks,
    texts,
    used_by,
    windows_overlap,
)
from tierra.aws.transition_answers import Around, Values
from tierra.versions import numbers

REDIS, CACHES = "aws_elasticache_replication_group", "aws_elasticache_cluster"
SUBNET_GROUP, PARAMETERS = "aws_elasticache_subnet_group", "aws_elasticache_parameter_group"
USER, USER_GROUP = "aws_elasticache_user", "aws_elasticache_user_group"
ACCESS_WORDS = {
    *("on", "off", "allkeys", "resetkeys", "allchannels", "resetchannels", "allcommands", "nocommands"),
    *("clearselectors", "nopass", "resetpass", "reset", "sanitize-payload", "skip-sanitize-payload"),
}


def subnet_networks(_was: Values, now: Values, around: Around) -> str:
    if len(networks(around, now.get("subnet_ids"))) < 2:
        return ""
    return (
        "InvalidSubnet: An invalid subnet identifier was specified: the subnets of a group must be of one VPC"
    )


def groups_network(was: Values, now: Values, around: Around) -> str:
    group = find_object(around, SUBNET_GROUP, "name", now.get("subnet_group_name"))
    vpcs = networks(around, group and group.get("subnet_ids"))
    if not changed(was, now, "security_group_ids", "subnet_group_name"):
        return ""
    for _, its in foreign_groups(around, now.get("security_group_ids"), vpcs):
        return (
            f"InvalidParameterCombination: Subnet group [{now['subnet_group_name']}] belongs to a different"
            " VPC"
            f" [{min(vpcs)}] than [{its}]"
        )
    return ""


def family_of(engine: object, version: object) -> str | None:
    """The family of a version: page AmazonElastiCache/latest/dg/ParameterGroups.Engine.html."""
    major = numbers(str(version).replace(".x", ""))
    if engine == "valkey" and major:
        return f"valkey{major[0]}"
    if engine in ("redis", None) and major and major[0] in (6, 7):
        return {6: "redis6.x", 7: "redis7"}[major[0]]
    return None


def family(was: Values, now: Values, around: Around) -> str:
    group = find_object(around, PARAMETERS, "name", now.get("parameter_group_name"))
    wanted, its = family_of(now.get("engine"), now.get("engine_version")), group and group.get("family")
    if not wanted or not isinstance(its, str) or its == wanted:
        return ""
    if not changed(was, now, "parameter_group_name", "engine", "engine_version"):
        return ""
    return (
        f"InvalidParameterCombination: Expected a parameter group of family {wanted} but found one of family"
        f" {its}"
    )


def node_type(was: Values, now: Values, _around: Around) -> str:
    name = now.get("node_type")
    refused = isinstance(name, str) and name and not name.startswith("cache.")
    if not refused or not changed(was, now, "node_type"):
        return ""
    return f"InvalidParameterValue: The specified cache node type {name} is invalid"


def users_need_tls(was: Values, now: Values, _around: Around) -> str:
    off = now.get("transit_encryption_enabled") is False
    if not off or not changed(was, now, "user_group_ids", "transit_encryption_enabled", "auth_token"):
        return ""
    if texts(now.get("user_group_ids")):
        return (
            "InvalidParameterCombination: User group based access control requires encryption-in-transit to"
            " be"
            " enabled. Please enable TLS and try again."
        )
    if isinstance(now.get("auth_token"), str) and now["auth_token"]:
        return "InvalidParameterCombination: Auth Token can be specified only if TransitEncryption is enabled"
    return ""


def snapshot_window(was: Values, now: Values, _around: Around) -> str:
    if not changed(was, now, "snapshot_window", "maintenance_window"):
        return ""
    if not windows_overlap(now.get("snapshot_window"), now.get("maintenance_window")):
        return ""
    return "InvalidParameterValue: The snapshot window and the maintenance window must not overlap."


def default_user(was: Values, now: Values, around: Around) -> str:
    """Redis needs a user of this name in a group; Valkey brings its own."""
    ids = now.get("user_ids")
    if not isinstance(ids, list) or not changed(was, now, "user_ids"):
        return ""
    known = [find_object(around, USER, "user_id", user_id) for user_id in ids]
    names = Counter(str(user["user_name"]) for user in known if user)
    twice = sorted(name for name, number in names.items() if number > 1)
    if twice:
        return f"DuplicateUserName: One or more users have the user name {twice[0]}"
    if now.get("engine") != "redis" or "default" in ids or None in known or "default" in names:
        return ""
    return "DefaultUserRequired: User group needs to contain a user with the user name default."


def passwords(was: Values, now: Values, _around: Around) -> str:
    listed = now.get("passwords")
    if not changed(was, now, "passwords") or not isinstance(listed, list):
        return ""
    if any(isinstance(password, str) and not 16 <= len(password) <= 128 for password in listed):
        return "InvalidParameterValue: Passwords length must be between 16-128 characters."
    return ""


def nodes(was: Values, now: Values, _around: Around) -> str:
    count = now.get("num_cache_clusters")
    if not isinstance(count, int) or count <= 6 or not changed(was, now, "num_cache_clusters"):
        return ""
    return f"InvalidParameterValue: A group has a primary and up to 5 replicas: {count} nodes were asked for"


def group_id(_was: Values, now: Values, _around: Around) -> str:
    name = now.get("replication_group_id")
    if not isinstance(name, str) or re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", name):
        return ""
    return (
        "InvalidParameterValue: The parameter ReplicationGroupIdentifier must contain only ASCII letters,"
        " digits"
        f" and single hyphens, and begin with a letter: {name}"
    )


API = "API elasticache, "


def zones_count(was: Values, now: Values, _around: Around) -> str:
    zones, number = now.get("preferred_cache_cluster_azs"), now.get("num_cache_clusters")
    if not isinstance(zones, list) or not zones or not isinstance(number, int) or len(zones) == number:
        return ""
    if not changed(was, now, "preferred_cache_cluster_azs", "num_cache_clusters"):
        return ""
    return (
        f"InvalidParameterValue: The number of Availability Zones, {len(zones)}, must equal the number of"
        f" cache clusters, {number}"
    )


def access_string(was: Values, now: Values, _around: Around) -> str:
    given = now.get("access_string")
    if not isinstance(given, str) or not changed(was, now, "access_string"):
        return ""
    outside = re.sub(r"\([^)]*\)", " ", given)
    for word in outside.split():
        if word.lower() not in ACCESS_WORDS and not re.match(r"[~&+\-]|%[RrWw]+~", word):
            return f"InvalidParameterValue: Access string contains invalid syntax: {word}"
    return ""


RULES = (
    Rule(
        "cache_subnets",
        (SUBNET_GROUP,),
        "the subnets of a subnet group must be in the same VPC",
        API + "CreateCacheSubnetGroup, InvalidSubnet",
        subnet_networks,
    ),
    Rule(
        "cache_groups",
        (REDIS, CACHES),
        "security groups and subnet group of a cache must be in the same VPC",
        "aws-controllers-k8s/community#1594 quotes the answer",
        groups_network,
    ),
    Rule(
        "cache_parameters",
        (REDIS, CACHES),
        "a parameter group must be for the engine and its version",
        "hashicorp/terraform#11269 quotes the answer",
        family,
    ),
    Rule(
        "node_type",
        (REDIS, CACHES),
        "a node type must begin with `cache.`",
        API + "CreateReplicationGroup, CacheNodeType",
        node_type,
    ),
    Rule(
        "users_need_tls",
        (REDIS,),
        "user groups and an AUTH token require encryption in transit",
        API + "CreateReplicationGroup, AuthToken, TransitEncryptionEnabled;"
        " page AmazonElastiCache/latest/dg/Clusters.RBAC.html",
        users_need_tls,
    ),
    Rule(
        "snapshot_window",
        (REDIS, CACHES),
        "snapshot window and maintenance window must not overlap",
        API + "ReplicationGroup, SnapshotWindow",
        snapshot_window,
    ),
    Rule(
        "default_user",
        (USER_GROUP,),
        "a user group of Redis must have a user named default, and its names must be unique",
        API + "CreateUserGroup, DefaultUserRequired, DuplicateUserName",
        default_user,
    ),
    Rule(
        "passwords",
        (USER,),
        "a password of a user must have 16 to 128 characters",
        "page AmazonElastiCache/latest/dg/Clusters.RBAC.html",
        passwords,
    ),
    Rule(
        "replicas",
        (REDIS,),
        "a replication group must have at most five replicas",
        API + "CreateReplicationGroup, NumCacheClusters, ReplicasPerNodeGroup",
        nodes,
    ),
    Rule(
        "cache_subnet_group_used",
        (SUBNET_GROUP,),
        "a subnet group in use must not be deleted",
        API + "DeleteCacheSubnetGroup, CacheSubnetGroupInUse",
        used_by(
            ((REDIS, "subnet_group_name"), (CACHES, "subnet_group_name")),
            "name",
            "CacheSubnetGroupInUse: Cache subnet group {name} is currently in use by {user}.",
        ),
        DELETE,
    ),
    Rule(
        "cache_user_group_used",
        (USER_GROUP,),
        "a user group in use must not be deleted",
        API + "DeleteUserGroup, InvalidUserGroupState",
        used_by(
            ((REDIS, "user_group_ids"),),
            "user_group_id",
            "InvalidUserGroupState: User group {user_group_id} is in use by {user}.",
        ),
        DELETE,
    ),
    Rule(
        "zones_count",
        (REDIS,),
        "a replication group must name as many zones as it has nodes",
        "API elasticache, CreateReplicationGroupMessage, PreferredCacheClusterAZs",
        zones_count,
    ),
    Rule(
        "access_string",
        ("aws_elasticache_user",),
        "an access string must consist of ACL rules: on, off, keys, channels and commands",
        "API elasticache, CreateUserMessage, AccessString; valkey.io/topics/acl, ACL rules",
        access_string,
    ),
)
