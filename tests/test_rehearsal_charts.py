"""Tests of helm releases in the rehearsal: real helm renders, and rules check the objects."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Root
from support.rehearsing import Project
from support.rendering import HELM, KUBERNETES, sample

from rehearsal.catalog import catalog_path
from rehearsal.charts import helm, schemas
from rehearsal.charts.quantities import quantity
from rehearsal.charts.releases import Releases
from rehearsal.charts.security import breaches
from rehearsal.charts.violations import Violation
from rehearsal.cloud import Cloud
from rehearsal.protocol import UNKNOWN

HOST = "https://cluster.example.com"
POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "it"}},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "it:1",
                "ports": [{"name": "http", "containerPort": 8080}],
                "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
                "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": 1}},
                "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
            }
        ],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    },
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "it"},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "it"}}, "template": POD},
}
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "it"},
    "spec": {"selector": {"app": "it"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
}
JOB: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "it"},
    "spec": {"template": {"spec": {**POD["spec"], "restartPolicy": "Never"}}},
}
SCALER: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "it"},
    "spec": {
        "minReplicas": 2,
        "maxReplicas": 4,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "it"},
    },
}
INGRESS: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "it"},
    "spec": {
        "rules": [
            {
                "host": "app.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "it", "port": {"name": "http"}}},
                        }
                    ]
                },
            }
        ]
    },
}
WALL: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "it"},
    "spec": {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/16", "except": ["10.0.1.0/24"]}}]}],
    },
}
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "it"},
    "data": {"a": "1"},
}
SECRET: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "it"},
    "data": {"a": "MQ=="},
}
SET: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "it"},
    "spec": {
        **DEPLOYMENT["spec"],
        "serviceName": "it",
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ],
    },
}
CRON: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "it"},
    "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": JOB["spec"]}},
}
BUDGET: dict[str, Any] = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "it"},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "it"}}},
}
PRIORITY: dict[str, Any] = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "it"},
    "value": 1000,
}
ROLE: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "system:it"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}
BINDING: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "it"},
    "roleRef": {"kind": "Role", "name": "it"},
    "subjects": [{"kind": "ServiceAccount", "name": "it", "namespace": "default"}],
}
NAMESPACE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "it", "labels": {}},
}
CLASS: dict[str, Any] = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "it"},
    "provisioner": "ebs.csi.aws.com",
    "parameters": {"type": "gp3"},
}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "names": {"kind": "Thing", "plural": "things"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["size"],
                                "properties": {
                                    "size": {"type": "integer", "minimum": 1},
                                    "mode": {"type": "string", "enum": ["fast", "slow"]},
                                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}
THING: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "it"},
    "spec": {"size": 1, "free": {"any": 1}},
}
ALL = [
    *(DEPLOYMENT, SERVICE, JOB, SCALER, INGRESS, WALL, CONFIG, SECRET, SET, CRON, BUDGET, PRIORITY, ROLE),
    *(BINDING, NAMESPACE, CLASS, DEFINITION, THING),
]


class Trial:
    """A chart of the given objects, released on a cluster of an account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cloud = Cloud(folder / "cloud.sqlite")
        self.cloud.put("aws_eks_cluster", "it", {"endpoint": HOST, "version": KUBERNETES})
        self.releases = Releases(self.cloud, folder)
        self.releases.configure({"kubernetes": {"host": HOST}})

    def chart(self, *objects: dict[str, Any] | str, name: str = "it", **files: str) -> Trial:
        folder = self.folder / name
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
        texts = [each if isinstance(each, str) else json.dumps(each) for each in objects]
        (folder / "templates/all.yaml").write_text("\n---\n".join(texts))
        for file, text in files.items():
            (folder / file.replace("_", ".")).write_text(text)
        return self

    def violations(self, upgrade: bool = False, applying: bool = False, **arguments: Any) -> list[Violation]:
        planned = {"name": "it", "namespace": "default", "chart": "./it", "wait": True, **arguments}
        return self.releases.violations(planned, {}, upgrade, applying)

    def refused(self, **arguments: Any) -> list[str]:
        return [f"{each.where}: {each.message}" for each in self.violations(**arguments) if each.sure]

    def apply(self, **arguments: Any) -> None:
        planned = {"name": "it", "namespace": "default", "chart": "./it", **arguments}
        self.releases.remember(planned, upgrade=False)


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def edited(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with a value at a dotted path; without it for `...`."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    *steps, last = path.split(".")
    holder: Any = copy
    for step in steps:
        holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
    key: Any = int(last) if isinstance(holder, list) else last
    if value is ...:
        del holder[key]
    else:
        holder[key] = value
    return copy


def test_valid_objects_are_accepted(trial: Trial) -> None:
    assert trial.chart(*ALL).violations() == []


APP = "spec.template.spec.containers.0"


@pytest.mark.parametrize(
    ("body", "path", "value", "where", "says"),
    [
        (DEPLOYMENT, "metadata.name", "It_1", "metadata.name", "RFC 1123 subdomain"),
        (DEPLOYMENT, "metadata.labels", {"a b": "1"}, "metadata.labels.a b", "must be a name of letters"),
        (DEPLOYMENT, "metadata.labels", {"a": "-b"}, "metadata.labels.a", "valid label value"),
        (DEPLOYMENT, "metadata.labels", {"a": 1}, "metadata.labels.a", "must be a string, got 1"),
        (DEPLOYMENT, "metadata.namespace", "It", "metadata.namespace", "RFC 1123 label"),
        (DEPLOYMENT, "spec.replicas", "three", "spec.replicas", "must be an integer"),
        (DEPLOYMENT, "spec.replicas", -1, "spec.replicas", "greater than or equal to 0"),
        (DEPLOYMENT, "spec.selector", ..., "spec.selector", "is required"),
        (
            DEPLOYMENT,
            "spec.selector.matchLabels",
            {"app": "other"},
            "spec.template.metadata.labels",
            "does not match template labels: app=other against app=it",
        ),
        (
            DEPLOYMENT,
            "spec.strategy",
            {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
            "spec.strategy.rollingUpdate",
            "Recreate",
        ),
        (
            DEPLOYMENT,
            "spec.strategy",
            {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            "maxUnavailable",
            "must not be 0",
        ),
        (DEPLOYMENT, f"{APP}.name", ..., "containers[0].name", "is required"),
        (DEPLOYMENT, f"{APP}.image", ..., "containers[0].image", "is required"),
        (DEPLOYMENT, f"{APP}.imagePullPolicy", "Sometimes", "imagePullPolicy", "must be one of"),
        (DEPLOYMENT, f"{APP}.ports.0.containerPort", 80000, "containerPort", "between 1 and 65535"),
        (DEPLOYMENT, f"{APP}.ports.0.name", "http_port_of_the_app", "ports[0].name", "at most 15"),
        (
            DEPLOYMENT,
            f"{APP}.readinessProbe.httpGet.port",
            "web",
            "readinessProbe.httpGet.port",
            "no port named web",
        ),
        (
            DEPLOYMENT,
            f"{APP}.readinessProbe.exec",
            {"command": ["x"]},
            "readinessProbe",
            "got exec and httpGet",
        ),
        (
            DEPLOYMENT,
            f"{APP}.livenessProbe",
            {"tcpSocket": {"port": 1}, "successThreshold": 2},
            "successThreshold",
            "must be 1",
        ),
        (DEPLOYMENT, f"{APP}.resources.requests.cpu", "250 milli", "requests.cpu", "must be a quantity"),
        (
            DEPLOYMENT,
            f"{APP}.resources.requests.cpu",
            2,
            "requests.cpu",
            "less than or equal to the cpu limit",
        ),
        (DEPLOYMENT, f"{APP}.volumeMounts.0.name", "other", "volumeMounts[0].name", "no volume other"),
        (DEPLOYMENT, f"{APP}.env", [{"name": "A", "value": 1}], "env[0].value", "must be a string"),
        (DEPLOYMENT, "spec.template.spec.restartPolicy", "Never", "restartPolicy", "must be Always"),
        (DEPLOYMENT, "apiVersion", "extensions/v1beta1", "apiVersion", "it has apps/v1"),
        (JOB, "spec.template.spec.restartPolicy", ..., "restartPolicy", "must be Never or OnFailure"),
        (CRON, "spec.schedule", "0 25 * * *", "spec.schedule", "hour is 0 to 23"),
        (CRON, "spec.schedule", "0 3 * *", "spec.schedule", "five fields"),
        (SERVICE, "spec.ports.0.port", 0, "spec.ports[0].port", "between 1 and 65535"),
        (SERVICE, "spec.ports.0.port", "80", "spec.ports[0].port", "must be an integer"),
        (SERVICE, "spec.ports", [{"port": 80}, {"port": 81}], "spec.ports[0].name", "several ports"),
        (SERVICE, "spec.type", "External", "spec.type", "must be one of"),
        (SERVICE, "metadata.name", "it.1", "metadata.name", "RFC 1123 label"),
        (SCALER, "spec.maxReplicas", 1, "spec.maxReplicas", "not be below minReplicas (2)"),
        (INGRESS, "spec.rules.0.host", "App_Example.com", "spec.rules[0].host", "RFC 1123"),
        (INGRESS, "spec.rules.0.http.paths.0.path", "app", "paths[0].path", "absolute path"),
        (INGRESS, "spec.rules.0.http.paths.0.pathType", ..., "pathType", "is required"),
        (INGRESS, "spec.rules.0.http.paths.0.backend.service.port", {}, "service.port", "a name or a number"),
        (WALL, "spec.ingress.0.from.0.ipBlock.cidr", "10.0.0.0/40", "ipBlock.cidr", "CIDR block"),
        (WALL, "spec.ingress.0.from.0.ipBlock.except", ["10.1.0.0/24"], "except[0]", "strict subset"),
        (WALL, "spec.ingress.0.from.0", {}, "from[0]", "must have an ipBlock"),
        (CONFIG, "data", {"a": 1}, "data.a", "must be a string"),
        (CONFIG, "data", {"a b": "1"}, "data.a b", "must be a key"),
        (SECRET, "data.a", "not base64", "data.a", "base64"),
        (BUDGET, "spec.minAvailable", 1, "spec", "cannot be both set"),
        (PRIORITY, "metadata.name", "system-it", "metadata.name", "system-"),
        (PRIORITY, "value", 2_000_000_000, "value", "at most 1000000000"),
        (ROLE, "rules.0.verbs", ..., "rules[0].verbs", "at least one verb"),
        (BINDING, "subjects.0.kind", "Account", "subjects[0].kind", "ServiceAccount"),
        (BINDING, "roleRef.kind", "Rol", "roleRef.kind", "Role or ClusterRole"),
        (
            NAMESPACE,
            "metadata.labels",
            {"pod-security.kubernetes.io/enforce": "strict"},
            "enforce",
            "must be one of privileged",
        ),
        (THING, "spec.size", 0, "spec.size", "must be at least 1"),
        (THING, "spec.size", ..., "spec.size", "is required"),
        (THING, "spec.mode", "medium", "spec.mode", "must be one of fast, slow"),
    ],
)
def test_objects_that_kubernetes_refuses_are_refused(
    trial: Trial, body: dict[str, Any], path: str, value: Any, where: str, says: str
) -> None:
    more = [DEFINITION] if body is THING else []
    messages = trial.chart(edited(body, path, value), *more).refused()
    assert any(where in each and says in each for each in messages), messages
    assert trial.chart(body, *more).refused() == []


@pytest.mark.parametrize(
    ("body", "path", "value", "says"),
    [
        (DEPLOYMENT, "spec.replica", 3, "spec.replica: is not a field that Kubernetes knows here"),
        (THING, "spec.colour", "red", "spec.colour: is not a field that Kubernetes knows here"),
        (SERVICE, "spec.ports.0.targetPort", "web", "targetPort: none of its pods has a port named web"),
        (DEPLOYMENT, f"{APP}.livenessProbe", {"tcpSocket": {"port": "web"}}, "no port named web"),
    ],
)
def test_objects_that_kubernetes_ignores_give_a_warning(
    trial: Trial, body: dict[str, Any], path: str, value: Any, says: str
) -> None:
    others = [each for each in (DEPLOYMENT, SERVICE, DEFINITION) if each is not body]
    [violation] = trial.chart(edited(body, path, value), *others).violations()
    assert says in f"{violation.where}: {violation.message}"
    assert not violation.sure


def test_probes_are_not_checked_if_the_release_does_not_wait(trial: Trial) -> None:
    wrong = edited(DEPLOYMENT, f"{APP}.readinessProbe.httpGet.port", "web")
    assert [each.sure for each in trial.chart(wrong).violations()] == [True]
    assert [each.sure for each in trial.violations(wait=False)] == [False]
    trial.chart(edited(wrong, "spec.replicas", 0))
    assert [each.sure for each in trial.violations()] == [False]


def test_refusals_of_helm_are_shown_unchanged(trial: Trial) -> None:
    schema = {"type": "object", "additionalProperties": False, "properties": {"port": {"type": "integer"}}}
    trial.chart('{{ required "a port" .Values.port }}', values_schema_json=json.dumps(schema))
    (trial.folder / "it/values.schema.json").write_text(json.dumps(schema))
    [message] = trial.refused(values=["port: high"])
    assert "port: Invalid type. Expected: integer, given: string" in message
    [message] = trial.refused(values=["prot: 1"])
    assert "Additional property prot is not allowed" in message
    [message] = trial.refused()
    assert "a port" in message
    trial.chart("a: {{ .Values.port")
    [message] = trial.refused(values=["port: 1"])
    assert "parse error" in message


def test_lookups_of_templates_may_find_objects(trial: Trial) -> None:
    trial.chart('{{ if not (lookup "v1" "Secret" "default" "it") }}{{ fail "no secret" }}{{ end }}')
    [violation] = trial.violations()
    assert "no secret" in violation.message
    assert not violation.sure
    trial.chart('{{ fail "always" }}\n{{ lookup "v1" "Secret" "default" "it" }}')
    assert "always" in trial.refused()[0]
    old = "autoscaling/v2beta1"
    trial.chart(
        f'{{{{ $old := .Capabilities.APIVersions.Has "{old}" }}}}'
        + f'apiVersion: {{{{ ternary "{old}" "autoscaling/v2" $old }}}}\n'
        + "kind: HorizontalPodAutoscaler\nmetadata: {name: it}\n"
        + f"spec: {json.dumps(SCALER['spec'])}\n"
    )
    assert trial.refused() == []


def test_names_paths_and_values_are_checked_without_the_chart(trial: Trial) -> None:
    there: dict[str, Any] = {"chart": "it", "repository": "https://charts.example.com", "version": "1.0.0"}
    assert trial.violations(**there, values=["a: 1"]) == []
    assert "must be a release name" in trial.refused(**there, name="It")[0]
    assert "RFC 1123 label" in trial.refused(**there, namespace="It")[0]
    assert "yaml" in trial.refused(**there, values=["a: [1"])[0]
    assert "path './nothing' not found" in trial.refused(chart="./nothing")[0]
    wrong = "web: {resources: {requests: {memory: 64Mi}, limits: {memory: 32Mi}}}"
    assert "web.resources.requests.memory" in trial.refused(**there, values=[wrong])[0]


def test_a_published_chart_is_checked_from_the_cache_of_helm(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trial.chart(edited(DEPLOYMENT, "spec.replicas", -1))
    cache = tmp_path / "cache"
    subprocess.run([HELM, "package", "it", "-d", cache], cwd=trial.folder, check=True, capture_output=True)
    there: dict[str, Any] = {"chart": "it", "repository": "https://charts.example.com", "version": "1.0.0"}
    assert trial.refused(**there) == []
    monkeypatch.setenv("HELM_REPOSITORY_CACHE", str(cache))
    assert "spec.replicas" in trial.refused(**there)[0]
    assert trial.refused(**{**there, "version": "1.0.1"}) == []


def test_unused_values_give_a_warning(trial: Trial) -> None:
    trial.chart("a: {{ .Values.port }}", values_yaml="port: 1\n")
    [violation] = trial.violations(values=["prot: 2"])
    assert (violation.where, violation.sure) == ("values: prot", False)
    assert trial.violations(values=["port: 2\nglobal: {}"]) == []
    trial.chart("a: {{ toJson .Values }}", values_yaml="port: 1\n")
    assert trial.violations(values=["prot: 2"]) == []


def test_settings_reach_the_chart(trial: Trial) -> None:
    trial.chart(
        'a: {{ required "none" .Values.a.b }}\nb: {{ index .Values.c 1 }}\nc: {{ .Values.s | quote }}'
    )
    settings = {
        "set": [{"name": "a.b", "type": None, "value": "x"}],
        "set_list": [{"name": "c", "value": ["1", "2"]}],
        "set_sensitive": [{"name": "s", "type": "string", "value": "1"}],
    }
    assert trial.refused(**settings) == []
    assert "Values.a.b" in trial.refused(**{**settings, "set": None})[0]
    renderings = catalog_path().parent / "scratch/charts"
    assert not any('c: \\"1\\"' in file.read_text() for file in renderings.glob("*"))


def test_unknown_values_are_not_checked(trial: Trial) -> None:
    trial.chart('a: {{ .Values.a }}{{ fail "always" }}')
    assert trial.refused(values=[UNKNOWN]) == []
    assert trial.refused(set=[{"name": "a", "value": UNKNOWN}]) == []
    assert trial.refused(name=UNKNOWN) == []
    assert "always" in trial.refused()[0]


def test_nothing_is_checked_without_helm(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm, "INSTALLED", ".venv/of-no-use")
    trial.chart('{{ fail "always" }}')
    assert trial.violations() == []
    trial.apply()
    assert trial.cloud.notes("release") == []


def test_without_schemas_the_other_rules_apply(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas.versions.cache_clear()
    monkeypatch.setattr(schemas, "find_spec", lambda name: None)
    try:
        trial.chart(edited(DEPLOYMENT, "spec.replicas", "three"), edited(SERVICE, "spec.ports.0.port", 0))
        assert [each.partition(" ")[0] for each in trial.refused()] == ["Service"]
    finally:
        schemas.versions.cache_clear()


@pytest.mark.parametrize(
    ("body", "path", "value", "where"),
    [
        (DEPLOYMENT, "spec.selector.matchLabels", {"app": "it", "b": "1"}, "spec.selector"),
        (SET, "spec.serviceName", "other", "spec.serviceName"),
        (
            SET,
            "spec.volumeClaimTemplates.0.spec.resources.requests.storage",
            "2Gi",
            "spec.volumeClaimTemplates",
        ),
        (SERVICE, "spec.clusterIP", "None", "spec.clusterIPs[0]"),
        (JOB, f"{APP}.image", "it:2", "spec.template"),
        (CLASS, "parameters.type", "gp2", "parameters"),
        (PRIORITY, "value", 1, "value"),
        (BINDING, "roleRef.name", "other", "roleRef"),
        (SECRET, "type", "it", "type"),
    ],
)
def test_immutable_fields_are_refused_in_an_upgrade(
    trial: Trial, body: dict[str, Any], path: str, value: Any, where: str
) -> None:
    trial.chart(body).apply()
    assert trial.refused(upgrade=True) == []
    changed = edited(body, path, value)
    if body is DEPLOYMENT:
        changed = edited(changed, "spec.template.metadata.labels", {"app": "it", "b": "1"})
    messages = trial.chart(changed).refused(upgrade=True)
    assert len(messages) == 1
    assert f": {where}" in messages[0]
    hooked = edited(changed, "metadata.annotations", {"helm.sh/hook": "pre-upgrade"})
    assert trial.chart(hooked).refused(upgrade=True) == []


def test_mutable_fields_are_accepted_in_an_upgrade(trial: Trial) -> None:
    trial.chart(*ALL).apply()
    changed = [
        edited(DEPLOYMENT, f"{APP}.image", "it:2"),
        edited(SET, "spec.replicas", 3),
        edited(SERVICE, "spec.ports.0.port", 81),
        edited(JOB, "spec.backoffLimit", 2),
        edited(CONFIG, "data.a", "2"),
    ]
    assert trial.chart(*changed).refused(upgrade=True) == []


def test_duplicate_objects_and_those_of_another_release_are_refused(trial: Trial) -> None:
    assert "2 times" in trial.chart(CONFIG, CONFIG).refused()[0]
    assert trial.refused(upgrade=True) == []
    trial.chart(CONFIG).apply(name="first")
    assert trial.refused() == []  # during the plan the other release may still be deleted
    [message] = trial.refused(applying=True)
    assert "the release default/first owns it" in message
    assert trial.refused(applying=True, take_ownership=True) == []
    assert trial.refused(applying=True, namespace="other") == []
    trial.releases.forget({"name": "first", "namespace": "default"})
    assert trial.refused(applying=True) == []


def test_namespaces_enforce_the_standards_of_their_labels(trial: Trial) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    trial.chart(edited(NAMESPACE, "metadata.labels", labels), name="before").apply(
        name="before", chart="./before"
    )
    wrong = trial.chart(DEPLOYMENT).refused(namespace="it")
    assert len(wrong) == 4
    assert all("pods of the namespace it are restricted" in each for each in wrong)
    assert trial.refused(namespace="other") == []
    confined = edited(
        DEPLOYMENT,
        f"{APP}.securityContext",
        {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    )
    pod = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    trial.chart(edited(confined, "spec.template.spec.securityContext", pod))
    assert trial.refused(namespace="it") == []


@pytest.mark.parametrize(
    ("level", "path", "value", "where"),
    [
        ("baseline", "hostNetwork", True, "hostNetwork"),
        ("baseline", "volumes", [{"name": "a", "hostPath": {"path": "/"}}], "volumes[0].hostPath"),
        (
            "baseline",
            "containers.0.securityContext",
            {"privileged": True},
            "containers[0].securityContext.privileged",
        ),
        (
            "baseline",
            "containers.0.securityContext",
            {"capabilities": {"add": ["SYS_ADMIN"]}},
            "containers[0].securityContext.capabilities.add",
        ),
        ("baseline", "containers.0.ports.0.hostPort", 80, "containers[0].ports[0].hostPort"),
        (
            "baseline",
            "securityContext",
            {"seccompProfile": {"type": "Unconfined"}},
            "securityContext.seccompProfile.type",
        ),
        (
            "baseline",
            "securityContext",
            {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
            "securityContext.sysctls[0]",
        ),
        ("restricted", "securityContext", {"runAsUser": 0}, "securityContext.runAsUser"),
        ("restricted", "volumes", [{"name": "a", "nfs": {}}], "volumes[0]"),
    ],
)
def test_pod_security_standards_are_checked(level: str, path: str, value: Any, where: str) -> None:
    spec = edited(POD["spec"], path, value)
    assert where in [each for each, _ in breaches(level, spec)]
    assert list(breaches("baseline", POD["spec"])) == []
    assert list(breaches("privileged", spec)) == []


def test_a_rendering_is_cached(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    trial.chart(edited(DEPLOYMENT, "spec.replicas", -1))
    assert trial.refused(values=["a: 1"])
    monkeypatch.setattr(subprocess, "run", None)
    assert trial.refused(values=["a: 1"])


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("250m", 0.25),
        (2, 2),
        ("1Ki", 1024),
        ("1e3", 1000),
        ("1.5G", 1.5e9),
        ("1 Gi", None),
        (True, None),
        ("x", None),
    ],
)
def test_quantities_are_parsed(text: Any, amount: float | None) -> None:
    assert quantity(text) == amount


def test_schemas_are_of_the_version_or_an_earlier_one() -> None:
    known = list(schemas.versions())
    assert schemas.nearest(KUBERNETES) == KUBERNETES
    assert schemas.nearest("9.99") == schemas.nearest("") == known[-1]
    assert schemas.nearest("1.2") == ""


def test_terraform_stops_with_the_address_at_plan_and_for_what_is_known_late_at_apply(tmp_path: Path) -> None:
    project = Project(tmp_path / "root")
    chart = project.folder / "it"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: it\nversion: 1.0.0\n")
    text = json.dumps(SERVICE).replace('"port": 80', '"port": {{ .Values.port }}')
    (chart / "templates/it.yaml").write_text(text.replace('"selector"', '"selektor": {}, "selector"'))

    def configuration(values: str) -> str:
        return f"""
        provider "aws" {{ region = "us-east-1" }}
        resource "aws_sns_topic" "it" {{ name = "it" }}
        resource "helm_release" "it" {{
          name   = "it"
          chart  = "./it"
          values = [{values}]
        }}
        """

    project.write(configuration('"port: 0"'))
    output = " ".join(project.run("plan", code=1).split())
    assert "spec.ports[0].port: must be between 1 and 65535, got 0" in output
    assert "with helm_release.it" in output
    project.write(configuration('"port: ${length(aws_sns_topic.it.arn) * 10000}"'))
    assert "65535" not in project.run("plan")
    assert "65535" in project.apply(code=1)
    project.write(configuration('"port: 81"'))
    output = project.run("plan")
    assert "spec.selektor: is not a field that Kubernetes knows here" in " ".join(output.split())
    project.apply()
    assert len(Cloud(project.cloud).notes("release")) == 1
    assert project.unchanged()
    (chart / "templates/it.yaml").write_text('{{ fail "now" }}')
    assert project.unchanged()  # as for the real provider, which compares versions
    project.run("destroy", "-auto-approve")
    assert Cloud(project.cloud).notes("release") == []


def test_own_charts_are_accepted_with_the_values_of_the_tiers(
    roots: dict[str, Root], folders: dict[str, Path], tmp_path: Path
) -> None:
    cloud = Cloud(tmp_path / "cloud.sqlite")
    cloud.put("aws_eks_cluster", "it", {"endpoint": HOST, "version": KUBERNETES})
    environment = roots["gateway"].environment.environment
    seen = 0
    for tier, root in roots.items():
        judge = Releases(cloud, folders[environment] / "stacks" / tier)
        judge.configure({"kubernetes": {"host": HOST}})
        for name, release in root.all("helm_release").items():
            if "repository" in release:
                continue
            values = [json.dumps(_ours(sample(text))) for text in release["values"]]
            namespace = "releases" if "${" in release["namespace"] else release["namespace"]
            planned = {**release, "values": values, "namespace": namespace}
            assert judge.violations(planned, {}, upgrade=False, applying=True) == [], f"{tier} {name}"
            judge.remember(planned, upgrade=False)
            seen += 1
    assert seen > 5
    recorded = [yaml.safe_load(json.dumps(each))["objects"] for each in cloud.notes("release")]
    assert all(recorded)


def _ours(values: dict[str, Any]) -> dict[str, Any]:
    """Replaces references that are names, for which the sample is an ARN."""
    if "image" in values:
        values["image"] = "registry.example.com/it:1"
    named = ("Namespace", "ingressClass")
    given = {
        key: key.lower() for key, each in values.items() if key.endswith(named) and each.startswith("arn:")
    }
    return {**values, **given}


def test_charts_get_the_api_versions_of_the_cluster(trial: Trial) -> None:
    asked = 'a: {{ if not (.Capabilities.APIVersions.Has "%s") }}{{ fail "none" }}{{ end }}'
    trial.chart(asked % "apiregistration.k8s.io/v1/APIService")
    assert trial.violations() == []
    trial.chart(DEFINITION, name="before").apply(name="before", chart="./before")
    trial.chart(asked % "example.com/v1")
    assert trial.violations() == []


def test_only_cluster_role_bindings_must_name_the_namespace_of_a_service_account(trial: Trial) -> None:
    open_ = edited(BINDING, "subjects.0.namespace", ...)
    assert trial.chart(open_).violations() == []
    wide = {**open_, "kind": "ClusterRoleBinding", "roleRef": {"kind": "ClusterRole", "name": "it"}}
    assert "subjects[0].namespace" in trial.chart(wide).refused()[0]
