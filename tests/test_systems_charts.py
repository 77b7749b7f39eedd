"""What a system is in the cluster: real helm, real schemas of Kubernetes, and the values terraform passes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cluster import CUSTOM, DIGEST, IMAGE, Manifests, charts, check, helm, pods, render, values_of
from conftest import Root, Variant

SYSTEMS = {
    "django": {"framework": "django", "needs": ["postgres", "redis", "files"], "broker": {"beat": True}},
    "fastapi": {"framework": "fastapi", "needs": ["documentdb"], "replicas": 2, "max_replicas": 2},
    "go": {
        "framework": "go",
        "needs": ["redis"],
        "path": "/",
        "broker": {"workers": 3, "command": ["/worker"]},
    },
    "plain": {"framework": "go", "metrics": "none"},
    "beside": {
        "framework": "fastapi",
        "command": ["uvicorn", "shop:app"],
        "sidecars": {"proxy": {"image": f"nginx@{DIGEST}", "port": 8081, "command": ["nginx"]}},
        "env": {
            "GREETING": "{{ .Values.x }} ${HOME} %{ if } $(POD_IP) \"quoted\" 'so' : # -",
            "SWITCH": "yes",
        },
    },
}


def of(systems: Root, name: str, **samples: str) -> tuple[Manifests, Manifests]:
    """What surrounds a system, and the system itself."""
    slug, version = name.replace("-", "_"), systems.environment.compute.kubernetes
    around = render(
        charts()["namespace"],
        values_of(systems, f"{slug}_namespace"),
        release=f"{name}-namespace",
        namespace="default",
        kubernetes=version,
    )
    itself = render(
        charts()["chart"],
        values_of(systems, slug, **samples),
        release=name,
        namespace=name,
        kubernetes=version,
    )
    return around, itself


@pytest.fixture
def variants(variant: Callable[..., Variant]) -> Root:
    """Systems of every framework and need, with and without workers, sidecars and settings."""
    return variant(systems=SYSTEMS)["systems"]


def test_kubernetes_accepts_every_manifest_of_every_environment(roots: dict[str, Root]) -> None:
    systems = roots["systems"]
    for name in systems.environment.systems:
        for manifests in of(systems, name):
            check(manifests, systems.environment.compute.kubernetes)


def test_kubernetes_accepts_every_manifest_of_every_kind_of_system(variants: Root) -> None:
    for name in SYSTEMS:
        for image in (IMAGE, "none"):
            for manifests in of(variants, name, insecure_value=image):
                check(manifests, variants.environment.compute.kubernetes)


def test_the_check_of_manifests_finds_a_key_that_kubernetes_does_not_know(variants: Root) -> None:
    _, itself = of(variants, "plain")
    broken = copy.deepcopy(itself)
    broken["Deployment", "plain"]["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    with pytest.raises(AssertionError, match="imagePullPolice"):
        check(broken, variants.environment.compute.kubernetes)


# Of the kinds that others define: every key they have, as far as ours use them. Sources: the definitions in
# external-secrets 2.9.0 (config/crds/bases), prometheus-operator 0.93 and Kong's ingress controller 3.5.
KEYS: dict[str, Any] = {
    "SecretStore": {"spec": {"provider": {"aws": {"service": 0, "region": 0, "role": 0}}}},
    "ExternalSecret": {
        "spec": {
            "refreshInterval": 0,
            "refreshPolicy": 0,
            "secretStoreRef": {"kind": 0, "name": 0},
            "target": {"name": 0, "creationPolicy": 0, "deletionPolicy": 0},
            "data": [{"secretKey": 0, "remoteRef": {"key": 0, "property": 0}}],
            "dataFrom": [
                {
                    "extract": {"key": 0},
                    "sourceRef": {"generatorRef": {"apiVersion": 0, "kind": 0, "name": 0}},
                }
            ],
        }
    },
    "Password": {
        "spec": {"length": 0, "symbols": 0, "noUpper": 0, "allowRepeat": 0, "secretKeys": [0]},
    },
    "ServiceMonitor": {
        "spec": {
            "selector": {"matchLabels": {"app.kubernetes.io/name": 0, "app.kubernetes.io/component": 0}},
            "endpoints": [{"port": 0, "path": 0, "interval": 0, "scrapeTimeout": 0}],
        }
    },
    "KongPlugin": {"plugin": 0, "config": {"status_code": 0, "message": 0}},
}
VERSIONS = {
    "SecretStore": "external-secrets.io/v1",
    "ExternalSecret": "external-secrets.io/v1",
    "Password": "generators.external-secrets.io/v1alpha1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
    "KongPlugin": "configuration.konghq.com/v1",
}


def unknown(value: Any, known: Any, at: str) -> list[str]:
    if isinstance(value, dict):
        if not isinstance(known, dict):
            return [at]
        return [
            each
            for key, below in value.items()
            for each in (unknown(below, known[key], f"{at}.{key}") if key in known else [f"{at}.{key}"])
        ]
    if isinstance(value, list):
        return [each for item in value for each in unknown(item, known[0], at)]
    return []


def test_resources_that_others_define_have_keys_of_their_definition(variants: Root) -> None:
    seen = set()
    for name in SYSTEMS:
        for manifests in of(variants, name):
            for (kind, _), manifest in manifests.items():
                if kind in CUSTOM:
                    seen.add(kind)
                    assert manifest["apiVersion"] == VERSIONS[kind]
                    body = {key: value for key, value in manifest.items() if key not in HEAD}
                    assert unknown(body, KEYS[kind], kind) == []
    assert seen == CUSTOM == KEYS.keys()


HEAD = {"apiVersion", "kind", "metadata"}


@pytest.mark.parametrize("chart", ["namespace", "chart"])
def test_a_misspelt_or_missing_value_fails_in_helm(variants: Root, chart: str) -> None:
    values = values_of(variants, "django" if chart == "chart" else "django_namespace")
    folder = str(charts()[chart])
    arguments = ("template", "it", folder, "--kube-version", "1.35.0")
    assert helm(*arguments, values=values).returncode == 0
    for wrong in ({**values, "replica": 3}, {**values, "port": "8000"}, {**values, "port": 80_000}):
        refused = helm(*arguments, values=wrong)
        assert refused.returncode != 0
        assert "values don't meet the specifications of the schema" in refused.stderr
    # A key left out is that of values.yaml; what those leave empty is refused.
    if chart == "namespace":
        refused = helm(*arguments, values={key: each for key, each in values.items() if key != "secretsRole"})
        assert "secretsRole" in refused.stderr


@cache
def restricted() -> dict[str, Any]:
    """What Pod Security asks of containers at the level restricted, and a little more."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
    }


