"""Which activities were completed: by type and local day, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Instant, epoch
from sixty.crm import ACTIVITIES
from sixty_analytics.sums import DAY, END, START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sixty import Call
    from sixty_analytics.windows import Window

__all__ = ["Done", "done"]

_STEP = timedelta(days=1)
_BEFORE = date(1970, 1, 1).toordinal() - 1
"""Days before 1970, with which no moment has a negative number of seconds."""


@dataclass(frozen=True, slots=True)
class Done:
    """How many activities of which type."""

    days: Mapping[tuple[date, str], int]
    """By local day and type."""
    owners: Mapping[tuple[str | None, str], int]
    """By the id of the owner, and type."""

    @property
    def types(self) -> dict[str, int]:
        """All of each type, the most frequent first."""
        counts: dict[str, int] = {}
        for (_, each), count in self.days.items():
            counts[each] = counts.get(each, 0) + count
        return dict(sorted(counts.items(), key=lambda found: (-found[1], found[0])))


async def done(call: Call, window: Window) -> Done:
    """The activities that were completed in a window."""
    offsets = _offsets(window)
    values: dict[str, Any] = {**window.moments, "offset": offsets[-1][1]}
    for place, (until, offset) in enumerate(offsets[:-1]):
        values |= {f"until_{place}": until, f"offset_{place}": offset}
    days = await call.rows(_by_day(len(offsets)), values)
    owners = await call.rows(_by_owner(), values)
    return Done(
        {(date.fromordinal(int(row["day"]) + 1), row["type"]): row["activities"] for row in days},
        {(row["owner_id"], row["type"]): row["activities"] for row in owners},
    )


def _offsets(window: Window) -> list[tuple[datetime, int]]:
    """The offsets from UTC in a window, in seconds, each with the moment at which it ends."""
    start, end = window.moments["start"], window.moments["end"]
    found = []
    while start < end:
        offset = _offset(start, window)
        other = next((moment for moment in _steps(start, end) if _offset(moment, window) != offset), None)
        until = end if other is None else _change(max(start, other - _STEP), other, window)
        found.append((until, offset))
        start = until
    return found


def _steps(start: datetime, end: datetime) -> Iterator[datetime]:
    """A moment of each day between two moments, and the last second."""
    while (start := start + _STEP) < end:
        yield start
    yield end - timedelta(seconds=1)


def _change(before: datetime, after: datetime, window: Window) -> datetime:
    """The second between two moments at which the offset becomes that of the later one."""
    offset = _offset(before, window)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        before, after = (middle, after) if _offset(middle, window) == offset else (before, middle)
    return after


def _offset(moment: datetime, window: Window) -> int:
    offset = moment.astimezone(window.zone).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


_completed = (
    ACTIVITIES.c.status == "completed",
    ACTIVITIES.c.completed_at >= START,
    ACTIVITIES.c.completed_at < END,
)


@lru_cache(maxsize=64)
def _by_day(offsets: int) -> sa.Select[Any]:
    """By local day, as its number from the first of all, and by type."""
    moment = ACTIVITIES.c.completed_at
    last = sa.bindparam("offset", type_=sa.Integer)
    cases = [
        (moment < sa.bindparam(f"until_{n}", type_=Instant), sa.bindparam(f"offset_{n}", type_=sa.Integer))
        for n in range(offsets - 1)
    ]
    offset = sa.case(*cases, else_=last) if cases else last
    seconds = epoch(moment) + offset + sa.literal_column(str(_BEFORE * DAY), sa.BigInteger)
    day = seconds // sa.literal_column(str(DAY), sa.Integer)
    found = sa.select(day.label("day"), ACTIVITIES.c.type).where(*_completed).subquery("found")
    return sa.select(found.c.day, found.c.type, sa.func.count().label("activities")).group_by(found.c.day, found.c.type)


@lru_cache
def _by_owner() -> sa.Select[Any]:
    owner, of_type = ACTIVITIES.c.owner_id, ACTIVITIES.c.type
    return sa.select(owner, of_type, sa.func.count().label("activities")).where(*_completed).group_by(owner, of_type)
