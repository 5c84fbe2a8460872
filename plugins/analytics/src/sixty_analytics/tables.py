"""What the pack stores: targets. All its figures come from what others publish."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from sixty import Cents, Id, Instant, Tables

__all__ = ["TABLES", "targets"]

metadata = sa.MetaData()

_of_all = sa.text("team_id IS NULL AND user_id IS NULL")

targets = sa.Table(
    "targets",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("period", sa.String(7), nullable=False),
    sa.Column("team_id", Id),
    sa.Column("user_id", Id),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("set_at", Instant, nullable=False),
    sa.CheckConstraint("team_id IS NULL OR user_id IS NULL", name="ck_targets_one_holder"),
    sa.UniqueConstraint("period", "team_id", name="uq_targets_team"),
    sa.UniqueConstraint("period", "user_id", name="uq_targets_user"),
    sa.Index("uq_targets_all", "period", unique=True, sqlite_where=_of_all, postgresql_where=_of_all),
)
"""At most one per period and holder: a team, a user, or with neither the whole organisation."""

TABLES = Tables(metadata, migrations=Path(__file__).parent / "migrations")
