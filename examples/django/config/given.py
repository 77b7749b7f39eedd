"""What the platform hands over. Every variable that this system reads is read here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Postgres:
    """`readers` has commas between the hosts of the replicas; without replicas it is empty."""

    host: str
    readers: str
    port: str
    database: str
    user: str
    password: str
    sslmode: str
    authority: str | None


@dataclass(frozen=True)
class Redis:
    """Cache and broker may be one group or two. The user signs in with a token: see tokens.py."""

    host: str
    reader: str
    broker: str
    port: int
    user: str
    group: str
    broker_group: str


@dataclass(frozen=True)
class Given:
    name: str
    port: int
    metrics_port: int | None
    base_path: str
    public_host: str
    public_url: str
    region: str
    files_bucket: str
    files_prefix: str
    postgres: Postgres
    redis: Redis


def read(env: Mapping[str, str] = os.environ) -> Given:
    """A variable that is missing is a KeyError with its name, at the start and not at the first request."""
    return Given(
        name=env["OTEL_SERVICE_NAME"],
        port=int(env["PORT"]),
        metrics_port=int(env["METRICS_PORT"]) if "METRICS_PORT" in env else None,
        base_path=env["BASE_PATH"].rstrip("/"),
        public_host=env["PUBLIC_HOST"],
        public_url=env["PUBLIC_URL"],
        region=env["AWS_REGION"],
        files_bucket=env["FILES_BUCKET"],
        files_prefix=env["FILES_PREFIX"],
        postgres=Postgres(
            host=env["DATABASE_HOST"],
            readers=env["DATABASE_READER_HOSTS"],
            port=env["DATABASE_PORT"],
            database=env["DATABASE_NAME"],
            user=env["DATABASE_USER"],
            password=env["DATABASE_PASSWORD"],
            sslmode=env["DATABASE_SSLMODE"],
            authority=env.get("DATABASE_SSLROOTCERT"),
        ),
        redis=Redis(
            host=env["REDIS_HOST"],
            reader=env["REDIS_READER_HOST"],
            broker=env["REDIS_BROKER_HOST"],
            port=int(env["REDIS_PORT"]),
            user=env["REDIS_USER"],
            group=env["REDIS_GROUP"],
            broker_group=env["REDIS_BROKER_GROUP"],
        ),
    )
