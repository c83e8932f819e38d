"""A position may be opened again under the id it had: a range of a vault has one id for good."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

RAW = sa.String(80)


def upgrade() -> None:
    """Put a table of lives in the place of the table of positions, with a life for each."""
    op.rename_table("positions", "positions_of_one_life")
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
        sa.Column("opened_at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("closed_at", sa.BigInteger),
    )
    op.create_index(
        "positions_open_once",
        "positions",
        ["campaign", "token_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    columns = (
        "campaign, token_id, lower, upper, liquidity, raw0, raw1, sqrt_price_x96, opened_at, "
        "closed_at"
    )
    op.execute(f"INSERT INTO positions ({columns}) SELECT {columns} FROM positions_of_one_life")
    op.drop_table("positions_of_one_life")
