"""Indexes for a million deals: what lists and sums need is in them, and each does what two did before."""

import sqlalchemy as sa
from alembic import op

revision = "0003_indexes"
down_revision = "0002_positions"

_WORTH = ("value", "monthly_mrr", "one_off_revenue")
_LARGEST = sa.text("coalesce(value, monthly_mrr * 3 + one_off_revenue, monthly_mrr * 3, one_off_revenue)")
_OPEN = sa.text("status = 'open'")
_LEFT = sa.text("left_at IS NOT NULL")
_POINTS = sa.text("contact_id IS NOT NULL")

_BEFORE = {
    "ix_deals_updated_at": ["updated_at", "id"],
    "ix_deals_stage": ["stage", "owner_id", *_WORTH],
    "ix_deals_owner_id": ["owner_id", "stage", *_WORTH],
    "ix_deals_status": ["status", "expected_close_date"],
    "ix_deals_contact_id": ["contact_id"],
}
_AFTER = {
    "ix_deals_updated_at": ["updated_at", "id", "owner_id", "stage", "status", *_WORTH, "expected_close_date"],
    "ix_deals_owner_id": ["owner_id", "updated_at", "id", "stage", "status", "expected_close_date", *_WORTH],
    "ix_deals_status": ["status", "expected_close_date", "id", "stage", "owner_id", *_WORTH],
    "ix_deals_closed_at": ["status", "closed_at", "id", "owner_id", "opened_at", *_WORTH, "path"],
    "ix_deals_path": ["path", "status", "opened_at", "closed_at", "owner_id"],
    "ix_deals_worth": [_LARGEST, "id", "stage", "status", "owner_id"],
}


def upgrade() -> None:
    for name in _BEFORE:
        op.drop_index(name, "deals")
    for name, columns in _AFTER.items():
        op.create_index(name, "deals", columns)
    standing = ["stage", "stage_entered_at", "id", "owner_id", "status", "opened_at", *_WORTH]
    op.create_index("ix_deals_open", "deals", standing, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_deal_stages_from_stage", "deal_stages", ["from_stage", "entered_at", "deal_id", "stage"])
    left = ["left_at", "entered_at", "stage", "deal_id"]
    op.create_index("ix_deal_stages_left_at", "deal_stages", left, sqlite_where=_LEFT, postgresql_where=_LEFT)
    op.create_index("ix_deals_contact_id", "deals", ["contact_id"], sqlite_where=_POINTS, postgresql_where=_POINTS)


def downgrade() -> None:
    op.drop_index("ix_deal_stages_from_stage", "deal_stages")
    op.drop_index("ix_deal_stages_left_at", "deal_stages")
    for name in (*_AFTER, "ix_deals_open", "ix_deals_contact_id"):
        op.drop_index(name, "deals")
    for name, columns in _BEFORE.items():
        op.create_index(name, "deals", columns)
