"""What the pack stores: deals, and each stay of a deal in a stage."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from sixty import Cents, Detail, Guard, Instant, Kind, Searchable, Tables, detail_table, pointer, record_table
from sixty_deals.models import Deal

__all__ = ["DEAL", "SEARCHABLE", "STAY", "TABLES", "WORTH", "deal_stages", "deals"]

metadata = sa.MetaData()
_WORTH = ("value", "monthly_mrr", "one_off_revenue")

deals = record_table(
    "deals",
    metadata,
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("company_name", sa.String(255)),
    sa.Column("value", Cents),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("expected_close_date", sa.Date),
    sa.Column("notes", sa.Text),
    sa.Column("monthly_mrr", Cents),
    sa.Column("one_off_revenue", Cents),
    pointer("contact_id", kind="contact"),
    sa.Column("contract_end_date", sa.Date),
    sa.Column("ai_confidence_score", sa.Integer),
    sa.Column("lost_reason", sa.Text),
    sa.Column("stage_entered_at", Instant, nullable=False),
    sa.Column("path", sa.String(120), nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    # the newest first; what lists are filtered by is in the index, so that only rows that are shown are looked up
    sa.Index("ix_deals_updated_at", "updated_at", "id", "owner_id", "stage", "status", *_WORTH, "expected_close_date"),
    # those of one owner, and their forecast
    sa.Index("ix_deals_owner_id", "owner_id", "updated_at", "id", "stage", "status", "expected_close_date", *_WORTH),
    # the window of a forecast, from the index alone
    sa.Index("ix_deals_status", "status", "expected_close_date", "id", "stage", "owner_id", *_WORTH),
    # what was won and lost, how fast and how; the latest first
    sa.Index("ix_deals_closed_at", "status", "closed_at", "id", "owner_id", "opened_at", *_WORTH, "path"),
    # what converts: sums over all deals by how they went
    sa.Index("ix_deals_path", "path", "status", "opened_at", "closed_at", "owner_id"),
)
"""`value` is the one that was given; what a deal is worth is `WORTH`.

`stage_entered_at` and `path` repeat what the stays of the deal say, so that sums over the whole pipeline need not look
at each stay.
"""

deal_stages = detail_table(
    "deal_stages",
    metadata,
    "deal_id",
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("from_stage", sa.String(20)),
    sa.Column("entered_at", Instant, nullable=False),
    sa.Column("left_at", Instant),
    sa.Column("reason", sa.Text),
    sa.Index("ix_deal_stages_from_stage", "from_stage", "entered_at", "deal_id", "stage"),  # the latest moves
)
"""Each stay in a stage; `left_at` is null for the present one, `from_stage` for the first."""
_has_left = deal_stages.c.left_at.is_not(None)
sa.Index(  # where deals were at a past moment: the stays that ended after it
    "ix_deal_stages_left_at",
    *(deal_stages.c[name] for name in ("left_at", "entered_at", "stage", "deal_id")),
    sqlite_where=_has_left,
    postgresql_where=_has_left,
)

_thrice = deals.c.monthly_mrr * sa.literal_column("3", sa.Integer)  # a parameter would be no part of an index
WORTH: sa.ColumnElement[Any] = sa.type_coerce(
    sa.func.coalesce(deals.c.value, _thrice + deals.c.one_off_revenue, _thrice, deals.c.one_off_revenue), Cents
)
"""`rules.worth` in SQL: the value given, else the lifetime value. A sum with a null in it is null; the next counts."""

sa.Index("ix_deals_worth", WORTH, deals.c.id, deals.c.stage, deals.c.status, deals.c.owner_id)  # the largest first
_is_open = deals.c.status == sa.literal_column("'open'", sa.String)
sa.Index(  # the pipeline as it stands: sums by stage, and who has been there longest
    "ix_deals_open",
    *(deals.c[name] for name in ("stage", "stage_entered_at", "id", "owner_id", "status", "opened_at", *_WORTH)),
    sqlite_where=_is_open,
    postgresql_where=_is_open,
)

_SPLIT = Guard("deals:split_revenue", "Admin access required to split revenue")

DEAL = Kind(
    "deal",
    deals,
    Deal,
    resource="deals",
    title="title",
    finder="search_deals",
    guards=MappingProxyType({"monthly_mrr": _SPLIT, "one_off_revenue": _SPLIT}),
)
STAY = Detail(deal_stages, DEAL, "deal_id")
SEARCHABLE = Searchable(DEAL, "title", ("company_name", "notes"))
TABLES = Tables(metadata, kinds=(DEAL,), details=(STAY,), migrations=Path(__file__).parent / "migrations")
