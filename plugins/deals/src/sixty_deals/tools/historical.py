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

_END = sa.bindparam("end", type_=Instant)


async def historical(call: Call, expected: Sequence[Row]) -> Historical:
    """What the deals that were closed latest say of these sums by stage."""
    ((known, closed, won),) = await _known(call, call.now + timedelta(microseconds=1))
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
    starts = [start for start, _ in moments]  # of days that are over, so that there are both
    values = {"owner_id": owner_id, "end": moments[-1][1], "last": windows[-1].last, **_numbered("start", starts)}
    values |= _numbered("first", [window.first for window in windows])
    standing: dict[int, list[Row]] = {}
    for row in await call.rows(_standing(len(windows), of_owner=owner_id is not None), values):
        standing.setdefault(row["place"], []).append(row)
    rows = await call.rows(_won(len(windows), of_owner=owner_id is not None), values)
    won = {row["place"]: row["value"] for row in rows}
    known = await _known(call, *starts)
    told = [
        _past(window, standing.get(place, []), won.get(place), weights, known[place])
        for place, window in enumerate(windows)
        if place in standing or place in won
    ]
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


async def _known(call: Call, *moments: datetime) -> list[_Known]:
    """What was known before each of these moments, of which each comes after the one before it."""
    values = {"end": moments[-1], **_numbered("start", moments)}
    rows = await call.rows(_closed(LATEST, len(moments)), values)
    if len(moments) > 1 and sum(row["deals"] for row in rows) >= LATEST:  # others may have been the latest before
        return [known for moment in moments for known in await _known(call, moment)]
    return [_known_by([row for row in rows if row["place"] <= place]) for place in range(len(moments))]


def _known_by(rows: Sequence[Row]) -> _Known:
    paths = [(row["path"], row["status"], row["deals"]) for row in rows]
    won = sum(deals for _, status, deals in paths if status == "won")
    return _Known(shares(paths), sum(deals for *_, deals in paths), won)


def _weight(share: Share, *, enough: bool) -> HistoricalWeight:
    if not enough or not share.closed:
        return HistoricalWeight(closed=share.closed, won=share.won)
    low, high = (round(bound, _SHOWN) for bound in share.bounds)
    weight = round(float(share.weight), _SHOWN)
    return HistoricalWeight(weight=weight, low=low, high=high, closed=share.closed, won=share.won)


def _numbered(name: str, values: Sequence[Any]) -> dict[str, Any]:
    return {f"{name}_{number}": value for number, value in enumerate(values)}


def _passed(column: sa.ColumnElement[Any], name: str, numbers: range) -> sa.ColumnElement[int]:
    """How many of these numbered parameters, of which each comes after the one before it, are not after the column."""
    counts = [sa.literal_column(str(count), sa.Integer) for count in range(len(numbers) + 1)]
    return _by_passed(column, name, numbers, counts)


def _by_passed(
    column: sa.ColumnElement[Any], name: str, numbers: range, values: Sequence[sa.ColumnElement[Any]]
) -> sa.ColumnElement[Any]:
    """One of these values, by how many those are."""
    bounds = [sa.bindparam(f"{name}_{number}", type_=column.type) for number in numbers]
    cases = [(column < bound, value) for bound, value in zip(bounds, values, strict=False)]
    return sa.case(*cases, else_=values[-1]) if cases else values[0]


@lru_cache
def _closed(most: int, moments: int) -> sa.Select[Any]:
    """How many of the latest deals closed before the last moment were in the same stages, and what came of them.

    By the place of the first of the moments before which they were closed.
    """
    either = sa.union_all(*(sa.select(_latest(status, most)) for status in ("won", "lost"))).subquery("either")
    place = _passed(either.c.closed_at, "start", range(moments - 1)).label("place")
    newest = (either.c.closed_at.desc(), either.c.id.desc())
    latest = sa.select(place, either.c.path, either.c.status).order_by(*newest).limit(most).subquery("latest")
    groups = tuple(latest.c)
    return sa.select(*groups, sa.func.count().label("deals")).group_by(*groups)


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
def _standing(periods: int, *, of_owner: bool) -> Any:
    """By period and stage: what deals are worth that were open in it at the start, and are to close in these days."""
    closes = deals.c.expected_close_date
    starts = [sa.bindparam(f"start_{number}", type_=Instant) for number in range(periods)]
    place = _passed(closes, "first", range(1, periods)).label("place")
    start = _by_passed(closes, "first", range(1, periods), starts)
    statement = (
        sa.select(place, deal_stages.c.stage, sa.func.sum(WORTH, type_=Cents).label("value"))
        .join_from(deals, deal_stages, deal_stages.c.deal_id == deals.c.id)
        .where(
            deals.c.status.in_(("open", "won", "lost")),  # all of them, as the index has them
            closes >= sa.bindparam("first_0", type_=sa.Date),
            closes <= sa.bindparam("last", type_=sa.Date),
            sa.or_(deals.c.status != "lost", deals.c.closed_at >= start),
            deal_stages.c.stage != WON_STAGE,
            deal_stages.c.entered_at < start,
            sa.or_(deal_stages.c.left_at.is_(None), deal_stages.c.left_at >= start),
        )
        .group_by(place, deal_stages.c.stage)
    )
    return _owned(statement, of_owner=of_owner)


@lru_cache
def _won(periods: int, *, of_owner: bool) -> Any:
    """By period: what was won in it."""
    closed_at = deals.c.closed_at
    place = _passed(closed_at, "start", range(1, periods)).label("place")
    statement = (
        sa.select(place, sa.func.sum(WORTH, type_=Cents).label("value"))
        .where(deals.c.status == "won", closed_at >= sa.bindparam("start_0", type_=Instant), closed_at < _END)
        .group_by(place)
    )
    return _owned(statement, of_owner=of_owner)


def _owned(statement: Any, *, of_owner: bool) -> Any:
    return statement.where(deals.c.owner_id == sa.bindparam("owner_id", type_=Id)) if of_owner else statement
