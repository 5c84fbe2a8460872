"""Tasks."""

import sqlalchemy as sa
from alembic import op

from sixty import Id, Instant

revision = "0001_tasks"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", Id, sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("owner_id", Id, sa.ForeignKey("users.id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("priority", sa.String(10), nullable=False),
        sa.Column("due_date", sa.Date),
        sa.Column("deal_id", Id, sa.ForeignKey("records.id")),
        sa.Column("contact_id", Id, sa.ForeignKey("records.id")),
        sa.Column("related_activity_id", Id, sa.ForeignKey("records.id")),
        sa.Column("outcome", sa.Text),
        sa.Column("completed_at", Instant),
        sa.Column("automation", sa.String(40)),
        sa.UniqueConstraint("related_activity_id", "automation", name="uq_tasks_automation"),
    )
    for name in ("deal_id", "contact_id", "related_activity_id"):
        op.create_index(f"ix_tasks_{name}", "tasks", [name])
    op.create_index("ix_tasks_due_date", "tasks", ["due_date", "id"])
    op.create_index("ix_tasks_status", "tasks", ["status", "due_date", "id"])
    op.create_index("ix_tasks_owner_id", "tasks", ["owner_id", "status", "due_date", "id"])


def downgrade() -> None:
    op.drop_table("tasks")
