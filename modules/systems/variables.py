"""Environment variables of a system: addresses of databases and other needs, never secrets."""

from __future__ import annotations

from modules.data.outputs import DataOutputs
from modules.storage.outputs import StorageOutputs
from modules.systems.ca_bundle import ca_bundle
from modules.systems.requests_spec import host
from modules.systems.shape_spec import variable
from modules.systems.spec import System
from tierra.terraform.stack import Stack

# Drivers retry writes by default, which DocumentDB refuses before 8.0.2. Source: Amazon DocumentDB Developer
# Guide, "Retryable writes".
DOCUMENTDB_OPTIONS = "tls=true&replicaSet=rs0&retryWrites=false"
AUTHORITIES = "/etc/authorities/rds.pem"
# The collector only accepts traces. Some SDKs would otherwise use gRPC on its HTTP port, or also send metrics
# and logs: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
TRACES = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.observability.svc.cluster.local:4318",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    # Kong samples requests. A share of what starts inside a system, such as a task of a worker, is traced.
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
}


def user(name: str) -> str:
    """The user of a system in PostgreSQL and DocumentDB, and its database there."""
    return name.replace("-", "_")


def certificate(stack: Stack, system: System) -> str:
    """The root certificate of the system's databases; empty if it needs none, or if the project has none for
    the region."""
    return ca_bundle().get(stack.environment.region, "") if system.keeps_data else ""


def _traces(stack: Stack, name: str) -> dict[str, str]:
    """The service name, which is always set because systems also use it otherwise, and the settings of the
    SDK."""
    settings = stack.environment.observability
    if not settings.traces:
        return {"OTEL_SERVICE_NAME": name, "OTEL_SDK_DISABLED": "true"}
    share = str(settings.trace_percent / 100)
    return {"OTEL_SERVICE_NAME": name, **TRACES, "OTEL_TRACES_SAMPLER_ARG": share}


def variables(
    stack: Stack, name: str, system: System, data: DataOutputs, storage: StorageOutputs
) -> dict[str, str]:
    """Environment variables by name. docs/contract.md lists them."""
    name_of = host(system, stack.environment.edge)
    result = {
        **({"PORT": str(system.port)} if system.port else {}),
        **({"BASE_PATH": system.path} if system.path else {}),
        "PUBLIC_HOST": name_of,
        **({"PUBLIC_URL": f"https://{name_of}{system.path.rstrip('/')}"} if system.path else {}),
        "AWS_REGION": stack.environment.region,
        **_traces(stack, name),
        **{
            variable(callee): f"http://{callee}.{callee}.svc.cluster.local"
            for callee in map(stack.environment.called, system.calls)
        },
    }
    if system.metrics:
        result["METRICS_PORT"] = str(system.metrics.port or system.port)
    if "postgres" in system.needs:
        result |= {
            "DATABASE_HOST": data.postgres_endpoint,
            "DATABASE_READER_HOSTS": data.postgres_reader_hosts,
            "DATABASE_PORT": data.postgres_port,
            "DATABASE_NAME": user(name),
            "DATABASE_USER": user(name),
            **(
                {"DATABASE_SSLMODE": "verify-full", "DATABASE_SSLROOTCERT": AUTHORITIES}
                if certificate(stack, system)
                else {"DATABASE_SSLMODE": "require"}
            ),
        }
    if "redis" in system.needs:
        result |= {
            "REDIS_HOST": data.redis_primary_endpoint,
            "REDIS_READER_HOST": data.redis_reader_endpoint,
            "REDIS_BROKER_HOST": data.redis_broker_primary_endpoint,
            "REDIS_PORT": data.redis_port,
            "REDIS_USER": data.redis_user_name,
            "REDIS_GROUP": data.redis_replication_group_id,
            "REDIS_BROKER_GROUP": data.redis_broker_replication_group_id,
        }
    if "documentdb" in system.needs:
        result |= {
            "DOCUMENTDB_HOST": data.documentdb_endpoint,
            "DOCUMENTDB_READER_HOST": data.documentdb_reader_endpoint,
            "DOCUMENTDB_PORT": data.documentdb_port,
            "DOCUMENTDB_NAME": user(name),
            "DOCUMENTDB_USER": user(name),
            "DOCUMENTDB_OPTIONS": DOCUMENTDB_OPTIONS,
            **({"DOCUMENTDB_TLS_CA": AUTHORITIES} if certificate(stack, system) else {}),
        }
    if "files" in system.needs:
        result |= {"FILES_BUCKET": storage.files_bucket_name, "FILES_PREFIX": f"{name}/"}
    return result
