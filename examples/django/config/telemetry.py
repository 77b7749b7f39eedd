"""Logs, metrics and traces."""

from __future__ import annotations

import json
import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace
from prometheus_client import Counter, Histogram

PROBES = ("/livez", "/readyz")
REQUESTS = Counter("http_requests_total", "Requests", ["method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Time to answer", ["method", "route"])
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.telemetry.Json"}},
    "handlers": {
        "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}
    },
    "root": {"level": "INFO", "handlers": ["out"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},  # middleware.py says it
    },
}


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
    logging.config.dictConfig(LOGGING)
    logging.captureWarnings(True)


def traces(worker: bool = False) -> None:
    """The SDK reads the rest from its own variables: where to send, the name of the system, and how many to
    trace that come with no decision of Kong's. Probes are not traced."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.instrumentation.redis import RedisInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    CeleryInstrumentor().instrument()
    PsycopgInstrumentor().instrument()
    if not worker:
        RedisInstrumentor().instrument()
        DjangoInstrumentor().instrument(excluded_urls=",".join(f"{each}$" for each in PROBES))


def end() -> None:
    """Sends what there is."""
    provider = trace.get_tracer_provider()
    if shutdown := getattr(provider, "shutdown", None):
        shutdown()
