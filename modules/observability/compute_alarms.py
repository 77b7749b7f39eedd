"""Alarms of the cluster and its nodes, from metrics of EKS and EC2, without Container Insights."""

from __future__ import annotations

from collections.abc import Iterator

from modules.compute.outputs import ComputeOutputs
from modules.compute.pools import Pool, pools
from modules.observability.alarm import Alarm
from modules.observability.metric import HOUR, Metric
from tierra.terraform.stack import Stack

# etcd of a cluster holds 8 GiB and then refuses every write (EKS best practices, "Kubernetes Control Plane").
STORE_GIB = 6
API_ERROR_PERCENT, FEW_API_ERRORS = 5, 10
BUSY_PERCENT = 85


def cluster(compute: ComputeOutputs, metric: str, statistic: str) -> Metric:
    """A metric of the control plane; EKS reports these from Kubernetes 1.28 on."""
    return Metric("AWS/EKS", metric, {"ClusterName": compute.cluster_name}, statistic)


def nodes(group: str, metric: str, statistic: str, period: int = 300) -> Metric:
    """A metric of EC2, over the nodes of an Auto Scaling group."""
    return Metric("AWS/EC2", metric, {"AutoScalingGroupName": group}, statistic, period)


def group_size(group: str, metric: str) -> Metric:
    """A size of an Auto Scaling group; EKS turns these metrics on for managed node groups."""
    return Metric("AWS/AutoScaling", metric, {"AutoScalingGroupName": group}, "Minimum")


def compute_alarms(stack: Stack, compute: ComputeOutputs) -> Iterator[Alarm]:
    """The control plane, then the nodes of each node group."""
    yield from _control_plane(compute)
    environment = stack.environment
    for pool in pools(environment.compute, environment.network.zones):
        group = compute.autoscaling_group_names[pool.key]
        yield from _nodes(pool, group)
        if pool.nodes.burstable:
            yield Alarm(
                name=f"nodes_credits_{pool.address}",
                description=f"A node in {pool.location} has spent its CPU credits; further credits are"
                " charged.",
                runbook="nodes-spend-more-cpu-credits-than-they-earn",
                severity="ticket",
                # CPUCreditBalance is no use here: a new node starts at zero and borrows from the next 24
                # hours.
                metrics=nodes(group, "CPUSurplusCreditsCharged", "Maximum", HOUR),
                above=0,
                of=(2, 3),
                missing="notBreaching",
            )


def _control_plane(compute: ComputeOutputs) -> Iterator[Alarm]:
    yield Alarm(
        name="cluster_pending",
        description="Pods have been unschedulable for 15 minutes: no node has room for them.",
        runbook="pods-find-no-room",
        severity="ticket",
        # The autoscaler starts a node in less time.
        metrics=cluster(compute, "scheduler_pending_pods_UNSCHEDULABLE", "Minimum"),
        above=0,
        of=(15, 15),
        missing="notBreaching",
    )
    yield Alarm(
        name="cluster_errors",
        description="The Kubernetes API answers too many requests with 5xx.",
        runbook="the-kubernetes-api-fails",
        severity="page",
        metrics={
            "failed": cluster(compute, "apiserver_request_total_5XX", "Sum"),
            "served": cluster(compute, "apiserver_request_total", "Sum"),
        },
        expression=f"IF(failed > {FEW_API_ERRORS}, 100 * failed / served, 0)",
        above=API_ERROR_PERCENT,
        of=(5, 10),
        missing="notBreaching",
    )
    yield Alarm(
        name="cluster_store",
        description=f"The etcd database exceeds {STORE_GIB} GiB; at 8 GiB the cluster refuses all writes.",
        runbook="the-store-of-the-cluster-fills",
        severity="ticket",
        metrics=cluster(compute, "apiserver_storage_size_bytes", "Maximum"),
        above=STORE_GIB * 1024**3,
        of=(15, 15),
    )


def _nodes(pool: Pool, group: str) -> Iterator[Alarm]:
    yield Alarm(
        name=f"nodes_few_{pool.address}",
        description=f"{pool.location.capitalize()} has had fewer nodes than its minimum for 15 minutes.",
        runbook="a-zone-lacks-nodes",
        severity="page",
        metrics={
            "running": group_size(group, "GroupInServiceInstances"),
            "least": group_size(group, "GroupMinSize"),
        },
        expression="running - least",
        below=0,
        of=(15, 15),  # a node that is replaced is back by then
    )
    yield Alarm(
        name=f"nodes_failed_{pool.address}",
        description=f"A node in {pool.location} fails the EC2 status checks and was not replaced.",
        runbook="a-node-fails-its-checks",
        severity="ticket",
        metrics=nodes(group, "StatusCheckFailed", "Maximum"),
        above=0,
        of=(3, 3),
        missing="notBreaching",  # a group may be empty
    )
    yield Alarm(
        name=f"nodes_busy_{pool.address}",
        description=f"The CPU utilization of {pool.location} has been above {BUSY_PERCENT} % for 30 minutes.",
        runbook="nodes-are-busy",
        severity="ticket",
        metrics=nodes(group, "CPUUtilization", "Average"),
        above=BUSY_PERCENT,
        of=(6, 6),
        missing="notBreaching",
    )
