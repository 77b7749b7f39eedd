"""Kong without a database: its ingress controller hands it the routes of all Ingresses of class `kong`."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.edge.outputs import DRAIN_SECONDS, IDLE_SECONDS, PROXY_PORT, STATUS_PORT, EdgeOutputs
from modules.gateway.charts import KONG
from modules.gateway.foundation import GATEWAY, PRIORITY_CLASS
from modules.helm import release
from modules.network.outputs import NetworkOutputs
from modules.stack import Stack
from modules.templating import Templates

INGRESS_CLASS = "kong"
# The chart's own tags, 3.9 and 3.5, move. Releases of Kong/kong (docker-library/official-images #21601) and
# Kong/kubernetes-ingress-controller.
PROXY_IMAGE, CONTROLLER_IMAGE = "3.9.2", "3.5.12"
# What the load balancer has left to hear of a pod that goes, and what requests in flight have to end.
FINISH_SECONDS = 20
TRACES = "http://collector.observability.svc.cluster.local:4318/v1/traces"


def kong(
    stack: Stack, network: NetworkOutputs, edge: EdgeOutputs, after: Sequence[ITerraformDependable]
) -> Release:
    """`helm_release.kong`, with its plugins and the TargetGroupBinding that ties it to the load balancer.

    The binding has a finalizer, which the load-balancer controller takes off once it has taken the pods out
    of the target group. Terraform destroys what depends before what it depends on, and Helm waits until
    everything of a release is gone: with the controller in `after`, it still runs when the binding goes.
    """
    gateway = stack.environment.gateway
    return release(
        stack,
        "kong",
        KONG,
        name="kong",
        namespace=GATEWAY,
        values=[
            Templates().argument(
                "gateway/kong.yaml",
                proxy_image=PROXY_IMAGE,
                controller_image=CONTROLLER_IMAGE,
                ingress_class=INGRESS_CLASS,
                priority_class=PRIORITY_CLASS,
                replicas=gateway.replicas,
                max_replicas=gateway.max_replicas,
                proxy_port=PROXY_PORT,
                status_port=STATUS_PORT,
                trusted=network.vpc_cidr,
                keepalive=IDLE_SECONDS + 15,
                drain=DRAIN_SECONDS,
                finish=FINISH_SECONDS,
                grace=DRAIN_SECONDS + FINISH_SECONDS + 10,
                traces=TRACES,
                trace_rate=gateway.trace_percent / 100,
                rate_limit=gateway.rate_limit,
                target_group=edge.target_group_arn,
                vpc_id=network.vpc_id,
            )
        ],
        depends_on=list(after),
    )
