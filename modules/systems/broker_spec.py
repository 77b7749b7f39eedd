"""What `systems.<system>.broker:` may say: workers that take tasks from Redis, and a clock."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from modules.section import Section, fault
from modules.systems.parts import Command
from modules.systems.quantities import Cpu, Memory

DEFAULT_APP = "config"


def _module(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*)?", name, re.ASCII):
        raise fault(
            "the application of Celery is a Python module, or module:name", "write it like config.celery"
        )
    return name


App = Annotated[
    str,
    AfterValidator(_module),
    WithJsonSchema({"type": "string", "examples": ["config", "shop.celery:app"]}),
]


class Broker(Section):
    """Tasks beside requests: pods of the same image with other commands."""

    workers: int = Field(default=1, ge=1, le=200, description="Pods that take tasks from the broker.")
    beat: bool = Field(
        default=False, description="One pod that sends tasks by the clock, such as Celery beat."
    )
    app: App = Field(
        default=DEFAULT_APP, description="Python module of the Celery application, for the default commands."
    )
    command: Command = Field(
        default=(),
        json_schema_extra={"default": "celery worker"},
        description="Command of the workers. Required where the framework is not Python's.",
    )
    beat_command: Command = Field(
        default=(),
        json_schema_extra={"default": "celery beat"},
        description="Command of the clock.",
    )
    cpu: Cpu | None = Field(
        default=None,
        json_schema_extra={"default": "the system's"},
        description="Processor time that each worker asks of its node.",
    )
    memory: Memory | None = Field(
        default=None,
        json_schema_extra={"default": "the system's"},
        description="Memory that each worker asks of its node, and may not exceed.",
    )
    beat_cpu: Cpu = Field(
        default=50, json_schema_extra={"default": "50m"}, description="The same, of the clock."
    )
    beat_memory: Memory = Field(
        default=256, json_schema_extra={"default": "256Mi"}, description="The same, of the clock."
    )
    stop_seconds: int = Field(
        default=120,
        ge=5,
        le=3600,
        description="Seconds that a worker has to end the task in hand when its pod goes.",
    )