def test_no_pod_can_do_more_than_it_needs(variants: Root) -> None:
    seen = set()
    for name in SYSTEMS:
        _, itself = of(variants, name)
        for owner, pod in pods(itself):
            seen.add(owner.split()[0])
            security = pod["securityContext"]
            assert security["runAsNonRoot"] is True, owner
            assert security["runAsUser"] == security["runAsGroup"] == security["fsGroup"] > 0
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert pod["automountServiceAccountToken"] is False
            assert pod["serviceAccountName"] == name
            assert pod["enableServiceLinks"] is False
            for container in [*pod["containers"], *pod.get("initContainers", [])]:
                assert container["securityContext"] == restricted(), owner
                resources = container["resources"]
                assert resources["limits"] == {"memory": resources["requests"]["memory"]}
                assert set(resources["requests"]) == {"cpu", "memory"}
                written = [mount for mount in container["volumeMounts"] if not mount.get("readOnly")]
                assert [mount["name"] for mount in written] == ["scratch"]
    assert seen == {"Deployment", "CronJob", "Job"}


def test_namespaces_refuse_pods_that_are_not_restricted(roots: dict[str, Root]) -> None:
    for name in roots["systems"].environment.systems:
        around, _ = of(roots["systems"], name)
        labels = around["Namespace", name]["metadata"]["labels"]
        assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {
            "restricted"
        }


def test_the_release_of_the_namespace_puts_everything_into_it(variants: Root) -> None:
    for name in SYSTEMS:
        around, itself = of(variants, name)
        for (kind, _), manifest in around.items():
            assert kind == "Namespace" or manifest["metadata"]["namespace"] == name
        assert all("namespace" not in manifest["metadata"] for manifest in itself.values())


