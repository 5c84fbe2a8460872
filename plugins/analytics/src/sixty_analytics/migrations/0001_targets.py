"""Targets."""

import sqlalchemy as sa
from alembic import op

from sixty import Cents, Id, Instant

revision = "0001_targets"
down_revision = None


def upgrade() -> None:
    of_all = sa.text("team_id IS NULL AND user_id IS NULL")
    op.create_table(
        "targets",
        sa.Column("id", Id, primary_key=True),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("team_id", Id),
        sa.Column("user_id", Id),
        sa.Column("amount", Cents, nullable=False),
        sa.Column("set_at", Instant, nullable=False),
        sa.CheckConstraint("team_id IS NULL OR user_id IS NULL", name="ck_targets_one_holder"),
        sa.UniqueConstraint("period", "team_id", name="uq_targets_team"),
        sa.UniqueConstraint("period", "user_id", name="uq_targets_user"),
    )
    op.create_index("uq_targets_all", "targets", ["period"], unique=True, sqlite_where=of_all, postgresql_where=of_all)


def downgrade() -> None:
    op.drop_table("targets")
