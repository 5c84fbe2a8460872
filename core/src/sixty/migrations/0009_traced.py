"""A job remembers the trace in which it was left."""

import sqlalchemy as sa
from alembic import op

revision = "0009_traced"
down_revision = "0007_webhooks"


def upgrade() -> None:
    """Add the column, which nobody who does not know it has to fill."""
    op.add_column("jobs", sa.Column("traceparent", sa.String(55)))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("jobs", "traceparent")
