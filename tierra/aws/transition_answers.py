"""AWS's response to a change, rule by rule: an error if it refuses, an empty text if it accepts. If a value
is unknown or unexpected, the functions return an empty text. Rules and sources are in
`tierra.aws.transitions`. Where no source quotes an answer, the words behind AWS's code are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tierra.versions import numbers

Values = Mapping[str, Any]
# The other objects of a Terraform type, as they will be.
Around = Callable[[str], Iterable[Values]]

COMBINATION = "InvalidParameterCombination:"
PARAMETER = "InvalidParameterException:"
POSTGRES_STRIPED_GB = 400
# Major upgrades, from and to. Source: docs.aws.amazon.com/documentdb/latest/developerguide/docdb-mvu.html,
# "Supported upgrade paths".
DOCUMENTDB_PATHS = {3: {5}, 4: {5}, 5: {8}}
CEILING = "max_allocated_storage"
SUBNETS = "vpc_config.subnet_ids"
SECRETS_KEY = "encryption_config.provider.key_arn"
SCALING = "scaling_config"


def at(values: Values, path: str) -> Any:
    """The value at a dotted path; blocks are lists of one."""
    value: Any = values
    for name in path.split("."):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def lower(was: Any, now: Any) -> bool:
    """Whether a version is lower than another, compared as far as both are given: 17.9 and 17 are equal."""
    old, new = numbers(was), numbers(now)
    shared = min(len(old), len(new))
    return new[:shared] < old[:shared]


def postgres_lower(was: Values, now: Values, _around: Around) -> str:
    old, new = _running(was), now.get("engine_version")
    refused = was.get("engine") == "postgres" and lower(old, new)
    return f"{COMBINATION} Cannot upgrade postgres from {old} to {new}" if refused else ""


def _running(was: Values) -> str:
    """The running version; `engine_version` may contain only its major."""
    running, configured = was.get("engine_version_actual"), was.get("engine_version")
    longer = isinstance(running, str) and isinstance(configured, str) and running.startswith(f"{configured}.")
    return str(running if longer else configured)


def major(was: Values, now: Values, _around: Around) -> str:
    old, new = numbers(was.get("engine_version")), numbers(now.get("engine_version"))
    known = was.get("engine") in ("postgres", "docdb")
    if not known or not old or not new or new[0] <= old[0]:
        return ""
    if now.get("allow_major_version_upgrade") not in (False, None):
        return ""
    flag = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
    return f"{COMBINATION} {flag}"


def postgres_replicas(was: Values, now: Values, around: Around) -> str:
    """The primary may get a minor version only when all replicas run it."""
    old, new = numbers(_running(was)), numbers(now.get("engine_version"))
    if was.get("engine") != "postgres" or now.get("replicate_source_db"):
        return ""
    if len(new) < 2 or old[:1] != new[:1] or new <= old:
        return ""
    behind = [
        str(replica.get("identifier"))
        for replica in around("aws_db_instance")
        if replica.get("replicate_source_db") == now.get("identifier")
        and () < numbers(replica.get("engine_version_actual")) < new
    ]
    error = "DBUpgradeDependencyFailure: One or more of the DB Instance's read replicas need to be upgraded:"
    return f"{error} {', '.join(behind)}" if behind else ""


def postgres_family(was: Values, now: Values, around: Around) -> str:
    if now.get("engine") != "postgres" and was.get("engine") != "postgres":
        return ""
    major = str(_after(was, now)).partition(".")[0]
    return _family(was, now, around("aws_db_parameter_group"), "parameter_group_name", f"postgres{major}")


def documentdb_family(was: Values, now: Values, around: Around) -> str:
    groups = around("aws_docdb_cluster_parameter_group")
    release = str(now.get("engine_version")).rpartition(".")[0]
    return _family(was, now, groups, "db_cluster_parameter_group_name", f"docdb{release}")


def _after(was: Values, now: Values) -> Any:
    """The version of a database after a change."""
    version = now.get("engine_version")
    return _running(was) if was and was.get("engine_version") == version else version


def _family(was: Values, now: Values, groups: Iterable[Values], argument: str, wanted: str) -> str:
    """AWS's error for a parameter group of another version than the requested one."""
    name = now.get(argument)
    same = (was.get(argument), was.get("engine_version")) == (name, now.get("engine_version"))
    families = [
        group.get("family") for group in groups if group.get("name") == name and isinstance(name, str)
    ]
    if same or not families or families[0] == wanted or not wanted[-1].isdigit():
        return ""
    return (
        f"{COMBINATION} The parameter group {name} with DBParameterGroupFamily {families[0]} can't be used"
        f" for this instance. Use a parameter group with DBParameterGroupFamily {wanted}."
    )


def storage_lower(was: Values, now: Values, _around: Around) -> str:
    old, new = _int(was, "allocated_storage"), _int(now, "allocated_storage")
    shrinks = 0 < new < old
    return f"{COMBINATION} Allocated storage cannot be reduced from {old} to {new} GiB" if shrinks else ""


def storage_ceiling(was: Values, now: Values, _around: Around) -> str:
    size, ceiling = _int(now, "allocated_storage"), _int(now, CEILING)
    unchanged = (_int(was, "allocated_storage"), _int(was, CEILING)) == (size, ceiling)
    if not size or not ceiling or unchanged:  # storage that has grown to its maximum is valid
        return ""
    if ceiling <= size:
        return f"{COMBINATION} Max storage size must be greater than storage size"
    if not was and ceiling * 10 < size * 11:
        return f"{COMBINATION} The maximum allocated storage must be increased by at least 10 percent."
    return ""


