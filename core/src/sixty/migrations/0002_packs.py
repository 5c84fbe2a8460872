"""What operators decide about packs, and secrets that every process shares."""

import sqlalchemy as sa
from alembic import op

from sixty.storage.columns import Instant, Json

revision = "0002_packs"
down_revision = "0001_core"


def upgrade() -> None:
    """Make both tables, and the counter of the first."""
    op.create_table(
        "packs",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("accepted", Json),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.execute(sa.text("INSERT INTO state (name, value) VALUES ('packs', 0)"))


def downgrade() -> None:
    """Take everything away."""
    op.execute(sa.text("DELETE FROM state WHERE name = 'packs'"))
    op.drop_table("secrets")
    op.drop_table("packs")
