"""The tool that forecasts revenue: sums in SQL by stage, weighted by the rules."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Arguments, Call, Cents, Id, RecordId, tool
from sixty_deals.models import Backtest, Definition, Forecast, Historical, LeftOut
from sixty_deals.rules import STAGES, Period, project, window
from sixty_deals.tables import WORTH, deals
from sixty_deals.tools.historical import MOST, backtest, historical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sixty import Row
    from sixty_deals.rules import Stage

__all__ = ["forecast_revenue"]

_FIRST = sa.bindparam("first", type_=sa.Date)
_LAST = sa.bindparam("last", type_=sa.Date)
_CLOSES = deals.c.expected_close_date
_REAL = sa.cast(sa.type_coerce(WORTH, sa.BigInteger), sa.Double)  # a square of cents may be more than 64 bits hold
_COUNTED = deals.c.status.in_(("open", "won"))


class ForecastRevenue(Arguments):
    """The arguments of `forecast_revenue`."""

    period: Period
    include_probability: bool = True
    owner_id: RecordId | None = None
    historical: bool = True
    backtest: bool | None = None


@tool("forecast_revenue", permission="deals:read", effect="read", rate="strict")
async def forecast_revenue(args: ForecastRevenue, call: Call) -> Forecast:
    """Forecast revenue from today to the end of the calendar month, quarter or year.

    Counts open and won deals expected to close in it, weighted by the probability of their stage unless
    include_probability is false. `definition` says what was left out, and why. historical has what the latest closed
    deals say; backtest, how well weights would have predicted past periods: unless asked, only where you can see up to
    50,000 deals.
    """
    call.check_user(args.owner_id)
    span = window(args.period, call.today)
    values = {"first": span.first, "last": span.last, "owner_id": args.owner_id}
    expected = await call.rows(_expected(of_owner=args.owner_id is not None), values)
    outside = (await call.rows(_outside(of_owner=args.owner_id is not None), values))[0]
    weights = _weights(call, weighted=args.include_probability)
    projection = project({row["stage"]: row["value"] for row in expected if row["valued"]}, weights)
    counted = sum(row["valued"] for row in expected)
    left_out = LeftOut(no_value=sum(row["deals"] - row["valued"] for row in expected), **outside)
    days = f"{span.first} to {span.last} ({call.timezone.key})"
    told = await _historical(args, call, expected) if args.historical else None
    return Forecast(
        message=_told(args, projection.total, counted, left_out, days),
        forecast=projection.total,
        breakdown=dict(projection.by_stage),
        deal_count=counted,
        period=args.period,
        historical=told,
        definition=Definition(
            window={"from": span.first, "to": span.last},
            timezone=call.timezone.key,
            date_field="expected_close_date",
            statuses=["open", "won"],
            weights={stage: float(weight) for stage, weight in weights.items()},
            rounding="each figure by itself, half to even, to the cent",
            left_out=left_out,
        ),
    )


async def _historical(args: ForecastRevenue, call: Call, expected: Sequence[Row]) -> Historical:
    """What closed deals say, and how well weights would have predicted past periods where that is wanted."""
    told = await historical(call, expected)
    if args.backtest is False:
        return told
    if args.backtest is None and (await call.rows(_seen(MOST + 1)))[0]["deals"] > MOST:
        missing: Backtest | str = f"you can see more than {MOST:,} deals; ask for it with backtest: true"
    else:
        missing = await backtest(call, args.period, args.owner_id, _weights(call, weighted=True))
    if isinstance(missing, Backtest):
        return told.model_copy(update={"backtest": missing})
    return told.model_copy(update={"insufficient_data": {**(told.insufficient_data or {}), "backtest": missing}})


@lru_cache
def _seen(most: int) -> Any:
    """How many deals there are, whoever owns them; counted up to `most`."""
    return sa.select(sa.func.count().label("deals")).select_from(sa.select(deals.c.id).limit(most).subquery())


@lru_cache
def _expected(*, of_owner: bool) -> Any:
    """Per stage: the deals that are expected to close in the window, those of known worth, and what these are worth."""
    statement = (
        sa.select(
            deals.c.stage,
            sa.func.count().label("deals"),
            sa.func.count(WORTH).label("valued"),
            sa.func.sum(WORTH, type_=Cents).label("value"),
            sa.func.sum(_REAL * _REAL).label("squares"),
        )
        .where(_COUNTED, _CLOSES >= _FIRST, _CLOSES <= _LAST)
        .group_by(deals.c.stage)
    )
    return _owned(statement, of_owner=of_owner)


@lru_cache
def _outside(*, of_owner: bool) -> Any:
    """How many deals are not in the window, by reason, each counted where an index has them."""
    before = _CLOSES < _FIRST
    reasons: dict[str, tuple[sa.ColumnElement[bool], ...]] = {
        "no_date": (_COUNTED, _CLOSES.is_(None)),
        "overdue": (deals.c.status == "open", before),
        "won_before": (deals.c.status == "won", before),
        "later": (_COUNTED, _CLOSES > _LAST),
    }
    counts: list[Any] = [_count(which, of_owner=of_owner).label(name) for name, which in reasons.items()]
    return sa.select(*counts)


def _count(conditions: Iterable[sa.ColumnElement[bool]], *, of_owner: bool) -> Any:
    counted = sa.select(sa.func.count()).select_from(deals).where(*conditions)
    return _owned(counted, of_owner=of_owner).scalar_subquery()


def _owned(statement: Any, *, of_owner: bool) -> Any:
    return statement.where(deals.c.owner_id == sa.bindparam("owner_id", type_=Id)) if of_owner else statement


def _weights(call: Call, *, weighted: bool) -> Mapping[Stage, Decimal]:
    from_settings: Mapping[Stage, Decimal] = call.settings.weights
    return from_settings if weighted else {stage: Decimal(1) for stage in STAGES}


def _told(args: ForecastRevenue, total: Decimal, counted: int, left_out: LeftOut, days: str) -> str:
    missing = left_out.no_value + left_out.no_date
    unknown = f"; {missing} more have no value or no date" if missing else ""
    if not counted:
        return f"No deal that you can see is expected to close with a value from {days}{unknown}"
    how = "weighted by stage" if args.include_probability else "unweighted"
    deals_counted = "1 deal" if counted == 1 else f"{counted} deals"
    return f"Expected revenue from {days}: {total:,.2f}, {how}, from {deals_counted}{unknown}"
