"""Runs migrations on the primary. `alembic upgrade head` is commands.migrate of the system."""

from alembic import context
from app import settings, stores
from app.models import Base
from sqlalchemy import create_engine

postgres = settings.read().postgres
# A migration that waits for a lock makes every request behind it wait: it gives up, and the job tries again.
engine = create_engine(stores.POSTGRES_URL, connect_args=stores.primary(postgres, lock_timeout="5s"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