def storage_speed(was: Values, now: Values, _around: Around) -> str:
    if now.get("replicate_source_db"):  # it has the storage of its source
        return ""
    small = 0 < _int(now, "allocated_storage") < POSTGRES_STRIPED_GB
    chosen = any(_int(now, name) and now[name] != was.get(name) for name in ("iops", "storage_throughput"))
    if not (small and chosen and now.get("engine") == "postgres" and now.get("storage_type") == "gp3"):
        return ""
    return (
        f"{COMBINATION} You can't specify IOPS or storage throughput for engine postgres and a storage size"
        f" less than {POSTGRES_STRIPED_GB}."
    )


def documentdb_path(was: Values, now: Values, _around: Around) -> str:
    old, new = numbers(was.get("engine_version")), numbers(now.get("engine_version"))
    if not old or not new:
        return ""
    goes = new[0] in DOCUMENTDB_PATHS.get(old[0], {new[0]}) if new[0] > old[0] else new >= old
    way = f"from {was['engine_version']} to {now['engine_version']}"
    return "" if goes else f"{COMBINATION} Cannot upgrade docdb {way}"


def redis_nodes(was: Values, now: Values, _around: Around) -> str:
    count = now.get("num_cache_clusters")
    if now.get("automatic_failover_enabled") is not True or not isinstance(count, int) or count >= 2:
        return ""
    if was:
        return (
            "InvalidParameterValue: Must have at least 1 replica when cluster mode is disabled with auto"
            " failover enabled."
        )
    return (
        f"{COMBINATION} When using automatic failover, there must be at least 2 cache clusters in the group."
    )


def cache_family(was: Values, now: Values, _around: Around) -> str:
    old, new = (
        (side.get("engine") or "redis", numbers(side.get("engine_version"))[:1]) for side in (was, now)
    )
    known = was and old[1] and new[1] and isinstance(new[0], str)
    if not known or old == new or now.get("apply_immediately") is not False:
        return ""
    group = was.get("parameter_group_name")
    return (
        "InvalidCacheParameterGroupState: One or more cache clusters are still members of this parameter"
        f" group {group}, so the group cannot be deleted."
    )


def redis_tls(was: Values, now: Values, _around: Around) -> str:
    name, mode = "transit_encryption_enabled", "transit_encryption_mode"
    at_once = was.get(name) is False and now.get(name) is True and now.get(mode) == "required"
    return f"{COMBINATION} Set TransitEncryptionMode to preferred before required" if at_once else ""


def kubernetes(was: Values, now: Values, _around: Around) -> str:
    old, new = numbers(was.get("version")), numbers(now.get("version"))
    if not old or not new or new in (old, (old[0], old[1] + 1)):
        return ""
    way = f"from {was['version']} to {now['version']}"
    return f"{PARAMETER} Unsupported Kubernetes minor version update {way}"


def cluster_zones(was: Values, now: Values, around: Around) -> str:
    """Compares the zones of the subnets, or their number if the zones are unknown: Tierra has one subnet per
    zone."""
    old, new = at(was, SUBNETS), at(now, SUBNETS)
    if not isinstance(old, list) or not isinstance(new, list):
        return ""
    zones = {subnet.get("id"): subnet.get("availability_zone") for subnet in around("aws_subnet")}
    if all(isinstance(subnet_id, str) and subnet_id in zones for subnet_id in (*old, *new)):
        same = {zones[subnet_id] for subnet_id in old} == {zones[subnet_id] for subnet_id in new}
    else:
        same = len(old) == len(new)
    return "" if same else f"{PARAMETER} Subnets must be in the zones that the cluster was created with."


def cluster_key(was: Values, now: Values, _around: Around) -> str:
    old, new = at(was, SECRETS_KEY), at(now, SECRETS_KEY)
    changed = isinstance(old, str) and isinstance(new, str) and old != new
    return f"{PARAMETER} Encryption is already enabled on the cluster" if changed else ""


def nodes_lower(was: Values, now: Values, _around: Around) -> str:
    name = "release_version" if was.get("version") == now.get("version") else "version"
    old, new = was.get(name), now.get(name)
    before, after = (numbers(str(version).replace("-", ".")) for version in (old, new))  # 1.35.0-20260120
    refused = before and after and after < before
    return f"{PARAMETER} A node group cannot be rolled back from {old} to {new}" if refused else ""


def nodes_ahead(_was: Values, now: Values, around: Around) -> str:
    mine = numbers(now.get("version"))
    for cluster in around("aws_eks_cluster"):
        its = numbers(cluster.get("version"))
        if cluster.get("name") == now.get("cluster_name") and mine and its and mine > its:
            both = f"Kubernetes {now['version']} of the node group, {cluster['version']} of the cluster"
            return f"{PARAMETER} A node group cannot be newer than its cluster: {both}"
    return ""


def node_counts(was: Values, now: Values, _around: Around) -> str:
    names = ("min_size", "max_size", "desired_size")
    least, most, wanted = (at(now, f"{SCALING}.{name}") for name in names)
    if not all(isinstance(count, int) for count in (least, most, wanted)):
        return ""
    if [at(was, f"{SCALING}.{name}") for name in names] == [least, most, wanted]:
        return ""
    if least > wanted:
        return f"{PARAMETER} Minimum capacity {least} can't be greater than desired size {wanted}"
    return (
        f"{PARAMETER} Desired capacity {wanted} can't be greater than max size {most}"
        if wanted > most
        else ""
    )


def _int(values: Values, path: str) -> int:
    value = at(values, path)
    return value if isinstance(value, int) else 0
