"""Who performs: what each person has won, lost, opened and done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_analytics.charts import Chart, Series
from sixty_analytics.performance import performance
from sixty_analytics.report import Column, Report, Table, cells
from sixty_analytics.reports.telling import as_numbers, definition, notes, window_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sixty import Call
    from sixty_analytics.models import Member, TeamPerformance
    from sixty_analytics.report import Cell

__all__ = ["made"]

_DAYS = 90
"""Days of the window, unless told otherwise."""
_SHOWN = 15
"""People in the chart at the most."""
_MEMBERS = (
    Column("name", "Name"),
    Column("team", "Team"),
    Column("created", "Created", "count"),
    Column("won", "Won", "count"),
    Column("lost", "Lost", "count"),
    Column("won_value", "Won value", "money"),
    Column("mean_won_value", "Mean won value", "money"),
    Column("win_rate", "Win rate", "share"),
    Column("low", "From", "share"),
    Column("high", "To", "share"),
    Column("mean_days_to_win", "Mean days to win", "days"),
    Column("open", "Open now", "count"),
    Column("open_value", "Open value", "money"),
    Column("weighted_open_value", "Weighted open value", "money"),
)


async def made(call: Call, start: date | None, end: date | None) -> Report:
    """Everybody whose deals the caller may read, in the last 90 days unless a window is given."""
    window = window_of(call, start, end, _DAYS)
    found = await performance(call, window.first, window.last)
    rows = tuple(cells(member, _MEMBERS) for member in (*found.members, found.team))
    told, left = definition(found.definition), notes(found.definition.left_out, found.insufficient_data)
    tables = (Table("members", "Members", _MEMBERS, rows, told, left), _activities(found))
    ranked = sorted((each for each in found.members if each.won_value), key=lambda each: -(each.won_value or 0))
    return Report(
        name="performance",
        title="Performance",
        summary=f"{found.message}.",
        first=window.first,
        last=window.last,
        timezone=window.zone.key,
        tables=tables,
        charts=(_chart(ranked[:_SHOWN]), _rates([each for each in found.members if each.win_rate is not None])),
    )


def _activities(found: TeamPerformance) -> Table:
    everybody = (*found.members, found.team)
    types = sorted({each for member in everybody for each in member.activities or ()})
    columns = (Column("name", "Name"), *(Column(each, each, "count") for each in types))
    known = [member for member in everybody if member.activities is not None] if types else []
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (member.name, *((member.activities or {}).get(each, 0) for each in types)) for member in known
    )
    lack = () if types else ("No completed activity is known of anybody here in this time.",)
    return Table("activities", "Activities", columns, rows, "Activities that were completed in the window.", lack)


def _chart(ranked: Sequence[Member]) -> Chart:
    return Chart(
        name="performance",
        title="Won value by owner",
        shape="bars",
        labels=tuple(f"{member.name} ({member.won})" for member in ranked),
        series=(Series("won", as_numbers(member.won_value for member in ranked)),),
        sort="money",
        across="Owner (deals won)",
        along="Won value in the organisation's currency",
        empty="No deal that has a value was won in this time.",
    )


def _rates(members: Sequence[Member]) -> Chart:
    ranked = sorted(members, key=lambda each: -(each.won + each.lost))[:_SHOWN]
    rates = Series(
        "win rate",
        as_numbers(member.win_rate for member in ranked),
        as_numbers(member.low for member in ranked),
        as_numbers(member.high for member in ranked),
    )
    return Chart(
        name="win_rates",
        title="Win rates, with their 95 % intervals",
        shape="bars",
        labels=tuple(f"{member.name} ({member.won} of {member.won + member.lost})" for member in ranked),
        series=(rates,),
        sort="share",
        across="Owner (won, of those that were closed)",
        along="Share of the closed deals that were won",
        empty="No deal was closed in this time, or none was won.",
    )
