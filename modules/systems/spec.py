"""What `systems:` may say: the applications, what each needs, and what each asks of a node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from modules.github import Repository
from modules.section import Finding, Section, check, fault, repeated
from modules.systems.broker_spec import DEFAULT_APP, Broker
from modules.systems.frameworks import FRAMEWORKS, WITH_CELERY, Framework, celery_commands
from modules.systems.parts import Command, UrlPath, prefixes
from modules.systems.quantities import Cpu, Memory
from modules.systems.sidecar_spec import Sidecar, SidecarName
from modules.systems.variables import VariableName, VariableValue
from modules.wording import choices

Store = Literal["postgres", "redis", "documentdb", "files"]
STORES: tuple[Store, ...] = ("postgres", "redis", "documentdb", "files")
# What people call a store, or have elsewhere in its place.
MEANT = {
    "postgres": ("postgresql", "pg", "psql", "database", "db", "rds", "sql", "mysql", "mariadb", "aurora"),
    "redis": ("cache", "broker", "queue", "valkey", "memcached", "elasticache", "rabbitmq", "sqs", "kafka"),
    "documentdb": ("docdb", "mongo", "mongodb", "document", "dynamodb"),
    "files": ("s3", "bucket", "storage", "file", "disk", "uploads", "media"),
}
LONGEST_NAME = 30  # leaves room for project, environment and role in the names of its repository and roles
MOST_REPLICAS = 200

# Namespaces that Kubernetes, the add-ons and the gateway have, or may have, for themselves.
TAKEN = ("default", "kong", "gateway", "monitoring", "observability", "external-secrets", "amazon-cloudwatch")


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name) or not 2 <= len(name) <= LONGEST_NAME:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).lstrip("-0123456789")[:LONGEST_NAME].rstrip("-")
        rule = (
            f"a system is named by a DNS label: 2 to {LONGEST_NAME} small letters, digits and hyphens,"
            " starting with a letter"
        )
        raise fault(rule, f"write {plain}" if len(plain) >= 2 else "write a name such as orders")
    if name in TAKEN or name.startswith("kube-"):
        raise fault("each system has a namespace of its name, and the platform uses this one", "rename it")
    return name


def _need(need: Any) -> Any:
    """The store itself, or which one a stranger's name is for."""
    if not isinstance(need, str) or need in STORES:
        return need
    meant = next((store for store, names in MEANT.items() if need.lower() in (store, *names)), None)
    if meant:
        raise fault(f"an environment has {choices(STORES)}, and nothing called {need[:40]}", f"write {meant}")
    return need


def _paths(systems: Any) -> Any:
    """A system that names no path is found below its own name."""
    if not isinstance(systems, dict):
        return systems
    return {
        name: {"path": f"/{name}", **system} if isinstance(system, dict) else system
        for name, system in systems.items()
    }


SystemName = Annotated[str, AfterValidator(_name)]
Need = Annotated[Store, BeforeValidator(_need), WithJsonSchema({"type": "string", "enum": list(STORES)})]


def _metrics(value: Any) -> Any:
    if value is None:
        raise fault("must be a path, or none", "write a path such as /metrics, or none")
    return None if value == "none" else value


MetricsPath = Annotated[
    UrlPath | None,
    BeforeValidator(_metrics),
    WithJsonSchema({"type": "string", "pattern": "^(/.*|none)$", "examples": ["/metrics"]}),
]


class Health(Section):
    """Where a system says how it is."""

    live: UrlPath = Field(description="Answers 200 while the process works; it asks nobody else.")
    ready: UrlPath = Field(description="Answers 200 while requests can be served.")


