"""Keys of `systems:`: the applications, their needs, and their requests of CPU and memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from modules.compute.nodes_spec import GroupName
from modules.edge.domains import HostName
from modules.systems.auth_spec import Auth
from modules.systems.container_spec import Commands, Health, Metrics
from modules.systems.own_spec import (
    MOST_CONFIG,
    MOST_VARIABLES,
    ConfigPath,
    OwnVariable,
    Permission,
    SecretSource,
    SecretVariable,
    Source,
    source,
)
from modules.systems.parts import Folder, UrlPath
from modules.systems.quantities import Cpu, Memory
from modules.systems.requests_spec import AT_KONG, MOST_HOSTS, MOST_SECONDS, USUAL_SECONDS
from modules.systems.shape_spec import Egress, Job, JobName, Shape
from modules.systems.sidecar_spec import Sidecar, SidecarName
from modules.systems.volume_spec import Volume, VolumeName, volume_violations
from tierra.validation.github import Repository
from tierra.validation.model import Model, Violation, repeated, rule
from tierra.validation.system_names import FormerNames, SystemName

Framework = Literal["django", "fastapi", "go", "node", "java", "container"]
Serves = Literal["pages", "api"]
Need = Literal["postgres", "redis", "documentdb", "files"]

# Defaults of a framework. Requests are those of an idle pod: Django has a worker for each core with the whole
# framework in memory, FastAPI and Node one event loop, Go one small process, Java a virtual machine that
# starts slowly. Nothing is known of other containers.
FRAMEWORKS: dict[str, dict[str, Any]] = {
    "django": {"serves": "pages", "port": 8000, "cpu": "250m", "memory": "512Mi"},
    "fastapi": {"serves": "api", "port": 8000, "cpu": "200m", "memory": "256Mi"},
    "go": {"serves": "api", "port": 8080, "cpu": "100m", "memory": "128Mi"},
    "node": {"serves": "pages", "port": 3000, "cpu": "200m", "memory": "256Mi"},
    "java": {"serves": "api", "port": 8080, "cpu": "500m", "memory": "1Gi"},
    "container": {"serves": "pages", "port": 8080, "cpu": "250m", "memory": "256Mi"},
}
# Start time in seconds, where it differs from the default of `health.start_seconds`.
START_SECONDS = {"java": 300}
DJANGO_MIGRATE = ["python", "manage.py", "migrate", "--noinput"]
MOST_REPLICAS = 200


def _paths(systems: Any) -> Any:
    """The paths of a public system; left out, its first name, or everything at its own hosts."""
    if not isinstance(systems, dict):
        return systems
    return {
        name: {"path": "/" if system.get("hosts") else f"/{_first_name(name, system)}", **system}
        if isinstance(system, dict) and system.get("shape", "public") == "public"
        else system
        for name, system in systems.items()
    }


def _first_name(name: str, system: dict[str, Any]) -> str:
    formerly = system.get("formerly")
    names = [formerly] if isinstance(formerly, str) else formerly
    return str(names[0]) if isinstance(names, list) and names else name


class System(Model):
    """One application: what it is, how often it runs, where requests find it and what it may use."""

    framework: Framework = Field(
        description="Framework of the application, which sets the defaults of serves, port, cpu and memory.",
        examples=["django"],
    )
    formerly: FormerNames = Field(
        default=(),
        description="Former name or names of the system, oldest first. Terraform then moves its resources"
        " instead of creating them again, and everything in AWS and in the cluster keeps the"
        " first name. Keep this key.",
        examples=["shop", ["shop", "orders"]],
    )
    shape: Shape = Field(
        default="public",
        description="public: users reach it at path; internal: only systems that call it reach it;"
        " worker: it answers no requests.",
    )
    serves: Serves = Field(
        default="pages",
        json_schema_extra={"default": "by framework"},
        description="Whether browsers show its answers (pages) or programs read them (api). During a"
        " flood the firewall challenges browsers, but not the clients of an API.",
    )
    replicas: int = Field(
        default=2,
        ge=1,
        le=MOST_REPLICAS,
        description="Minimum number of pods; two or more survive the loss of a node.",
    )
    max_replicas: int = Field(
        default=0,
        ge=1,
        le=2 * MOST_REPLICAS,
        json_schema_extra={"default": "twice replicas"},
        description="Maximum number of pods. The maximum number of nodes must have room for them.",
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
        json_schema_extra={"default": "/ and its name; / with hosts"},
        description="Prefix of the paths of its requests. Two systems must not have the same path on"
        " one host; the longer of two matching paths wins.",
    )
    hosts: Annotated[tuple[HostName, ...], Field(strict=False, max_length=MOST_HOSTS)] = Field(
        default=(),
        json_schema_extra={"default": "those of edge"},
        description="The only host names of the system, in edge.zone or edge.zones. Those that edge does not"
        " have get records and are in the certificate. The first one is PUBLIC_HOST.",
        examples=[["orders.example.com"]],
    )
    timeout_seconds: int = Field(
        default=USUAL_SECONDS,
        ge=1,
        le=MOST_SECONDS,
        description="Seconds that Kong waits for an answer; after that the client gets 504. Above 60,"
        " load balancer and pods keep requests open for as long.",
    )
    upload_mb: int | None = Field(
        default=None,
        ge=1,
        json_schema_extra={"default": "gateway.upload_mb"},
        description="Largest request body in MiB; at most gateway.upload_mb and scratch_mb.",
        examples=[10],
    )
    rate_limit: int | None = Field(
        default=None,
        ge=10,
        le=1_000_000,
        json_schema_extra={"default": "gateway.rate_limit"},
        description="Requests per minute that one address may send to it, per pod of Kong. It replaces"
        " gateway.rate_limit, and is counted separately from other systems.",
        examples=[60],
    )
    auth: Auth | None = Field(
        default=None,
        description="Who may send requests to it; Kong checks this. Left out, everyone may.",
        examples=[{"keys": {"mobile": "create"}}],
    )
    calls: Annotated[tuple[SystemName, ...], Field(strict=False)] = Field(
        default=(),
        description="Systems that its pods may call, at the address in SYSTEM_<NAME>_URL. Network"
        " policies allow it on both sides.",
        examples=[["orders"]],
    )
    egress: Annotated[tuple[Egress, ...], Field(strict=False)] = Field(
        default=(),
        description="Outbound ports that its pods may connect to, in addition to 443.",
        examples=[[{"port": 587}]],
    )
    jobs: dict[JobName, Job] = Field(
        default_factory=dict,
        json_schema_extra={"maxProperties": 20},
        description="Commands that run on a schedule, by name.",
        examples=[{"nightly": {"schedule": "30 2 * * *", "command": ["python", "nightly.py"]}}],
    )
    nodes: GroupName | None = Field(
        default=None,
        description="The group of compute.groups that its pods run on. Left out, they run on"
        " compute.nodes, and on groups without taints.",
        examples=["spot"],
    )
    needs: Annotated[tuple[Need, ...], Field(strict=False)] = Field(
        default=(),
        description="Databases and files that it may use: postgres, redis, documentdb, files. It gets"
        " addresses and credentials of each.",
        examples=[["postgres", "redis"]],
    )
    workers: int = Field(
        default=0,
        ge=0,
        le=MOST_REPLICAS,
        description="Number of pods that take tasks from the broker (Redis), each with the same requests"
        " as other pods.",
    )
    beat: bool = Field(
        default=False, description="Whether one more pod schedules periodic tasks on the broker."
    )
    commands: Commands = Field(default_factory=Commands, description="What the containers start.")
    health: Health = Field(default_factory=Health, description="Paths of the probes.")
    metrics: Metrics | None = Field(
        default=None,
        description="Where Prometheus collects metrics; {} for /metrics at port. It cannot be reached"
        " from outside. Left out, no metrics are collected.",
        examples=[{"path": "/metrics"}],
    )
    env: dict[OwnVariable, str] = Field(
        default_factory=dict,
        json_schema_extra={"maxProperties": MOST_VARIABLES},
        description="Plain environment variables of its containers. Plans show them, so they must not be"
        " secrets.",
        examples=[{"LOG_LEVEL": "info"}],
    )
    secrets: dict[SecretVariable, SecretSource] = Field(
        default_factory=dict,
        json_schema_extra={"maxProperties": MOST_VARIABLES},
        description="Environment variables whose values are in AWS: the name or ARN of a secret in"
        " Secrets Manager or of a parameter (/…), with # and a key if it contains JSON; create"
        " creates an empty secret, and you write its value.",
        examples=[{"STRIPE_KEY": "orders/stripe#key", "SECRET_KEY": "create"}],
    )
    config: dict[ConfigPath, str] = Field(
        default_factory=dict,
        description="Read-only files in its containers, by path. Plans show them.",
        examples=[{"/etc/orders/settings.ini": "[orders]\nlimit = 10\n"}],
    )
    volumes: dict[VolumeName, Volume] = Field(
        default_factory=dict,
        json_schema_extra={"maxProperties": 5},
        description="Persistent folders, by name, which all pods of the system share in every zone.",
        examples=[{"media": {"path": "/srv/media", "size_gb": 20}}],
    )
    permissions: Annotated[tuple[Permission, ...], Field(strict=False, max_length=10)] = Field(
        default=(),
        description="Permissions of its pods in AWS, in addition to those of needs.",
        examples=[
            [
                {
                    "actions": ["sqs:SendMessage"],
                    "resources": ["arn:aws:sqs:us-east-1:123456789012:orders"],
                }
            ]
        ],
    )
    sidecars: dict[SidecarName, Sidecar] = Field(
        default_factory=dict,
        description="Further containers in each pod that answers requests, by name.",
        examples=[{"proxy": {"image": "public.ecr.aws/nginx/nginx-unprivileged:1.29.1", "port": 8081}}],
    )
    repository: Repository | None = Field(
        default=None,
        json_schema_extra={"default": "delivery.repository"},
        description="The GitHub repository whose workflows push its images and deploy it.",
    )
    folder: Folder | None = Field(
        default=None,
        json_schema_extra={"default": "the root of its own repository, else systems/ and its name"},
        description="Folder of the repository with its Dockerfile and everything that its image contains.",
        examples=["services/orders"],
    )
    cpu: Cpu = Field(
        default=0,
        json_schema_extra={"default": "by framework"},
        description="CPU request of each pod, in cores or millicores (250m).",
    )
    memory: Memory = Field(
        default=0,
        json_schema_extra={"default": "by framework"},
        description="Memory request and limit of each pod.",
    )

    password_version: int = Field(
        default=1,
        ge=1,
        le=9_999,
        description="Counts the passwords of its users in PostgreSQL and DocumentDB. Raising it creates a"
        " new password, sets it in the databases, and restarts its pods.",
    )
    scratch_mb: int = Field(
        default=256,
        ge=16,
        le=51200,
        description="Scratch space of each pod in MiB, on the disk of its node. Frameworks also write"
        " uploads there.",
    )

    @model_validator(mode="before")
    @classmethod
    def framework_fills_in(cls, data: Any) -> Any:
        """Defaults of port and requests follow from the framework; max_replicas is twice replicas."""
        if not isinstance(data, dict):
            return data
        framework, replicas = data.get("framework"), data.get("replicas", 2)
        usual = FRAMEWORKS.get(framework, FRAMEWORKS["django"]) if isinstance(framework, str) else {}
        legal = type(replicas) is int and 1 <= replicas <= MOST_REPLICAS
        commands = data.get("commands", {})
        if framework == "django" and isinstance(commands, dict):
            data = {**data, "commands": {"migrate": DJANGO_MIGRATE, **commands}}
        health = data.get("health", {})
        if data.get("shape") == "worker":
            usual = {key: value for key, value in usual.items() if key != "port"}
        elif isinstance(framework, str) and framework in START_SECONDS and isinstance(health, dict):
            data = {**data, "health": {"start_seconds": START_SECONDS[framework], **health}}
        return {"max_replicas": 2 * replicas if legal else 4, **usual, **data}

    @property
    def keeps_data(self) -> bool:
        """Whether it uses a database whose certificate it must verify."""
        return bool(self.databases)

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases in which it has its own user."""
        return tuple(database for database in ("postgres", "documentdb") if database in self.needs)

    @property
    def sources(self) -> dict[str, Source | None]:
        """The sources of its secrets, by variable; None for a secret that Tierra creates."""
        return {variable: source(text) for variable, text in self.secrets.items()}

    @property
    def helpers(self) -> int:
        """Pods that do not answer requests: workers and the scheduler."""
        return self.workers + self.beat

    @property
    def pod_cpu(self) -> int:
        """Millicores that a pod that answers requests asks for, including its sidecars."""
        return self.cpu + sum(sidecar.cpu for sidecar in self.sidecars.values())

    @property
    def pod_memory(self) -> int:
        """MiB that a pod that answers requests asks for, including its sidecars."""
        return self.memory + sum(sidecar.memory for sidecar in self.sidecars.values())

    @property
    def inner_path(self) -> str | None:
        """The public path of the metrics, which must be blocked; None if there is none."""
        if self.shape != "public" or not self.metrics or self.metrics.port not in (None, self.port):
            return None
        return self.path.rstrip("/") + self.metrics.path

    @rule("port", "metrics", "sidecars")
    def ports_are_used_once(self) -> Iterator[Violation]:
        """The containers of a pod share its network, so their ports must differ."""
        owners = {self.port: "the system itself"}
        if self.metrics and self.metrics.port:
            owners.setdefault(self.metrics.port, "the system's metrics")
        for name, sidecar in self.sidecars.items():
            if sidecar.port is None:
                continue
            owner = owners.setdefault(sidecar.port, f"the sidecar {name}")
            if owner != f"the sidecar {name}":
                rule = (
                    "each container of a pod must have a different port;"
                    f" {sidecar.port} is the port of {owner}"
                )
                free = next(port for port in range(8081, 65535) if port not in owners)
                yield Violation(("sidecars", name, "port"), rule, f"write another port, such as {free}")

    @rule("shape", "path", "port", "health", "metrics", *AT_KONG)
    def shape_has_a_use_for_it(self) -> Iterator[Violation]:
        """Only systems that answer requests have a port, and only public ones a path."""
        if self.shape != "public" and self.path:
            rule = f"path requires shape: public, and shape is {self.shape}"
            yield Violation(("path",), rule, "remove the line, or write shape: public")
        for key in AT_KONG:
            if self.shape != "public" and key in self.model_fields_set:
                rule = f"{key} requires shape: public, and shape is {self.shape}"
                yield Violation((key,), rule, "remove the line, or write shape: public")
        for key in ("port", "health", "metrics"):
            if self.shape == "worker" and key in self.model_fields_set and getattr(self, key):
                rule = f"a worker answers no requests: it must have no {key}"
                yield Violation((key,), rule, "remove the line, or write shape: internal")

    @rule("hosts")
    def hosts_are_distinct(self) -> Iterator[Violation]:
        """Hosts must be different, and the first must not be a wildcard."""
        for index in repeated(self.hosts):
            yield Violation(("hosts", index), "each name must be given once", "remove the second one")
        if self.hosts and self.hosts[0].startswith("*"):
            rule = "the first name must have no star: the system gets it as PUBLIC_HOST"
            yield Violation(("hosts", 0), rule, f"put one such as www{self.hosts[0][1:]} before it")

    @rule("calls")
    def calls_are_named_once(self) -> Iterator[Violation]:
        """No system appears twice."""
        for index in repeated(self.calls):
            yield Violation(("calls", index), "each system must be named once", "remove the second one")

    @rule("egress")
    def ways_out_are_not_open_already(self) -> Iterator[Violation]:
        """443 is always open, and a port must not be repeated."""
        for index, way in enumerate(self.egress):
            if way.port == 443:
                yield Violation(
                    ("egress", index, "port"),
                    "the port must not be 443, which is open to every system",
                    "remove the entry",
                )
            elif way.port in (before.port for before in self.egress[:index]):
                rule = "each port must be named once"
                yield Violation(("egress", index, "port"), rule, "name all its ranges in one entry")

    @rule("env", "secrets")
    def variables_are_set_once(self) -> Iterator[Violation]:
        """A variable must have one value, and the names of two secrets must differ by more than case."""
        variables = {name.lower(): name for name in self.env}
        for name in self.secrets:
            earlier = variables.setdefault(name.lower(), name)
            if name in self.env:
                yield Violation(
                    ("secrets", name),
                    "a variable must be in env or in secrets, not in both",
                    "remove one of the two",
                )
            elif earlier != name and earlier in self.secrets:
                rule = (
                    f"two secrets must differ by more than the case of their letters, and there is {earlier}"
                )
                yield Violation(("secrets", name), rule, "choose another name")

    @rule("config")
    def files_fit(self) -> Iterator[Violation]:
        """Files must fit into a ConfigMap, and none may be a parent folder of another."""
        size = sum(len(text.encode()) for text in self.config.values())
        if size > MOST_CONFIG:
            rule = f"the files of a system must have at most {MOST_CONFIG} bytes together; these have {size}"
            yield Violation(("config",), rule, "put larger files into the image or the bucket (needs: files)")
        for path in self.config:
            if below := next((file for file in self.config if file.startswith(f"{path}/")), None):
                rule = f"a path must not be both a file and a folder, but {below} is below it"
                yield Violation(("config", path), rule, "rename one of them")

    @rule("volumes", "config")
    def volumes_have_places(self) -> Iterator[Violation]:
        """Paths of volumes must not overlap each other or a configuration file."""
        yield from volume_violations(self)

    @rule("needs", "workers", "beat")
    def tasks_have_a_broker(self) -> Iterator[Violation]:
        """Workers and the scheduler require redis."""
        for key in ("workers", "beat"):
            if getattr(self, key) and "redis" not in self.needs:
                rule = f"{key} requires a broker: redis in needs"
                yield Violation((key,), rule, "add redis to needs, or remove the line")

    @rule("replicas", "max_replicas")
    def most_is_not_less(self) -> Iterator[Violation]:
        """max_replicas must be at least replicas."""
        if self.max_replicas < self.replicas:
            rule = f"max_replicas ({self.max_replicas}) must be at least replicas ({self.replicas})"
            yield Violation(
                ("max_replicas",), rule, f"raise it to {self.replicas} or more, or lower replicas"
            )

    @rule("needs")
    def needs_are_named_once(self) -> Iterator[Violation]:
        """No need appears twice."""
        for index in repeated(self.needs):
            yield Violation(("needs", index), "each need must be named once", "remove the second one")


Systems = Annotated[dict[SystemName, System], BeforeValidator(_paths)]

# The three example systems.
DIAGRAM: dict[str, dict[str, Any]] = {
    "sistema-1": {"framework": "django", "replicas": 3, "needs": ["postgres", "redis", "files"]},
    "sistema-2": {"framework": "fastapi", "replicas": 2, "needs": ["postgres", "redis", "documentdb"]},
    "sistema-3": {"framework": "go", "replicas": 4, "needs": ["redis", "documentdb"]},
}


def usual_systems(off: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """The default systems as a spec would define them, without needs that are off."""
    return {
        name: {**system, "needs": [need for need in system["needs"] if need not in off]}
        for name, system in _paths(DIAGRAM).items()
    }


def default_systems() -> dict[str, System]:
    """The systems of a spec that defines none."""
    return {name: System.model_validate(system) for name, system in usual_systems().items()}
