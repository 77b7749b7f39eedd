"""What `systems:` may say: the applications, what each needs, and what each asks of a node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from modules.github import Repository
from modules.section import Finding, Section, check, fault, repeated
from modules.systems.quantities import Cpu, Memory

Framework = Literal["django", "fastapi", "go"]
Need = Literal["postgres", "redis", "documentdb", "files"]

# What a system gets that does not say otherwise. Requests are those of one pod at rest: Django holds a worker
# for each core and its whole framework in memory, FastAPI one event loop, Go one small process.
FRAMEWORKS: dict[str, dict[str, Any]] = {
    "django": {"port": 8000, "cpu": "250m", "memory": "512Mi"},
    "fastapi": {"port": 8000, "cpu": "200m", "memory": "256Mi"},
    "go": {"port": 8080, "cpu": "100m", "memory": "128Mi"},
}
DJANGO_MIGRATE = ["python", "manage.py", "migrate", "--noinput"]
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


def _path(path: str) -> str:
    if path == "/" or (len(path) <= 100 and re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", path)):
        return path
    words = re.findall(r"[A-Za-z0-9._~-]+", re.sub(r"^[a-z]+://[^/]*", "", path))
    plain = "/" + "/".join(word.lstrip(".") for word in words if word.lstrip("."))
    raise fault(
        "a path starts with a slash, does not end with one, and is made of letters, digits and . _ ~ -",
        f"write {plain[:100].rstrip('/') or '/'}",
    )


def _paths(systems: Any) -> Any:
    """A system that names no path is found below its own name."""
    if not isinstance(systems, dict):
        return systems
    return {
        name: {"path": f"/{name}", **system} if isinstance(system, dict) else system
        for name, system in systems.items()
    }


def _folder(folder: str) -> str:
    if folder == "." or re.fullmatch(
        r"(?!\.\.?(/|$))[A-Za-z0-9._-]+(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)*", folder
    ):
        return folder
    parts = [part for part in re.findall(r"[A-Za-z0-9._-]+", folder) if part.strip(".")]
    raise fault(
        "a folder is a path below the root of the repository, of letters, digits and . _ -",
        f"write {'/'.join(parts) or '.'}",
    )


Folder = Annotated[
    str, AfterValidator(_folder), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9._/-]+$"})
]
SystemName = Annotated[str, AfterValidator(_name)]
UrlPath = Annotated[
    str,
    AfterValidator(_path),
    WithJsonSchema({"type": "string", "pattern": "^/([^/].*)?$", "examples": ["/orders"]}),
]


Command = Annotated[tuple[str, ...], Field(strict=False)]


class Commands(Section):
    """What the containers of a system start, as lists of words; left out, what the framework usually does."""

    web: Command = Field(default=(), description="Of the pods that answer; left out, what the image starts.")
    migrate: Command = Field(
        default=(),
        json_schema_extra={"default": "by framework"},
        description="Brings the database up to date before a new image runs; django: manage.py migrate.",
    )
    worker: Command = Field(
        default=("celery", "--app", "config", "worker"), description="Takes tasks from the broker."
    )
    beat: Command = Field(
        default=("celery", "--app", "config", "beat", "--schedule", "/dev/shm/celerybeat-schedule"),
        description="Puts tasks on the broker by the clock.",
    )


class Health(Section):
    """Where a system says how it is, as its container sees the paths."""

    live: UrlPath = Field(default="/livez", description="Answers 200 while the process works at all.")
    ready: UrlPath = Field(default="/readyz", description="Answers 200 while it can take requests.")


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
    workers: int = Field(
        default=0,
        ge=0,
        le=MOST_REPLICAS,
        description="Pods that take tasks from the broker, which is Redis; each asks for what others do.",
    )
    beat: bool = Field(
        default=False, description="Whether one more pod puts tasks on the broker by the clock."
    )
    commands: Commands = Field(default_factory=Commands, description="What the containers start.")
    health: Health = Field(default_factory=Health, description="Paths of the probes.")
    repository: Repository | None = Field(
        default=None,
        json_schema_extra={"default": "delivery.repository"},
        description="The repository on GitHub whose workflows push its images and deploy it.",
    )
    folder: Folder | None = Field(
        default=None,
        json_schema_extra={"default": "the root of a repository of its own, else systems/ and its name"},
        description="Folder of that repository with its Dockerfile and all that goes into its image.",
        examples=["services/orders"],
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
        """Port and requests that are left out are those of the framework; the most is twice the least."""
        if not isinstance(data, dict):
            return data
        framework, replicas = data.get("framework"), data.get("replicas", 2)
        usual = FRAMEWORKS.get(framework, FRAMEWORKS["django"]) if isinstance(framework, str) else {}
        legal = type(replicas) is int and 1 <= replicas <= MOST_REPLICAS
        commands = data.get("commands", {})
        if framework == "django" and isinstance(commands, dict):
            data = {**data, "commands": {"migrate": DJANGO_MIGRATE, **commands}}
        return {"max_replicas": 2 * replicas if legal else 4, **usual, **data}

    @property
    def keeps_data(self) -> bool:
        """Whether it speaks to a database whose certificate it must know."""
        return bool({"postgres", "documentdb"} & set(self.needs))

    @property
    def helpers(self) -> int:
        """Pods besides those that answer."""
        return self.workers + self.beat

    @check("needs", "workers", "beat")
    def tasks_have_a_broker(self) -> Iterator[Finding]:
        """Tasks wait in Redis."""
        for key in ("workers", "beat"):
            if getattr(self, key) and "redis" not in self.needs:
                rule = f"{key} needs a broker, which is Redis, and needs does not name it"
                yield Finding((key,), rule, "add redis to needs, or remove the line")

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


Systems = Annotated[dict[SystemName, System], BeforeValidator(_paths)]

# The three of the diagram.
DIAGRAM: dict[str, dict[str, Any]] = {
    "sistema-1": {"framework": "django", "replicas": 3, "needs": ["postgres", "redis", "files"]},
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
    owners: dict[str, str] = {}
    for name, system in systems.items():
        owner = owners.setdefault(system.path, name)
        if owner != name:
            rule = f"each system has a path of its own, and {system.path} is that of {owner}"
            yield Finding(("systems", name, "path"), rule, f"write path: /{name}, or another one")
