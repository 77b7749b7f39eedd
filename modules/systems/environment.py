"""What a system is told by its environment: addresses, names and switches, never a secret.

docs/systems.md lists all of it. What stands here, a spec may not set: modules/systems/variables.py.
"""

from __future__ import annotations

from modules.data.outputs import DataOutputs
from modules.stack import Stack
from modules.storage.outputs import StorageOutputs
from modules.systems.spec import System

COLLECTOR = "http://collector.observability.svc.cluster.local:4317"
AUTHORITIES = "/etc/authorities/aws-rds.pem"
# Databases of one Redis: what is cached and what is queued do not meet.
CACHE_NUMBER, BROKER_NUMBER = "0", "1"


def variables(
    stack: Stack, name: str, system: System, data: DataOutputs, storage: StorageOutputs
) -> dict[str, str]:
    """Variables by name: of the platform, of each need, and the system's own."""
    by_need = {
        "postgres": lambda: _postgres(data),
        "redis": lambda: _redis(name, data),
        "documentdb": lambda: _documentdb(name, data),
        "files": lambda: _files(name, storage),
    }
    found = _platform(stack, name, system)
    for need in system.needs:
        found |= by_need[need]()
    return found | {key: literal(value) for key, value in system.env.items()}


def literal(text: str) -> str:
    """Text of a spec as it is, although Terraform reads `${` and `%{` as the start of a template."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _platform(stack: Stack, name: str, system: System) -> dict[str, str]:
    place = stack.environment
    hosts = [host.removeprefix("*") for host in place.edge.hosts]
    return {
        # Names that users type, and the pod's own address, by which probes and Prometheus call.
        "ALLOWED_HOSTS": ",".join([*hosts, "$(POD_IP)"]),
        "AWS_REGION": place.region,
        "ENVIRONMENT": place.environment,
        "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_PROPAGATORS": "tracecontext,baggage,xray",
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={place.environment}",
        "OTEL_SERVICE_NAME": name,
        "PATH_PREFIX": system.path.rstrip("/"),
        "PORT": str(system.port),
        "SYSTEM": name,
    }


def _postgres(data: DataOutputs) -> dict[str, str]:
    return {
        "DATABASE_HOST": data.postgres_endpoint,
        "DATABASE_NAME": data.postgres_database,
        "DATABASE_PORT": data.postgres_port,
        "DATABASE_READER_HOSTS": ",".join(data.postgres_reader_endpoints.values()),
        "DATABASE_SSLMODE": "verify-full",
        "DATABASE_SSLROOTCERT": AUTHORITIES,
        "DATABASE_USER": data.postgres_username,
    }


def _redis(name: str, data: DataOutputs) -> dict[str, str]:
    """IAM authenticates, so an address holds no password; a token is made for a user and a group."""
    broker = data.redis_broker_primary_endpoint
    return {
        "BROKER_GROUP": data.redis_broker_replication_group_id,
        "BROKER_HOST": broker,
        "CELERY_BROKER_URL": f"rediss://{broker}:{data.redis_port}/{BROKER_NUMBER}?ssl_cert_reqs=CERT_REQUIRED",
        "REDIS_DATABASE": CACHE_NUMBER,
        "REDIS_GROUP": data.redis_replication_group_id,
        "REDIS_HOST": data.redis_primary_endpoint,
        "REDIS_KEY_PREFIX": f"{name}:",
        "REDIS_PORT": data.redis_port,
        "REDIS_READER_HOST": data.redis_reader_endpoint,
        "REDIS_TLS": "true",
        "REDIS_USER": data.redis_user_name,
    }


def _documentdb(name: str, data: DataOutputs) -> dict[str, str]:
    return {
        "DOCUMENTDB_DATABASE": name.replace("-", "_"),
        "DOCUMENTDB_HOST": data.documentdb_endpoint,
        # DocumentDB has no retryable writes.
        "DOCUMENTDB_OPTIONS": f"tls=true&tlsCAFile={AUTHORITIES}&replicaSet=rs0"
        "&readPreference=secondaryPreferred&retryWrites=false",
        "DOCUMENTDB_PORT": data.documentdb_port,
        "DOCUMENTDB_READER_HOST": data.documentdb_reader_endpoint,
    }


def _files(name: str, storage: StorageOutputs) -> dict[str, str]:
    return {"FILES_BUCKET": storage.files_bucket_name, "FILES_PREFIX": f"{name}/"}