def egress(around: Manifests) -> set[tuple[str, int]]:
    """Every place and port that pods may open a connection to."""
    found = set()
    for (kind, _), policy in around.items():
        for rule in policy["spec"].get("egress", []) if kind == "NetworkPolicy" else []:
            assert rule["to"], "a rule without places lets everything out"
            assert rule["ports"]
            for place in rule["to"]:
                block = place.get("ipBlock", {})
                spaces = place.get("namespaceSelector", {}).get("matchLabels", {})
                where = block.get("cidr") or spaces["kubernetes.io/metadata.name"]
                found |= {(where, port["port"]) for port in rule["ports"]}
    return found


PLATFORM = {
    ("kube-system", 53),
    ("observability", 4317),
    ("observability", 4318),
    ("169.254.170.23/32", 80),
    ("0.0.0.0/0", 443),
}


def test_pods_reach_the_stores_of_their_needs_and_no_others(variants: Root) -> None:
    ports = {"postgres": 5432, "redis": 6379, "documentdb": 27017}
    place = variants.environment
    cidrs = [str(cidr) for cidr in place.network.layout.database.values()]
    for name, system in place.systems.items():
        around, _ = of(variants, name)
        stores = {(cidr, ports[need]) for need in system.needs if need in ports for cidr in cidrs}
        assert egress(around) == PLATFORM | stores


