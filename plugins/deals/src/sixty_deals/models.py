"""How deals and the answers of the tools are shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

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

    @property
    def total(self) -> int:
        """All of them."""
        return self.no_value + self.no_date + self.overdue + self.won_before + self.later


class Definition(_Value):
    """What a forecast counted, and what not."""

    window: dict[str, date]
    timezone: str
    date_field: str
    statuses: list[Status]
    weights: dict[Stage, float]
    rounding: str
    left_out: LeftOut


class HistoricalWeight(_Value):
    """The share of the closed deals that were ever in a stage that was won; without any, it is not known."""

    weight: float | None = None
    low: float | None = None
    high: float | None = None
    closed: int
    won: int


class Interval(_Value):
    """Where what is won lies in a share `level` of cases."""

    low: Money
    high: Money
    level: float
    method: str


class PastPeriod(_Value):
    """A completed period: what the weights predicted when it began, and what was won in it."""

    start: date = Field(alias="from")
    end: date = Field(alias="to")
    predicted: Money
    predicted_by_history: Money | None = None
    actual: Money


class Accuracy(_Value):
    """The mean of how far predictions were off, whichever way; and with its sign: positive where it was too much."""

    mean_error: Money
    bias: Money
    periods: int


class Backtest(_Value):
    """How well weights would have predicted completed periods, oldest first."""

    periods: list[PastPeriod]
    fixed: Accuracy | None = None
    historical: Accuracy | None = None
    left_out: dict[str, int]
    rules: list[str]


class Historical(_Value):
    """What the organisation's own closed deals say of the same window. What cannot be known is absent."""

    weights: dict[Stage, HistoricalWeight]
    closed: int
    won: int
    forecast: Money | None = None
    breakdown: dict[Stage, Money] | None = None
    interval: Interval | None = None
    backtest: Backtest | None = None
    definition: list[str]
    insufficient_data: dict[str, str] | None = None


class Forecast(Result):
    """What `forecast_revenue` answers."""

    forecast: Money
    breakdown: dict[Stage, Money]
    deal_count: int
    period: Period
    historical: Historical | None = None
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
