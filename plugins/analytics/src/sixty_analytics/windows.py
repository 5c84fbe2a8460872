"""The days that figures are about, and the moments between which these lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sixty import DateRange, Invalid

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sixty import Call

__all__ = ["YEAR", "Window", "seconds"]

YEAR = 365
"""Days."""


@dataclass(frozen=True)
class Window:
    """Days, both included, in a time zone."""

    first: date
    last: date
    zone: ZoneInfo

    @classmethod
    def of(cls, call: Call, start: date | None, end: date | None, *, days: int, zone: ZoneInfo | None = None) -> Window:
        """From `start` to `end`; without an end until today, without a start for so many days.

        Raises `Invalid` if it would begin after its end.
        """
        zone = zone or call.timezone
        last = end or call.now.astimezone(zone).date()
        window = cls.until(last, days, zone) if start is None else cls(start, last, zone)
        if window.first > last:
            until = f"{last}" if end else f"{last}, which is today; give an end, too"
            msg = f"start must not be after end: {window.first} is after {until}"
            raise Invalid(msg, field="start", given=str(window.first))
        return window

    @classmethod
    def until(cls, last: date, days: int, zone: ZoneInfo) -> Window:
        """So many days, of which this is the last one."""
        return cls(date.fromordinal(max(1, last.toordinal() - days + 1)), last, zone)

    @cached_property
    def moments(self) -> dict[str, datetime]:
        """What statements take: `start`, and `end`, which is no part of it."""
        start, end = DateRange(start=self.first, end=self.last).moments(self.zone)
        return {
            "start": start or datetime.min.replace(tzinfo=UTC),
            "end": end or datetime.max.replace(tzinfo=UTC),
        }

    @property
    def days(self) -> dict[str, date]:
        """As definitions show it."""
        return {"from": self.first, "to": self.last}

    def __str__(self) -> str:
        return f"from {self.first} to {self.last} ({self.zone.key})"

    def ahead(self, call: Call) -> bool:
        """Whether all of it lies in the future."""
        return self.moments["start"] > call.now


def seconds(moment: datetime) -> int:
    """The whole seconds from 1970 to a moment, as `epoch` counts them."""
    whole = moment.replace(microsecond=0)
    return round((whole - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
