"""Changes that AWS will refuse although terraform plans them, each with the remedy in the spec.

The rules are those of the embedded provider, `tierra.aws.transitions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tierra.aws.transition_answers import Around, at
from tierra.aws.transitions import RULES, Rule, alone, refusals
from tierra.plans.changes import Change, changes
from tierra.plans.differences import text
from tierra.report.findings import REFUSED, Finding
from tierra.report.protection import protected_deletions
from tierra.versions import numbers

# The remedy of each rule, by the keys of the spec. `was` is the present value of the rule's argument,
# `near` one that AWS accepts; the other names in braces are in _words.
REMEDIES: Mapping[str, str] = {
    "postgres_lower": (
        'write data.postgres.version: "{was}" again; an earlier version needs a new database and a dump'
    ),
    "postgres_major": (
        "write data.postgres.allow_major_upgrade: true for this one apply, which cannot be undone, or"
        ' version: "{was}" again'
    ),
    "postgres_replicas": (
        'write data.postgres.replica_version: "{now}" and version: "{was}", apply, and wait until AWS has'
        ' upgraded the replicas in the maintenance window; then write version: "{now}" without'
        " replica_version (docs/changes.md, Upgrade a database)"
    ),
    "postgres_family": (
        "wait until AWS has upgraded the database (aws rds wait db-instance-available"
        " --db-instance-identifier {identifier}), then run make plan again"
    ),
    "storage_lower": (
        "write data.postgres.storage_gb: {was} again; less storage needs a new database and a dump"
    ),
    "storage_ceiling": "raise data.postgres.max_storage_gb above {allocated_storage}",
    "storage_speed": "remove data.postgres.iops and throughput, or raise storage_gb",
    "documentdb_path": "write data.documentdb.version: {near}",
    "documentdb_major": (
        "write data.documentdb.allow_major_upgrade: true for this one apply, which cannot be undone, or"
        " version: {was} again"
    ),
    "documentdb_family": (
        "wait until AWS has upgraded the cluster (aws docdb describe-db-clusters"
        " --db-cluster-identifier {cluster_identifier}), then run make plan again"
    ),
    "redis_nodes": "raise data.redis.nodes to 2 or more",
    "cache_family": "write data.redis.at_once: true for this one apply",
    "redis_tls": "set transit_encryption_mode to preferred, apply, and then to required",
    "kubernetes": 'write compute.kubernetes: "{near}"',
    "cluster_zones": ("name those in compute.endpoint.zones, and keep them in network.zones"),
    "cluster_key": "write kms_keys.eks_secrets as it was, or remove it if it was not set",
    "nodes_lower": "write compute.kubernetes and compute.nodes.ami_release as they were",
    "nodes_ahead": "raise the version of the cluster first: compute.kubernetes",
    "node_counts": (
        "change the desired number first: aws eks update-nodegroup-config --cluster-name {cluster_name}"
        " --nodegroup-name {node_group_name} --scaling-config"
        " minSize={least},maxSize={most},desiredSize={wanted} and run make plan again"
    ),
}
NAMED = ("allocated_storage", "cluster_name", "node_group_name", "identifier", "cluster_identifier")
POSTGRES = "aws_db_instance.postgres"
STORAGE = "postgres_storage_gb"  # the output with the storage of the spec at the last apply


def refused(change: Change, around: Around = alone) -> Iterator[Finding]:
    """The findings about one change that AWS refuses. `around` returns the resources of a type after the
    plan."""
    if change.action not in ("create", "replace", "update"):
        return
    was = change.was if change.action == "update" else None
    for rule, _answer in refusals(change.type, was, change.now, around):
        yield _finding(change, rule)


def refused_plan(plan: dict[str, Any], configuration: dict[str, Any], tier: str) -> list[Finding]:
    """The findings about a plan (`terraform show -json`) that AWS refuses: such a plan must not be
    applied."""
    planned = plan.get("planned_values", {}).get("root_module", {}).get("resources", [])

    def around(terraform_type: str) -> list[Mapping[str, Any]]:
        resources = [resource["values"] for resource in planned if resource["type"] == terraform_type]
        return [*resources, *_subnets(plan)] if terraform_type == "aws_subnet" else resources

    changes_ = changes(tier, plan, configuration)
    findings = [
        finding
        for change in changes_
        for finding in (*refused(change, around), *protected_deletions(change, plan))
    ]
    return [*findings, *_storage(plan, tier)]


def _subnets(plan: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Subnets of another tier with their zones, from outputs that this one reads: their ids by zone."""
    prior = plan.get("prior_state", {}).get("values", {}).get("root_module", {}).get("resources", [])
    for resource in prior:
        if resource["type"] != "terraform_remote_state":
            continue
        for name, by_zone in (resource["values"].get("outputs") or {}).items():
            if name.endswith("_subnet_ids") and isinstance(by_zone, dict):
                yield from ({"id": subnet, "availability_zone": zone} for zone, subnet in by_zone.items())


def _finding(change: Change, rule: Rule) -> Finding:
    was, now = at(change.was, rule.argument), at(change.now, rule.argument)
    line = f"~ {rule.argument}: {text(was)} → {text(now)}"
    message = f"{rule.description}: {REMEDIES[rule.name].format(**_words(change, was, now))}"
    return Finding(REFUSED, change.tier, change.address, change.action, message, (line,), critical=True)


def _words(change: Change, was: Any, now: Any) -> dict[str, Any]:
    """The variables of the remedies."""
    sides = {**change.now, **change.was}
    words = {name: text(sides.get(name)) for name in NAMED}
    least, most, wanted = (
        at(change.now, f"scaling_config.{name}_size") for name in ("min", "max", "desired")
    )
    if all(isinstance(count, int) for count in (least, most, wanted)):
        wanted = min(max(wanted, least), most)
    return {
        **words,
        "was": was,
        "now": now,
        "near": _near(was, now),
        "least": least,
        "most": most,
        "wanted": wanted,
    }


def _near(was: Any, now: Any) -> Any:
    """The next version towards the requested one; for a downgrade, the present one."""
    old, new = numbers(was), numbers(now)
    if new <= old:
        return was
    return f"{old[0]}.{old[1] + 1}" if len(old) == 2 else "5.0.0"


def _storage(plan: dict[str, Any], tier: str) -> Iterator[Finding]:
    """Less storage in the spec than at the last apply. The provider plans no change then, because the storage
    may have grown by itself; the database would keep more than the spec has."""
    output = plan.get("output_changes", {}).get(STORAGE, {})
    was, now = str(output.get("before")), str(output.get("after"))
    resources = {entry["address"]: entry["change"]["actions"] for entry in plan.get("resource_changes", [])}
    stays = resources.get(POSTGRES) in (["no-op"], ["update"])
    if stays and was.isdigit() and now.isdigit() and int(now) < int(was):
        rule = next(rule for rule in RULES if rule.name == "storage_lower")
        message = f"{rule.description}: {REMEDIES[rule.name].format(was=was)}"
        line = f"~ {rule.argument}: {was} → {now}"
        yield Finding(REFUSED, tier, POSTGRES, "update", message, (line,), critical=True)
