"""Keys of containers of a system: commands, and the paths of probes."""

from __future__ import annotations

from pydantic import Field

from modules.systems.parts import Command, UrlPath
from tierra.validation.model import Model


class Commands(Model):
    """The commands of the containers, as lists of words. Left out, they are those of the framework."""

    web: Command = Field(
        default=(), description="Starts the pods that answer requests; left out, the command of the image."
    )
    migrate: Command = Field(
        default=(),
        json_schema_extra={"default": "by framework"},
        description="Migrates the database before a new image runs; django: manage.py migrate.",
    )
    worker: Command = Field(
        default=("celery", "--app", "config", "worker"),
        description="Starts the workers, which take tasks from the broker.",
    )
    beat: Command = Field(
        default=("celery", "--app", "config", "beat", "--schedule", "/dev/shm/celerybeat-schedule"),
        description="Starts the scheduler, which puts periodic tasks on the broker.",
    )


class Health(Model):
    """Paths of health checks, as the container receives them."""

    live: UrlPath = Field(default="/livez", description="Must answer 200 while the process works.")
    ready: UrlPath = Field(default="/readyz", description="Must answer 200 while the pod can take requests.")
    start_seconds: int = Field(
        default=120,
        ge=10,
        le=1800,
        json_schema_extra={"default": "120; 300 for java"},
        description="Seconds that a pod may take to start before it is restarted.",
    )


class Metrics(Model):
    """The path and port of the metrics that Prometheus collects."""

    path: UrlPath = Field(default="/metrics", description="Path of the metrics, as the container sees it.")
    port: int | None = Field(
        default=None,
        ge=1024,
        le=65535,
        json_schema_extra={"default": "port"},
        description="Port of the metrics, if it differs from that of requests.",
    )
