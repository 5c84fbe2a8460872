"""A range of days in an argument, and the moments between which it lies."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from sixty.values import Arguments, Day

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["DateRange"]


class DateRange(Arguments):
    """Days, both included; at least one of them."""

    start: Day | None = None
    end: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start is None and self.end is None:
            msg = "must have a start or an end"
            raise ValueError(msg)
        if self.start is not None and self.end is not None and self.start > self.end:
            msg = f"must start before it ends: {self.start} is after {self.end}"
            raise ValueError(msg)
        return self

    def moments(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """The first moment of `start`, and the first one after `end`, which is no part of the range."""
        return (
            None if self.start is None else _midnight(self.start, zone),
            None if self.end is None or self.end == date.max else _midnight(self.end + timedelta(days=1), zone),
        )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:  # the first day of all begins, east of Greenwich, before all time
        return datetime.min.replace(tzinfo=UTC)
