"""Alarms of the cluster and its nodes, from metrics of EKS and EC2, without Container Insights."""

from __future__ import annotations

from collections.abc import Iterator

from modules.compute.outputs import ComputeOutputs
from modules.compute.pools import Pool, pools
from modules.observability.alarm import Alarm
from modules.observability.metric import HOUR, Metric
from tierra.terraform.stack import Stack

# The store of a cluster takes 8 GiB and then refuses every write (EKS best practices, "Kubernetes Control
# Plane").
STORE_GIB = 6
API_ERROR_PERCENT, FEW_API_ERRORS = 5, 10
BUSY_PERCENT = 85


def cluster(compute: ComputeOutputs, metric: str, statistic: str) -> Metric:
    """A metric of the control plane, which EKS reports from Kubernetes 1.28 on."""
    return Metric("AWS/EKS", metric, {"ClusterName": compute.cluster_name}, statistic)


def nodes(group: str, metric: str, statistic: str, period: int = 300) -> Metric:
    """A metric of EC2 over the nodes of a zone."""
    return Metric("AWS/EC2", metric, {"AutoScalingGroupName": group}, statistic, period)


def group_size(group: str, metric: str) -> Metric:
    """A size of a group of nodes; EKS turns these metrics on for managed node groups."""
    return Metric("AWS/AutoScaling", metric, {"AutoScalingGroupName": group}, "Minimum")


def compute_alarms(stack: Stack, compute: ComputeOutputs) -> Iterator[Alarm]:
    """The control plane, then the nodes of each zone."""
    yield from _control_plane(compute)
    place = stack.environment
    for pool in pools(place.compute, place.network.zones):
        group = compute.autoscaling_group_names[pool.key]
        yield from _nodes(pool, group)
        if pool.nodes.burstable:
            yield Alarm(
                name=f"nodes_credits_{pool.address}",
                says=f"A node in {pool.place} has spent its CPU credits, and more of them are charged.",
                runbook="nodes-spend-more-cpu-credits-than-they-earn",
                severity="ticket",
                # The balance says nothing here: a new node starts at zero and borrows from the next 24 hours.
                metrics=nodes(group, "CPUSurplusCreditsCharged", "Maximum", HOUR),
                above=0,
                of=(2, 3),
                missing="notBreaching",
            )


def _control_plane(compute: ComputeOutputs) -> Iterator[Alarm]:
    yield Alarm(
        name="cluster_pending",
        says="Pods have found no room on any node for a quarter of an hour.",
        runbook="pods-find-no-room",
        severity="ticket",
        # In less time the autoscaler starts a node.
        metrics=cluster(compute, "scheduler_pending_pods_UNSCHEDULABLE", "Minimum"),
        above=0,
        of=(15, 15),
        missing="notBreaching",
    )
    yield Alarm(
        name="cluster_errors",
        says="The Kubernetes API answers too many requests with 5xx.",
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
        says=f"The store of the cluster holds more than {STORE_GIB} GiB; at 8 it refuses every change.",
        runbook="the-store-of-the-cluster-fills",
        severity="ticket",
        metrics=cluster(compute, "apiserver_storage_size_bytes", "Maximum"),
        above=STORE_GIB * 1024**3,
        of=(15, 15),
    )


def _nodes(pool: Pool, group: str) -> Iterator[Alarm]:
    yield Alarm(
        name=f"nodes_few_{pool.address}",
        says=f"{pool.place.capitalize()} has fewer nodes than its least for a quarter of an hour.",
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
        says=f"A node in {pool.place} fails the checks of EC2 and was not replaced.",
        runbook="a-node-fails-its-checks",
        severity="ticket",
        metrics=nodes(group, "StatusCheckFailed", "Maximum"),
        above=0,
        of=(3, 3),
        missing="notBreaching",  # a group may be empty
    )
    yield Alarm(
        name=f"nodes_busy_{pool.address}",
        says=f"The processors of {pool.place} are busy for half an hour, and no node came to help.",
        runbook="nodes-are-busy",
        severity="ticket",
        metrics=nodes(group, "CPUUtilization", "Average"),
        above=BUSY_PERCENT,
        of=(6, 6),
        missing="notBreaching",
    )
