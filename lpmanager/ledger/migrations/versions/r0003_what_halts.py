"""What was changed by hand, how plans ended early, and what campaigns were worth."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

RAW = sa.String(80)


def upgrade() -> None:
    """Add what the halts are derived from."""
    op.add_column("entries", sa.Column("by_hand", sa.String))
    op.add_column("cycles", sa.Column("stop_kind", sa.String))
    op.add_column("halts", sa.Column("resumed_after", sa.Integer))
    op.create_table(
        "marks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "campaign", sa.String, sa.ForeignKey("campaigns.name"), nullable=False, index=True
        ),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("quote", sa.String, nullable=False),
        sa.Column("nav", RAW, nullable=False),
        sa.Column("gain", RAW, nullable=False),
    )
