"""Indexes for millions of activities: sums of what was held from an index alone; pointers that point at something."""

import sqlalchemy as sa
from alembic import op

revision = "0002_indexes"
down_revision = "0001_activities"

_SCHEDULED = sa.text("status = 'scheduled'")


def upgrade() -> None:
    for column in ("deal_id", "contact_id"):
        points = sa.text(f"{column} IS NOT NULL")
        op.drop_index(f"ix_activities_{column}", "activities")
        op.create_index(f"ix_activities_{column}", "activities", [column], sqlite_where=points, postgresql_where=points)
    op.drop_index("ix_activities_status", "activities")
    op.create_index(
        "ix_activities_scheduled",
        "activities",
        ["happens_at", "id", "owner_id", "type"],
        sqlite_where=_SCHEDULED,
        postgresql_where=_SCHEDULED,
    )
    op.create_index("ix_activities_completed_at", "activities", ["status", "completed_at", "owner_id", "type"])
    op.create_index("ix_activities_scheduled_at", "activities", ["scheduled_at", "status", "owner_id"])


def downgrade() -> None:
    for name in ("scheduled", "completed_at", "scheduled_at"):
        op.drop_index(f"ix_activities_{name}", "activities")
    op.create_index("ix_activities_status", "activities", ["status", "happens_at", "id"])
    for column in ("deal_id", "contact_id"):
        op.drop_index(f"ix_activities_{column}", "activities")
        op.create_index(f"ix_activities_{column}", "activities", [column])
