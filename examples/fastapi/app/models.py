"""Tables of PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    """An order is kept once its transaction is committed; `done` says when the worker has handled it."""

    __tablename__ = "orders"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[str]
    quantity: Mapped[int]
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    done: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
