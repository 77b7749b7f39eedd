"""Logs, metrics and traces."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PROBES = ("/livez", "/readyz")
REQUESTS = Counter("http_requests_total", "Requests", ["method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Time to answer", ["method", "route"])
log = logging.getLogger("app")


class Json(logging.Formatter):
    """A line of JSON for each record; `extra={"fields": {...}}` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            said["trace_id"] = f"{span.trace_id:032x}"
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


def logs() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Json())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").disabled = True  # Requests below says it better


def traces(*engines: AsyncEngine) -> TracerProvider:
    """The SDK reads the rest from its own variables: where to send, the name of the system, and how many to
    trace that come with no decision of Kong's. Probes are not traced."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    SQLAlchemyInstrumentor().instrument(engines=[each.sync_engine for each in engines])
    RedisInstrumentor().instrument()
    PymongoInstrumentor().instrument()
    return provider


class Requests:
    """Counts, times and logs every request but probes. Kong gives each an ID and says who sent it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].removeprefix(scope["root_path"]) in PROBES:
            return await self.app(scope, receive, send)
        begun, status = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            return await self.app(scope, receive, sent)
        finally:
            took = time.perf_counter() - begun
            # The pattern and not the path, for each label of a metric is kept.
            route = getattr(scope.get("route"), "path", "none")
            REQUESTS.labels(scope["method"], route, status).inc()
            SECONDS.labels(scope["method"], route).observe(took)
            headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
            fields = {
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": round(took * 1000, 1),
                "request_id": headers.get("x-request-id"),
                "client": scope["client"][0] if scope["client"] else None,
            }
            log.info("request", extra={"fields": fields})
