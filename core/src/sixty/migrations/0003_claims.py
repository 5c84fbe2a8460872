"""What calls decide on, one after the other."""

import sqlalchemy as sa
from alembic import op

revision = "0003_claims"
down_revision = "0002_packs"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "claims",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("claims")
