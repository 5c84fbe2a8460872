"""Lines of the audit trail are signed, and sealed in a chain."""

import sqlalchemy as sa
from alembic import op

from sixty.storage.columns import Instant, Json

revision = "0008_sealed"
down_revision = "0007_webhooks"

SIGNED = ("salt", "digest", "mac")


def upgrade() -> None:
    """Add what signs lines, and make the tables of seals and marks. Lines of before stay unsigned."""
    for name in SIGNED:
        op.add_column("audit", sa.Column(name, sa.LargeBinary))
    op.create_table(
        "audit_seals",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seqs", Json, nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False, index=True),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
    )
    marks = op.create_table(
        "audit_marks",
        sa.Column("name", sa.String(10), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("at", Instant),
        sa.Column("mac", sa.LargeBinary),
    )
    op.bulk_insert(marks, [{"name": name, "position": 0, "hash": bytes(32)} for name in ("head", "anchor")])


def downgrade() -> None:
    """Take all of it away."""
    op.drop_table("audit_marks")
    op.drop_table("audit_seals")
    with op.batch_alter_table("audit") as table:
        for name in SIGNED:
            table.drop_column(name)
