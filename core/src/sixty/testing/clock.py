"""A clock that stands still until it is told to go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["MORNING", "Clock"]

MORNING = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""The moment at which every test begins: a Monday."""


class Clock:
    """What a host asks for the time. It is always in UTC."""

    def __init__(self, now: datetime = MORNING) -> None:
        self._now = now

    def __call__(self) -> datetime:
        """The moment that it is."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """The moment that it is now, which is later by `by`."""
        self._now += by
        return self._now
