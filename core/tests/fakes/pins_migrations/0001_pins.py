"""Pins."""

import sqlalchemy as sa
from alembic import op

from sixty import Id, Instant

revision = "0001_pins"
down_revision = None


def upgrade() -> None:
    """Make the table of pins."""
    op.create_table(
        "pins",
        sa.Column("id", Id, sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("owner_id", Id, sa.ForeignKey("users.id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("label", sa.String(255), nullable=False),
        sa.Column("note_id", Id, sa.ForeignKey("records.id"), index=True),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("pins")