def test_nobody_is_let_in_but_the_gateway_and_prometheus(variants: Root) -> None:
    for name, system in variants.environment.systems.items():
        around, _ = of(variants, name)
        policies = {key[1]: each["spec"] for key, each in around.items() if key[0] == "NetworkPolicy"}
        assert policies["deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        speakers = {}
        for policy in policies.values():
            for rule in policy.get("ingress", []):
                (speaker,) = rule["from"]
                (port,) = rule["ports"]
                where = speaker["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                speakers[where] = port["port"]
                assert policy["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "web"
        expected = {"gateway": system.port}
        assert speakers == expected | ({"observability": system.port} if system.metrics else {})


def test_the_way_to_aws_is_not_a_way_to_the_kubernetes_api(variants: Root) -> None:
    around, _ = of(variants, "plain")
    rules = around["NetworkPolicy", "to-platform"]["spec"]["egress"]
    (world,) = [each for each in rules if each["ports"] == [{"protocol": "TCP", "port": 443}]]
    assert world["to"] == [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": [str(variants.environment.compute.service_cidr)]}}
    ]


def test_until_the_first_deployment_everything_is_there_and_nothing_runs(variants: Root) -> None:
    _, before = of(variants, "django", insecure_value="none")
    _, after = of(variants, "django")
    counts = {name: each["spec"]["replicas"] for (kind, name), each in before.items() if kind == "Deployment"}
    assert counts == {"django": 0, "django-worker": 0, "django-beat": 0}
    assert after.keys() - before.keys() == {("Job", "django-migrate (hook)")}
    assert before.keys() - after.keys() == set()
    counts = {name: each["spec"]["replicas"] for (kind, name), each in after.items() if kind == "Deployment"}
    assert counts == {"django": 2, "django-worker": 1, "django-beat": 1}


def test_all_parts_run_the_image_that_the_pipeline_has_deployed(variants: Root) -> None:
    _, itself = of(variants, "django")
    images = {pod["containers"][0]["image"] for _, pod in pods(itself)}
    assert images == {IMAGE}
    assert all(pod["containers"][0]["name"] == "app" for _, pod in pods(itself))


def test_the_autoscaler_is_there_where_it_has_a_choice(variants: Root) -> None:
    for name, system in variants.environment.systems.items():
        _, itself = of(variants, name)
        found = {key[1] for key in itself if key[0] == "HorizontalPodAutoscaler"}
        assert found == ({name} if system.max_replicas > system.replicas else set())
    _, itself = of(variants, "django")
    spec = itself["HorizontalPodAutoscaler", "django"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 4)
    assert set(spec["behavior"]) == {"scaleUp", "scaleDown"}
    assert spec["metrics"][0]["containerResource"]["container"] == "app"


def test_a_system_goes_in_order(variants: Root) -> None:
    """Kong hears first, requests in hand end, and only then would the process be killed."""
    _, itself = of(variants, "django")
    pod = itself["Deployment", "django"]["spec"]["template"]["spec"]
    wait = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 5 <= wait < pod["terminationGracePeriodSeconds"] - 20
    worker = itself["Deployment", "django-worker"]["spec"]["template"]["spec"]
    assert worker["terminationGracePeriodSeconds"] == 120


def test_pods_spread_and_one_at_a_time_is_disturbed(variants: Root) -> None:
    _, itself = of(variants, "django")
    for name in ("django", "django-worker"):
        spec = itself["Deployment", name]["spec"]
        labels = spec["selector"]["matchLabels"]
        spread = spec["template"]["spec"]["topologySpreadConstraints"]
        assert [each["topologyKey"] for each in spread] == [
            "topology.kubernetes.io/zone",
            "kubernetes.io/hostname",
        ]
        assert all(each["labelSelector"]["matchLabels"] == labels for each in spread)
        budget = itself["PodDisruptionBudget", name]["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"]["matchLabels"] == labels
    assert ("PodDisruptionBudget", "django-beat") not in itself


def test_requests_find_the_pods_that_answer_them_and_no_workers(variants: Root) -> None:
    _, itself = of(variants, "django")
    service = itself["Service", "django"]["spec"]
    chosen = service["selector"]
    matching = {
        name
        for (kind, name), each in itself.items()
        if kind == "Deployment" and chosen.items() <= each["spec"]["template"]["metadata"]["labels"].items()
    }
    assert matching == {"django"}
    assert service["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
    selectors = [
        each["spec"]["selector"]["matchLabels"] for key, each in itself.items() if key[0] == "Deployment"
    ]
    assert len({tuple(sorted(each.items())) for each in selectors}) == 3


def test_metrics_are_collected_and_shut_to_the_outside(variants: Root) -> None:
    for name, system in variants.environment.systems.items():
        _, itself = of(variants, name)
        ingress = itself["Ingress", name]
        assert ingress["metadata"]["annotations"] == {"konghq.com/strip-path": "true"}
        assert ingress["spec"]["ingressClassName"] == "kong"
        (rule,) = ingress["spec"]["rules"]
        assert [(each["path"], each["pathType"]) for each in rule["http"]["paths"]] == [
            (system.path, "Prefix")
        ]
        if not system.metrics:
            assert not {"ServiceMonitor", "KongPlugin"} & {kind for kind, _ in itself}
            continue
        shut = itself["Ingress", f"{name}-metrics"]
        assert shut["spec"]["rules"][0]["http"]["paths"][0]["path"] == system.shut_path
        plugin = itself["KongPlugin", shut["metadata"]["annotations"]["konghq.com/plugins"]]
        assert plugin["plugin"] == "request-termination"
        (endpoint,) = itself["ServiceMonitor", name]["spec"]["endpoints"]
        assert endpoint["path"] == system.metrics


def test_texts_of_other_languages_reach_the_container_as_they_were_written(variants: Root) -> None:
    _, itself = of(variants, "beside")
    container = itself["Deployment", "beside"]["spec"]["template"]["spec"]["containers"][0]
    told = {each["name"]: each.get("value") for each in container["env"]}
    assert {name: told[name] for name in ("GREETING", "SWITCH")} == SYSTEMS["beside"]["env"]
    assert container["command"] == ["uvicorn", "shop:app"]


def test_a_sidecar_starts_before_the_system_and_stops_after_it(variants: Root) -> None:
    _, itself = of(variants, "beside")
    (sidecar,) = itself["Deployment", "beside"]["spec"]["template"]["spec"]["initContainers"]
    assert (sidecar["name"], sidecar["restartPolicy"]) == ("proxy", "Always")
    assert sidecar["image"] == f"nginx@{DIGEST}"
    assert [port["containerPort"] for port in sidecar["ports"]] == [8081]


def test_migrations_run_before_new_pods_and_never_by_the_clock(variants: Root) -> None:
    _, itself = of(variants, "django")
    hook = itself["Job", "django-migrate (hook)"]
    assert hook["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    job, suspended = hook["spec"], itself["CronJob", "django-migrate"]["spec"]
    assert suspended["suspend"] is True
    assert suspended["jobTemplate"]["spec"] == job
    assert job["template"]["spec"]["containers"][0]["command"] == [
        "python",
        "manage.py",
        "migrate",
        "--noinput",
    ]
    assert not [key for key in of(variants, "go")[1] if key[0] in ("Job", "CronJob")]
