"""The first books."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

RAW = sa.String(80)


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "campaigns",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("pool", sa.String, nullable=False),
        sa.Column("token0", sa.String, nullable=False),
        sa.Column("token1", sa.String, nullable=False),
        sa.Column("budget0", RAW),
        sa.Column("budget1", RAW),
        sa.Column("last_block", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "campaign", sa.String, sa.ForeignKey("campaigns.name"), nullable=False, index=True
        ),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.String, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("tx_hash", sa.String, index=True),
        sa.Column("sqrt_price_x96", RAW),
        sa.Column("decided_at", sa.BigInteger),
    )
    op.create_table(
        "postings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("entry", sa.Integer, sa.ForeignKey("entries.id"), nullable=False, index=True),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("token", sa.String, nullable=False),
        sa.Column("raw", RAW, nullable=False),
    )
    op.create_table(
        "balances",
        sa.Column("campaign", sa.String, sa.ForeignKey("campaigns.name"), primary_key=True),
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("token", sa.String, primary_key=True),
        sa.Column("raw", RAW, nullable=False),
    )
    op.create_table(
        "positions",
        sa.Column("campaign", sa.String, sa.ForeignKey("campaigns.name"), primary_key=True),
        sa.Column("token_id", RAW, primary_key=True),
        sa.Column("lower", sa.Integer, nullable=False),
        sa.Column("upper", sa.Integer, nullable=False),
        sa.Column("liquidity", RAW, nullable=False),
        sa.Column("raw0", RAW, nullable=False),
        sa.Column("raw1", RAW, nullable=False),
        sa.Column("sqrt_price_x96", RAW, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
    )
    op.create_table(
        "unallocated",
        sa.Column("chain_id", sa.BigInteger, primary_key=True),
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("token", sa.String, primary_key=True),
        sa.Column("raw", RAW, nullable=False),
        sa.Column("last_block", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "cycles",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "campaign", sa.String, sa.ForeignKey("campaigns.name"), nullable=False, index=True
        ),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("sqrt_price_x96", RAW, nullable=False),
        sa.Column("decision", sa.JSON, nullable=False),
        sa.Column("acted", sa.Integer, nullable=False),
        sa.Column("stopped", sa.String),
    )
    op.create_table(
        "journal",
        sa.Column("tx_hash", sa.String, primary_key=True),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("account", sa.String, nullable=False, index=True),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("signed_raw", sa.LargeBinary, nullable=False),
        sa.Column("sent_at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String, nullable=False),
    )
    op.create_table(
        "halts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("campaign", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("resumed_at", sa.BigInteger),
    )
