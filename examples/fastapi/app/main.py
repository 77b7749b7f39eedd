"""Orders: kept in PostgreSQL, handled by the worker, with a receipt in DocumentDB and a cache in Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import FastAPI, Header, HTTPException, Request, Response
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from prometheus_client import start_http_server
from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from sqlalchemy.dialects.postgresql import insert
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app import settings as given
from app import telemetry
from app.models import Order
from app.proxy import Proxied
from app.queue import announce
from app.stores import Stores, connect, from_replicas

CACHED_SECONDS = 60


class Asked(BaseModel):
    item: str = Field(min_length=1, max_length=200)
    quantity: int = Field(ge=1, le=1000)


def create(settings: given.Settings, stores: Stores | None = None) -> FastAPI:
    """The application; tests bring stores of their own."""
    with_stores = stores or connect(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if stores:
            yield
            return
        provider = telemetry.traces(with_stores.engine, with_stores.reader_engine)
        if settings.metrics_port:
            start_http_server(settings.metrics_port)
        yield
        await with_stores.close()
        provider.shutdown()  # sends what it has

    app = FastAPI(title=settings.name, lifespan=lifespan)
    if not stores:
        FastAPIInstrumentor.instrument_app(
            app, excluded_urls=",".join(f"{each}$" for each in telemetry.PROBES)
        )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[settings.public_host])
    app.add_middleware(telemetry.Requests)
    app.add_middleware(Proxied)
    _routes(app, settings, with_stores)
    return app


def _routes(app: FastAPI, settings: given.Settings, stores: Stores) -> None:
    @app.get("/livez", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/readyz", include_in_schema=False)
    async def ready(response: Response) -> dict[str, Any]:
        if wrong := await stores.check():
            response.status_code = 503
        return {"status": "not ready" if wrong else "ready", "wrong": wrong}

    @app.get("/")
    async def index() -> dict[str, str]:
        return {"system": settings.name, "orders": f"{settings.public_url}/orders"}

    @app.post("/orders", status_code=201)
    async def place(
        asked: Asked, response: Response, idempotency_key: Annotated[UUID | None, Header()] = None
    ) -> dict[str, Any]:
        """Answers once the order is committed. With the same Idempotency-Key it may be sent again, and must
        be where no answer came."""
        number = idempotency_key or uuid4()
        values = {"id": number, "item": asked.item, "quantity": asked.quantity}
        async with stores.primary.begin() as session:
            await session.execute(insert(Order).values(**values).on_conflict_do_nothing())
        # Only a hint: the worker looks into the table, too.
        await announce(stores.broker, settings.name, number)
        response.headers["Location"] = f"{settings.public_url}/orders/{number}"
        return {**values, "id": str(number)}

    @app.get("/orders/{number}")
    async def show(number: UUID) -> dict[str, Any]:
        key = f"{settings.name}:order:{number}"
        try:
            if kept := await stores.cache_reader.get(key):
                return json.loads(kept)
        except RedisError:
            telemetry.log.warning("the cache does not answer")
        order = await _order(number)
        if order is None:
            raise HTTPException(404, "no such order")
        found = {
            "id": str(number),
            "item": order.item,
            "quantity": order.quantity,
            "done": order.done.isoformat() if order.done else None,
        }
        if order.done:  # it does not change any more
            try:
                await stores.cache.set(key, json.dumps(found), ex=CACHED_SECONDS)
            except RedisError:
                telemetry.log.warning("the cache does not answer")
        return found

    async def _order(number: UUID) -> Order | None:
        """From a replica; from the primary what has not reached that one yet."""
        async with stores.reader() as session:
            if order := await session.get(Order, number):
                return order
        async with stores.primary() as session:
            return await session.get(Order, number)

    @app.get("/orders/{number}/receipt")
    async def receipt(number: UUID) -> dict[str, Any]:
        found = await from_replicas(stores.documents).receipts.find_one({"_id": number})
        if found is None:
            raise HTTPException(404, "no receipt yet")
        return {**found, "_id": str(number)}

    @app.get("/whoami")
    async def whoami(request: Request) -> dict[str, Any]:
        """What a request looks like from here, for those who look for a wrong header."""
        return {
            "url": str(request.url),
            "client": request.client.host if request.client else None,
            "request_id": request.headers.get("x-request-id"),
        }
