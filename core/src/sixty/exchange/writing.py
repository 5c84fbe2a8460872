"""How lines are written: as csv that spreadsheets open safely, or as lines of JSON. Reading gives the same back."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO

import orjson
from pydantic import BaseModel

from sixty.exchange.formulas import neutral
from sixty.values import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["FORMATS", "Format", "Writer", "writer"]

Format = Literal["csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl")


class Writer(Protocol):
    """Where lines go."""

    def write(self, lines: Iterable[object]) -> None:
        """Write the lines, in order: whatever has the columns as attributes."""


def writer(form: Format, file: TextIO, columns: Sequence[str]) -> Writer:
    """A writer of lines with these columns; of csv the names of the columns are written at once."""
    return _Csv(file, columns) if form == "csv" else _Json(file, columns)


class _Csv:
    """Rows as RFC 4180 has them: commas, quotes where they are needed, and two characters at the end of each."""

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        self._columns = columns
        self._rows = csv.writer(file, lineterminator="\r\n")
        self._rows.writerow(columns)

    def write(self, lines: Iterable[object]) -> None:
        self._rows.writerows([_cell(getattr(line, name)) for name in self._columns] for line in lines)


class _Json:
    """An object for each line, without what is None."""

    def __init__(self, file: TextIO, columns: Sequence[str]) -> None:
        self._file, self._columns = file, columns

    def write(self, lines: Iterable[object]) -> None:
        for line in lines:
            said = {name: value for name in self._columns if (value := getattr(line, name)) is not None}
            self._file.write(f"{orjson.dumps(said, default=_json).decode()}\n")


def _cell(value: Any) -> str:
    """A value as a cell: a text as it is unless a spreadsheet would run it, lists as JSON, and nothing for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return neutral(value) or "'"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value) if isinstance(value, int) else orjson.dumps(value, default=_json).decode()


def _json(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, BaseModel):
        return {name: content for name in type(value).model_fields if (content := getattr(value, name)) is not None}
    if isinstance(value, Decimal):
        number = shown(value)
        return number if Decimal(repr(number)) == value else format(value, "f")
    raise TypeError  # as which the encoder tells what it was given
