"""Marks of pins."""

import sqlalchemy as sa
from alembic import op

from sixty import Id

revision = "0002_marks"
down_revision = "0001_pins"


def upgrade() -> None:
    """Make the table of marks."""
    op.create_table(
        "pin_marks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("pin_id", Id, sa.ForeignKey("records.id"), nullable=False, index=True),
        sa.Column("on_id", Id, sa.ForeignKey("records.id"), index=True),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("pin_marks")
