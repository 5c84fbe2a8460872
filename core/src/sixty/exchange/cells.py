"""The types of cells: what a text in a file, or a value in a line of JSON, says.

What is empty says nothing. Nothing is guessed: a date that no format fits is refused, and so is an amount with
something in it that is no part of one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import orjson
from pydantic import BeforeValidator, ValidationInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Amount", "AtMoment", "Key", "OnDay", "Parts", "Reading", "Whole"]

_CURRENCY = re.compile(r"^[^\W\d_]{0,3}[$€£¥₹₽₩₺₫₴₦₱₪฿]?|[$€£¥₹₽₩₺₫₴₦₱₪฿]?[^\W\d_]{0,3}$")
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_GROUPS = {
    ".": re.compile(r"\d{1,3}(?P<by>[,'\u2019 ])\d{2,3}(?:(?P=by)\d{2,3})*(?P<rest>\.\d*)?"),
    ",": re.compile(r"\d{1,3}(?P<by>[.'\u2019 ])\d{2,3}(?:(?P=by)\d{2,3})*(?P<rest>,\d*)?"),
}
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-"})
_MOST = 10**15
_LONGEST = 40
"""Characters of a number or a date; what is longer is neither."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of one file are written."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Of dates and times that name none."""
    dates: Sequence[str] = ()
    """Formats of dates and times, as `strptime` has them, beside ISO 8601."""
    decimal: str = "."


_PLAIN = Reading()


def _reading(info: ValidationInfo) -> Reading:
    found: Reading = (info.context or {}).get("reading", _PLAIN)
    return found


def _amount(value: Any, info: ValidationInfo) -> Decimal | None:
    """An amount; 0 says nothing, except in a line with an id: that is our own, and means what it says."""
    if value is None or isinstance(value, Decimal):  # which is an amount already
        return value
    if isinstance(value, str):
        amount = _number(value, _reading(info).decimal)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        amount = Decimal(str(value))
    else:
        amount = None
    if amount is None or not amount.is_finite() or abs(amount) >= _MOST:
        msg = "must be an amount such as 1234.56, or 1.234,56 with --decimal ,"
        raise ValueError(msg)
    if amount != (cents := amount.quantize(Decimal("0.01"))):
        msg = "must have at most two decimals"
        raise ValueError(msg)
    return cents if cents or info.data.get("id") is not None else None


def _number(text: str, decimal: str) -> Decimal | None:
    """The number that a text is, with a currency beside it and separators in it; None if it is none."""
    text = text.translate(_SPACES).strip()
    if not text or len(text) > _LONGEST:
        return None
    signed = negative = text.startswith("(") and text.endswith(")")  # as accountants write it
    bare = text[1:-1] if negative else text
    for _ in range(2):
        if not signed and bare[:1] in ("+", "-"):
            signed, negative, bare = True, bare[0] == "-", bare[1:]
        bare = _CURRENCY.sub("", bare).strip()
    if (grouped := _GROUPS[decimal].fullmatch(bare)) is not None:
        bare = bare.replace(grouped["by"], "")
    if decimal == ",":
        if "." in bare:
            return None
        bare = bare.replace(",", ".")
    if not _NUMBER.fullmatch(bare):
        return None
    return -Decimal(bare) if negative else Decimal(bare)


def _whole(value: Any, info: ValidationInfo) -> int | None:
    """A whole number."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    number = _number(value.removesuffix("%"), _reading(info).decimal) if isinstance(value, str) else None
    if isinstance(value, float):
        number = Decimal(str(value))
    if number is None or number != number.to_integral_value():
        msg = "must be a whole number"
        raise ValueError(msg)
    return int(number)


def _day(value: Any, info: ValidationInfo) -> date | None:
    """A day; of a time with an offset the day that it is then in the zone."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    reading = _reading(info)
    return _time(value, reading).astimezone(reading.zone).date()


def _moment(value: Any, info: ValidationInfo) -> datetime | None:
    """A moment; a day is its midnight."""
    return None if value is None else _time(value, _reading(info))


def _time(value: Any, reading: Reading) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, str) and 0 < len(text := value.strip()) <= _LONGEST:
        found = _parsed(text, tuple(reading.dates), reading.zone)
        if found is not None:
            return found
    formats = "".join(f" or {form}" for form in reading.dates)
    hint = "" if reading.dates else "; say how dates are written, such as --date-format %d/%m/%Y"
    msg = f"must be a date or a time such as 2027-03-31 or 2027-03-31T14:00{formats}{hint}"
    raise ValueError(msg)


@lru_cache(maxsize=16_384)
def _parsed(text: str, formats: tuple[str, ...], zone: ZoneInfo) -> datetime | None:
    """What a text says in the first format that fits, in UTC; files say the same days over and over."""
    for form in (*formats, None):
        try:
            found = datetime.fromisoformat(text) if form is None else datetime.strptime(text, form)  # noqa: DTZ007 - a zone follows
            return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _key(value: Any) -> Any:
    """The first of several keys, which other CRMs keep in one field."""
    return value.partition(";")[0].strip() if isinstance(value, str) else value


def _parts(value: Any) -> Any:
    """What a text of JSON holds."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        msg = "must be JSON"
        raise ValueError(msg) from error


Amount = Annotated[Decimal | None, BeforeValidator(_amount)]
"""Money: `$1,234.50`, `1.234,50 €`, `(20)`. 0 is no value, unless the line has an id; neither is an empty cell."""

Whole = Annotated[int | None, BeforeValidator(_whole)]
"""A whole number, with or without a percent sign."""

OnDay = Annotated[date | None, BeforeValidator(_day)]
"""A day."""

AtMoment = Annotated[datetime | None, BeforeValidator(_moment)]
"""A moment, in UTC. A day without a time is its first moment in the organisation's time zone."""

Key = Annotated[str, BeforeValidator(_key)]
"""What points at a record: its id, or the key under which the same source was imported."""

Parts = BeforeValidator(_parts)
"""Marks a field whose cell holds JSON: `Annotated[list[Stay] | None, Parts]`."""
