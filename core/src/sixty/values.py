"""The values that cross the edge: arguments in, results out, with the JSON Schemas that clients are shown."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from sixty.schemas import JSON_BOUNDS

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

__all__ = [
    "Arguments",
    "Cursor",
    "Day",
    "Limit",
    "LongText",
    "Moment",
    "Money",
    "Page",
    "Record",
    "RecordId",
    "Result",
    "ShownId",
    "Text",
    "counted",
    "is_id",
    "one",
    "plural",
    "shown",
]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RELATIVE = re.compile(r"([+-]\d{1,5})_(day|week|month)s?")
_IN_Y = re.compile(r"[^aeiou]y$")
_DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1}


def _id(value: str) -> str:
    value = value.lower()
    if not _UUID.fullmatch(value):
        msg = "is not an id; ids are UUIDs, taken from an earlier answer or found with search_crm"
        raise ValueError(msg)
    return value


def is_id(text: str) -> bool:
    """Whether a text is an id."""
    return _UUID.fullmatch(text.lower()) is not None


def _number(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = "must be a number, such as 50000 or 1999.99"
        raise ValueError(msg)  # noqa: TRY004 - pydantic wants it
    amount = Decimal(repr(value))
    if not amount.is_finite() or amount * 100 != (amount * 100).to_integral_value():
        msg = "must be a number with at most two decimals"
        raise ValueError(msg)
    return amount


def _plain(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _context(info: ValidationInfo) -> tuple[datetime, ZoneInfo]:
    context = info.context or {}
    return context.get("now") or datetime.now(UTC), context.get("timezone") or ZoneInfo("UTC")


def _shift(text: str, today: date) -> date | None:
    """The day that a relative word such as `+3_days` names, or None if it is no such word."""
    if text in _DAYS:
        return today + timedelta(days=_DAYS[text])
    if not (match := _RELATIVE.fullmatch(text)):
        return None
    count, unit = int(match[1]), match[2]
    if unit == "month":
        month = today.month - 1 + count
        first = date(today.year + month // 12, month % 12 + 1, 1)
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        return first + timedelta(days=min(today.day, (following - first).days) - 1)
    return today + timedelta(days=count * (7 if unit == "week" else 1))


def _day(value: object, info: ValidationInfo) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    now, zone = _context(info)
    if isinstance(value, str):
        try:
            return _shift(value, now.astimezone(zone).date()) or datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        except (ValueError, OverflowError):
            pass
    msg = "must be a day such as 2027-03-31, today, tomorrow, +3_days or +2_weeks"
    raise ValueError(msg)


def _moment(value: object, info: ValidationInfo) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    now, zone = _context(info)
    if isinstance(value, str):
        try:
            if (day := _shift(value, now.astimezone(zone).date())) is not None:
                local = now.astimezone(zone)
                return datetime.combine(day, time(local.hour, local.minute), zone).astimezone(UTC)
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    msg = "must be a time with an offset such as 2027-03-31T14:00:00+02:00, or today, tomorrow, +3_days, +2_weeks"
    raise ValueError(msg)


def _stored_text(value: str) -> str:
    if "\x00" in value:
        msg = "must not contain the null character"
        raise ValueError(msg)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        msg = "must be valid Unicode text"
        raise ValueError(msg) from error
    return value


def _filled(value: str) -> str:
    value = value.strip()
    if not value:
        msg = "must not be empty"
        raise ValueError(msg)
    return value


class _NumberSchema:
    """Shows a `Decimal` as the JSON number that it is here, with the bounds that a field gives it."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = handler(core)
        bounds = {JSON_BOUNDS[name]: shown[name] for name in JSON_BOUNDS if name in shown}
        return {"type": "number", **bounds}


RecordId = Annotated[str, AfterValidator(_id), WithJsonSchema({"type": "string", "format": "uuid"})]
"""The id of a record."""

ShownId = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
"""An id in a result: it comes from the database, and is not checked again."""

Money = Annotated[Decimal, BeforeValidator(_number), PlainSerializer(_plain, return_type=Any), _NumberSchema()]
"""An amount in the organisation's currency: a JSON number with at most two decimals, a `Decimal` in Python."""

Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "description": "YYYY-MM-DD, today, tomorrow, +3_days or +2_weeks"}),
]
"""A day in the organisation's time zone: `2027-03-31`, or a word such as `today` or `+3_days`."""

Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "description": "ISO 8601 with an offset, today, tomorrow, +3_days or +2_weeks"}),
]
"""A moment, in UTC inside: ISO 8601 with an offset, or a word such as `tomorrow`, at this time of day."""

Text = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_stored_text), AfterValidator(_filled)]
"""A title or a name: 1 to 255 characters."""

LongText = Annotated[str, Field(max_length=10_000), AfterValidator(_stored_text)]
"""Notes: up to 10,000 characters, stored as they came."""

Limit = Annotated[int, Field(ge=1, le=200)]
"""How many results a page has."""

Cursor = Annotated[str, Field(max_length=2000)]
"""Where the next page begins: opaque, taken from an earlier answer."""


def counted(number: int, thing: str) -> str:
    """A number of things, in words for a message: `1 deal`, `2 deals`, `no companies`."""
    return f"{number or 'no'} {thing if number == 1 else plural(thing)}"


def one(thing: str) -> str:
    """A thing, with its article: `a deal`, `an activity`."""
    return f"{'an' if thing[:1] in 'aeiou' else 'a'} {thing}"


def plural(thing: str) -> str:
    """Several things: `deals`, `companies`."""
    return f"{thing[:-1]}ies" if _IN_Y.search(thing) else f"{thing}s"


def shown(value: Any) -> Any:
    """A value of a row as JSON shows it; money as a number of the currency."""
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


class Arguments(BaseModel):
    """What a tool's arguments derive from. Unknown ones are refused; types are not guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Record(BaseModel):
    """What a kind's model derives from: what every record shows."""

    model_config = ConfigDict(frozen=True)

    id: ShownId
    owner_id: ShownId | None = None
    version: int
    created_at: datetime
    updated_at: datetime


class Result(BaseModel):
    """What a tool's result derives from. `message` is one sentence for people."""

    model_config = ConfigDict(frozen=True)

    success: bool = True
    message: str
    change_id: ShownId | None = None
    """Set by the kernel on every write; `undo_change` takes it."""


class Page(Result):
    """A result that is one page of a list."""

    count: int
    total: int
    total_is_at_least: bool | None = None
    """True when `total` is only a lower bound, which it is beyond 10,000."""
    next_cursor: str | None = None
