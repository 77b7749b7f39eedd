"""Changes that AWS refuses although terraform plans them: rules by Terraform type and argument, with sources.

The embedded provider evaluates this table when a plan is applied; `tierra.report.transitions` warns of the
same rules before that.

Sources: API is botocore's model of a service, with the shape or operation; provider is a file of
hashicorp/terraform-provider-aws; a page is of docs.aws.amazon.com unless it names its host; # is on GitHub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tierra.aws import transition_answers as answers
from tierra.aws.transition_answers import Around, Values, lower
from tierra.versions import numbers

DATABASE = "aws_db_instance"
DOCUMENTDB = "aws_docdb_cluster"
REDIS = "aws_elasticache_replication_group"
CLUSTER = "aws_eks_cluster"
NODES = "aws_eks_node_group"
STORAGE = "allocated_storage"
REDIS_LEAST_TLS = (7, 0, 5)


class Rule(NamedTuple):
    """`description` is the rule in words; `answer` returns AWS's error for a change that breaks it, or an
    empty text."""

    name: str
    type: str
    argument: str
    description: str
    source: str
    answer: Callable[[Values, Values, Around], str]


RULES = (
    Rule(
        "postgres_lower",
        DATABASE,
        "engine_version",
        "RDS does not lower the version of a database",
        "hashicorp/terraform#22462 quotes the answer",
        answers.postgres_lower,
    ),
    Rule(
        "postgres_major",
        DATABASE,
        "engine_version",
        "RDS changes the major version only if allow_major_version_upgrade is set",
        "API rds, ModifyDBInstanceMessage, AllowMajorVersionUpgrade; hashicorp/terraform#8468 quotes it",
        answers.major,
    ),
    Rule(
        "postgres_replicas",
        DATABASE,
        "engine_version",
        "RDS requires a minor version on the replicas before the primary",
        "page AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html, Minor version upgrades;"
        " hashicorp/terraform-provider-aws#22107 and ministryofjustice/cloud-platform#6068 quote the answer",
        answers.postgres_replicas,
    ),
    Rule(
        "postgres_family",
        DATABASE,
        "parameter_group_name",
        "a parameter group must be for the major version of the database",
        "API rds, ModifyDBInstanceMessage, DBParameterGroupName: the same family;"
        " mattermost/mattermost-load-test-ng#707 quotes the answer",
        answers.postgres_family,
    ),
    Rule(
        "storage_lower",
        DATABASE,
        STORAGE,
        "RDS does not shrink the storage of a database",
        "API rds, ModifyDBInstanceMessage, AllocatedStorage: at least 10 % above the current value",
        answers.storage_lower,
    ),
    Rule(
        "storage_ceiling",
        DATABASE,
        answers.CEILING,
        "the storage limit must be above the present storage",
        "ministryofjustice/cloud-platform-environments#7471 and #27762 quote the answers",
        answers.storage_ceiling,
    ),
    Rule(
        "storage_speed",
        DATABASE,
        "iops",
        f"iops and throughput can be chosen from {answers.POSTGRES_STRIPED_GB} GiB on",
        "page AmazonRDS/latest/UserGuide/CHAP_Storage.html; hashicorp/terraform-provider-aws#28243",
        answers.storage_speed,
    ),
    Rule(
        "documentdb_path",
        DOCUMENTDB,
        "engine_version",
        "DocumentDB is upgraded from 4.0 to 5.0 and from 5.0 to 8.0, one step at a time, never downgraded",
        "page documentdb/latest/developerguide/docdb-mvu.html, Supported upgrade paths",
        answers.documentdb_path,
    ),
    Rule(
        "documentdb_major",
        DOCUMENTDB,
        "engine_version",
        "DocumentDB changes the major version only if allow_major_version_upgrade is set",
        "API docdb, ModifyDBClusterMessage, AllowMajorVersionUpgrade",
        answers.major,
    ),
    Rule(
        "documentdb_family",
        DOCUMENTDB,
        "db_cluster_parameter_group_name",
        "a parameter group must be for the version of the cluster",
        "page documentdb/latest/developerguide/docdb-mvu.html; API docdb, CreateDBClusterParameterGroup,"
        " DBParameterGroupFamily",
        answers.documentdb_family,
    ),
    Rule(
        "redis_nodes",
        REDIS,
        "num_cache_clusters",
        "automatic failover requires at least two nodes",
        "API elasticache, CreateReplicationGroupMessage, NumCacheClusters; hashicorp/terraform#25077 and"
        " hashicorp/terraform-provider-aws#24244 quote the answers",
        answers.redis_nodes,
    ),
    Rule(
        "cache_family",
        REDIS,
        "engine_version",
        "the parameter group of the old engine or major version goes in the same apply, and ElastiCache"
        " deletes none that is in use until the maintenance window",
        "API elasticache, DeleteCacheParameterGroup: not while it is associated with a cluster",
        answers.cache_family,
    ),
    Rule(
        "redis_tls",
        REDIS,
        "transit_encryption_mode",
        "encryption in transit is turned on with the mode preferred first, then required",
        "API elasticache, ModifyReplicationGroupMessage, TransitEncryptionMode",
        answers.redis_tls,
    ),
    Rule(
        "kubernetes",
        CLUSTER,
        "version",
        "EKS raises Kubernetes by one minor version at a time and never lowers it",
        "terraform-aws-modules/terraform-aws-eks#2607 and rancher/rancher#28939 quote the answer",
        answers.kubernetes,
    ),
    Rule(
        "cluster_zones",
        CLUSTER,
        answers.SUBNETS,
        "EKS keeps the control plane in the zones that the cluster was created with",
        "page eks/latest/userguide/network_reqs.html: subnets are of the zones given at creation",
        answers.cluster_zones,
    ),
    Rule(
        "cluster_key",
        CLUSTER,
        answers.SECRETS_KEY,
        "EKS keeps the key of the secrets of a cluster",
        "hashicorp/terraform-provider-aws#19968 and crossplane-contrib/provider-aws#1794 quote the answer",
        answers.cluster_key,
    ),
    Rule(
        "nodes_lower",
        NODES,
        "version",
        "EKS does not return a node group to an earlier Kubernetes or an earlier image",
        "API eks, UpdateNodegroupVersion",
        answers.nodes_lower,
    ),
    Rule(
        "nodes_ahead",
        NODES,
        "version",
        "nodes must not be newer than the control plane",
        "page kubernetes.io/releases/version-skew-policy: kubelet",
        answers.nodes_ahead,
    ),
    Rule(
        "node_counts",
        NODES,
        answers.SCALING,
        "EKS refuses min above, and max below, the desired number of nodes",
        "terraform-aws-modules/terraform-aws-eks#3306 and #944 quote the answers",
        answers.node_counts,
    ),
)


def alone(_type: str) -> Iterable[Values]:
    """For a change whose other objects are unknown."""
    return ()


def refusals(
    type_name: str, was: Values | None, now: Values, around: Around = alone
) -> Iterator[tuple[Rule, str]]:
    """The rules that a change breaks, each with AWS's error. `was` is None for a creation."""
    for rule in RULES:
        if rule.type == type_name and (answer := rule.answer(was or {}, now, around)):
            yield rule, answer


