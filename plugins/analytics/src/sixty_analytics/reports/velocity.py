"""How fast deals go: what converts, how long each stage takes, and what comes of it in a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_analytics.charts import Chart, Series
from sixty_analytics.conversion import conversion
from sixty_analytics.cycles import Cycle, cycles
from sixty_analytics.pipeline import pipeline
from sixty_analytics.report import Column, Report, Table, cells
from sixty_analytics.reports.pipeline import velocity_table
from sixty_analytics.reports.telling import as_numbers, definition, notes, window_of
from sixty_analytics.windows import YEAR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sixty import Call
    from sixty_analytics.models import Advance, ConversionRates

__all__ = ["made"]

_CONVERSION = (
    Column("from_stage", "From"),
    Column("to_stage", "To"),
    Column("entered", "Entered", "count"),
    Column("converted", "Converted", "count"),
    Column("rate", "Rate", "share"),
    Column("low", "Low", "share"),
    Column("high", "High", "share"),
)
_OVERALL = (
    Column("deals", "Deals", "count"),
    Column("won", "Won", "count"),
    Column("lost", "Lost", "count"),
    Column("open", "Open", "count"),
    Column("win_rate", "Win rate", "share"),
    Column("low", "Low", "share"),
    Column("high", "High", "share"),
    Column("won_share", "Won, of all", "share"),
    Column("mean_days_to_win", "Mean days to win", "days"),
)
_CYCLES = (
    Column("stage", "Stage"),
    Column("stays", "Stays", "count"),
    Column("mean_days", "Mean days", "days"),
    Column("shortest_days", "Shortest", "days"),
    Column("longest_days", "Longest", "days"),
)


async def made(call: Call, start: date | None, end: date | None) -> Report:
    """The deals that were created, and those that were closed, in a window: the last 365 days unless given."""
    window = window_of(call, start, end, YEAR)
    created = await conversion(call, window.first, window.last)
    closed = await conversion(call, window.first, window.last, cohort="closed")
    stays = await cycles(call, window)
    now = await pipeline(call, window.last if window.last < call.today else None)
    rows = tuple(cells(each, _CYCLES) for each in stays)
    cycle = Table("cycles", "Cycle times", _CYCLES, rows, f"Stays in a stage that ended {window}, by left_at.")
    rates = tuple(cells(each, _CONVERSION) for each in created.stages)
    told, left = definition(created.definition), notes(created.definition.left_out, created.insufficient_data)
    tables = (
        Table("conversion", "Conversion", _CONVERSION, rates, told, left),
        _overall("created", "Created in the window", created),
        _overall("closed", "Closed in the window", closed),
        cycle,
        velocity_table(now),
    )
    return Report(
        name="velocity",
        title="Velocity",
        summary=f"{created.message}.",
        first=window.first,
        last=window.last,
        timezone=window.zone.key,
        tables=tables,
        charts=(_rates(created.stages), _days(stays)),
    )


def _overall(name: str, title: str, found: ConversionRates) -> Table:
    row = cells(found.overall, _OVERALL)
    told, left = definition(found.definition), notes(found.definition.left_out, found.insufficient_data)
    return Table(name, title, _OVERALL, (row,), told, left)


def _rates(stages: Sequence[Advance]) -> Chart:
    rates = Series(
        "rate",
        as_numbers(each.rate for each in stages),
        as_numbers(each.low for each in stages),
        as_numbers(each.high for each in stages),
    )
    return Chart(
        name="conversion",
        title="Conversion from stage to stage, with 95 % intervals",
        shape="bars",
        labels=tuple(f"{each.from_stage} to {each.to_stage} ({each.converted} of {each.entered})" for each in stages),
        series=(rates,),
        sort="share",
        across="From and to which stage (deals)",
        along="Share of the deals that went on",
        empty="No deal of this time went on from a stage.",
    )


def _days(stays: Sequence[Cycle]) -> Chart:
    return Chart(
        name="cycles",
        title="How long each stage takes",
        shape="bars",
        labels=tuple(f"{each.stage} ({each.stays})" for each in stays),
        series=(Series("mean", as_numbers(each.mean_days for each in stays)),),
        sort="days",
        across="Stage (stays)",
        along="Mean days of the stays that ended",
        empty="No deal left a stage in this time.",
    )
