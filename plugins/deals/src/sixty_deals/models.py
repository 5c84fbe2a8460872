"""How deals and the answers of the tools are shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_validator

from sixty import Money, Page, Record, Result, ShownId
from sixty_deals.rules import Period, Stage, Status, ltv, worth

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Deal",
    "DealCreated",
    "DealDeleted",
    "DealHistory",
    "DealMoved",
    "DealSaved",
    "DealsFound",
    "Definition",
    "Forecast",
    "LeftOut",
    "MovedDeal",
    "Stay",
]


class Deal(Record):
    """A deal. `value` is the one given, else `ltv`, which is there when the revenue is split."""

    title: str
    company_name: str | None = None
    value: Money | None = None
    stage: Stage
    status: Status
    expected_close_date: date | None = None
    notes: str | None = None
    monthly_mrr: Money | None = None
    one_off_revenue: Money | None = None
    ltv: Money | None = None
    contact_id: ShownId | None = None
    contract_end_date: date | None = None
    ai_confidence_score: int | None = None
    lost_reason: str | None = None
    stage_entered_at: datetime
    opened_at: datetime
    closed_at: datetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _valued(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        split = row["monthly_mrr"], row["one_off_revenue"]
        return {**row, "value": worth(row["value"], *split), "ltv": ltv(*split)}


class MovedDeal(Deal):
    """A deal, and the stage that it was in before."""

    previous_stage: Stage


class DealCreated(Result):
    """What `create_deal` answers."""

    deal_id: ShownId
    deal: Deal


class DealSaved(Result):
    """What `update_deal` and `split_deal_revenue` answer."""

    deal: Deal


class DealDeleted(Result):
    """What `delete_deal` answers."""

    deal_id: ShownId


class DealMoved(Result):
    """What `move_deal_stage` answers."""

    deal: MovedDeal


class DealsFound(Page):
    """What `search_deals` answers."""

    deals: list[Deal]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)


class LeftOut(_Value):
    """How many open and won deals a forecast leaves out, each counted once."""

    no_value: int
    """Expected to close in the window, and worth nobody knows what."""
    no_date: int
    overdue: int
    """Open, and expected to close before today."""
    won_before: int
    """Won, and expected to close before today."""
    later: int
    """Expected to close after the window."""


class Definition(_Value):
    """What a forecast counted, and what not."""

    window: dict[str, date]
    timezone: str
    date_field: str
    statuses: list[Status]
    weights: dict[Stage, float]
    rounding: str
    left_out: LeftOut


class Forecast(Result):
    """What `forecast_revenue` answers."""

    forecast: Money
    breakdown: dict[Stage, Money]
    deal_count: int
    period: Period
    definition: Definition


class Stay(_Value):
    """A stay in a stage; without `left_at` it lasts."""

    stage: Stage
    from_stage: Stage | None = None
    entered_at: datetime
    left_at: datetime | None = None
    seconds: int
    reason: str | None = None


class DealHistory(Result):
    """What `get_deal_history` answers, both lists oldest first."""

    history: list[dict[str, Any]]
    stages: list[Stay]
