"""The environment variables of pods, from the code that sets them, and how the examples use them.

`python -m tools.contract` writes docs/contract.md. Which variables there are, and when, is found by building
systems that differ in one thing each; MEANINGS says what each one is.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tierra.bindings import node, trim

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs/contract.md"
EXAMPLES = ROOT / "examples"
REGION, WITHOUT_AUTHORITY = "us-east-1", "il-central-1"

MEANINGS = {
    "PORT": "port that the container listens on, on all addresses",
    "BASE_PATH": "start of the paths of its requests, which Kong removes before it forwards them",
    "PUBLIC_HOST": "public host name, also the `Host` of probes",
    "PUBLIC_URL": "public URL of the system: https, name and path",
    "AWS_REGION": "region, for every AWS SDK",
    "METRICS_PORT": "port that Prometheus scrapes, at the IP address of the pod",
    "OTEL_SERVICE_NAME": "name of the system, in traces and as the prefix of its Redis keys",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "collector on the node, which accepts traces",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "its protocol: protobuf over HTTP, not gRPC",
    "OTEL_METRICS_EXPORTER": "`none`: Prometheus scrapes metrics, and the collector accepts none",
    "OTEL_LOGS_EXPORTER": "`none`: the collector reads the output of containers",
    "OTEL_TRACES_SAMPLER": "Kong decides for requests; a share of what the system starts itself is traced",
    "OTEL_TRACES_SAMPLER_ARG": "that share, from `observability.trace_percent`",
    "OTEL_SDK_DISABLED": "`true`: no collector accepts traces",
    "DATABASE_HOST": "PostgreSQL, for reads and writes. A failover changes the address of the name",
    "DATABASE_READER_HOSTS": "its replicas, separated by commas; empty if there are none",
    "DATABASE_PORT": "port of all of them",
    "DATABASE_NAME": "database of the system",
    "DATABASE_USER": "user of the system, the owner of that database",
    "DATABASE_PASSWORD": "password of that user, from a Secret; a new password restarts the pods",
    "DATABASE_SSLMODE": "`verify-full`, or `require` if Tierra lacks the region's root certificate",
    "DATABASE_SSLROOTCERT": "file with that root certificate",
    "REDIS_HOST": "Redis, for reads and writes, over TLS",
    "REDIS_READER_HOST": "its replicas",
    "REDIS_BROKER_HOST": "Redis for queues; the same group unless `data.redis.separate_broker`",
    "REDIS_PORT": "port of all of them",
    "REDIS_USER": "user that signs in with a token; there is no password",
    "REDIS_GROUP": "group name for tokens for `REDIS_HOST`",
    "REDIS_BROKER_GROUP": "group name for tokens for `REDIS_BROKER_HOST`",
    "DOCUMENTDB_HOST": "DocumentDB, for reads and writes",
    "DOCUMENTDB_READER_HOST": "its replicas",
    "DOCUMENTDB_PORT": "port of both",
    "DOCUMENTDB_NAME": "database of the system",
    "DOCUMENTDB_USER": "user of the system there",
    "DOCUMENTDB_PASSWORD": "password of that user, from a Secret",
    "DOCUMENTDB_OPTIONS": "options for the connection string. Without `retryWrites=false` every write fails",
    "DOCUMENTDB_TLS_CA": "file with the root certificate",
    "FILES_BUCKET": "S3 bucket",
    "FILES_PREFIX": "prefix of the keys that the system may use, with a final slash",
}
# Variables that EKS Pod Identity adds to every pod, for SDKs of AWS.
BY_EKS = frozenset({"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"})
# Variables that the SDK of OpenTelemetry reads.
BY_SDK = frozenset(name for name in MEANINGS if name.startswith("OTEL_") and name != "OTEL_SERVICE_NAME")

HEADING = """# What a system receives

`python -m tools.contract` writes this page from the code and from the applications of `examples/`; a test
checks that it is current. Besides its own settings, a system needs only these variables. `make examples`
runs the three applications with the environment of their releases, against real servers, and causes failures.

