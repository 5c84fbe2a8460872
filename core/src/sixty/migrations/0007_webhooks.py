"""Who is told of which events, and where."""

import sqlalchemy as sa
from alembic import op

from sixty.storage.columns import Id, Instant, Json

revision = "0007_webhooks"
down_revision = "0006_jobs"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "webhooks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("events", Json, nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("previous_secret", sa.String(100)),
        sa.Column("previous_until", Instant),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("disabled_reason", sa.Text),
        sa.Column("disabled_at", Instant),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("webhooks")
