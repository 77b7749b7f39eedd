"""The table of orders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("done", sa.DateTime(timezone=True)),
    )
    op.create_index("orders_to_do", "orders", ["created"], postgresql_where=sa.text("done IS NULL"))


def downgrade() -> None:
    op.drop_table("orders")
