"""Handles orders: python -m app.worker is commands.worker of the system."""

from __future__ import annotations

import asyncio
import signal
import socket
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pymongo.errors import PyMongoError
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app import queue, settings, telemetry
from app.models import Order
from app.stores import Stores, connect

FORGOTTEN = timedelta(seconds=5)  # an order that waits for longer was lost by the queue
PAUSE = 1


async def handle(stores: Stores, number: UUID) -> bool:
    """Writes the receipt, then marks the order. Twice is once: the receipt has the number of the order.

    False: another worker has it, or it is done. DocumentDB's driver does not repeat writes here
    (retryWrites=false), so an error leaves the order to the next round.
    """
    async with stores.primary.begin() as session:
        order = await session.scalar(
            select(Order).where(Order.id == number, Order.done.is_(None)).with_for_update(skip_locked=True)
        )
        if order is None:
            return False
        now = datetime.now(UTC)
        receipt = {"item": order.item, "quantity": order.quantity, "at": now}
        await stores.documents.receipts.update_one({"_id": number}, {"$setOnInsert": receipt}, upsert=True)
        order.done = now
    telemetry.log.info("order handled", extra={"fields": {"order": number}})
    return True


async def forgotten(stores: Stores) -> list[UUID]:
    async with stores.primary() as session:
        old = select(Order.id).where(Order.done.is_(None), Order.created < datetime.now(UTC) - FORGOTTEN)
        return list(await session.scalars(old.order_by(Order.created).limit(100)))


async def listen(stores: Stores, system: str, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            entries = await queue.take(stores.broker, system, socket.gethostname())
            for _, number in entries:
                await handle(stores, number)
            await queue.taken(stores.broker, system, [entry for entry, _ in entries])
        except (RedisError, SQLAlchemyError, PyMongoError) as error:
            telemetry.log.warning("a store does not answer: %s", type(error).__name__)
            await asyncio.sleep(PAUSE)


async def sweep(stores: Stores, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            for number in await forgotten(stores):
                await handle(stores, number)
        except (SQLAlchemyError, PyMongoError) as error:
            telemetry.log.warning("a store does not answer: %s", type(error).__name__)
        await asyncio.sleep(PAUSE)


async def main() -> None:
    """Until SIGTERM; what has begun is ended first."""
    telemetry.logs()
    found = settings.read()
    stores = connect(found)
    provider = telemetry.traces(stores.engine, stores.reader_engine)
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    telemetry.log.info("worker started")
    await asyncio.gather(listen(stores, found.name, stop), sweep(stores, stop))
    await stores.close()
    provider.shutdown()
    telemetry.log.info("worker stopped")


if __name__ == "__main__":
    asyncio.run(main())
