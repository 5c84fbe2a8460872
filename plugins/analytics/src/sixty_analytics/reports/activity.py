"""What people did: completed activities by type, week, owner and hour."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sixty import Unavailable, counted
from sixty.crm import ACTIVITIES
from sixty_analytics.charts import HOURS, Chart, Series
from sixty_analytics.charts import heatmap as heatmap_chart
from sixty_analytics.done import Done, done
from sixty_analytics.heatmap import WEEKDAYS, heatmap
from sixty_analytics.periods import containing
from sixty_analytics.report import Column, Report, Table
from sixty_analytics.reports.telling import as_numbers, definition, notes, window_of

if TYPE_CHECKING:
    from sixty import Call
    from sixty_analytics.report import Cell
    from sixty_analytics.windows import Window

__all__ = ["made"]

_DAYS = 90
"""Days of the window, unless told otherwise."""
_WEEKS = 60
"""Weeks that are told one by one; of a longer window the months are."""
_NOBODY = "nobody"


async def made(call: Call, start: date | None, end: date | None) -> Report:
    """The activities that were completed in a window, of the last 90 days unless given."""
    if ACTIVITIES not in call.views:
        raise Unavailable("nobody keeps activities here; install and enable a pack that does, such as sixty-activities")
    window = window_of(call, start, end, _DAYS)
    hours = await heatmap(call, window.first, window.last)
    found = await done(call, window)
    types = tuple(found.types)
    told = definition(hours.definition)
    left = notes(hours.definition.left_out, hours.insufficient_data)
    each_type = tuple(Column(name, name, "count") for name in types)
    columns = (Column("all", "All", "count"), *each_type)
    spans = _spans(found, window)
    span = "Week (its Monday)" if _by_week(window) else "Month"
    by_span: tuple[tuple[Cell, ...], ...] = tuple(
        (name, sum(counts.values()), *(counts.get(each, 0) for each in types)) for name, counts in spans
    )
    by_hour: tuple[tuple[Cell, ...], ...] = tuple(
        (day, *row) for day, row in zip(WEEKDAYS, hours.heatmap, strict=True) if hours.total
    )
    tables = (
        Table("types", "Types", (Column("type", "Type"), columns[0]), tuple(found.types.items()), told, left),
        Table(
            "weeks" if _by_week(window) else "months",
            "Weeks" if _by_week(window) else "Months",
            (Column("from", span), *columns),
            by_span if types else (),
            "Completed activities, by the local day on which they were completed.",
        ),
        Table("owners", "Owners", (Column("owner", "Owner"), *columns), _owners(call, found), "By owners of today."),
        Table(
            "hours",
            "Hours",
            (Column("weekday", "Weekday"), *(Column(f"hour_{hour}", f"{hour}:00", "count") for hour in HOURS)),
            by_hour,
            told,
        ),
    )
    return Report(
        name="activity",
        title="Activity",
        summary=f"{hours.message}.",
        first=window.first,
        last=window.last,
        timezone=window.zone.key,
        tables=tables,
        charts=(_chart(spans, types, span), heatmap_chart(hours.heatmap, f"{window}")),
    )


def _by_week(window: Window) -> bool:
    return (window.last - window.first).days < _WEEKS * 7


def _begins(day: date, window: Window) -> date:
    """When the week, or the month, of a day begins."""
    return day - timedelta(days=day.weekday()) if _by_week(window) else containing("month", day).first


def _spans(found: Done, window: Window) -> list[tuple[str, dict[str, int]]]:
    """Each week or month of the window, those without any too, and how many of each type."""
    counts: dict[date, dict[str, int]] = {}
    for ordinal in range(window.first.toordinal(), window.last.toordinal() + 1):
        counts.setdefault(_begins(date.fromordinal(ordinal), window), {})
    for (day, of_type), count in found.days.items():
        span = counts[_begins(day, window)]
        span[of_type] = span.get(of_type, 0) + count
    return [(str(first) if _by_week(window) else f"{first:%Y-%m}", each) for first, each in counts.items()]


def _owners(call: Call, found: Done) -> tuple[tuple[str | int, ...], ...]:
    types = tuple(found.types)
    owners = {owner for owner, _ in found.owners}
    rows = [
        (call.directory.name_of(owner) or _NOBODY, [found.owners.get((owner, each), 0) for each in types])
        for owner in owners
    ]
    return tuple((name, sum(row), *row) for name, row in sorted(rows, key=lambda each: (-sum(each[1]), each[0])))


def _chart(spans: list[tuple[str, dict[str, int]]], types: tuple[str, ...], span: str) -> Chart:
    return Chart(
        name="activity",
        title=f"Completed activities by {span.partition(' ')[0].lower()} and type",
        shape="stack",
        labels=tuple(name for name, _ in spans),
        series=tuple(Series(each, as_numbers(counts.get(each, 0) for _, counts in spans)) for each in types),
        sort="count",
        across=span,
        along=counted(2, "activity").partition(" ")[2].capitalize(),
        empty="No activity was completed in this time.",
    )
