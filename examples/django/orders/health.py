"""Answers of the probes."""

from __future__ import annotations

from functools import cache

from config.tokens import BrokerToken
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, JsonResponse
from redis import Redis


def live(_: HttpRequest) -> JsonResponse:
    """The process works at all. It asks no store: starting again mends none."""
    return JsonResponse({"status": "live"})


def ready(_: HttpRequest) -> JsonResponse:
    """The stores answer without which no request can be. S3 is none of them: most requests do without."""
    wrong = {}
    for name, ask in {"postgres": postgres, "redis": redis}.items():
        try:
            ask()
        except Exception as error:
            wrong[name] = type(error).__name__
    return JsonResponse(
        {"status": "not ready" if wrong else "ready", "wrong": wrong}, status=503 if wrong else 200
    )


def postgres() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")


def redis() -> None:
    broker().ping()


@cache
def broker() -> Redis:
    given = settings.GIVEN.redis
    options = {**settings.REDIS_OPTIONS, "socket_connect_timeout": 1, "socket_timeout": 1, "retry": None}
    return Redis(host=given.broker, port=given.port, ssl=True, credential_provider=BrokerToken(), **options)
