"""The form of an entry: what is known of a type of resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Type:
    """What Tierra knows of a type beyond its schema. Whatever is left out does not hold of it.

    Files named below are of hashicorp/terraform-provider-aws at 6.25.0.
    """

    # The ids by which terraform imports one, where they are more than the id that it shows: arguments in
    # braces, the most specific first (website/docs/r/<type>.html.markdown, "Import"; of helm_release,
    # docs/resources/release.md of hashicorp/terraform-provider-helm).
    import_ids: tuple[str, ...] = ()
    # What an import sets where no API answers (resourceInstanceImport and resourceClusterImport in
    # internal/service/rds and docdb).
    import_sets: Mapping[str, Any] = field(default_factory=dict)

    # Drift that is expected. `volatile` is what AWS changes in the ordinary course of things: a test holds
    # every name against the schema: none can be set, so none can have been changed by hand. The others are
    # attributes in which a resource shows others that are made after it: its state has them at the next
    # refresh, so each apply would look like drift (terraform-provider-aws #18437, #22317). Of `shows_each`
    # there is one resource for each element; more or fewer elements than resources are drift. Of `shows` one
    # resource stands for the whole attribute, and shows what becomes of it.
    volatile: tuple[str, ...] = ()
    shows_each: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)

    # Data. `holds_data`: a database or volume that `protection` keeps in a plan that leaves it out, for
    # prevent_destroy does not reach a resource that the configuration has no longer, and ElastiCache and EFS
    # have no guard of their own (developer.hashicorp.com/terraform/language/meta-arguments/lifecycle;
    # botocore: elasticache, DeleteReplicationGroup; efs, DeleteFileSystem). `minor_data`: what
    # becomes of it is said, and is not the worst of a plan; there are many, and one is like the other.
    holds_data: bool = False
    minor_data: bool = False
    # A container that AWS does not delete full: the argument that lets the provider empty it, what is in it,
    # the argument with its name, and the way out without the first. With protection on a policy of a
    # repository refuses its deletion to every role. Source: botocore, ecr DeleteRepository, s3 DeleteBucket,
    # backup DeleteBackupVault.
    emptied: tuple[str, str, str, str] | None = None

    # AWS deletes none of these while something is in it or attached to it (DependencyViolation,
    # InvalidGroup.InUse, InvalidDBSubnetGroupStateFault, DeleteConflict): replacing one in use stops halfway.
    # Sources: the errors of DeleteVpc, DeleteSubnet, DeleteSecurityGroup, DeleteDBSubnetGroup,
    # DeleteCacheSubnetGroup, DeletePolicy and DeleteHostedZone in AWS's API references.
    kept_while_used: bool = False
    # The types that stand in it; of a subnet, its tag says which.
    ground_of: tuple[str, ...] | None = None
    # What it is called where it stands in others, and the argument with its name.
    tenant: tuple[str, str] | None = None

    # Downtime: what is missing between the end of one and the new one; what it is where others of the kind
    # stay; and the changes in place that interrupt, by argument.
    #   RDS: docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
    #   ElastiCache: docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html and
    #   Scaling.RedisReplGrps.html
    #   DocumentDB: docs.aws.amazon.com/documentdb/latest/developerguide/db-instance-maintain.html
    #   EKS: docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html
    missed: str = ""
    missed_beside: str = ""
    interrupts: Mapping[str, str] = field(default_factory=dict)
    # Arguments whose changes wait for the maintenance window while apply_immediately is false; sources in
    # tierra/aws/waits.py.
    waits: tuple[str, ...] = ()

    # Redundancy: switches whose loss takes the one that steps in, with whether that is grave; numbers of
    # which fewer is less to fall back on, with the one at which nothing is left.
    standbys: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    counts: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    # Exposure: switches that decide whether something can be reached from the internet, with the value that
    # says yes. `shields`: where it goes, what it guards stands open: its argument that names a bucket or load
    # balancer, the type of that, and the attribute by which it is named.
    public: Mapping[str, Any] = field(default_factory=dict)
    shields: tuple[str, str, str] | None = None
    # Arguments that say to whom it gives which rights, without a policy of its own.
    grants: tuple[str, ...] = ()

    # The argument with a version that has days: tierra/aws/versions.yaml.
    version: str = ""
    # What is paid for by use, beside a price or without one; `free`: nothing is.
    usage: str = ""
    free: bool = False
