"""The form of an entry: what Tierra knows about a type of resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Type:
    """What Tierra knows about a type beyond its schema. A field that is left out does not apply.

    Files named below are of hashicorp/terraform-provider-aws at 6.25.0.
    """

    # The ids by which terraform imports one, where they are more than the id that it shows: arguments in
    # braces, the most specific first (website/docs/r/<type>.html.markdown, "Import"; of helm_release,
    # docs/resources/release.md of hashicorp/terraform-provider-helm).
    import_ids: tuple[str, ...] = ()
    # The values that an import sets because no API returns them (resourceInstanceImport and
    # resourceClusterImport in internal/service/rds and docdb).
    import_sets: Mapping[str, Any] = field(default_factory=dict)

    # Expected drift. `volatile`: attributes that AWS changes in normal operation; a test compares the names
    # with the schema: none can be set, so none can have been changed by hand. The others are attributes that
    # reflect resources created later: the state has them at the next refresh, so each apply would look like
    # drift (terraform-provider-aws #18437, #22317). `shows_each`: one resource for each element; more or
    # fewer elements than resources are drift. `shows`: one resource manages the whole attribute and shows its
    # changes.
    volatile: tuple[str, ...] = ()
    shows_each: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)

    # Data. `holds_data`: a database or volume that `protection` keeps when a plan leaves it out:
    # prevent_destroy does not apply to a resource that is no longer in the configuration, and ElastiCache and
    # EFS have no deletion protection of their own
    # (developer.hashicorp.com/terraform/language/meta-arguments/lifecycle; botocore: elasticache,
    # DeleteReplicationGroup; efs, DeleteFileSystem). `minor_data`: its loss is reported, but is not the worst
    # verdict of a plan; there are many equal resources of the type.
    holds_data: bool = False
    minor_data: bool = False
    # A container that AWS deletes only when it is empty: the argument that lets the provider empty it, its
    # contents, the argument with its name, and the remedy without the first. With protection a policy of the
    # repository denies its deletion to every role. Source: botocore, ecr DeleteRepository, s3 DeleteBucket,
    # backup DeleteBackupVault.
    emptied: tuple[str, str, str, str] | None = None

    # AWS deletes none of these while it contains something or is attached (DependencyViolation,
    # InvalidGroup.InUse, InvalidDBSubnetGroupStateFault, DeleteConflict): replacing one in use stops halfway.
    # Sources: the errors of DeleteVpc, DeleteSubnet, DeleteSecurityGroup, DeleteDBSubnetGroup,
    # DeleteCacheSubnetGroup, DeletePolicy and DeleteHostedZone in AWS's API references.
    kept_while_used: bool = False
    # The types of the resources in it; for a subnet they depend on its tag.
    contents: tuple[str, ...] | None = None
    # For a resource in a network: its noun, and the argument with its name.
    tenant: tuple[str, str] | None = None

    # Downtime. `outage`: the effect on users between the destruction of a resource and its replacement;
    # `partial_outage`: the effect if others of the same type stay. `interrupts`: the effect of changes in
    # place, by argument.
    #   RDS: docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
    #   ElastiCache: docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html and
    #   Scaling.RedisReplGrps.html
    #   DocumentDB: docs.aws.amazon.com/documentdb/latest/developerguide/db-instance-maintain.html
    #   EKS: docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html
    outage: str = ""
    partial_outage: str = ""
    interrupts: Mapping[str, str] = field(default_factory=dict)
    # Arguments whose changes wait for the maintenance window while apply_immediately is false; sources in
    # tierra/aws/waits.py.
    waits: tuple[str, ...] = ()

    # Redundancy: switches whose loss removes a standby, and whether that is critical; numbers whose decrease
    # removes redundancy, with the number at which none is left.
    standbys: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    counts: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    # Exposure: switches that make something reachable from the internet, with the value that does.
    # `shields`: without it, a bucket or load balancer is open: the argument that names it, its type, and the
    # attribute by which it is named.
    public: Mapping[str, Any] = field(default_factory=dict)
    shields: tuple[str, str, str] | None = None
    # Arguments that grant rights without a policy: the grantee and the rights.
    grants: tuple[str, ...] = ()

    # The argument with a version that has an end of support: tierra/aws/versions.yaml.
    version: str = ""
    # What is billed by use, in addition to a price or without one; `free`: nothing is billed.
    usage: str = ""
    free: bool = False
