"""The load balancer: in the public subnets of every zone, or in the private ones if it is internal."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.lb import Lb, LbAccessLogs, LbConnectionLogs, LbHealthCheckLogs
from cdktf_cdktf_provider_aws.shield_protection import ShieldProtection

from modules.network.outputs import NetworkOutputs
from modules.storage.outputs import LOAD_BALANCER_LOGS, StorageOutputs
from modules.systems.requests_spec import idle_seconds
from tierra.terraform.stack import Stack


def load_balancer(stack: Stack, network: NetworkOutputs, storage: StorageOutputs) -> Lb:
    """`aws_lb.main`. Logs of connections, requests and health checks are in the bucket of access logs."""
    bucket, internal = storage.logs_bucket_name, stack.environment.edge.internal
    subnets = network.private_subnet_ids if internal else network.public_subnet_ids
    result = stack.add(
        Lb,
        "main",
        name=stack.names.of("load_balancer"),
        load_balancer_type="application",
        internal=internal,
        ip_address_type="ipv4",
        subnets=list(subnets.values()),
        security_groups=[network.load_balancer_security_group_id],
        idle_timeout=idle_seconds(stack.environment.systems),
        enable_http2=True,
        drop_invalid_header_fields=True,
        desync_mitigation_mode="defensive",
        xff_header_processing_mode="append",
        enable_waf_fail_open=False,
        enable_zonal_shift=True,
        enable_deletion_protection=stack.environment.protection,
        access_logs=LbAccessLogs(bucket=bucket, prefix=LOAD_BALANCER_LOGS["access"], enabled=True),
        connection_logs=LbConnectionLogs(
            bucket=bucket, prefix=LOAD_BALANCER_LOGS["connections"], enabled=True
        ),
        health_check_logs=LbHealthCheckLogs(
            bucket=bucket, prefix=LOAD_BALANCER_LOGS["health-checks"], enabled=True
        ),
        lifecycle=stack.prevent_destroy,
        tags=stack.tags("edge"),
    )
    if stack.environment.edge.shield:
        stack.add(
            ShieldProtection,
            "main",
            name=stack.names.of("shield_protection", "edge"),
            resource_arn=result.arn,
            tags=stack.tags("edge"),
        )
    return result
