"""What closed deals say of a forecast: the weights that they show, and how well weights would have predicted before."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from sixty import Cents, DateRange, Id, Instant, counted
from sixty_deals.models import (
    Accuracy,
    Backtest,
    Historical,
    HistoricalWeight,
    Interval,
    PastPeriod,
)
from sixty_deals.rules import STAGES, WON_STAGE, project
from sixty_deals.shares import ENOUGH, LEVEL, completed, error_of, interval, shares, weights_of
from sixty_deals.tables import WORTH, deal_stages, deals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sixty import Call, Row
    from sixty_deals.rules import Period, Stage, Status, Window
    from sixty_deals.shares import Share

__all__ = ["LATEST", "MOST", "backtest", "historical"]

LATEST = 10_000
"""Closed deals that show the weights, at the most: the latest, whenever that was."""
MOST = 50_000
"""Deals that the caller can see, up to which a backtest is made without being asked for."""
_SHOWN = 4
"""Decimals of a weight."""
_DEFINITION = [
    (
        f"weight: of the latest {LATEST:,} closed deals that you can see, whoever owns them, and that were ever in the "
        "stage, the share that was won; low and high: its 80 % Wilson interval"
    ),
    "forecast: the same deals as above with these weights, whatever include_probability says",
]
_METHOD = (
    "each deal is won or not by itself with the weight of its stage, and the weights are as sure as the number of "
    "closed deals makes them, their errors going together; normal approximation"
)
_RULES = [
    (
        "predicted: deals that were open when the period began, in the stage of that moment, and are expected to close "
        "in it, weighted; expected dates, values and owners are those of today"
    ),
    "deals that had been won before are left out; actual: all that was won in the period, whenever it was opened",
    "predicted_by_history: with the weights that deals closed before the period show; absent before there were enough",
    "periods in which nothing was expected and nothing was won are left out",
]

_START = sa.bindparam("start", type_=Instant)
_END = sa.bindparam("end", type_=Instant)


async def historical(call: Call, expected: Sequence[Row]) -> Historical:
    """What the deals that were closed latest say of these sums by stage."""
    known, closed, won = await _known(call, call.now + timedelta(microseconds=1))
    missing: dict[str, str] = {}
    sums = {row["stage"]: row["value"] for row in expected if row["valued"]}
    unknown = [stage for stage in STAGES if stage in sums and not known[stage].closed]
    if closed < ENOUGH:
        missing["weights"] = f"{counted(closed, 'deal')} closed so far; it takes {ENOUGH}"
    elif unknown:
        missing["forecast"] = f"no closed deal was ever in {' or '.join(unknown)}, where some are expected to close"
    told = Historical(
        weights={stage: _weight(known[stage], enough=closed >= ENOUGH) for stage in STAGES},
        closed=closed,
        won=won,
        definition=_DEFINITION,
        insufficient_data=missing or None,
    )
    if missing:
        return told
    projection = project(sums, weights_of(known))
    squares = {row["stage"]: row["squares"] / 10_000 for row in expected if row["valued"]}  # of cents
    low, high = interval(sums, squares, known)
    return told.model_copy(
        update={
            "forecast": projection.total,
            "breakdown": dict(projection.by_stage),
            "interval": Interval(low=low, high=high, level=LEVEL, method=_METHOD),
        }
    )


async def backtest(
    call: Call, period: Period, owner_id: str | None, weights: Mapping[Stage, Decimal]
) -> Backtest | str:
    """How well these weights, and those that closed deals showed, would have predicted the last periods; or why not."""
    windows = completed(period, call.today)
    moments: list[Any] = [DateRange(start=it.first, end=it.last).moments(call.timezone) for it in windows]
    told: list[PastPeriod] = []
    for window, (start, end) in zip(windows, moments, strict=True):  # of days that are over, so that there are both
        values = {"start": start, "end": end, "first": window.first, "last": window.last, "owner_id": owner_id}
        standing = await call.rows(_standing(of_owner=owner_id is not None), values)
        won = (await call.rows(_won(of_owner=owner_id is not None), values))[0]
        if standing or won["deals"]:
            told.append(_past(window, standing, won["value"], weights, await _known(call, start)))
    if not told:
        return f"nothing was expected or won from {windows[0].first} to {windows[-1].last}"
    by_history = [past for past in told if past.predicted_by_history is not None]
    return Backtest(
        periods=told,
        fixed=_accuracy([past.predicted for past in told], told),
        historical=_accuracy([past.predicted_by_history or Decimal(0) for past in by_history], by_history),
        left_out={"empty_periods": len(windows) - len(told)},
        rules=_RULES,
    )


def _past(
    window: Window, standing: Sequence[Row], won: Decimal | None, weights: Mapping[Stage, Decimal], then: _Known
) -> PastPeriod:
    """What was predicted and what was won in a period."""
    sums = {row["stage"]: row["value"] for row in standing if row["value"] is not None}
    knows = then.closed >= ENOUGH and all(then.shares[stage].closed for stage in sums)
    return PastPeriod(
        start=window.first,
        end=window.last,
        predicted=project(sums, weights).total,
        predicted_by_history=project(sums, weights_of(then.shares)).total if knows else None,
        actual=won or Decimal(0),
    )


def _accuracy(predicted: list[Decimal], told: list[PastPeriod]) -> Accuracy | None:
    if not told:
        return None
    error = error_of(predicted, [past.actual for past in told])
    return Accuracy(mean_error=error.mean_error, bias=error.bias, periods=len(told))


class _Known(NamedTuple):
    """What was known at a moment of the deals that had been closed latest."""

    shares: Mapping[Stage, Share]
    closed: int
    won: int


async def _known(call: Call, moment: datetime) -> _Known:
    """What was known before a moment."""
    paths = [(row["path"], row["status"], row["deals"]) for row in await call.rows(_closed(LATEST), {"end": moment})]
    won = sum(deals for _, status, deals in paths if status == "won")
    return _Known(shares(paths), sum(deals for *_, deals in paths), won)


def _weight(share: Share, *, enough: bool) -> HistoricalWeight:
    if not enough or not share.closed:
        return HistoricalWeight(closed=share.closed, won=share.won)
    low, high = (round(bound, _SHOWN) for bound in share.bounds)
    weight = round(float(share.weight), _SHOWN)
    return HistoricalWeight(weight=weight, low=low, high=high, closed=share.closed, won=share.won)


@lru_cache
def _closed(most: int) -> sa.Select[Any]:
    """How many of the latest deals closed before a moment were in the same stages, and what came of them."""
    either = sa.union_all(*(sa.select(_latest(status, most)) for status in ("won", "lost"))).subquery("either")
    latest = sa.select(either).order_by(either.c.closed_at.desc(), either.c.id.desc()).limit(most).subquery("latest")
    return sa.select(latest.c.path, latest.c.status, sa.func.count().label("deals")).group_by(
        latest.c.path, latest.c.status
    )


def _latest(status: Status, most: int) -> sa.Subquery:
    """The latest ones that came to this, in the order of an index, so that no more than these are read."""
    return (
        sa.select(deals.c.path, deals.c.status, deals.c.closed_at, deals.c.id)
        .where(deals.c.status == status, deals.c.closed_at < _END)
        .order_by(deals.c.closed_at.desc(), deals.c.id.desc())
        .limit(most)
        .subquery(status)
    )


@lru_cache
def _standing(*, of_owner: bool) -> Any:
    """Per stage: what the deals that were open in it at the start and are expected to close in these days are worth."""
    statement = (
        sa.select(deal_stages.c.stage, sa.func.sum(WORTH, type_=Cents).label("value"))
        .join_from(deals, deal_stages, deal_stages.c.deal_id == deals.c.id)
        .where(
            deals.c.status.in_(("open", "won", "lost")),  # all of them, as the index has them
            deals.c.expected_close_date >= sa.bindparam("first", type_=sa.Date),
            deals.c.expected_close_date <= sa.bindparam("last", type_=sa.Date),
            sa.or_(deals.c.status != "lost", deals.c.closed_at >= _START),
            deal_stages.c.stage != WON_STAGE,
            deal_stages.c.entered_at < _START,
            sa.or_(deal_stages.c.left_at.is_(None), deal_stages.c.left_at >= _START),
        )
        .group_by(deal_stages.c.stage)
    )
    return _owned(statement, of_owner=of_owner)


@lru_cache
def _won(*, of_owner: bool) -> Any:
    """What was won in a time."""
    statement = sa.select(sa.func.count().label("deals"), sa.func.sum(WORTH, type_=Cents).label("value")).where(
        deals.c.status == "won", deals.c.closed_at >= _START, deals.c.closed_at < _END
    )
    return _owned(statement, of_owner=of_owner)


def _owned(statement: Any, *, of_owner: bool) -> Any:
    return statement.where(deals.c.owner_id == sa.bindparam("owner_id", type_=Id)) if of_owner else statement
