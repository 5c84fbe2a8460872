"""What an operator sees of the pipeline: what comes in, and what is open. Of everybody's deals, and of none by name."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sixty import Cents, Counter, Gauge, Histogram, Metric
from sixty.crm import STAGES, DealCreated
from sixty_deals.tables import WORTH, deals

__all__ = ["METRICS"]


def _open(value: sa.ColumnElement[Any]) -> sa.CompoundSelect[Any]:
    """An aggregate over the open deals of each stage, also of one that has none."""
    return sa.union_all(
        *(
            sa.select(sa.literal_column(f"'{stage}'", sa.String).label("stage"), value.label("value")).where(
                deals.c.stage == sa.literal_column(f"'{stage}'"),
                deals.c.status == sa.literal_column("'open'"),  # as the partial index spells it
            )
            for stage in STAGES
        )
    )


METRICS: tuple[Metric, ...] = (
    Counter(name="crm_deals_created_total", description="Deals that were created.", event=DealCreated),
    Histogram(
        name="crm_deal_value_dollars",
        description="What deals were worth that were created with a value.",
        event=DealCreated,
        value=lambda event: event.value,
    ),
    Gauge(
        name="crm_open_pipeline_dollars",
        description="What open deals are worth, by stage.",
        select=_open(sa.func.coalesce(sa.func.sum(WORTH, type_=Cents), sa.literal_column("0"), type_=Cents)),
    ),
    Gauge(name="crm_open_deals", description="Open deals, by stage.", select=_open(sa.func.count(deals.c.id))),
)
