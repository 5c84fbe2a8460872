"""What was won and is expected, month by month, and how that stands against the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_analytics.charts import Chart, Series
from sixty_analytics.forecast import Attainment, Expected, Forecast, attainments, forecast, year_of
from sixty_analytics.report import Column, Report, Table
from sixty_analytics.reports.telling import as_numbers, notes
from sixty_analytics.targets import Holder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from sixty import Call
    from sixty_analytics.report import Cell

__all__ = ["made", "told"]

_SHOWN = 15
"""Bars of the chart of attainments at the most."""
_FIGURES = (
    Column("won", "Won deals", "count"),
    Column("won_value", "Won", "money"),
    Column("open", "Open deals", "count"),
    Column("open_value", "Open", "money"),
    Column("weighted_value", "Open, weighted", "money"),
    Column("forecast", "Forecast", "money"),
)
_AGAINST = (
    Column("target", "Target", "money"),
    Column("attainment", "Won, of the target", "share"),
    Column("forecast_attainment", "Forecast, of the target", "share"),
)
_MONTHS = (Column("month", "Month"), *_FIGURES)
_TARGETS = (Column("period", "Period"), Column("of", "Of"), *_FIGURES, *_AGAINST)
_HOW = (
    "Won: deals by closed_at. Open: deals by expected_close_date, from today on. Weighted: value times the probability "
    "of the stage. Forecast: won and weighted together"
)


async def made(call: Call, start: date | None, end: date | None) -> Report:
    """The months of a window, this year unless given; and the periods of today in it, or those with a target."""
    window = year_of(call, start, end)
    found = await forecast(call, window)
    against = await attainments(call, found)
    lacking = _lacking(against)
    months = tuple((month.name, *_figures(found.of_month(place))) for place, month in enumerate(found.months))
    left_out = {
        "open deals without a date": found.outside.no_date,
        "open deals that were expected before today": found.outside.overdue,
        "open deals that are expected later": found.outside.later,
        "deals without a value": found.total.unvalued,
    }
    tables = (
        Table("targets", "Targets", _TARGETS, tuple(map(_row, against)), f"{_HOW}, in the whole period.", lacking),
        Table(
            "months",
            "Months",
            _MONTHS,
            (*months, ("all", *_figures(found.total))),
            f"{_HOW}, in the days of each month that lie in the window.",
            notes(left_out),
        ),
    )
    return Report(
        name="forecast",
        title="Forecast",
        summary=told(against, found),
        first=window.first,
        last=window.last,
        timezone=window.zone.key,
        tables=tables,
        charts=(_months(found, against), _attained(against)),
    )


def told(against: Sequence[Attainment], found: Forecast) -> str:
    """How it stands, in a few sentences: by the widest holder that there is in each period."""
    if not found.total.won + found.total.open and not any(each.target for each in against):
        return f"No deal that you can see was won, or is expected to close, {found.window}, and no target is set."
    first: dict[str, Attainment] = {}
    for each in against:
        first.setdefault(each.period.name, each)
    lines = [_line(each) for each in first.values()]
    total = found.total
    whole = f"{found.window}: won {_money(total.won_value)}, forecast {_money(total.total)}"
    return ". ".join((whole[:1].upper() + whole[1:], *lines)) + "."


def _line(found: Attainment) -> str:
    worth = found.expected
    against = "no target is set"
    if found.target is not None and found.won_share is not None and found.total_share is not None:
        against = (
            f"the target is {_money(found.target)}, of which {found.won_share:.1%} is won "
            f"and the forecast makes {found.total_share:.1%}"
        )
    return (
        f"{found.period.name}, {found.name}: won {_money(worth.won_value)}, forecast {_money(worth.total)}; {against}"
    )


def _money(value: Decimal | None) -> str:
    return "nothing" if value is None else f"{value:,.2f}"


def _figures(found: Expected) -> tuple[Cell, ...]:
    return (found.won, found.won_value, found.open, found.open_value, found.weighted_value, found.total)


def _row(found: Attainment) -> tuple[Cell, ...]:
    against = (found.target, found.won_share, found.total_share)
    return (found.period.name, found.name, *_figures(found.expected), *against)


def _lacking(against: Sequence[Attainment]) -> tuple[str, ...]:
    """For which periods nobody, or not everybody, has a target."""
    lacking: dict[str, list[str]] = {}
    for each in against:
        if each.target is None:
            lacking.setdefault(each.period.name, []).append(each.name)
    how = "`sixty target set` sets one"
    return tuple(f"No target is set for {period}: {', '.join(names)}; {how}." for period, names in lacking.items())


def _months(found: Forecast, against: Sequence[Attainment]) -> Chart:
    every = [found.of_month(place) for place in range(len(found.months))]
    targets = {each.period.name: each.target for each in against if each.holder == Holder()}
    marks = as_numbers(targets.get(month.name) for month in found.months)
    return Chart(
        name="forecast",
        title="Won and expected by month",
        shape="stack",
        labels=tuple(month.name for month in found.months),
        series=(
            Series("won", as_numbers(each.won_value for each in every)),
            Series("open, weighted", as_numbers(each.weighted_value for each in every)),
        ),
        sort="money",
        across="Month",
        along="Value in the organisation's currency",
        empty="No deal that has a value was won, or is expected to close, in this time.",
        marks=Series("target", marks) if any(mark is not None for mark in marks) else None,
    )


def _attained(against: Sequence[Attainment]) -> Chart:
    shown = [each for each in against if each.target is not None][:_SHOWN]
    return Chart(
        name="attainment",
        title="Won and forecast against the targets",
        shape="bars",
        labels=tuple(f"{each.period.name}, {each.name}" for each in shown),
        series=(
            Series("won", as_numbers(each.won_share for each in shown)),
            Series("forecast", as_numbers(each.total_share for each in shown)),
        ),
        sort="share",
        across="Period, and whose target it is",
        along="Share of the target",
        empty="Nothing was won of a target here, or no target is set." if shown else "No target is set here.",
    )
