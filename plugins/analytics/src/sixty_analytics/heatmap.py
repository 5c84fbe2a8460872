"""When activities are completed: by weekday and hour of local time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

import sqlalchemy as sa

from sixty import Invalid, counted, epoch, nearest
from sixty.crm import ACTIVITIES
from sixty_analytics.models import Busiest, Definition, Heatmap
from sixty_analytics.sums import END, START, is_completed
from sixty_analytics.whose import Shape, Whose
from sixty_analytics.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sixty import Call, Row

__all__ = ["WEEKDAYS", "heatmap"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS = 90
"""Days of the window, unless told otherwise."""
_QUARTER = 900
"""Seconds of a bucket. Offsets from UTC are whole quarters of an hour, so that no bucket lies in two local hours."""
_HOURS = 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def heatmap(
    call: Call,
    start: date | None = None,
    end: date | None = None,
    owner_id: str | None = None,
    *,
    timezone: str | None = None,
    team_id: str | None = None,
) -> Heatmap:
    """The completed activities of a window, the last 90 days unless given, by local weekday and hour."""
    whose = Whose(owner_id, team_id)
    whose.check(call)
    zone = call.timezone if timezone is None else _zone(timezone)
    window = Window.of(call, start, end, days=_DAYS, zone=zone)
    values = {**window.moments, **whose.values}
    cells = _cells(await call.rows(_buckets(whose.shape), values), zone)
    left = {row["status"]: row["activities"] for row in await call.rows(_others(whose.shape), values)}
    total = sum(map(sum, cells))
    busiest = _busiest(cells) if total else None
    ahead = ", which has not begun" if window.ahead(call) else ""
    nothing = f"No activity that you can see{whose.told(call)} was completed {window}{ahead}"
    told = f"{counted(total, 'completed activity')}{whose.told(call)} {window}"
    return Heatmap(
        message=nothing if busiest is None else f"{told}; the most on {busiest.weekday} from {busiest.hour}:00",
        heatmap=cells,
        busiest=busiest,
        total=total,
        definition=Definition(
            window=window.days,
            timezone=zone.key,
            date_field="completed_at",
            counted="completed activities, by the local weekday (Monday first) and hour at which they were completed",
            left_out={"scheduled": left.get("scheduled", 0), "cancelled": left.get("cancelled", 0)},
            rules=["what is left out was scheduled for the window", "of two hours of the same name both count in one"],
        ),
        insufficient_data=None if total else {"heatmap": nothing},
    )


def _zone(name: str) -> ZoneInfo:
    known = available_timezones()
    if name not in known:
        msg = (
            f"timezone must be the name of a time zone, such as Europe/Berlin; got {name[:80]!r}{nearest(name, known)}"
        )
        raise Invalid(msg, field="timezone", given=name[:80])
    return ZoneInfo(name)


@lru_cache
def _buckets(shape: Shape) -> sa.Select[Any]:
    """How many activities were completed in each quarter of an hour."""
    bucket = epoch(ACTIVITIES.c.completed_at) // sa.literal_column(str(_QUARTER), sa.Integer)
    found = (
        sa.select(bucket.label("bucket"))
        .where(
            is_completed,
            ACTIVITIES.c.completed_at >= START,
            ACTIVITIES.c.completed_at < END,
            *Whose.conditions(shape, ACTIVITIES.c.owner_id),
        )
        .subquery("found")
    )
    return sa.select(found.c.bucket, sa.func.count().label("activities")).group_by(found.c.bucket)


@lru_cache
def _others(shape: Shape) -> sa.Select[Any]:
    """How many were scheduled for the window, and are not completed."""
    return (
        sa.select(ACTIVITIES.c.status, sa.func.count().label("activities"))
        .where(
            sa.not_(is_completed),
            ACTIVITIES.c.scheduled_at >= START,
            ACTIVITIES.c.scheduled_at < END,
            *Whose.conditions(shape, ACTIVITIES.c.owner_id),
        )
        .group_by(ACTIVITIES.c.status)
    )


def _cells(rows: Sequence[Row], zone: ZoneInfo) -> list[list[int]]:
    cells = [[0] * _HOURS for _ in WEEKDAYS]
    for row in rows:
        local = (_EPOCH + timedelta(seconds=int(row["bucket"]) * _QUARTER)).astimezone(zone)
        cells[local.weekday()][local.hour] += int(row["activities"])
    return cells


def _busiest(cells: Sequence[Sequence[int]]) -> Busiest:
    count, day, hour = max((count, -day, -hour) for day, row in enumerate(cells) for hour, count in enumerate(row))
    return Busiest(weekday=WEEKDAYS[-day], hour=-hour, count=count)
