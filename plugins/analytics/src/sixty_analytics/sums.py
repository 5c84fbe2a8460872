"""What many statements sum, and how their sums become figures."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Cents, Instant, epoch
from sixty.crm import ACTIVITIES, DEALS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sixty import Row

__all__ = [
    "DAY",
    "END",
    "LOST",
    "OPEN",
    "START",
    "WON",
    "cents",
    "count_where",
    "days",
    "is_completed",
    "is_open",
    "seconds_between",
    "sum_where",
    "total",
    "total_money",
    "value_sum",
]

DAY = 86_400
"""Seconds."""
START = sa.bindparam("start", type_=Instant)
END = sa.bindparam("end", type_=Instant)
# written into the statements: only so do databases use an index that holds nothing but open deals, for example
OPEN = sa.literal_column("'open'", sa.String)
WON = sa.literal_column("'won'", sa.String)
LOST = sa.literal_column("'lost'", sa.String)
is_open = DEALS.c.status == OPEN
is_completed = ACTIVITIES.c.status == sa.literal_column("'completed'", sa.String)
_CENT = Decimal("0.01")


def count_where(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """How many rows of a group meet all of them."""
    return sa.func.count(sa.case((sa.and_(*conditions), 1)))


def sum_where(value: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    """The sum over the rows of a group that meet all of them; null without any."""
    return sa.func.sum(sa.case((sa.and_(*conditions), value)), type_=value.type)


def value_sum(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The exact sum of money."""
    return sa.func.sum(value, type_=Cents)


def seconds_between(start: sa.ColumnElement[Any], end: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Whole seconds."""
    return epoch(end) - epoch(start)


def total(rows: Iterable[Row], column: str) -> int:
    """The sum of a column of whole numbers; a null counts 0."""
    return sum(int(row[column] or 0) for row in rows)


def total_money(rows: Iterable[Row], column: str) -> Decimal | None:
    """The sum of a column of money, or None where every row has null."""
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known, Decimal(0)) if known else None


def cents(value: Decimal | None) -> Decimal | None:
    """Money rounded to the cent, half to even."""
    return None if value is None else value.quantize(_CENT, ROUND_HALF_EVEN)


def days(seconds: float, count: int = 1) -> float:
    """The mean of `count` spans that take so many seconds together, in days to two places."""
    return round(seconds / (count * DAY), 2)
