"""Deals, and their stays in stages."""

import sqlalchemy as sa
from alembic import op

from sixty import Cents, Id, Instant

revision = "0001_deals"
down_revision = None

_WORTH = ("value", "monthly_mrr", "one_off_revenue")


def upgrade() -> None:
    op.create_table(
        "deals",
        sa.Column("id", Id, sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("owner_id", Id, sa.ForeignKey("users.id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("company_name", sa.String(255), nullable=False),
        sa.Column("value", Cents),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("expected_close_date", sa.Date),
        sa.Column("notes", sa.Text),
        sa.Column("monthly_mrr", Cents),
        sa.Column("one_off_revenue", Cents),
        sa.Column("contact_id", Id, sa.ForeignKey("records.id")),
        sa.Column("contract_end_date", sa.Date),
        sa.Column("ai_confidence_score", sa.Integer),
        sa.Column("lost_reason", sa.Text),
        sa.Column("opened_at", Instant, nullable=False),
        sa.Column("closed_at", Instant),
    )
    op.create_index("ix_deals_updated_at", "deals", ["updated_at", "id"])
    op.create_index("ix_deals_stage", "deals", ["stage", "owner_id", *_WORTH])
    op.create_index("ix_deals_owner_id", "deals", ["owner_id", "stage", *_WORTH])
    op.create_index("ix_deals_status", "deals", ["status", "expected_close_date"])
    op.create_index("ix_deals_contact_id", "deals", ["contact_id"])
    op.create_table(
        "deal_stages",
        sa.Column("id", Id, primary_key=True),
        sa.Column("deal_id", Id, sa.ForeignKey("records.id"), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("from_stage", sa.String(20)),
        sa.Column("entered_at", Instant, nullable=False),
        sa.Column("left_at", Instant),
        sa.Column("reason", sa.Text),
    )
    op.create_index("ix_deal_stages_deal_id", "deal_stages", ["deal_id"])


def downgrade() -> None:
    op.drop_table("deal_stages")
    op.drop_table("deals")
