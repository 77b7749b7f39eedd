"""Tests of a system's own settings: variables, secrets, configuration files and AWS permissions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Variant
from support.charts import DIGEST, pods, values
from support.rendering import Objects, rendered

from modules.spec import Environment
from modules.systems.own_spec import HANDED, TRACING
from tierra.validation.errors import SpecError

Variants = Callable[..., Variant]
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
SHOP = {
    "framework": "django",
    "needs": ["postgres", "redis", "documentdb", "files"],
    "workers": 1,
    "env": {"LOG_LEVEL": "info", "PATTERN": "${x} %{y}"},
    "secrets": {
        "SECRET_KEY": "create",
        "STRIPE_KEY": "orders/stripe#key",
        "MAIL_KEY": "/orders/mail",
        "OTHER": "arn:aws:secretsmanager:us-east-1:123456789012:secret:other-AbCdEf",
    },
    "config": {"/etc/shop/b.ini": "[b]\nlimit = ${n}\n", "/etc/shop/a.yaml": "a: 1\n"},
    "permissions": [{"actions": ["sqs:SendMessage", "s3:GetObject"], "resources": [QUEUE]}],
}


def environment_of(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in pod["containers"][0]["env"]}


def rendered_charts(root: Any, folder: Path, name: str = "shop") -> tuple[Objects, Objects]:
    chart = rendered("systems/chart", {**values(root, name), "image": DIGEST}, folder)
    return chart, rendered("systems/namespace", values(root, f"{name}_namespace"), folder)


def test_each_pod_gets_variables_secrets_and_files(variant: Variants, tmp_path: Path) -> None:
    root = variant(systems={"shop": SHOP})["systems"]
    chart, around = rendered_charts(root, tmp_path)
    assert len(pods(chart)) == 4
    for name, pod in pods(chart).items():
        variables = environment_of(pod)
        assert variables["LOG_LEVEL"]["value"] == "info"
        assert variables["PATTERN"]["value"] == "${x} %{y}"
        for variable, secret in (("STRIPE_KEY", "shop-secrets"), ("MAIL_KEY", "shop-parameters")):
            assert variables[variable]["valueFrom"]["secretKeyRef"] == {"name": secret, "key": variable}
            copied = around[f"ExternalSecret/{secret}"]["spec"]
            assert copied["target"]["name"] == secret
            assert variable in {each["secretKey"] for each in copied["data"]}
        texts = around["ConfigMap/shop-config"]["data"]
        mounted = {
            each["mountPath"]: texts[each["subPath"]]
            for each in pod["containers"][0]["volumeMounts"]
            if each["name"] == "config"
        }
        assert mounted == SHOP["config"], name
        assert {"name": "config", "configMap": {"name": "shop-config"}} in pod["volumes"]


def test_secrets_of_a_system_have_a_separate_reader_role(variant: Variants, tmp_path: Path) -> None:
    root = variant(systems={"shop": SHOP, "blog": {"framework": "go"}})["systems"]
    secret = root["aws_secretsmanager_secret.secrets_shop__secret_key"]
    assert secret["name"] == "acme-trial-system-shop/SECRET_KEY"
    assert secret["kms_key_id"] == "${data.terraform_remote_state.data.outputs.secrets_key_arn}"
    assert secret["recovery_window_in_days"] == 30
    assert secret["lifecycle"] == {"prevent_destroy": True}
    rights = root.statements("aws_iam_role_policy.secrets_shop")
    assert rights["ReadSecretsOfTheNamespace"]["Resource"] == [
        "${aws_secretsmanager_secret.shop.arn}",
        "${aws_secretsmanager_secret.secrets_shop__secret_key.arn}",
    ]
    existing = [
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders/stripe-??????",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:other-AbCdEf",
    ]
    assert rights["ReadSecretsOfItsOwner"]["Resource"] == existing
    assert rights["DecryptSecretsOfItsOwner"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:SecretARN": existing},
    }
    parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/orders/mail"
    assert rights["ReadParametersOfItsOwner"]["Resource"] == parameter
    assert "secrets_blog" not in root.all("aws_iam_role")
    _, around = rendered_charts(root, tmp_path)
    data = around["ExternalSecret/shop-secrets"]["spec"]["data"]
    keys = {each["secretKey"]: each["remoteRef"] for each in data}
    assert keys["STRIPE_KEY"] == {"key": "orders/stripe", "property": "key"}
    assert keys["SECRET_KEY"]["key"].startswith("arn:")
    store = around["SecretStore/shop-parameters"]["spec"]["provider"]["aws"]
    assert store["service"] == "ParameterStore"
    assert "aws_iam_role_policy.secrets_shop" in root["helm_release.shop_namespace"]["depends_on"]


def test_a_system_without_databases_may_have_secrets(variant: Variants, tmp_path: Path) -> None:
    system = {"framework": "go", "secrets": {"TOKEN": "/a/token"}}
    root = variant(systems={"shop": system})["systems"]
    assert set(root.statements("aws_iam_role_policy.secrets_shop")) == {
        "ReadParametersOfItsOwner",
        "DecryptParametersOfItsOwner",
    }
    chart, around = rendered_charts(root, tmp_path)
    assert "ExternalSecret/shop-database" not in around
    assert environment_of(pods(chart)["Deployment/shop"])["TOKEN"]["valueFrom"]


def test_pods_restart_when_a_file_changes(variant: Variants, tmp_path: Path) -> None:
    checksums = []
    for number, text in enumerate(("a", "b")):
        system = {"framework": "go", "config": {"/etc/shop/a": text}}
        root = variant(environment=f"v{number}", systems={"shop": system})["systems"]
        chart, _ = rendered_charts(root, tmp_path)
        checksums.append(chart["Deployment/shop"]["spec"]["template"]["metadata"]["annotations"])
    assert checksums[0] != checksums[1]


def test_permissions_are_within_the_boundary(variant: Variants) -> None:
    tiers = variant(systems={"shop": SHOP})
    statement = tiers["systems"].statements("aws_iam_role_policy.shop")["OfItsOwn1"]
    assert statement == {
        "Effect": "Allow",
        "Action": ["sqs:SendMessage", "s3:GetObject"],
        "Resource": QUEUE,
    }
    limit = tiers["state"].statements("aws_iam_policy.workload_boundary")
    assert limit["PermissionsOfSystems"]["Action"] == "sqs:SendMessage"
    plain = variant(environment="plain", systems={"shop": {"framework": "go"}})
    assert "PermissionsOfSystems" not in plain["state"].statements("aws_iam_policy.workload_boundary")


@pytest.mark.parametrize(
    ("framework", "port", "seconds"), [("container", 8080, 120), ("node", 3000, 120), ("java", 8080, 300)]
)
def test_other_frameworks_have_defaults(
    framework: str, port: int, seconds: int, variant: Variants, tmp_path: Path
) -> None:
    root = variant(systems={"shop": {"framework": framework, "health": {"ready": "/ok"}}})["systems"]
    chart, _ = rendered_charts(root, tmp_path)
    (container,) = pods(chart)["Deployment/shop"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    probe = container["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] == seconds
    assert container["readinessProbe"]["httpGet"]["path"] == "/ok"
    assert "CronJob/shop-migrate" not in chart


def test_variables_of_tierra_cannot_be_set(variant: Variants) -> None:
    given = values(variant(systems={"shop": {**SHOP, "secrets": {}, "env": {}}})["systems"], "shop")
    assert {*given["environment"], *given["secrets"]} <= HANDED | TRACING


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"env": {"PORT": "1"}}, "must not be one that Tierra sets"),
        ({"env": {"STRIPE_KEY": "a", "API_TOKEN": "x"}}, "move it to secrets"),
        ({"env": {"A-B": "x"}}, "write A_B"),
        ({"secrets": {"DATABASE_PASSWORD": "create"}}, "must not be one that Tierra sets"),
        ({"secrets": {"K": "a b"}}, "write create, or a name"),
        ({"secrets": {"K": "create#x"}}, "write create, or a name"),
        ({"secrets": {"K": "a", "k": "b"}}, "differ by more than the case"),
        ({"env": {"K": "a"}, "secrets": {"K": "b"}}, "in env or in secrets, not in both"),
        ({"secrets": {"K": "arn:aws:ssm:eu-west-1:123456789012:parameter/x"}}, "in us-east-1"),
        ({"secrets": {"K": "arn:aws:ssm:us-east-1:210987654321:parameter/x"}}, "account 123456789012"),
        ({"config": {"etc/x": "a"}}, "write it like /etc/orders"),
        ({"config": {"/etc/../x": "a"}}, "write it like /etc/orders"),
        ({"config": {"/dev/x": "a"}}, "must not be in /dev"),
        ({"config": {"/etc/x": "a", "/etc/x/y": "b"}}, "rename one of them"),
        ({"config": {"/etc/x": "a" * 200_001}}, "200000 bytes"),
        ({"permissions": [{"actions": ["sqs:*"], "resources": [QUEUE]}]}, "without * or ?"),
        (
            {"permissions": [{"actions": ["iam:PassRole"], "resources": [QUEUE]}]},
            "must not change permissions",
        ),
        (
            {"permissions": [{"actions": ["sqs:SendMessage"], "resources": ["*"]}]},
            "must be an ARN that names",
        ),
        (
            {"permissions": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::*"]}]},
            "must be an ARN that",
        ),
        (
            {"permissions": [{"actions": ["sqs:SendMessage"], "resources": [QUEUE.replace("us-", "eu-")]}]},
            "in us-east-1",
        ),
        (
            {"permissions": [{"actions": ["sqs:SendMessage"], "resources": [f"{QUEUE}{'x' * 400}"] * 20}]},
            "7000 characters",
        ),
    ],
)
def test_invalid_own_settings_are_refused(
    keys: dict[str, Any], says: str, environment: Callable[..., Environment]
) -> None:
    with pytest.raises(SpecError) as refused:
        environment(systems={"shop": {"framework": "go", **keys}})
    assert says in str(refused.value)
    assert len(refused.value.problems) == 1


def test_values_are_json_without_interpolation(variant: Variants) -> None:
    (text,) = variant(systems={"shop": SHOP})["systems"]["helm_release.shop"]["values"]
    assert json.loads(text)["environment"]["PATTERN"] == "$${x} %%{y}"


def test_without_traces_a_system_may_configure_its_own(variant: Variants) -> None:
    own = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel.example.com:4318", "OTEL_SDK_DISABLED": "false"}
    tiers = variant(systems={"shop": {"framework": "go", "env": own}}, observability={"trace_percent": 0})
    given = values(tiers["systems"], "shop")["environment"]
    assert {name: given[name] for name in own} == own
