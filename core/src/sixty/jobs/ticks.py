"""The times that a cron expression names, as Debian's cron has them where clocks are put forward or back.

A time of day that is left out when clocks go forward is made up for right after; one that comes twice counts once.
What comes every hour or more often keeps its distance.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["check_cron", "next_tick"]

FIELDS = 5


def check_cron(cron: str) -> None:
    """Raise `ValueError` unless it is a cron expression, of times that come."""
    if len(cron.split()) != FIELDS:
        raise ValueError(f"{cron!r} must have {FIELDS} fields: minute, hour, day, month and weekday")
    try:
        CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"{cron!r} is no cron expression: {error}") from error


def next_tick(cron: str, after: datetime, zone: ZoneInfo) -> datetime:
    """The first time that it names after this moment, in UTC."""
    return next(CronSim(cron, after.astimezone(zone))).astimezone(UTC)
