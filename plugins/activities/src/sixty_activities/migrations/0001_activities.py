"""Activities."""

import sqlalchemy as sa
from alembic import op

from sixty import Id, Instant

revision = "0001_activities"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "activities",
        sa.Column("id", Id, sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("owner_id", Id, sa.ForeignKey("users.id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("deal_id", Id, sa.ForeignKey("records.id")),
        sa.Column("contact_id", Id, sa.ForeignKey("records.id")),
        sa.Column("scheduled_at", Instant),
        sa.Column("duration_minutes", sa.Integer),
        sa.Column("completed_at", Instant),
        sa.Column("outcome", sa.Text),
        sa.Column("notes", sa.Text),
        sa.Column("reschedule_reason", sa.Text),
        sa.Column("happens_at", Instant, nullable=False),
    )
    summed = ["type", "status", "owner_id", "duration_minutes"]
    op.create_index("ix_activities_happens_at", "activities", ["happens_at", "id", *summed])
    op.create_index("ix_activities_owner_id", "activities", ["owner_id", "happens_at", "id", "status"])
    op.create_index("ix_activities_status", "activities", ["status", "happens_at", "id"])
    op.create_index("ix_activities_deal_id", "activities", ["deal_id"])
    op.create_index("ix_activities_contact_id", "activities", ["contact_id"])


def downgrade() -> None:
    op.drop_table("activities")