def suppressed(type_name: str, was: Values, now: Values) -> list[str]:
    """Arguments that the provider leaves as they are, whatever the configuration contains."""
    # Source: provider internal/service/rds/instance.go, DiffSuppressFunc of allocated_storage: storage that
    # may grow by itself is never planned to shrink.
    size, wanted, ceiling = was.get(STORAGE), now.get(STORAGE), now.get(answers.CEILING)
    if type_name != DATABASE:
        return []
    if not (isinstance(size, int) and isinstance(wanted, int) and isinstance(ceiling, int)):
        return []
    return [STORAGE] if size > wanted and ceiling > wanted else []


def replaced(type_name: str, was: Values, now: Values) -> list[str]:
    """Arguments that replace the resource if they change in a certain way."""
    # Source: provider internal/service/eks/cluster.go, CustomizeDiff: encryption cannot be removed, and the
    # role of nodes of Auto Mode cannot be changed.
    if type_name == CLUSTER:
        role = "compute_config.node_role_arn"
        gone = bool(was.get("encryption_config")) and not now.get("encryption_config")
        leaves_auto_mode = bool(answers.at(was, role) and now.get("compute_config")) and answers.at(
            now, role
        ) != answers.at(was, role)
        return ["encryption_config"] * gone + [role] * leaves_auto_mode
    # Source: provider internal/service/elasticache/replication_group.go and engine_version.go, CustomizeDiff.
    if type_name != REDIS:
        return []
    # The engine changes in place from redis to valkey, and by replacement in the other direction.
    attributes = ["engine"] if (was.get("engine"), now.get("engine")) == ("valkey", "redis") else []
    attributes += ["engine_version"] if lower(was.get("engine_version"), now.get("engine_version")) else []
    running = numbers(was.get("engine_version_actual"))
    return (
        [*attributes, "transit_encryption_enabled"] if running and running < REDIS_LEAST_TLS else attributes
    )
