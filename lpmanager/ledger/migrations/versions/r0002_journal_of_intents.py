"""A journal whose rows prove each other."""

import sqlalchemy as sa
from alembic import op

from lpmanager.errors import StoreError

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Put the new journal in the place of the old one, of which nothing may be unsettled."""
    unsettled = sa.text("SELECT tx_hash FROM journal WHERE status = 'open'")
    found = op.get_bind().execute(unsettled).scalars().first()
    if found is not None:
        raise StoreError(
            f"transaction {found} was sent by an earlier version and never settled: look it up, "
            "and name another store to begin new books"
        )
    op.drop_table("journal")
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("intent", sa.String, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("tx_hash", sa.String),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_table(
        "journal_tip",
        sa.Column("rows", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    _add_chains()


def _add_chains() -> None:
    op.create_table(
        "chains",
        sa.Column("chain_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("genesis", sa.String, nullable=False),
    )
