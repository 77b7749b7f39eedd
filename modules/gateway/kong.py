"""Kong behind the load balancer: without a database, with routes from the Ingresses of the systems."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release

from modules.edge.outputs import EdgeOutputs
from modules.gateway.charts import KONG, rendered
from modules.gateway.cluster import PRIORITY_CLASS
from modules.network.outputs import NetworkOutputs
from modules.systems.requests_spec import USUAL_SECONDS, idle_seconds, patience
from tierra.patterns.helm import release
from tierra.terraform.stack import Stack
from tierra.validation.namespaces import GATEWAY

INGRESS_CLASS = "kong"
# The tags of the chart, 3.9 and 3.5, are moving. Releases of Kong/kong and
# Kong/kubernetes-ingress-controller.
PROXY_IMAGE, CONTROLLER_IMAGE = "3.9.2", "3.5.12"
# MiB of a pod on the disk of its node in addition to bodies: temporary files, and logs of a container, of
# which the kubelet keeps five files of 10 MiB.
FOLDER, TMP, LOGS = 64, 64, 128
# Seconds that a terminating Kong pod still accepts requests, and the default time limit of requests in flight
# then.
ANSWERS_ON, LAST = 20, 30
# Kong keeps idle connections longer than the load balancer. Otherwise the load balancer would send requests
# into connections that Kong is closing, and users would get 502.
LONGER = 15
# The address of the OpenTelemetry collector, which the observability tier installs.
COLLECTOR = "http://collector.observability.svc.cluster.local:4318"


def kong(
    stack: Stack, network: NetworkOutputs, edge: EdgeOutputs, after: Sequence[ITerraformDependable]
) -> Release:
    """`helm_release.kong`, with the TargetGroupBinding of its pods.

    `after` includes the controller: the binding has a finalizer that only the controller removes, so Kong and
    its binding must be destroyed first.
    """
    settings, systems = stack.environment.gateway, stack.environment.systems
    longest = patience(systems)
    last = longest if longest > USUAL_SECONDS else LAST
    reference = edge.target_group_arn.removeprefix("${").removesuffix("}")
    return release(
        stack,
        "kong",
        KONG,
        name=KONG.name,
        namespace=GATEWAY,
        values=[
            rendered(
                stack,
                KONG,
                settings=settings,
                folder=settings.upload_room + FOLDER,
                tmp=TMP,
                disk=settings.upload_room + FOLDER + TMP + LOGS,
                logs=LOGS,
                proxy_image=PROXY_IMAGE,
                controller_image=CONTROLLER_IMAGE,
                ingress_class=INGRESS_CLASS,
                priority_class=PRIORITY_CLASS,
                vpc_cidr=network.vpc_cidr,
                vpc_id=network.vpc_id,
                target_group_arn=edge.target_group_arn,
                keepalive=idle_seconds(systems) + LONGER,
                answers_on=ANSWERS_ON,
                last=last,
                grace=ANSWERS_ON + last + 10,
                own_timeouts=any(system.timeout_seconds != USUAL_SECONDS for system in systems.values()),
                binding_name=f"kong-${{substr(sha256({reference}), 0, 8)}}",
                traces=f"{COLLECTOR}/v1/traces",
                sampling_rate=stack.environment.observability.trace_percent / 100,
            )
        ],
        depends_on=after,
    )
