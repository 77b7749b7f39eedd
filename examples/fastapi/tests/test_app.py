"""Requests as Kong hands them on: without the path, with the name that users type. No server is needed."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from app import queue, settings
from app.main import create
from app.stores import primary, replicas
from app.telemetry import Json
from app.tokens import Token
from fastapi.testclient import TestClient
from redis.exceptions import ConnectionError

NUMBER = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
KONG = {"X-Forwarded-Proto": "https", "X-Real-IP": "203.0.113.7", "X-Request-ID": "it"}
ENV = {
    "PORT": "8000",
    "METRICS_PORT": "9000",
    "BASE_PATH": "/shop",
    "PUBLIC_HOST": "app.example.com",
    "PUBLIC_URL": "https://app.example.com/shop",
    "AWS_REGION": "us-east-1",
    "OTEL_SERVICE_NAME": "shop",
    **{f"DATABASE_{name}": f"{name.lower()}.example.com" for name in ("HOST", "NAME", "USER", "PASSWORD")},
    "DATABASE_READER_HOSTS": "one.example.com,two.example.com",
    "DATABASE_PORT": "5432",
    "DATABASE_SSLMODE": "verify-full",
    "DATABASE_SSLROOTCERT": "/etc/authorities/rds.pem",
    **{f"REDIS_{name}": name.lower() for name in ("HOST", "READER_HOST", "BROKER_HOST", "USER", "GROUP")},
    "REDIS_BROKER_GROUP": "broker",
    "REDIS_PORT": "6379",
    **{f"DOCUMENTDB_{name}": name.lower() for name in ("HOST", "READER_HOST", "NAME", "USER", "PASSWORD")},
    "DOCUMENTDB_PORT": "27017",
    "DOCUMENTDB_OPTIONS": "tls=true&replicaSet=rs0&retryWrites=false",
}


class Broker:
    """Keeps what it is told; `away` makes it fail."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.away = False

    async def xadd(self, stream: str, fields: dict[str, str], **_: Any) -> None:
        if self.away:
            raise ConnectionError("away")
        self.told.append((stream, fields))


class Primary:
    """Keeps the statements that were committed."""

    def __init__(self) -> None:
        self.committed: list[Any] = []

    @asynccontextmanager
    async def begin(self) -> Any:
        statements: list[Any] = []

        async def execute(statement: Any) -> None:
            statements.append(statement)

        yield SimpleNamespace(execute=execute)
        self.committed += statements


@pytest.fixture
def stores() -> Any:
    async def check() -> dict[str, str]:
        return {}

    return SimpleNamespace(broker=Broker(), primary=Primary(), check=check)


@pytest.fixture
def client(stores: Any) -> TestClient:
    app = create(settings.read(ENV), stores)
    return TestClient(app, base_url="http://app.example.com/shop", root_path="/shop", headers=KONG)


def place(client: TestClient, **order: Any) -> Any:
    return client.post(
        "/orders", json={"item": "chair", "quantity": 2, **order}, headers={"Idempotency-Key": NUMBER}
    )


def test_an_order_is_acknowledged_after_its_commit(client: TestClient, stores: Any) -> None:
    answer = place(client)
    assert (answer.status_code, answer.headers["Location"]) == (
        201,
        f"https://app.example.com/shop/orders/{NUMBER}",
    )
    (statement,) = stores.primary.committed
    assert "ON CONFLICT DO NOTHING" in str(statement)
    assert stores.broker.told == [("shop:orders", {"order": NUMBER})]


def test_an_order_is_kept_while_the_broker_is_away(client: TestClient, stores: Any) -> None:
    stores.broker.away = True
    assert place(client).status_code == 201
    assert stores.primary.committed


@pytest.mark.parametrize("wrong", [{"item": ""}, {"quantity": 0}, {"quantity": "many"}])
def test_a_wrong_order_is_refused(client: TestClient, stores: Any, wrong: dict[str, Any]) -> None:
    assert place(client, **wrong).status_code == 422
    assert not stores.primary.committed


def test_a_request_looks_as_it_did_to_the_client(client: TestClient) -> None:
    seen = client.get("/whoami", headers={"X-Forwarded-For": "198.51.100.1"}).json()
    assert seen == {"url": "https://app.example.com/shop/whoami", "client": "203.0.113.7", "request_id": "it"}
    moved = client.get("/whoami/", follow_redirects=False)
    assert moved.headers["Location"] == "https://app.example.com/shop/whoami"
    assert client.get("/whoami", headers={"Host": "10.20.1.7:8000"}).status_code == 400


def test_ready_asks_the_stores_and_live_none(client: TestClient, stores: Any) -> None:
    assert client.get("/readyz").status_code == 200

    async def away() -> dict[str, str]:
        return {"postgres": "OperationalError"}

    stores.check = away
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["wrong"]) == (503, {"postgres": "OperationalError"})
    assert client.get("/livez").status_code == 200


def test_a_variable_that_is_missing_is_named_at_the_start() -> None:
    with pytest.raises(KeyError, match="REDIS_GROUP"):
        settings.read({key: value for key, value in ENV.items() if key != "REDIS_GROUP"})


def test_replicas_are_asked_before_the_primary() -> None:
    postgres = settings.read(ENV).postgres
    assert replicas(postgres)["host"] == "one.example.com,two.example.com,host.example.com"
    assert primary(postgres)["target_session_attrs"] == "read-write"
    assert primary(postgres, lock_timeout="5s")["options"].endswith("-c lock_timeout=5s")


def test_every_connection_signs_in_with_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "it")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it")
    user, token = asyncio.run(Token("cache", "systems", "us-east-1").get_credentials_async())
    assert user == "systems"
    assert token.startswith("cache/?Action=connect&User=systems&")
    assert "X-Amz-Expires=900" in token


@pytest.mark.parametrize("kind", ["pairs", "mapping"])
def test_both_forms_of_a_stream_are_read(kind: str) -> None:
    entry = ("1-0", {"order": NUMBER})
    found: Any = [["shop:orders", [entry]]] if kind == "pairs" else {"shop:orders": [[entry]]}

    class Stream:
        async def xreadgroup(self, *_: Any, **__: Any) -> Any:
            return found

    assert asyncio.run(queue.take(Stream(), "shop", "it")) == [("1-0", UUID(NUMBER))]  # type: ignore[arg-type]


def test_a_line_of_the_log_is_json() -> None:
    record = logging.LogRecord("it", logging.INFO, "", 0, "two %s", ("lines\nhere",), None)
    record.fields = {"order": UUID(NUMBER)}
    assert json.loads(Json().format(record))["message"] == "two lines\nhere"
