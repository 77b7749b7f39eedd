"""Tests of the systems tier: its generated Terraform, and the objects that helm renders."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, Root, Variant
from cryptography import x509
from support.charts import DIGEST, SHOP, pods, values
from support.rendering import HELM, Objects, rendered

from modules.systems.ca_bundle import ca_bundle
from modules.systems.spec import FRAMEWORKS, START_SECONDS
from tierra.terraform.templating import TEMPLATES
from tierra.validation.system_names import ROLES, WORKFLOWS

Variants = Callable[..., Variant]


@pytest.fixture(scope="session")
def systems(roots: dict[str, Root]) -> Root:
    return roots["systems"]


def test_kubernetes_accepts_every_system_of_every_environment(systems: Root, tmp_path: Path) -> None:
    for name, system in systems.environment.systems.items():
        address = name.replace("-", "_")
        for image in ("none", DIGEST):
            objects = rendered("systems/chart", {**values(systems, address), "image": image}, tmp_path)
            deployment = objects[f"Deployment/{name}"]["spec"]
            assert deployment["replicas"] == (0 if image == "none" else system.replicas)
            assert objects[f"Ingress/{name}"]["spec"]["rules"][0]["http"]["paths"][0]["path"] == system.path
        rendered("systems/namespace", values(systems, f"{address}_namespace"), tmp_path)


@pytest.fixture
def shop(variant: Variants, tmp_path: Path) -> Objects:
    """The rendered objects of a system with all features and an image."""
    root = variant(systems={"shop": SHOP})["systems"]
    return rendered("systems/chart", {**values(root, "shop"), "image": DIGEST}, tmp_path)


def test_objects_are_in_the_namespace_of_the_system_but_release_records_are_not(
    variant: Variants, tmp_path: Path
) -> None:
    root = variant(systems={"shop": SHOP})["systems"]
    apart = "${data.terraform_remote_state.gateway.outputs.releases_namespace}"
    for release, chart in (("shop", "systems/chart"), ("shop_namespace", "systems/namespace")):
        assert root[f"helm_release.{release}"]["namespace"] == apart
        given = values(root, release)
        objects = rendered(
            chart, {**given, "image": DIGEST} if release == "shop" else given, tmp_path, "releases"
        )
        for name, each in objects.items():
            if name != "Namespace/shop" and each["metadata"].get("namespace") != "databases":
                assert each["metadata"]["namespace"] == "shop", name


def test_pods_run_unprivileged(shop: Objects) -> None:
    assert set(pods(shop)) == {
        "Deployment/shop",
        "Deployment/shop-worker",
        "Deployment/shop-beat",
        "Job/shop-migrate",
        "CronJob/shop-migrate",
    }
    for pod in pods(shop).values():
        assert pod["serviceAccountName"] == "shop"
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["name"] == "app"
        assert container["image"] == DIGEST
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        asked = {"cpu": "250m", "memory": "512Mi", "ephemeral-storage": "256Mi"}
        assert container["resources"]["requests"] == asked
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts["authorities"]["mountPath"] == "/etc/authorities"


def test_probes_use_the_public_host_name(shop: Objects) -> None:
    [container] = pods(shop)["Deployment/shop"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        headers = {each["name"]: each["value"] for each in container[probe]["httpGet"]["httpHeaders"]}
        assert headers == {"Host": "app.example.com", "X-Forwarded-Proto": "https"}
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert (given["PUBLIC_HOST"], given["PUBLIC_URL"]) == ("app.example.com", "https://app.example.com/shop")


def test_only_traces_go_to_the_collector(shop: Objects) -> None:
    for pod in pods(shop).values():
        given = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
        assert given["OTEL_EXPORTER_OTLP_ENDPOINT"].endswith(":4318")
        assert given["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
        assert (given["OTEL_METRICS_EXPORTER"], given["OTEL_LOGS_EXPORTER"]) == ("none", "none")


def test_migrations_run_before_a_new_image_and_never_on_a_schedule(shop: Objects) -> None:
    job, clock = shop["Job/shop-migrate"], shop["CronJob/shop-migrate"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert clock["spec"]["suspend"] is True
    for pod in (pods(shop)["Job/shop-migrate"], pods(shop)["CronJob/shop-migrate"]):
        assert pod["containers"][0]["command"] == ["python", "manage.py", "migrate", "--noinput"]


def test_without_an_image_nothing_runs(variant: Variants, tmp_path: Path) -> None:
    root = variant(systems={"shop": SHOP})["systems"]
    objects = rendered("systems/chart", {**values(root, "shop"), "image": "none"}, tmp_path)
    counts = {name: each["spec"]["replicas"] for name, each in objects.items() if "Deployment" in name}
    assert counts == {"Deployment/shop": 0, "Deployment/shop-worker": 0, "Deployment/shop-beat": 0}
    assert "Job/shop-migrate" not in objects


def test_there_is_one_scheduler_and_the_configured_number_of_workers(shop: Objects) -> None:
    assert shop["Deployment/shop-worker"]["spec"]["replicas"] == 2
    beat = shop["Deployment/shop-beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


def test_load_adds_pods_and_disruptions_are_limited(shop: Objects, variant: Variants, tmp_path: Path) -> None:
    scaler = shop["HorizontalPodAutoscaler/shop"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 4)
    assert shop["PodDisruptionBudget/shop"]["spec"]["maxUnavailable"] == 1
    fixed = {"framework": "go", "replicas": 2, "max_replicas": 2}
    root = variant(systems={"shop": fixed})["systems"]
    objects = rendered("systems/chart", values(root, "shop") | {"image": DIGEST}, tmp_path)
    assert "HorizontalPodAutoscaler/shop" not in objects


@pytest.fixture
def live() -> Iterator[Callable[[int], list[str]]]:
    """Options of helm for a fake cluster in which every Deployment has the given number of pods."""
    pods = 0

    class Cluster(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kinds = [{"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": ["get"]}]
            listed = {"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": kinds}
            deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": pods}}
            answer = json.dumps(
                listed if self.path.split("?")[0].endswith("/apps/v1") else deployment
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    def run(number: int) -> list[str]:
        nonlocal pods
        pods = number
        return ["--dry-run=server", "--kube-apiserver", f"http://127.0.0.1:{server.server_port}"]

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield run
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("most", "running", "expected"), [(6, 4, 4), (6, 1, 2), (6, 9, 6), (2, 9, 2)])
def test_only_the_autoscaler_changes_the_number_of_pods(
    most: int,
    running: int,
    expected: int,
    variant: Variants,
    tmp_path: Path,
    live: Callable[[int], list[str]],
) -> None:
    root = variant(systems={"shop": {**SHOP, "max_replicas": most}})["systems"]
    given = {**values(root, "shop"), "image": DIGEST}
    objects = rendered("systems/chart", given, tmp_path, options=live(running))
    counts = {name: each["spec"]["replicas"] for name, each in objects.items() if "Deployment" in name}
    assert counts == {"Deployment/shop": expected, "Deployment/shop-worker": 2, "Deployment/shop-beat": 1}


def test_pods_follow_their_identity_and_the_namespace_release(variant: Variants) -> None:
    root = variant(systems={"shop": SHOP})["systems"]
    before = {"aws_eks_pod_identity_association.shop", "aws_iam_role_policy.shop"}
    assert before <= set(root["helm_release.shop_namespace"]["depends_on"])
    assert "helm_release.shop_namespace" in root["helm_release.shop"]["depends_on"]


def test_documentdb_connections_disable_retryable_writes(variant: Variants) -> None:
    root = variant(systems={"shop": {"framework": "go", "needs": ["documentdb"]}})["systems"]
    assert "retryWrites=false" in values(root, "shop")["environment"]["DOCUMENTDB_OPTIONS"].split("&")


def test_temporary_files_fit_the_requested_storage(variant: Variants, tmp_path: Path) -> None:
    root = variant(systems={"shop": {**SHOP, "scratch_mb": 1000, "sidecars": {"it": SIDE}}})["systems"]
    for pod in pods(rendered("systems/chart", {**values(root, "shop"), "image": DIGEST}, tmp_path)).values():
        assert pod["volumes"][0] == {"name": "scratch", "emptyDir": {"sizeLimit": "1000Mi"}}
        (app,) = pod["containers"]
        assert app["resources"]["requests"]["ephemeral-storage"] == "1000Mi"
        assert app["resources"]["limits"]["ephemeral-storage"] == "1128Mi"


SIDE = {"image": "nginx:1.29.1", "port": 8081, "env": {"HOST": "${HOSTNAME} %{x}"}, "cpu": "20m"}


def test_a_sidecar_starts_first_and_is_unprivileged(variant: Variants, tmp_path: Path) -> None:
    system = {**SHOP, "sidecars": {"proxy": {**SIDE, "command": ["sh", "-c", "echo $HOME ${HOME}"]}}}
    root = variant(systems={"shop": system})["systems"]
    objects = rendered("systems/chart", {**values(root, "shop"), "image": DIGEST}, tmp_path)
    web = pods(objects)["Deployment/shop"]
    (proxy,), (app,) = web["initContainers"], web["containers"]
    assert (proxy["name"], proxy["restartPolicy"], app["name"]) == ("proxy", "Always", "app")
    assert proxy["securityContext"] == app["securityContext"]
    assert proxy["ports"] == [{"containerPort": 8081}]
    assert proxy["resources"] == {
        "requests": {"cpu": "20m", "memory": "64Mi"},
        "limits": {"memory": "64Mi", "ephemeral-storage": "128Mi"},
    }
    assert proxy["command"] == ["sh", "-c", "echo $HOME ${HOME}"]
    assert proxy["env"] == [{"name": "HOST", "value": "${HOSTNAME} %{x}"}]
    for name, pod in pods(objects).items():
        assert ("initContainers" in pod) == (name == "Deployment/shop")
    scaler = objects["HorizontalPodAutoscaler/shop"]["spec"]["metrics"]
    assert scaler[0]["containerResource"]["container"] == "app"


def test_text_of_the_spec_is_not_interpolated(variant: Variants) -> None:
    system = {"framework": "go", "commands": {"web": ["sh", "-c", "${HOME} %{x}"]}, "sidecars": {"it": SIDE}}
    (text,) = variant(systems={"shop": system})["systems"]["helm_release.shop"]["values"]
    given = json.loads(text)
    assert given["command"] == ["sh", "-c", "$${HOME} %%{x}"]
    assert given["sidecars"]["it"]["environment"] == {"HOST": "$${HOSTNAME} %%{x}"}


@pytest.mark.parametrize("port", [None, 9100])
def test_only_prometheus_reaches_metrics(port: int | None, variant: Variants, tmp_path: Path) -> None:
    metrics = {"path": "/internal/metrics", **({"port": port} if port else {})}
    root = variant(systems={"shop": {"framework": "go", "metrics": metrics}})["systems"]
    objects = rendered("systems/chart", {**values(root, "shop"), "image": DIGEST}, tmp_path)
    monitor = objects["ServiceMonitor/shop"]["spec"]
    (endpoint,) = monitor["endpoints"]
    assert endpoint["path"] == "/internal/metrics"
    service = objects["Service/shop"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    target = {each["name"]: each["targetPort"] for each in service["spec"]["ports"]}[endpoint["port"]]
    (container,) = pods(objects)["Deployment/shop"]["containers"]
    asked = {each["name"]: each["containerPort"] for each in container["ports"]}[target]
    assert asked == (port or 8080)
    if port:
        assert "Ingress/shop-metrics" not in objects
    else:
        shut = objects["Ingress/shop-metrics"]
        assert shut["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/shop/internal/metrics"
        plugin = objects[f"KongPlugin/{shut['metadata']['annotations']['konghq.com/plugins']}"]
        assert (plugin["plugin"], plugin["config"]["status_code"]) == ("request-termination", 404)
    around = rendered("systems/namespace", values(root, "shop_namespace"), tmp_path)
    (rule,) = around["NetworkPolicy/metrics"]["spec"]["ingress"]
    (peer,) = rule["from"]
    namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert (namespace, rule["ports"]) == ("observability", [{"protocol": "TCP", "port": asked}])


def test_only_kong_reaches_a_system_without_metrics(variant: Variants, tmp_path: Path) -> None:
    root = variant(systems={"shop": SHOP})["systems"]
    given = {**values(root, "shop"), "image": DIGEST}
    assert "ServiceMonitor/shop" not in rendered("systems/chart", given, tmp_path)
    settings = {**values(root, "shop_namespace"), "gatewayNamespace": "gateway"}
    around = rendered("systems/namespace", settings, tmp_path)
    assert "NetworkPolicy/metrics" not in around
    (rule,) = around["NetworkPolicy/requests"]["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "gateway"}


def test_kong_finds_the_pods_of_systems_by_their_labels(shop: Objects, systems: Root, tmp_path: Path) -> None:
    labels = shop["Deployment/shop"]["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "web"
    for name in systems.environment.systems:
        given = values(systems, f"{name.replace('-', '_')}_namespace")
        namespace = rendered("systems/namespace", given, tmp_path)[f"Namespace/{name}"]
        assert namespace["metadata"]["labels"]["app.kubernetes.io/part-of"] == "systems"


def test_a_misspelt_value_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump({"system": "shop", "image": "none", "path": "/", "port": 8000, "prot": 1}))
    command = [HELM, "template", "it", str(TEMPLATES / "systems/chart"), "-f", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "prot" in ended.stderr


def ways_out(objects: Objects) -> set[tuple[str, int]]:
    """Address ranges and ports that pods may connect to."""
    rules = objects["NetworkPolicy/ways-out"]["spec"]["egress"]
    return {
        (peer["ipBlock"]["cidr"], port["port"])
        for rule in rules
        for peer in rule["to"]
        if "ipBlock" in peer
        for port in rule["ports"]
    }


def test_pods_only_reach_databases_that_they_need(variant: Variants, tmp_path: Path) -> None:
    root = variant(systems={"shop": {"framework": "go", "needs": ["redis"]}, "blog": {"framework": "go"}})[
        "systems"
    ]
    always = {("169.254.170.23/32", 80), ("0.0.0.0/0", 443)}
    ranges = {str(each) for each in root.environment.network.layout.database.values()}
    shop = rendered("systems/namespace", values(root, "shop_namespace"), tmp_path)
    assert ways_out(shop) == always | {(cidr, 6379) for cidr in ranges}
    blog = rendered("systems/namespace", values(root, "blog_namespace"), tmp_path)
    assert ways_out(blog) == always
    assert shop["NetworkPolicy/default-deny"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    assert shop["Namespace/shop"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_each_system_has_a_separate_secret_reader_role(variant: Variants, tmp_path: Path) -> None:
    root = variant(systems={"shop": SHOP, "blog": {"framework": "go", "needs": ["redis"]}})["systems"]
    assert set(root.all("aws_iam_role")) == {"shop", "blog", "secrets_shop", "secrets_databases"}
    assert root["aws_iam_role.secrets_shop"]["name"] == "acme-trial-secrets-shop"
    read = root.statements("aws_iam_role_policy.secrets_shop")["ReadSecretsOfTheNamespace"]
    assert read["Resource"] == "${aws_secretsmanager_secret.shop.arn}"
    objects = rendered("systems/namespace", values(root, "shop_namespace"), tmp_path)
    assert objects["SecretStore/shop"]["spec"]["provider"]["aws"]["role"].startswith("arn:")
    (item,) = objects["ExternalSecret/shop-database"]["spec"]["data"]
    assert item["secretKey"] == "password"
    assert "SecretStore/blog" not in rendered("systems/namespace", values(root, "blog_namespace"), tmp_path)


def test_no_system_uses_a_master_user(roots: dict[str, Root], tmp_path: Path) -> None:
    root = roots["systems"]
    masters = ("postgres_secret_arn", "documentdb_secret_arn", "postgres_username", "documentdb_username")
    read = root.statements("aws_iam_role_policy.secrets_databases")["ReadSecretsOfTheNamespace"]
    assert len(read["Resource"]) == 2
    for name, policy in root.all("aws_iam_role_policy").items():
        text = policy["policy"]
        assert any(each in text for each in masters) == (name == "secrets_databases"), name
    for name in root.environment.systems:
        (text,) = root[f"helm_release.{name.replace('-', '_')}"]["values"]
        assert not any(each in text for each in masters)
        given = json.loads(text)["environment"]
        users = {given[key] for key in ("DATABASE_USER", "DOCUMENTDB_USER") if key in given}
        assert users <= {name.replace("-", "_")}


def test_database_users_are_created_before_pods(variant: Variants, tmp_path: Path) -> None:
    system = {"framework": "go", "needs": ["postgres", "documentdb"], "password_version": 3}
    root = variant(systems={"shop": system})["systems"]
    assert {"helm_release.databases", "aws_secretsmanager_secret_version.shop"} <= set(
        root["helm_release.shop_namespace"]["depends_on"]
    )
    job = rendered("systems/namespace", values(root, "shop_namespace"), tmp_path)["Job/shop"]
    assert job["metadata"]["namespace"] == "databases"
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "post-install,post-upgrade"
    pod = job["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["containers"]] == ["postgres", "documentdb"]
    for container in pod["containers"]:
        given = {each["name"]: each for each in container["env"]}
        assert given["NAME"]["value"] == "shop"
        named = [each["valueFrom"]["secretKeyRef"]["name"] for each in given.values() if "valueFrom" in each]
        assert named == [f"{container['name']}-1", "shop-database-3"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    around = rendered("systems/databases", values(root, "databases"), tmp_path)
    assert around["NetworkPolicy/ways-out"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    copied = {
        name: each["spec"]["target"]["name"]
        for name, each in around.items()
        if each["kind"] == "ExternalSecret"
    }
    assert copied == {"ExternalSecret/postgres": "postgres-1", "ExternalSecret/documentdb": "documentdb-1"}
    assert {"postgres.sh", "documentdb.js", "rds.pem"} == set(around["ConfigMap/users"]["data"])


def test_pods_restart_with_a_new_password(variant: Variants, tmp_path: Path) -> None:
    """The new Secret has a new name, so no pod starts with the old password."""
    secrets = []
    for version in (1, 2):
        root = variant(environment=f"v{version}", systems={"shop": {**SHOP, "password_version": version}})[
            "systems"
        ]
        objects = rendered("systems/chart", {**values(root, "shop"), "image": DIGEST}, tmp_path)
        around = rendered("systems/namespace", values(root, "shop_namespace"), tmp_path)
        copied = around["ExternalSecret/shop-database"]["spec"]["target"]["name"]
        for pod in pods(objects).values():
            given = {each["name"]: each for each in pod["containers"][0]["env"]}
            assert given["DATABASE_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == copied
        secrets.append(copied)
        assert root["aws_secretsmanager_secret_version.shop"]["secret_string_wo_version"] == version
    assert secrets == ["shop-database-1", "shop-database-2"]


@pytest.mark.parametrize("there", [False, True])
def test_a_documentdb_user_is_created_or_updated(there: bool) -> None:
    script = TEMPLATES / "systems/databases/scripts/documentdb.js"
    stub = f"""
        const done = [];
        const stub = {{
          getUser: () => ({"{}" if there else "null"}),
          createUser: (user) => done.push(["create", user]),
          updateUser: (name, user) => done.push(["update", {{user: name, ...user}}]),
        }};
        const connect = (at) => (done.push(["connect", at]), stub);
        const print = () => console.log(JSON.stringify(done));
    """
    names = {"HOST": "db", "PORT": "27017", "MASTER": "platform", "MASTER_PASSWORD": "m", "NAME": "shop"}
    ended = subprocess.run(
        ["node", "-e", stub + script.read_text()],
        env={**os.environ, **names, "NEW_PASSWORD": "n", "OPTIONS": "tls=true"},
        capture_output=True,
        text=True,
        check=True,
    )
    first, (does, user), last = json.loads(ended.stdout)
    assert first[1] == "mongodb://platform:m@db:27017/admin?tls=true"
    assert last[1] == "mongodb://shop:n@db:27017/admin?tls=true"
    assert does == ("update" if there else "create")
    assert user["user"] == "shop"
    assert user["pwd"] == "n"
    assert {role["db"] for role in user["roles"]} == {"shop"}


def test_systems_cannot_access_files_of_others(variant: Variants) -> None:
    root = variant(systems={"shop": SHOP})["systems"]
    statements = root.statements("aws_iam_role_policy.shop")
    bucket = "${data.terraform_remote_state.storage.outputs.files_bucket_arn}"
    assert statements["UseFilesOfItsOwn"]["Resource"] == f"{bucket}/shop/*"
    assert statements["ListFilesOfItsOwn"]["Condition"] == {"StringLike": {"s3:prefix": ["shop/*", "shop/"]}}


def test_a_new_system_changes_no_other_resources(variant: Variants) -> None:
    systems = {"shop": SHOP, "blog": {"framework": "go", "needs": ["documentdb"]}}
    before = {tier: resources(root) for tier, root in variant(systems={"shop": SHOP}).items()}
    after = {tier: resources(root) for tier, root in variant(systems=systems).items()}
    added = set()
    for tier, new in after.items():
        if tier == "edge":  # the WAF does not challenge APIs
            assert new.keys() == before[tier].keys()
            changed = {each for each in new if new[each] != before[tier][each]}
            assert changed <= {"aws_wafv2_web_acl.main"}
            continue
        assert before[tier].items() <= new.items(), tier
        added |= {f"{tier}: {address}" for address in new.keys() - before[tier].keys()}
    assert all("blog" in address for address in added)
    assert {address.partition(":")[0] for address in added} == {"delivery", "observability", "systems"}
    assert {
        "delivery: aws_ecr_repository.blog",
        "delivery: aws_iam_role.deploy_blog",
        "systems: aws_iam_role.blog",
        "systems: helm_release.blog",
        "observability: helm_release.system_blog",
    } <= added


def resources(root: Root) -> dict[str, str]:
    """The resources of a root module, by address."""
    return {f"{kind}.{name}": json.dumps(each, sort_keys=True) for kind, name, each in root.each()}


def test_the_image_is_that_of_the_pipeline(systems: Root) -> None:
    for name in systems.environment.systems:
        address = name.replace("-", "_")
        parameter = systems[f"aws_ssm_parameter.{address}"]
        assert parameter["insecure_value"] == "none"
        assert parameter["lifecycle"] == {"ignore_changes": ["insecure_value", "value"]}
        (text,) = systems[f"helm_release.{address}"]["values"]
        assert json.loads(text)["image"] == f"${{aws_ssm_parameter.{address}.insecure_value}}"


def test_root_certificates_are_of_amazon_and_valid_for_years() -> None:
    assert {"us-east-1", "eu-west-1", "sa-east-1"} <= ca_bundle().keys()
    for region, text in ca_bundle().items():
        certificate = x509.load_pem_x509_certificate(text.encode())
        assert f"Amazon RDS {region} Root CA RSA2048 G1" in certificate.subject.rfc4514_string()
        assert certificate.subject == certificate.issuer
        certificate.verify_directly_issued_by(certificate)
        assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3 * 365)


def test_every_variable_is_documented(variant: Variants) -> None:
    everything = {**SHOP, "needs": ["postgres", "redis", "documentdb", "files"]}
    root = variant(systems={"shop": everything})["systems"]
    given = values(root, "shop")
    page = (ROOT / "docs/contract.md").read_text()
    for name in [*given["environment"], *given["secrets"]]:
        assert f"`{name}`" in page, name


def test_the_documented_framework_defaults_are_current() -> None:
    page = (ROOT / "docs/spec.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (\d+) \| (\w+) \| (\w+) \| (\d+) \|", page, re.M)
    listed = {
        name: {"serves": serves, "port": int(port), "cpu": cpu, "memory": memory}
        for name, serves, port, cpu, memory, _ in rows
    }
    assert listed == FRAMEWORKS
    assert {name: int(row[-1]) for name, *row in rows} == {
        name: START_SECONDS.get(name, 120) for name in FRAMEWORKS
    }


def test_the_deploy_role_allows_its_steps_and_no_secrets(
    variant: Callable[..., dict[str, Root]], tmp_path: Path
) -> None:
    """Compares each kubectl command of the deployment steps with the permissions that it needs."""
    root = variant(systems={"shop": {"framework": "go"}})["systems"]
    around = rendered("systems/namespace", values(root, "shop_namespace"), tmp_path)
    binding = around["RoleBinding/deploy"]
    assert binding["subjects"][0] | {"apiGroup": ""} == {
        "apiGroup": "",
        "kind": "Group",
        "name": "deploy-shop",
    }
    assert binding["roleRef"]["name"] == around["Role/deploy"]["metadata"]["name"]
    allowed = {
        (resource, verb)
        for rule in around["Role/deploy"]["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    needs = {
        "auth can-i": set(),  # every authenticated user may call this
        "annotate": {("deployments", "get"), ("deployments", "patch")},
        "config set-context": set(),
        "create job": {("cronjobs", "get"), ("jobs", "create")},
        "get cronjob": {("cronjobs", "get")},
        "get deployment": {("deployments", "get")},
        "get events": {("events", "list")},
        "get job": {("jobs", "get")},
        "get pods": {("pods", "list")},
        "logs": {("jobs", "get"), ("pods", "get"), ("pods", "list"), ("pods", "watch"), ("pods/log", "get")},
        "patch cronjob": {("cronjobs", "get"), ("cronjobs", "patch")},
        "rollout status": {("deployments", "get"), ("deployments", "list"), ("deployments", "watch")},
        "scale": {
            ("deployments/scale", "get"),
            ("deployments/scale", "patch"),
            ("deployments/scale", "update"),
        },
        "set image": {
            *(("cronjobs", "get"), ("cronjobs", "patch")),
            *(("deployments", "get"), ("deployments", "patch")),
        },
    }
    steps = Path(__file__).parent.parent / "templates" / "delivery" / "steps"
    called = {
        (match[1] if match[1] in needs else f"{match[1]} {match[2]}")
        for path in steps.glob("*.sh")
        for match in re.finditer(r"(?<!for tool in aws )\bkubectl ([a-z]+) \"?([a-z-]*)", path.read_text())
    }
    assert called == set(needs)
    assert allowed == set().union(*needs.values())


def test_reserved_system_names_cover_all_roles_of_the_platform(roots: dict[str, Root]) -> None:
    """Role names are unique in an account, and the pods of a system have a role with its name."""
    environment = roots["systems"].environment
    stem = f"{environment.project}-{environment.environment}-"
    theirs = {
        *environment.systems,
        *(f"{start}{name}" for start in WORKFLOWS for name in environment.systems),
    }
    for tier, root in roots.items():
        for role in root.body.get("resource", {}).get("aws_iam_role", {}).values():
            name = role["name"].removeprefix(stem)
            assert name in {*ROLES, *theirs} or name.startswith("secrets-"), tier
