"""What the pack stores: activities."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from sixty import Instant, Kind, Searchable, Tables, pointer, record_table
from sixty_activities.models import Activity

__all__ = ["ACTIVITY", "IS_SCHEDULED", "SEARCHABLE", "TABLES", "activities"]

metadata = sa.MetaData()

activities = record_table(
    "activities",
    metadata,
    sa.Column("type", sa.String(20), nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    pointer("deal_id", kind="deal"),
    pointer("contact_id", kind="contact"),
    sa.Column("scheduled_at", Instant),
    sa.Column("duration_minutes", sa.Integer),
    sa.Column("completed_at", Instant),
    sa.Column("outcome", sa.Text),
    sa.Column("notes", sa.Text),
    sa.Column("reschedule_reason", sa.Text),
    sa.Column("happens_at", Instant, nullable=False),
    # the latest first; and sums over a window, from the index alone
    sa.Index("ix_activities_happens_at", "happens_at", "id", "type", "status", "owner_id", "duration_minutes"),
    sa.Index("ix_activities_owner_id", "owner_id", "happens_at", "id", "status"),  # those of one owner
    # what was held when, and what was to be held: sums from the index alone
    sa.Index("ix_activities_completed_at", "status", "completed_at", "owner_id", "type"),
    sa.Index("ix_activities_scheduled_at", "scheduled_at", "status", "owner_id"),
)
"""`happens_at` is `completed_at`, or else `scheduled_at`: one column that is never empty to sort and filter by."""

IS_SCHEDULED = activities.c.status == sa.literal_column("'scheduled'", sa.String)
"""Written out, because a parameter would be no part of an index."""

sa.Index(  # what is scheduled, the soonest first
    "ix_activities_scheduled",
    *(activities.c[name] for name in ("happens_at", "id", "owner_id", "type")),
    sqlite_where=IS_SCHEDULED,
    postgresql_where=IS_SCHEDULED,
)

ACTIVITY = Kind(
    "activity", activities, Activity, resource="activities", title="description", finder="search_activities"
)
SEARCHABLE = Searchable(ACTIVITY, "description", ("outcome", "notes"))
TABLES = Tables(metadata, kinds=(ACTIVITY,), migrations=Path(__file__).parent / "migrations")
