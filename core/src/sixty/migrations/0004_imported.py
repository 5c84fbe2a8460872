"""What was imported, and from where."""

import sqlalchemy as sa
from alembic import op

from sixty.storage.columns import Id

revision = "0004_imported"
down_revision = "0003_claims"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "imported",
        sa.Column("form", sa.String(40), primary_key=True),
        sa.Column("source", sa.String(120), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("record_id", Id, sa.ForeignKey("records.id"), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("imported")