class System(Section):
    """One application: what it is, how often it runs, where requests find it and what it may use."""

    framework: Framework = Field(
        description="What it is written in, which decides probes, port, cpu and memory.",
        examples=["django"],
    )
    replicas: int = Field(
        default=2, ge=1, le=MOST_REPLICAS, description="Pods that always run; two or more survive a node."
    )
    max_replicas: int = Field(
        default=0,
        ge=1,
        le=2 * MOST_REPLICAS,
        json_schema_extra={"default": "twice replicas"},
        description="Pods that run under load, at most. The nodes at their most must hold them.",
    )
    port: int = Field(
        default=0,
        ge=1024,
        le=65535,
        json_schema_extra={"default": "by framework"},
        description="Port that its container listens on; from 1024, for containers run without root.",
    )
    path: UrlPath = Field(
        default="",
        json_schema_extra={"default": "/ and its name"},
        description="Start of the paths of its requests. No two systems have the same.",
    )
    needs: Annotated[tuple[Need, ...], Field(strict=False)] = Field(
        default=(),
        description="Stores that it may reach and gets addresses and credentials of: postgres, redis,"
        " documentdb, files.",
        examples=[["postgres", "redis"]],
    )
    health: Health = Field(
        default_factory=lambda: Health(live="/health/live", ready="/health/ready"),
        json_schema_extra={"default": "by framework"},
        description="Paths of the probes, below no prefix: what the container itself answers.",
    )
    metrics: MetricsPath = Field(
        default="/metrics",
        description="Path at which Prometheus collects, or none. From outside it is not reached.",
    )
    command: Command = Field(
        default=(),
        json_schema_extra={"default": "the image's"},
        description="Command of the pods that answer requests.",
    )
    migrate: Command = Field(
        default=(),
        json_schema_extra={"default": "by framework: python manage.py migrate for django, else none"},
        description="Command that brings the database up to date before new pods start; [] for none.",
    )
    broker: Broker | None = Field(
        default=None,
        description="Workers that take tasks from Redis, and a clock that sends some. None by default.",
    )
    sidecars: dict[SidecarName, Sidecar] = Field(
        default_factory=dict,
        description="Further containers in each pod that answers requests, by name.",
        examples=[{"proxy": {"image": "public.ecr.aws/nginx/nginx-unprivileged:1.29.1", "port": 8081}}],
    )
    env: dict[VariableName, VariableValue] = Field(
        default_factory=dict,
        description="Plain settings as environment variables; secrets are refused.",
        examples=[{"LOG_LEVEL": "info"}],
    )
    cpu_percent: int = Field(
        default=70,
        ge=20,
        le=90,
        description="Processor use, in percent of cpu, at which pods are added up to max_replicas.",
    )
    repository: Repository | None = Field(
        default=None,
        json_schema_extra={"default": "delivery.repository"},
        description="The repository on GitHub whose workflows push its images and deploy it.",
    )
    cpu: Cpu = Field(
        default=0,
        json_schema_extra={"default": "by framework"},
        description="Processor time that each pod asks of its node, in cores or thousandths (250m).",
    )
    memory: Memory = Field(
        default=0,
        json_schema_extra={"default": "by framework"},
        description="Memory that each pod asks of its node, and may not exceed.",
    )

    @model_validator(mode="before")
    @classmethod
    def framework_fills_in(cls, data: Any) -> Any:
        """What is left out is the framework's; the most is twice the least."""
        if not isinstance(data, dict):
            return data
        framework, replicas = data.get("framework"), data.get("replicas", 2)
        usual = FRAMEWORKS.get(framework, FRAMEWORKS["django"]) if isinstance(framework, str) else {}
        legal = type(replicas) is int and 1 <= replicas <= MOST_REPLICAS
        filled = {"max_replicas": 2 * replicas if legal else 4, **usual, **data}
        if isinstance(data.get("health"), dict) and usual:
            filled["health"] = {**usual["health"], **data["health"]}
        broker = data.get("broker")
        if isinstance(broker, dict) and framework in WITH_CELERY:
            filled["broker"] = {**celery_commands(broker.get("app", DEFAULT_APP)), **broker}
        return filled

    @property
    def shut_path(self) -> str | None:
        """Where requests from outside would find the metrics, and find nothing."""
        return f"{self.path.rstrip('/')}{self.metrics}" if self.metrics else None

    @check("replicas", "max_replicas")
    def most_is_not_less(self) -> Iterator[Finding]:
        """Load adds pods."""
        if self.max_replicas < self.replicas:
            rule = f"max_replicas ({self.max_replicas}) is at least replicas ({self.replicas})"
            yield Finding(("max_replicas",), rule, f"raise it to {self.replicas} or more, or lower replicas")

    @check("needs")
    def needs_are_named_once(self) -> Iterator[Finding]:
        """No need appears twice."""
        for index in repeated(self.needs):
            yield Finding(("needs", index), "each need is named once", "remove the second one")

    @check("needs", "broker")
    def tasks_have_a_broker(self) -> Iterator[Finding]:
        """Redis carries the tasks."""
        if self.broker and "redis" not in self.needs:
            rule = "Redis is the broker, and needs does not name it"
            yield Finding(("broker",), rule, "add redis to needs, or remove broker")

    @check("framework", "broker")
    def tasks_have_a_command(self) -> Iterator[Finding]:
        """Only Python has Celery."""
        if not self.broker:
            return
        for key in ("command", "beat_command") if self.broker.beat else ("command",):
            if not getattr(self.broker, key):
                rule = f"workers have a command, and {self.framework} has no usual one: Celery is Python's"
                yield Finding(("broker", key), rule, f"add {key}: [program, argument]", "(missing)")

    @check("port", "sidecars")
    def ports_are_used_once(self) -> Iterator[Finding]:
        """The containers of a pod share their ports."""
        owners = {self.port: "the system itself"}
        for name, sidecar in self.sidecars.items():
            if sidecar.port is None:
                continue
            owner = owners.setdefault(sidecar.port, f"the sidecar {name}")
            if owner != f"the sidecar {name}":
                rule = f"containers of a pod share its ports, and {sidecar.port} is used by {owner}"
                free = next(port for port in range(8081, 65535) if port not in owners)
                yield Finding(("sidecars", name, "port"), rule, f"write another port, such as {free}")


