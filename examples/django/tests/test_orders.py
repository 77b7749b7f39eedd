"""Orders, as Kong hands requests on: without the path of the system, with the name that users type."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

import pytest
from config import settings
from config.telemetry import Json
from config.tokens import Token
from django.db import DatabaseError
from django.test import Client
from kombu.exceptions import OperationalError
from orders import files, health, tasks
from orders.models import Order

KONG = {"HTTP_HOST": "app.example.com", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_REAL_IP": "203.0.113.7"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True, **KONG)


def place(client: Client, number: str, **order: Any) -> Any:
    body = json.dumps({"item": "chair", "quantity": 2, **order})
    return client.post("/orders", body, "application/json", headers={"Idempotency-Key": number})


def test_an_order_is_placed_once_and_handled_once(client: Client) -> None:
    number = str(uuid.uuid4())
    for _ in range(2):
        answer = place(client, number)
        assert (answer.status_code, answer["Location"]) == (
            201,
            f"https://app.example.com/shop/orders/{number}",
        )
    assert Order.objects.count() == 1
    assert client.get(f"/orders/{number}").json()["done"] is None
    assert tasks.handle(number)
    assert not tasks.handle(number)
    assert client.get(f"/orders/{number}").json()["done"]


def test_an_order_is_kept_while_the_broker_is_away_and_found_later(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(tasks.handle, "apply_async", away)
    number = str(uuid.uuid4())
    assert place(client, number).status_code == 201
    tasks.forgotten()
    assert Order.objects.get(id=number).done is None
    monkeypatch.setattr(tasks, "FORGOTTEN", -tasks.FORGOTTEN)
    tasks.forgotten()
    assert Order.objects.get(id=number).done


@pytest.mark.parametrize("wrong", [{"item": ""}, {"item": None}, {"quantity": 0}, {"quantity": "many"}])
def test_a_wrong_order_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    assert place(client, str(uuid.uuid4()), **wrong).status_code == 400
    assert Order.objects.count() == 0


def test_the_form_of_the_page_needs_its_token(client: Client) -> None:
    assert client.post("/", {"item": "chair", "quantity": 1}).status_code == 403
    page = client.get("/")
    cookie = page.cookies["csrftoken"]
    assert (cookie["path"], cookie["secure"]) == ("/shop/", True)
    assert 'action="/shop/"' in page.content.decode()
    given = {"item": "chair", "quantity": 1, "csrfmiddlewaretoken": cookie.value}
    answer = client.post("/", given, headers={"Origin": "https://app.example.com"})
    assert (answer.status_code, answer["Location"]) == (302, "/shop/")
    assert client.post("/", given, headers={"Origin": "https://other.example.com"}).status_code == 403


def test_a_request_looks_as_it_did_to_the_client(client: Client) -> None:
    seen = client.get("/whoami", headers={"X-Request-ID": "it", "X-Forwarded-For": "198.51.100.1"}).json()
    assert seen == {"url": "https://app.example.com/shop/whoami", "client": "203.0.113.7", "request_id": "it"}
    assert Client().get("/whoami", HTTP_HOST="10.20.1.7").status_code == 400


def test_ready_asks_the_stores_and_live_none(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError

    monkeypatch.setattr(health, "redis", lambda: None)
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(health, "redis", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["wrong"]) == (503, {"redis": "DatabaseError"})
    assert client.get("/livez").status_code == 200


def test_a_file_lies_below_the_prefix_of_the_system(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = {}

    class S3:
        def put_object(self, **given: Any) -> None:
            kept.update(given)

    number = uuid.uuid4()
    assert client.put(f"/orders/{number}/attachment", b"it").status_code == 404
    place(client, str(number))
    where = client.get(f"/orders/{number}/attachment")["Location"]
    assert f"/shop/orders/{number}?" in where
    assert "X-Amz-Signature" in where
    monkeypatch.setattr(files, "client", S3)
    assert client.put(f"/orders/{number}/attachment", b"it", "text/plain").status_code == 204
    assert kept == {
        "Bucket": "files",
        "Key": f"shop/orders/{number}",
        "Body": b"it",
        "ContentType": "text/plain",
    }


def test_every_connection_signs_in_with_a_token_of_its_own() -> None:
    user, token = Token("cache", "systems", "us-east-1").get_credentials()
    assert user == "systems"
    assert token.startswith("cache/?Action=connect&User=systems&")
    assert "X-Amz-Expires=900" in token


def test_readers_are_replicas_and_the_primary_last() -> None:
    found = settings.DATABASES
    assert found["reader"]["HOST"] == "one.example.com,two.example.com,postgres.example.com"
    assert found["default"]["OPTIONS"]["target_session_attrs"] == "read-write"
    assert found["default"]["OPTIONS"]["sslmode"] == "verify-full"


def test_a_line_of_the_log_is_json() -> None:
    record = logging.LogRecord("it", logging.INFO, "", 0, "two %s", ("lines\nhere",), None)
    record.fields = {"order": uuid.UUID(int=1)}
    assert json.loads(Json().format(record))["message"] == "two lines\nhere"
