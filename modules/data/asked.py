"""Settings that AWS may apply in a maintenance window only. They are kept in the state, so that a later plan
can tell a pending change from a new one."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cdktf import TerraformResource
from cdktf_cdktf_provider_aws.db_instance import DbInstance
from cdktf_cdktf_provider_aws.docdb_cluster_instance import DocdbClusterInstance
from cdktf_cdktf_provider_aws.elasticache_replication_group import ElasticacheReplicationGroup

# Of the arguments in tierra/aws/waits.py, those whose values the spec sets.
ARGUMENTS: dict[type[TerraformResource], tuple[str, ...]] = {
    DbInstance: (
        *("engine_version", "instance_class", "iops", "multi_az", "allocated_storage"),
        *("storage_throughput", "storage_type"),
    ),
    DocdbClusterInstance: ("instance_class",),
    ElasticacheReplicationGroup: ("engine", "engine_version", "node_type"),
}


def asked(resources: Iterable[TerraformResource]) -> str:
    """JSON: the values of these arguments in the spec, by address."""
    arguments = {}
    for resource in resources:
        inputs = {name: getattr(resource, f"{name}_input") for name in ARGUMENTS[type(resource)]}
        address = f"{resource.terraform_resource_type}.{resource.friendly_unique_id}"
        arguments[address] = {name: value for name, value in inputs.items() if value is not None}
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"))  # as jsonencode formats it
