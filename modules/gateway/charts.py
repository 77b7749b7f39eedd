"""The published charts of this tier at their versions, and what everything in the cluster starts from.

To raise a version: unpack the new chart, run `python -m tools.chart_keys` on its folder, and read its list of
changes. Helm installs the custom resource definitions of a chart's crds/ folder (Kong, load-balancer
controller) and never updates them.
"""

from __future__ import annotations

from cdktf_cdktf_provider_helm.release import Release

from modules.helm import Chart, release
from modules.stack import Stack

CONTROLLER = Chart("aws-load-balancer-controller", "3.5.0", "https://aws.github.io/eks-charts")
AUTOSCALER = Chart("cluster-autoscaler", "9.59.0", "https://kubernetes.github.io/autoscaler")
SECRETS = Chart("external-secrets", "2.9.0", "https://charts.external-secrets.io")
KONG = Chart("kong", "3.4.1", "https://charts.konghq.com")
METRICS = Chart("prometheus-operator-crds", "31.0.1", "https://prometheus-community.github.io/helm-charts")

SYSTEM = "kube-system"


def metric_types(stack: Stack) -> Release:
    """`helm_release.metric_types`: the kinds ServiceMonitor, PrometheusRule and the like, for all."""
    return release(
        stack, "metric_types", METRICS, name="prometheus-operator-crds", namespace=SYSTEM, values=[]
    )
