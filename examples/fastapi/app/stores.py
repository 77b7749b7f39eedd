"""Connections to the stores, which come back by themselves after a failover."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import quote_plus

from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError, ReadOnlyError, TimeoutError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from app import settings as given
from app.tokens import Token

POSTGRES_URL = "postgresql+psycopg://"  # all else is an argument, so that no password is in a URL
READY_SECONDS = 2  # the probe waits for three


@dataclass(frozen=True)
class Stores:
    engine: AsyncEngine
    reader_engine: AsyncEngine
    primary: async_sessionmaker[AsyncSession]
    reader: async_sessionmaker[AsyncSession]
    cache: Redis
    cache_reader: Redis
    broker: Redis
    client: AsyncMongoClient
    documents: AsyncDatabase

    async def check(self) -> dict[str, str]:
        """What is wrong with the stores without which no request can be answered; empty: nothing."""

        async def postgres() -> None:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

        async def documents() -> None:
            await self.documents.command("ping")

        asked = {"postgres": postgres(), "redis": self.broker.ping(), "documentdb": documents()}
        found = await asyncio.gather(
            *(asyncio.wait_for(each, READY_SECONDS) for each in asked.values()), return_exceptions=True
        )
        return {
            name: type(each).__name__
            for name, each in zip(asked, found, strict=True)
            if isinstance(each, BaseException)
        }

    async def close(self) -> None:
        for redis in (self.cache, self.cache_reader, self.broker):
            await redis.aclose()
        await self.client.close()
        await self.engine.dispose()
        await self.reader_engine.dispose()


def primary(postgres: given.Postgres, **options: str) -> dict[str, str]:
    """How to reach the writer. After a failover its name leads elsewhere: every connection asks DNS again."""
    said = {"statement_timeout": "10s", "idle_in_transaction_session_timeout": "30s", **options}
    return {
        "host": postgres.host,
        "port": postgres.port,
        "dbname": postgres.database,
        "user": postgres.user,
        "password": postgres.password,
        "sslmode": postgres.sslmode,
        **({"sslrootcert": postgres.authority} if postgres.authority else {}),
        "target_session_attrs": "read-write",
        "connect_timeout": "3",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "options": " ".join(f"-c {key}={value}" for key, value in said.items()),
    }


def replicas(postgres: given.Postgres) -> dict[str, str]:
    """How to reach any replica; the writer where there are none, or none answers."""
    return {
        **primary(postgres),
        "host": f"{postgres.readers},{postgres.host}" if postgres.readers else postgres.host,
        "target_session_attrs": "prefer-standby",
        "load_balance_hosts": "random",
    }


def connect(settings: given.Settings) -> Stores:
    """Opens nothing yet: a store that is away delays the first requests and not the start."""
    engine, reader_engine = (
        create_async_engine(
            POSTGRES_URL, connect_args=arguments, pool_pre_ping=True, pool_size=5, pool_timeout=5
        )
        for arguments in (primary(settings.postgres), replicas(settings.postgres))
    )
    redis = settings.redis
    client = _documentdb(settings.documentdb)
    return Stores(
        engine,
        reader_engine,
        async_sessionmaker(engine, expire_on_commit=False),
        async_sessionmaker(reader_engine, expire_on_commit=False),
        _redis(settings, redis.host, redis.group),
        _redis(settings, redis.reader, redis.group),
        _redis(settings, redis.broker, redis.broker_group),
        client,
        client[settings.documentdb.database],
    )


def _redis(settings: given.Settings, host: str, group: str) -> Redis:
    return Redis(
        host=host,
        port=settings.redis.port,
        ssl=True,
        credential_provider=Token(group, settings.redis.user, settings.region),
        decode_responses=True,
        socket_connect_timeout=3,
        socket_timeout=5,
        health_check_interval=15,
        # After a failover the node of before may answer for a moment, read-only.
        retry=Retry(ExponentialWithJitterBackoff(cap=1, base=0.05), 5),
        retry_on_error=[ConnectionError, TimeoutError, ReadOnlyError],
    )


def _documentdb(settings: given.DocumentDb) -> AsyncMongoClient:
    user, password = quote_plus(settings.user), quote_plus(settings.password)
    hosts = f"{settings.host}:{settings.port},{settings.reader}:{settings.port}"
    return AsyncMongoClient(
        f"mongodb://{user}:{password}@{hosts}/?{settings.options}",
        **(
            {"tlsCAFile": settings.authority} if settings.authority else {"tlsAllowInvalidCertificates": True}
        ),
        uuidRepresentation="standard",
        tz_aware=True,
        serverSelectionTimeoutMS=5000,
        connectTimeoutMS=3000,
        socketTimeoutMS=10000,
    )


def from_replicas(documents: AsyncDatabase) -> AsyncDatabase:
    """The same, read from replicas, which are some milliseconds behind."""
    return documents.with_options(read_preference=ReadPreference.SECONDARY_PREFERRED)
