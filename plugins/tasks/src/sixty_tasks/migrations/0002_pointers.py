"""Indexes of pointers hold only what points at something."""

import sqlalchemy as sa
from alembic import op

revision = "0002_pointers"
down_revision = "0001_tasks"

_POINTERS = (("tasks", "deal_id"), ("tasks", "contact_id"), ("tasks", "related_activity_id"))


def upgrade() -> None:
    for table, column in _POINTERS:
        points = sa.text(f"{column} IS NOT NULL")
        op.drop_index(f"ix_{table}_{column}", table)
        op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=points, postgresql_where=points)


def downgrade() -> None:
    for table, column in _POINTERS:
        op.drop_index(f"ix_{table}_{column}", table)
        op.create_index(f"ix_{table}_{column}", table, [column])
