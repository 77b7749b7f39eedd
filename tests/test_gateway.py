"""Tests of the gateway tier: its generated Terraform and chart values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ENVIRONMENTS, Root, Variant
from support.chart_values import keys_of, unknown
from support.rendering import Objects, rendered, sample

from modules.compute.versions import VERSIONS
from modules.overhead import AUTOSCALER, KONG, SERVICES

Variants = Callable[..., Variant]
GATEWAY = "data.terraform_remote_state"


@pytest.fixture(scope="session")
def gateway(roots: dict[str, Root]) -> Root:
    return roots["gateway"]


def values(gateway: Root, release: str) -> dict[str, Any]:
    """The values of a release, as helm merges them."""
    merged: dict[str, Any] = {}
    for text in gateway[f"helm_release.{release}"].get("values", []):
        merged |= yaml.safe_load(text)
    return merged


@pytest.fixture
def cluster_objects(gateway: Root, tmp_path: Path) -> Objects:
    """The rendered objects of the chart for the whole cluster."""
    (text,) = gateway["helm_release.cluster"]["values"]
    return rendered("gateway/cluster", sample(text), tmp_path)


def extras(gateway: Root, kind: str) -> dict[str, dict[str, Any]]:
    """Extra objects of the Kong release, of a kind, by name."""
    objects = values(gateway, "kong")["extraObjects"]
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def test_every_value_has_a_key_of_its_chart(gateway: Root) -> None:
    published = {
        name: release for name, release in gateway.all("helm_release").items() if "repository" in release
    }
    assert {"kong", "load_balancer_controller", "external_secrets"} <= published.keys()
    for name, release in published.items():
        if "values" in release:
            keys = keys_of(release["chart"], release["version"])
            assert list(unknown(values(gateway, name), keys)) == [], name


def test_a_misspelt_value_is_found_by_its_path(gateway: Root) -> None:
    kong = values(gateway, "kong")
    kong["proxy"]["http"]["servicePrt"] = 80
    kong["replicas"] = 3
    assert list(unknown(kong, keys_of("kong", "3.4.1"))) == ["proxy.http.servicePrt", "replicas"]


def test_a_mapping_in_place_of_a_value_is_found(gateway: Root) -> None:
    kong = values(gateway, "kong")
    kong["replicaCount"] = {"min": 2}
    kong["env"]["headers"] = {"off": True}
    assert list(unknown(kong, keys_of("kong", "3.4.1"))) == ["replicaCount", "env.headers"]


def test_the_helm_provider_gets_a_new_token_for_each_connection(gateway: Root) -> None:
    outputs = "data.terraform_remote_state.compute.outputs"
    (helm,) = gateway.body["provider"]["helm"]
    assert helm["kubernetes"] == {
        "host": f"${{{outputs}.cluster_endpoint}}",
        "cluster_ca_certificate": f"${{base64decode({outputs}.cluster_certificate_authority)}}",
        "exec": {
            "api_version": "client.authentication.k8s.io/v1beta1",
            "command": "aws",
            "args": [
                "eks",
                "get-token",
                "--cluster-name",
                f"${{{outputs}.cluster_name}}",
                "--region",
                gateway.environment.region,
                "--output",
                "json",
            ],
        },
    }


def test_a_failed_release_is_rolled_back(gateway: Root) -> None:
    for release in gateway.all("helm_release").values():
        assert {key: release[key] for key in ("atomic", "cleanup_on_fail", "wait")} == {
            "atomic": True,
            "cleanup_on_fail": True,
            "wait": True,
        }
        assert release["version"]


def test_kong_is_only_reachable_through_the_terraform_load_balancer(gateway: Root) -> None:
    kong = values(gateway, "kong")
    assert kong["proxy"]["type"] == "ClusterIP"
    assert kong["proxy"]["tls"]["enabled"] is False
    assert all(not kong[each]["enabled"] for each in ("admin", "manager", "portal", "portalapi"))
    [(name, binding)] = extras(gateway, "TargetGroupBinding").items()
    # The ARN of a binding is immutable: a new target group needs a new binding.
    assert name == f"kong-${{substr(sha256({GATEWAY}.edge.outputs.target_group_arn), 0, 8)}}"
    assert binding["spec"] == {
        "serviceRef": {"name": "kong-proxy", "port": 80},
        "targetGroupARN": f"${{{GATEWAY}.edge.outputs.target_group_arn}}",
        "targetType": "ip",
        "vpcID": f"${{{GATEWAY}.network.outputs.vpc_id}}",
    }


def test_kong_listens_on_the_ports_of_the_target_group(gateway: Root, edge: Root) -> None:
    kong, target = values(gateway, "kong"), edge["aws_lb_target_group.gateway"]
    assert kong["proxy"]["http"]["containerPort"] == target["port"]
    assert str(kong["status"]["http"]["containerPort"]) == target["health_check"]["port"]
    assert target["health_check"]["path"] == "/status/ready"


def test_kong_answers_until_the_deregistration_delay_is_over(gateway: Root, edge: Root) -> None:
    kong, target = values(gateway, "kong"), edge["aws_lb_target_group.gateway"]
    assert kong["terminationGracePeriodSeconds"] > int(target["deregistration_delay"])
    waits = [word for word in kong["lifecycle"]["preStop"]["exec"]["command"] if word.startswith("--")]
    assert sum(int(word.split("=")[1]) for word in waits) < kong["terminationGracePeriodSeconds"]
    idle = edge["aws_lb.main"]["idle_timeout"]
    assert int(kong["env"]["nginx_proxy_keepalive_timeout"].removesuffix("s")) > idle


def test_pods_of_systems_stop_after_kong_has_forgotten_them(gateway: Root, tmp_path: Path) -> None:
    """The controller stops at once: its last configuration must stay valid while Kong accepts requests."""
    pause = values(gateway, "kong")["lifecycle"]["preStop"]["exec"]["command"]
    [asks] = [int(word.removeprefix("--wait=")) for word in pause if word.startswith("--wait=")]
    given = {"system": "shop", "image": "none", "path": "/shop", "port": 8000}
    web = rendered("systems/chart", given, tmp_path)["Deployment/shop"]["spec"]["template"]["spec"]
    stays = web["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert stays >= asks + 5  # seconds until the last configuration has arrived
    assert web["terminationGracePeriodSeconds"] >= stays + 30


def test_the_first_release_is_installed_after_all_identities(gateway: Root) -> None:
    first = gateway["helm_release.prometheus_crds"]["depends_on"]
    for kind in ("aws_eks_pod_identity_association", "aws_iam_role_policy"):
        assert {f"{kind}.{name}" for name in gateway.all(kind)} <= set(first)
    for name in ("load_balancer_controller", "external_secrets"):
        assert "helm_release.prometheus_crds" in gateway[f"helm_release.{name}"]["depends_on"]


def test_pods_request_disk_for_request_bodies(variant: Variants) -> None:
    kong = values(variant(gateway={"upload_mb": 100, "uploads": 30})["gateway"], "kong")
    assert kong["env"]["nginx_http_client_max_body_size"] == "100m"
    assert kong["env"]["nginx_proxy_proxy_max_temp_file_size"] == "0"
    folder, tmp = (kong["deployment"][each]["sizeLimit"] for each in ("prefixDir", "tmpDir"))
    asked, limit = (kong["resources"][each]["ephemeral-storage"] for each in ("requests", "limits"))
    assert mebibytes(asked) == 100 * 30 < mebibytes(folder)
    # The limit of the pod is the sum of the limits of its containers, including volumes.
    assert mebibytes(folder) + mebibytes(tmp) < mebibytes(limit)
    assert kong["ingressController"]["resources"]["limits"]["ephemeral-storage"]


def mebibytes(amount: str) -> int:
    return int(amount.removesuffix("Mi"))


def test_kong_closes_idle_connections_before_a_system_does(gateway: Root) -> None:
    gunicorn, uvicorn = 2, 5  # default seconds for which these servers keep an idle connection
    assert int(values(gateway, "kong")["env"]["upstream_keepalive_idle_timeout"]) < min(gunicorn, uvicorn)


def test_images_are_pinned_to_a_release(gateway: Root, variant: Variants) -> None:
    kong = values(gateway, "kong")
    tags = [kong["image"]["tag"], kong["ingressController"]["image"]["tag"]]
    for version in VERSIONS:
        scaled = variant(compute={"scaling": "pods", "kubernetes": version})["gateway"]
        tag = values(scaled, "cluster_autoscaler")["image"]["tag"]
        assert tag.startswith(f"v{version}.")
        tags.append(tag)
    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", tag) for tag in tags)


def test_the_client_address_is_that_seen_by_the_load_balancer(gateway: Root) -> None:
    env = values(gateway, "kong")["env"]
    assert (env["real_ip_header"], env["real_ip_recursive"]) == ("X-Forwarded-For", "on")
    assert env["trusted_ips"] == f"${{{GATEWAY}.network.outputs.vpc_cidr}}"


def test_every_request_has_metrics_limits_an_id_and_traces(gateway: Root) -> None:
    plugins = extras(gateway, "KongClusterPlugin")
    assert set(plugins) == {"prometheus", "rate-limiting", "correlation-id", "opentelemetry"}
    for name, plugin in plugins.items():
        assert plugin["plugin"] == name
        assert plugin["metadata"]["labels"] == {"global": "true"}
        assert plugin["metadata"]["annotations"] == {"kubernetes.io/ingress.class": "kong"}
    assert plugins["rate-limiting"]["config"]["minute"] == gateway.environment.gateway.rate_limit
    assert plugins["prometheus"]["config"]["latency_metrics"] is True
    # Trace headers of clients are ignored: a client cannot force the tracing of its requests.
    propagation = {"default_format": "w3c", "inject": ["w3c"]}
    assert plugins["opentelemetry"]["config"]["propagation"] == propagation


def test_webhooks_listen_on_ports_open_to_the_control_plane(gateway: Root, network: Root) -> None:
    rules = network.all("aws_vpc_security_group_ingress_rule")
    open_ports = {
        rule["from_port"] for name, rule in rules.items() if name.startswith("node_from_control_plane")
    }
    assert values(gateway, "kong")["ingressController"]["admissionWebhook"]["port"] in open_ports
    assert values(gateway, "external_secrets")["webhook"]["port"] in open_ports
    assert "webhookBindPort" not in values(gateway, "load_balancer_controller")  # the default 9443
    assert 9443 in open_ports


def test_the_controller_only_registers_targets(gateway: Root) -> None:
    controller = values(gateway, "load_balancer_controller")
    gates = controller["controllerConfig"]["featureGates"]
    assert gates == {"EnableServiceController": False, "ALBGatewayAPI": False, "NLBGatewayAPI": False}
    assert controller["createIngressClassResource"] is False
    assert controller["disableIngressClassAnnotation"] is True
    assert controller["enableServiceMutatorWebhook"] is False
    statements = gateway.statements("aws_iam_role_policy.load_balancer_controller")
    assert statements["RegisterPodsOfKong"] == {
        "Effect": "Allow",
        "Action": ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
        "Resource": f"${{{GATEWAY}.edge.outputs.target_group_arn}}",
    }
    seen = statements["SeeTargetsAndNetwork"]["Action"]
    assert all(action.split(":")[1].startswith("Describe") for action in seen)
    assert "ec2:DescribeInstances" not in seen


def test_services_cannot_create_load_balancers(cluster_objects: Objects) -> None:
    policy = cluster_objects["ValidatingAdmissionPolicy/no-untracked-load-balancers"]["spec"]
    assert policy["failurePolicy"] == "Fail"
    (rule,) = policy["matchConstraints"]["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["services"], ["CREATE", "UPDATE"])
    (validation,) = policy["validations"]
    assert validation["expression"] == "!has(object.spec.type) || object.spec.type != 'LoadBalancer'"
    binding = cluster_objects["ValidatingAdmissionPolicyBinding/no-untracked-load-balancers"]["spec"]
    assert binding == {"policyName": "no-untracked-load-balancers", "validationActions": ["Deny"]}


def test_platform_namespaces_refuse_privileged_pods(cluster_objects: Objects) -> None:
    for name in ("gateway", "external-secrets", "releases"):
        labels = cluster_objects[f"Namespace/{name}"]["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_network_policies_allow_load_balancer_to_kong_to_systems(
    gateway: Root, cluster_objects: Objects
) -> None:
    environment, kong = gateway.environment, values(gateway, "kong")
    public = {str(each) for each in environment.network.layout.public.values()}
    private = {str(each) for each in environment.network.layout.private.values()}
    requests, webhook, metrics = cluster_objects["NetworkPolicy/kong-in"]["spec"]["ingress"]
    status = kong["status"]["http"]["containerPort"]
    assert ranges(requests["from"]) == public
    assert ports(requests) == {kong["proxy"]["http"]["containerPort"], status}
    assert ranges(webhook["from"]) == private
    assert ports(webhook) == {kong["ingressController"]["admissionWebhook"]["port"]}
    assert metrics["from"] == [named("observability")]
    assert ports(metrics) == {status, 10255}
    names, interface, systems, traces = cluster_objects["NetworkPolicy/kong-out"]["spec"]["egress"]
    assert ports(names) == {53}
    assert ranges(interface["to"]) == {*private, str(environment.compute.service_cidr)}
    assert ports(interface) == {443}
    assert systems["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"app.kubernetes.io/part-of": "systems"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/component": "web"}},
        }
    ]
    assert (traces["to"], ports(traces)) == ([named("observability")], {4318})
    everything = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert cluster_objects["NetworkPolicy/default-deny"]["spec"] == everything


def ranges(peers: list[dict[str, Any]]) -> set[str]:
    return {peer["ipBlock"]["cidr"] for peer in peers}


def ports(rule: dict[str, Any]) -> set[int]:
    return {port["port"] for port in rule["ports"]}


def named(namespace: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def test_the_role_of_external_secrets_reads_no_secret(gateway: Root) -> None:
    statements = gateway.statements("aws_iam_role_policy.external_secrets")
    environment = gateway.environment
    assert statements == {
        "BecomeAReaderOfSecrets": {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Resource": (
                f"arn:aws:iam::{environment.account}:role/{environment.project}-{environment.environment}-secrets-*"
            ),
        }
    }
    operator = values(gateway, "external_secrets")
    assert operator["processClusterStore"] is False
    assert operator["rbac"]["serviceAccountTokenCreate"] is False


def test_the_external_secrets_webhook_survives_the_loss_of_a_node(gateway: Root) -> None:
    webhook = values(gateway, "external_secrets")["webhook"]
    assert webhook["replicaCount"] == 2
    assert webhook["podDisruptionBudget"]["enabled"] is True
    assert "helm_release.cluster" in gateway["helm_release.external_secrets"]["depends_on"]


def test_pod_identity_associations_name_service_accounts_of_the_charts(gateway: Root) -> None:
    tied = {
        (each["namespace"], each["service_account"])
        for each in gateway.all("aws_eks_pod_identity_association").values()
    }
    controller = values(gateway, "load_balancer_controller")["serviceAccount"]["name"]
    operator = values(gateway, "external_secrets")["serviceAccount"]["name"]
    assert tied == {("kube-system", controller), ("external-secrets", operator)}


def test_the_target_group_binding_is_deleted_before_the_controller(gateway: Root) -> None:
    assert "helm_release.load_balancer_controller" in gateway["helm_release.kong"]["depends_on"]


def test_the_autoscaler_is_installed_for_scaling_by_pods_only(variant: Variants) -> None:
    by_pods = variant(compute={"scaling": "pods"})["gateway"]
    assert values(by_pods, "cluster_autoscaler")["image"]["tag"].startswith("v1.36.")
    by_load = variant(compute={"scaling": "cpu", "nodes": {"min": 6, "max": 9}})["gateway"]
    assert "cluster_autoscaler" not in by_load.all("helm_release")


def test_capacity_counts_the_requests_of_the_charts(gateway: Root) -> None:
    counted = {pods.name: (pods.cpu, pods.memory) for pods in (*SERVICES, AUTOSCALER)}
    kong = values(gateway, "kong")
    assert counted["load-balancer-controller"] == asked(values(gateway, "load_balancer_controller"))
    operator = values(gateway, "external_secrets")
    assert counted["external-secrets"] == asked(operator)
    assert counted["external-secrets-webhook"] == asked(operator["webhook"])
    assert counted["external-secrets-cert-controller"] == asked(operator["certController"])
    assert counted["cluster-autoscaler"] == asked(values(gateway, "cluster_autoscaler"))
    proxy, controller = asked(kong), asked(kong["ingressController"])
    assert (proxy[0] + controller[0], proxy[1] + controller[1]) == KONG


def asked(settings: dict[str, Any]) -> tuple[int, int]:
    requests = settings["resources"]["requests"]
    return int(requests["cpu"].removesuffix("m")), int(requests["memory"].removesuffix("Mi"))


def test_no_chart_value_is_a_secret(gateway: Root) -> None:
    for name in gateway.all("helm_release"):
        text = json.dumps(values(gateway, name)).lower()
        assert not any(word in text for word in ("password", "aws_secret_access_key", "private_key")), name


def test_all_environments_are_tested() -> None:
    assert ENVIRONMENTS == ["production", "sandbox", "staging"]
