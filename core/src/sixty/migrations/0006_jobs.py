"""What is to be done later."""

import sqlalchemy as sa
from alembic import op

from sixty.storage.columns import Id, Instant, Json

revision = "0006_jobs"
down_revision = "0005_words"

_INDEXES = {
    "waiting": (["queue", "due_at", "seq"], "state = 'waiting'"),
    "running": (["lane", "leased_until"], "state = 'running'"),
    "failed": (["queue", "seq"], "state = 'failed'"),
    "lane": (["lane", "seq"], "lane IS NOT NULL AND finished_at IS NULL"),
}


def upgrade() -> None:
    """Make the table, and the row that whoever takes jobs holds meanwhile."""
    op.create_table(
        "jobs",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", Id, nullable=False, unique=True),
        sa.Column("name", sa.String(160), nullable=False),
        sa.Column("queue", sa.String(160), nullable=False),
        sa.Column("lane", sa.String(255)),
        sa.Column("key", sa.String(255)),
        sa.Column("payload", Json, nullable=False),
        sa.Column("user_id", Id),
        sa.Column("call_id", Id),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("leased_by", Id),
        sa.Column("leased_until", Instant),
        sa.Column("error", sa.Text),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("finished_at", Instant),
    )
    for name, (columns, where) in _INDEXES.items():
        condition = sa.text(where)
        op.create_index(f"ix_jobs_{name}", "jobs", columns, sqlite_where=condition, postgresql_where=condition)
    op.execute(sa.text("INSERT INTO state (name, value) VALUES ('jobs', 0)"))


def downgrade() -> None:
    """Take everything away."""
    op.execute(sa.text("DELETE FROM state WHERE name = 'jobs'"))
    op.drop_table("jobs")
