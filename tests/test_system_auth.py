"""Tests of authentication of requests to systems."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Variant
from support.charts import DIGEST, values
from support.rendering import Objects, rendered

from modules.spec import Environment
from tierra.report.releases import SYSTEM, asks_for_credentials
from tierra.validation.errors import SpecError

Variants = Callable[..., Variant]
LOGIN = {"issuer": "https://login.example.com/", "public_key": "/login/key"}
SYSTEMS: dict[str, dict[str, Any]] = {
    "api": {
        "framework": "fastapi",
        "path": "/v1.2/api",
        "metrics": {},
        "auth": {"keys": {"mobile": "create", "partner": "api/partner#key"}, "open": ["/webhooks"]},
    },
    "orders": {"framework": "go", "auth": {"issuers": {"login": LOGIN}}},
    "search": {"framework": "go", "auth": {"issuers": {"staff": LOGIN}}},
}
WIDE = {"compute": {"nodes": {"max": 12}}}


def chart(tiers: Variant, folder: Path, name: str) -> Objects:
    return rendered("systems/chart", {**values(tiers["systems"], name), "image": DIGEST}, folder)


def namespace(tiers: Variant, folder: Path, name: str) -> Objects:
    return rendered("systems/namespace", values(tiers["systems"], f"{name}_namespace"), folder)


def noted(objects: Objects, name: str) -> dict[str, str]:
    return {
        key.removeprefix("konghq.com/"): value
        for key, value in objects[f"Ingress/{name}"]["metadata"]["annotations"].items()
    }


def test_requests_need_a_key_of_this_system(variant: Variants, tmp_path: Path) -> None:
    objects = chart(variant(systems=SYSTEMS, **WIDE), tmp_path, "api")
    assert noted(objects, "api")["plugins"] == "auth,members"
    auth = objects["KongPlugin/auth"]
    assert auth["plugin"] == "key-auth"
    assert auth["config"]["key_names"] == ["X-API-Key"]
    assert not auth["config"]["key_in_query"]
    assert objects["KongPlugin/members"]["config"]["allow"] == ["api"]


def test_tokens_are_checked_with_their_expiry(variant: Variants, tmp_path: Path) -> None:
    auth = chart(variant(systems=SYSTEMS, **WIDE), tmp_path, "orders")["KongPlugin/auth"]
    assert (auth["plugin"], auth["config"]["claims_to_verify"]) == ("jwt", ["exp"])
    assert auth["config"]["uri_param_names"] == []


def test_health_and_open_paths_need_no_credential(variant: Variants, tmp_path: Path) -> None:
    objects = chart(variant(systems=SYSTEMS, **WIDE), tmp_path, "api")
    annotations = noted(objects, "api-open")
    assert (annotations["plugins"], annotations["strip-path"]) == ("open", "false")
    [path] = objects["Ingress/api-open"]["spec"]["rules"][0]["http"]["paths"]
    assert path["pathType"] == "ImplementationSpecific"
    assert path["path"].startswith("/~/")
    pattern = re.compile("^" + path["path"].removeprefix("/~"))
    for asked in ("readyz", "livez", "webhooks", "webhooks/stripe/7"):
        match = pattern.search(f"/v1.2/api/{asked}")
        assert match, asked
        assert match[1] == asked
    for asked in ("/v1.2/api/orders", "/v1.2/api/webhooksx", "/v1x2/api/readyz", "/v1.2/api/x/readyz"):
        assert not pattern.search(asked), asked
    opened = objects["KongPlugin/open"]["config"]
    assert opened["replace"]["uri"] == "/$(uri_captures[1])"
    assert "X-Consumer-Username" in opened["remove"]["headers"]


def test_cors_preflight_requests_need_no_credential(variant: Variants, tmp_path: Path) -> None:
    objects = chart(variant(systems=SYSTEMS, **WIDE), tmp_path, "api")
    assert noted(objects, "api-options")["methods"] == "OPTIONS"
    assert noted(objects, "api-options")["plugins"] == "anyone"
    assert "X-Consumer-Username" in objects["KongPlugin/anyone"]["config"]["remove"]["headers"]
    assert "OPTIONS" in noted(objects, "api-metrics")["methods"]


def test_keys_of_clients_come_from_secrets_manager(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems=SYSTEMS, **WIDE)
    objects = namespace(tiers, tmp_path, "api")
    assert "keys_api__mobile" in tiers["systems"].all("aws_secretsmanager_secret")
    partner = objects["ExternalSecret/client-partner"]["spec"]
    assert partner["data"] == [{"secretKey": "value", "remoteRef": {"key": "api/partner", "property": "key"}}]
    template = partner["target"]["template"]
    assert template["metadata"]["labels"] == {"konghq.com/credential": "key-auth"}
    assert template["data"] == {"key": "{{ .value | trim }}"}
    consumer = objects["KongConsumer/partner"]
    assert consumer["username"] == "api.partner"
    assert consumer["credentials"] == ["client-partner", "group-api"]
    assert objects["Secret/group-api"]["metadata"]["labels"] == {"konghq.com/credential": "acl"}
    rights = json.dumps(tiers["systems"].all("aws_iam_role_policy")["secrets_api"])
    assert "secret:api/partner-" in rights
    assert "keys_api__mobile.arn" in rights


def test_an_issuer_is_shared_by_the_systems_that_name_it(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems=SYSTEMS, **WIDE)
    orders, search = (namespace(tiers, tmp_path, name) for name in ("orders", "search"))
    consumer = orders["KongConsumer/login"]
    assert consumer["username"] == "https://login.example.com/"
    assert consumer["credentials"] == ["client-login", "group-orders", "group-search"]
    template = orders["ExternalSecret/client-login"]["spec"]["target"]["template"]
    assert template["metadata"]["labels"] == {"konghq.com/credential": "jwt"}
    assert template["data"]["key"] == "https://login.example.com/"
    assert template["data"]["algorithm"] == "RS256"
    assert template["data"]["rsa_public_key"] == (
        '{{ if not (hasPrefix "-----BEGIN PUBLIC KEY-----" .value) }}{{ fail "not a public key in PEM" }}'
        "{{ end }}{{ .value }}"
    )
    assert not [each for each in search if each.startswith(("KongConsumer/", "ExternalSecret/"))]


def test_without_auth_requests_need_no_credential(variant: Variants, tmp_path: Path) -> None:
    tiers = variant(systems={"shop": {"framework": "go"}})
    objects = chart(tiers, tmp_path, "shop")
    assert "plugins" not in noted(objects, "shop")
    assert {each for each in objects if each.startswith("Ingress/")} == {"Ingress/shop"}


def test_the_report_warns_when_auth_is_removed() -> None:
    def asks(**settings: Any) -> bool:
        return asks_for_credentials({"chart": SYSTEM, "values": [json.dumps(settings)]})

    assert asks(path="/x", requests={"auth": {"kind": "jwt", "open": ["/readyz"]}})
    assert not asks(path="/x", requests={"rate": 60})


@pytest.mark.parametrize(
    ("auth", "says"),
    [
        ({}, "either keys or issuers"),
        ({"keys": {"a": "create"}, "issuers": {"login": LOGIN}}, "either keys or issuers"),
        ({"keys": {"Mobile App": "create"}}, "write mobile-app"),
        ({"keys": {"mobile": "a b"}}, "write create"),
        ({"keys": {"mobile": "create"}, "open": ["/"]}, "open must not have /"),
        ({"keys": {"mobile": "create"}, "open": ["/cart"]}, "cart has its path below"),
        ({"issuers": {"login": {**LOGIN, "algorithm": "HS256"}}}, "algorithm"),
        (
            {"issuers": {"login": {**LOGIN, "public_key": "create"}}},
            "cart has other settings for it",
        ),
        ({"issuers": {"one": LOGIN, "two": LOGIN}}, "each issuer must be named once"),
        (
            {"keys": {"a": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a"}},
            "in us-east-1",
        ),
    ],
)
def test_invalid_auth_is_refused(
    auth: dict[str, Any], says: str, environment: Callable[..., Environment]
) -> None:
    cart = {"framework": "go", "path": "/shop/cart/x", "auth": {"issuers": {"login": LOGIN}}}
    with pytest.raises(SpecError) as refused:
        environment(systems={"shop": {"framework": "go", "auth": auth}, "cart": cart})
    assert says in str(refused.value)
    assert len(refused.value.problems) == 1


def test_only_public_systems_may_have_auth(environment: Callable[..., Environment]) -> None:
    auth = {"keys": {"mobile": "create"}}
    with pytest.raises(SpecError, match="auth requires shape: public"):
        environment(systems={"shop": {"framework": "go", "shape": "internal", "auth": auth}})