| variable | meaning | set |
|---|---|---|
"""

AROUND = """
## What else a pod gets

| what | how |
|---|---|
| user | 10001, without a name in any image and without capabilities |
| file system | read-only, except for temporary files (`systems.<name>.scratch_mb`) and `/dev/shm` |
| AWS credentials | EKS Pod Identity adds the variables that SDKs read. The SDK must be newer \
than November 2023 |
| requests | from Kong: without the path of the system, with the public `Host`, \
`X-Forwarded-Proto: https`, `X-Forwarded-Prefix`, `X-Request-ID`, `traceparent`. The address of the client \
is in `X-Real-IP`; a client can forge the first entry of `X-Forwarded-For` |
| probes | from the kubelet, with `Host: <PUBLIC_HOST>` and `X-Forwarded-Proto: https`. The readiness check \
asks the databases, the liveness check does not, because a restart repairs no database |
| metrics | Prometheus scrapes the IP address of the pod, on a separate port \
(`systems.<name>.metrics`) |
| logs | the output of the container: one line of JSON per record |
| termination | requests still arrive for 25 seconds, then SIGTERM, then SIGKILL 35 seconds later. \
A worker has 120 seconds |
| a new password | a job sets it, then the pods are replaced. In between, old pods keep their \
connections but cannot open new ones |
"""

# Title, the code of an example in Python, and in Go.
PARTS = (
    ("PostgreSQL", ("fastapi/app/stores.py", "primary", "replicas"), ()),
    (
        "Redis: a token for each connection",
        ("fastapi/app/tokens.py", "Token"),
        ("go/redis.go", "Token", "pool"),
    ),
    (
        "DocumentDB",
        ("fastapi/app/stores.py", "_documentdb", "from_replicas"),
        ("go/documents.go", "documents"),
    ),
    ("Files", ("django/orders/files.py", "client", "place", "put", "address"), ()),
    ("A worker with an unreliable queue", ("fastapi/app/worker.py", "handle", "forgotten"), ()),
    ("Traces", ("fastapi/app/telemetry.py", "traces"), ()),
)


def main() -> None:
    FILE.write_text(text(), encoding="utf-8")


def text() -> str:
    """The page."""
    rows = [f"| `{name}` | {MEANINGS[name]} | {when} |" for name, when in handed_over().items()]
    return HEADING + "\n".join(rows) + "\n" + AROUND + "".join(_part(*part) for part in PARTS)


def handed_over() -> dict[str, str]:
    """Every variable, and the condition under which a pod has it."""
    needs: dict[str, dict[str, Any]] = {
        "with `needs: [postgres]`": {"needs": ["postgres"]},
        "with `needs: [redis]`": {"needs": ["redis"]},
        "with `needs: [documentdb]`": {"needs": ["documentdb"]},
        "with `needs: [files]`": {"needs": ["files"]},
        "with `metrics`": {"metrics": {}},
    }
    systems = {"bare": {}, **{f"it-{index}": keys for index, keys in enumerate(needs.values())}}
    variables = of_spec(REGION, systems)
    poor = of_spec(WITHOUT_AUTHORITY, systems)
    untraced = of_spec(REGION, {"bare": {}}, {"trace_percent": 0})["bare"]
    off = "`observability.trace_percent: 0`"
    conditions = {name: "always" if name in untraced else f"unless {off}" for name in variables["bare"]}
    conditions |= {name: f"with {off}" for name in untraced if name not in conditions}
    for index, when in enumerate(needs):
        for name in variables[f"it-{index}"]:
            if name not in conditions:
                always = name in poor[f"it-{index}"]
                conditions[name] = when if always else f"{when}, if Tierra has the region's root certificate"
    return conditions


def of_spec(
    region: str, systems: Mapping[str, Mapping[str, Any]], observability: Mapping[str, Any] | None = None
) -> dict[str, list[str]]:
    """The variables of systems, in their order."""
    from modules.architecture import synthesize
    from modules.loader import load

    with tempfile.TemporaryDirectory(prefix="tierra-") as scratch:
        spec = Path(scratch, "it.yaml")
        spec.write_text(
            json.dumps(
                {
                    "project": "acme",
                    "region": region,
                    "compute": {"nodes": {"max": 20}},
                    "observability": observability or {},
                    "systems": {
                        name: {"framework": "go", "replicas": 1, **keys} for name, keys in systems.items()
                    },
                }
            )
        )
        synthesize(load(spec), Path(scratch))
        return of_release(Path(scratch, "stacks/systems/cdk.tf.json"))


def of_release(module: Path) -> dict[str, list[str]]:
    """The variables of each system of a generated root module, in their order."""
    releases = json.loads(module.read_text(encoding="utf-8"))["resource"]["helm_release"]
    variables = {}
    for release in releases.values():
        values = json.loads(release["values"][0])
        if "environment" in values:
            variables[values["system"]] = [*values["environment"], *values["secrets"]]
    return variables


def read_by(example: str) -> set[str]:
    """The variables that the code of an example reads, without those of EKS. Tests are skipped."""
    folder = EXAMPLES / example
    variables: set[str] = set()
    for path in folder.rglob("*.py"):
        if "tests" not in path.relative_to(folder).parts:
            variables |= set(_python(ast.parse(path.read_text(encoding="utf-8"))))
    for path in folder.rglob("*.go"):
        if not path.name.endswith("_test.go"):
            variables |= set(
                re.findall(r"\b(?:os\.(?:Getenv|LookupEnv)|env)\(\"(\w+)\"", path.read_text(encoding="utf-8"))
            )
    return variables - BY_EKS


def _python(tree: ast.Module) -> Iterator[str]:
    """Names in `env["NAME"]`, `env.get("NAME")`, `os.environ…` and `os.getenv("NAME")`."""
    for expression in ast.walk(tree):
        where: ast.expr | None = None
        name: ast.expr | None = None
        if isinstance(expression, ast.Subscript):
            where, name = expression.value, expression.slice
        elif (
            isinstance(expression, ast.Call)
            and isinstance(expression.func, ast.Attribute)
            and expression.args
        ):
            name = expression.args[0]
            if expression.func.attr == "get":
                where = expression.func.value
            elif expression.func.attr == "getenv":
                where = ast.Name("environ")
        is_environment = isinstance(where, ast.Name | ast.Attribute) and ast.unparse(where) in (
            "env",
            "environ",
            "os.environ",
        )
        if is_environment and isinstance(name, ast.Constant):
            yield str(name.value)


def _part(title: str, python: tuple[str, ...], go: tuple[str, ...]) -> str:
    lines = [f"\n## {title}\n"]
    for language, (path, *names) in (("python", python), ("go", go or ("",))):
        file = EXAMPLES / path
        if path and file.exists():
            text = file.read_text(encoding="utf-8")
            parts = _python_parts(text, names) if language == "python" else _go_parts(text, names)
            lines += [
                f"`examples/{path}`:\n",
                f"```{language}",
                ("\n\n\n" if language == "python" else "\n\n").join(parts),
                "```\n",
            ]
    return "\n".join(lines)


def _python_parts(text: str, names: list[str]) -> list[str]:
    lines = text.splitlines()
    parts = {
        part.name: "\n".join(
            lines[
                min([part.lineno, *(decorator.lineno for decorator in part.decorator_list)])
                - 1 : part.end_lineno
            ]
        )
        for part in ast.parse(text).body
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    return [parts[name] for name in names]


def _go_parts(text: str, names: list[str]) -> list[str]:
    parts = {
        match[2]: match[0].rstrip()
        for match in re.finditer(r"^((?://[^\n]*\n)*)func (?:\([^)]*\) )?(\w+)\(.*?^\}\n", text, re.M | re.S)
    }
    return [parts[name] for name in names]


if __name__ == "__main__":
    node.use()
    trim.activate()
    main()
