"""What each campaign holds, as the other campaigns of the store may know it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table: a row for each campaign, at its own last look."""
    op.create_table(
        "neighbours",
        sa.Column("campaign", sa.String, sa.ForeignKey("campaigns.name"), primary_key=True),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("pool", sa.String, nullable=False),
        sa.Column("base", sa.String, nullable=False),
        sa.Column("quote", sa.String, nullable=False),
        sa.Column("base_address", sa.String, nullable=False),
        sa.Column("quote_address", sa.String, nullable=False),
        sa.Column("price", sa.Float, nullable=False),
        sa.Column("idle_base", sa.Float, nullable=False),
        sa.Column("idle_quote", sa.Float, nullable=False),
        sa.Column("pooled_base", sa.Float, nullable=False),
        sa.Column("pooled_quote", sa.Float, nullable=False),
        sa.Column("pegs", sa.JSON, nullable=False),
    )