Systems = Annotated[dict[SystemName, System], BeforeValidator(_paths)]

# The three of the diagram.
DIAGRAM: dict[str, dict[str, Any]] = {
    "sistema-1": {
        "framework": "django",
        "replicas": 3,
        "needs": ["postgres", "redis", "files"],
        "broker": {"beat": True},
    },
    "sistema-2": {"framework": "fastapi", "replicas": 2, "needs": ["postgres", "redis", "documentdb"]},
    "sistema-3": {"framework": "go", "replicas": 4, "needs": ["redis", "documentdb"]},
}


def default_systems() -> dict[str, System]:
    """The systems of a spec that names none."""
    return {name: System.model_validate(system) for name, system in _paths(DIAGRAM).items()}


def systems_findings(systems: Mapping[str, System]) -> Iterator[Finding]:
    """What is wrong with the systems together although each one is right. Paths start at the root."""
    if not systems:
        rule, remedy = (
            "an environment runs at least one system",
            "name one, or remove the line for the usual three",
        )
        yield Finding(("systems",), rule, remedy, "{}")
    yield from _owners(systems)


def _owners(systems: Mapping[str, System]) -> Iterator[Finding]:
    """Each path leads to one system. One may lie below another's, for the longer one wins: `/` and `/shop`;
    but not where the other's metrics are shut."""
    owners: dict[str, str] = {}
    for name, system in systems.items():
        owner = owners.setdefault(system.path, name)
        if owner != name:
            rule = f"each system has a path of its own, and {system.path} is that of {owner}"
            yield Finding(("systems", name, "path"), rule, f"write path: /{name}, or another one")
    shut = {path: name for name, system in systems.items() if (path := system.shut_path)}
    for name, system in systems.items():
        owner = next((shut[path] for path in prefixes(system.path) if path in shut), name)
        if owner != name:
            rule = f"{system.path} belongs to {owner}: its metrics are there, and shut to the outside"
            remedy = f"write path: /{name}, or change systems.{owner}.metrics"
            yield Finding(("systems", name, "path"), rule, remedy)
