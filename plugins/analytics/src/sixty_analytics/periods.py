"""Calendar periods: a month, a quarter or a year, and the days of each. No database here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, get_args

from sixty import Invalid

__all__ = ["UNITS", "Period", "Unit", "containing", "period", "periods_within"]

Unit = Literal["month", "quarter", "year"]
UNITS: tuple[Unit, ...] = get_args(Unit)

_MONTHS: dict[Unit, int] = {"month": 1, "quarter": 3, "year": 12}
_NAME = re.compile(r"(\d{4})(?:-(?:[Qq]([1-4])|(0[1-9]|1[0-2])))?")
_LAST_MONTH = date.max.replace(day=1)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One period. They order by when they begin, the shorter first."""

    first: date
    last: date
    unit: Unit

    @property
    def name(self) -> str:
        """As people write it: `2026-07`, `2026-Q3`, `2026`."""
        year = f"{self.first.year:04}"
        if self.unit == "year":
            return year
        return f"{year}-Q{self.first.month // 3 + 1}" if self.unit == "quarter" else f"{year}-{self.first.month:02}"


def period(name: str) -> Period:
    """The period of that name. Raises `Invalid`."""
    found = _NAME.fullmatch(name.strip())
    if found is None or int(found[1]) == 0:
        rule = "2026-07 for a month, 2026-Q3 for a quarter or 2026 for a year"
        raise Invalid(f"period must be written as {rule}, got {name[:40]!r}", field="period", given=name[:40])
    year, quarter, month = found.groups()
    if quarter:
        return containing("quarter", date(int(year), int(quarter) * 3, 1))
    return containing("month", date(int(year), int(month), 1)) if month else containing("year", date(int(year), 1, 1))


@lru_cache(maxsize=1024)
def containing(unit: Unit, day: date) -> Period:
    """The period of this unit in which a day lies."""
    months = _MONTHS[unit]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    month = date(first.year, first.month + months - 1, 1)
    last = date.max if month == _LAST_MONTH else _next_month(month) - timedelta(days=1)
    return Period(first, last, unit)


def periods_within(unit: Unit, first: date, last: date) -> list[Period]:
    """Every period of this unit of which all days lie from `first` to `last`."""
    found = []
    current = containing(unit, first)
    while current.last <= last:
        if current.first >= first:
            found.append(current)
        if current.last == date.max:
            break
        current = containing(unit, current.last + timedelta(days=1))
    return found


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
