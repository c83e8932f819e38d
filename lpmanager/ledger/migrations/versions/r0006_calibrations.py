"""What was last learned of the market of each campaign."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table. A campaign may be calibrated before its books are opened."""
    op.create_table(
        "calibrations",
        sa.Column("campaign", sa.String, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
