"""The rows of a file, csv or lines of JSON: each with its cells by column, or with what is wrong with it."""

from __future__ import annotations

import csv
import re
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from sixty.errors import Misfit
from sixty.exchange.files import LONGEST_LINE, TextFile, TooLong

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sixty.exchange.files import Lines

__all__ = ["ABSENT", "DELIMITERS", "MOST_COLUMNS", "Row", "Table", "opened"]

ABSENT: Any = ...
"""The cell of a line of JSON that does not have the column: it says nothing at all, not even that there is nothing."""
DELIMITERS = ",;\t|"
MOST_COLUMNS = 1_000
LONGEST_CELL = 131_072
"""Characters of a cell."""
SHOWN = 1_000
"""Characters of a line that is no row, where it is shown."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_END = "unexpected end of data"  # what the csv module says of quotes that stay open


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file. Without a `problem` it has as many cells as there are columns."""

    line: int
    """Where it begins, counted from 1."""
    cells: Sequence[Any]
    problem: str | None = None


@dataclass(slots=True)
class Table:
    """An open file of rows."""

    columns: Sequence[str]
    rows: Iterator[Row]
    lines: Lines
    delimiter: str | None = None
    """Of csv; None for lines of JSON."""
    twice: frozenset[str] = frozenset()
    """The names that several columns have."""


@contextmanager
def opened(file: TextFile, *, form: str, delimiter: str | None = None, columns: Sequence[str] = ()) -> Iterator[Table]:
    """The rows of a file of the form `csv` or `jsonl`; of the latter, those are the `columns` that count."""
    with file.lines() as lines:
        if form == "jsonl":
            yield Table(columns, _json_rows(lines, columns), lines)
        else:
            yield _csv(lines, delimiter)


def _json_rows(lines: Lines, columns: Sequence[str]) -> Iterator[Row]:
    number = 0
    while True:
        number += 1
        try:
            line = lines.next()
        except TooLong:
            yield Row(number, (), _too_long())
            continue
        if line is None:
            return
        if not line.strip():
            continue
        try:
            found = orjson.loads(line)
        except ValueError as error:
            yield Row(number, (line[:SHOWN],), f"this is not a line of JSON: {error}")
            continue
        if isinstance(found, dict):
            exact = found.get("id") is not None  # an export of ours tells an empty text from none, and leaves none out
            cells = (found.get(name) if exact else _cell(found.get(name, ABSENT)) for name in columns)
            yield Row(number, tuple(cells))
        else:
            yield Row(number, (line[:SHOWN],), "a line must be a JSON object: {…}")


def _cell(value: Any) -> Any:
    return None if value == "" else value


def _csv(lines: Lines, delimiter: str | None) -> Table:
    records = _Records(lines)
    try:
        first = lines.next()
        if first is not None and first.lower().startswith("sep=") and len(first.strip()) == 5:  # noqa: PLR2004 - as spreadsheets write it
            delimiter, first, records.line = delimiter or first.strip()[-1], lines.next(), 1
    except TooLong:
        msg = (
            f"the first line has more than {LONGEST_LINE:,} characters: it should be the names of the columns, "
            f"{MOST_COLUMNS:,} at the most"
        )
        raise Misfit(msg) from None
    if first is None or not first.strip():
        raise Misfit("the file has no first line with the names of its columns")
    records.push(first)
    records.delimiter = delimiter or max(DELIMITERS, key=_QUOTED.sub("", first).count)
    header = next(records.rows(None))
    if header.problem is not None:
        raise Misfit(f"the first line, with the names of the columns, cannot be read: {header.problem}")
    if len(header.cells) > MOST_COLUMNS:
        raise Misfit(f"the file has {len(header.cells):,} columns; at most {MOST_COLUMNS:,} are read")
    names = [name.strip() for name in header.cells]
    twice = frozenset(name for name in names if name and names.count(name) > 1)
    return Table(names, records.rows(len(names)), lines, records.delimiter, twice)


@dataclass
class _Records:
    """Cuts lines into rows. After one that cannot be read it goes on with the line after that one's first."""

    lines: Lines
    delimiter: str = ","
    line: int = 0
    """How many lines have been taken."""
    waiting: deque[str] = field(default_factory=deque)
    """Lines that were part of a row that was none."""
    taken: list[str] = field(default_factory=list)
    """The lines of the present row."""

    def push(self, line: str) -> None:
        """The next line is this one."""
        self.waiting.appendleft(line)

    def rows(self, width: int | None) -> Iterator[Row]:
        """The rows, each of so many cells; None: of any number."""
        reader = csv.reader(self._feed(), delimiter=self.delimiter, strict=True)
        while True:
            start = self.line + 1
            self.taken.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except TooLong:
                self.line += 1
                yield Row(start, (), _too_long())
                reader = csv.reader(self._feed(), delimiter=self.delimiter, strict=True)
                continue
            except csv.Error as error:
                yield Row(start, (self.taken[0].rstrip("\r\n")[:SHOWN],), _problem(error))
                self.waiting.extendleft(reversed(self.taken[1:]))
                self.line = start
                reader = csv.reader(self._feed(), delimiter=self.delimiter, strict=True)
                continue
            if not cells:
                continue
            if width is not None and len(cells) != width:
                yield Row(start, cells, f"it has {len(cells):,} cells, and the file has {width:,} columns")
            else:
                yield Row(start, cells)

    def _feed(self) -> Iterator[str]:
        while True:
            line = self.waiting.popleft() if self.waiting else self.lines.next()
            if line is None:
                return
            self.line += 1
            self.taken.append(line)
            yield line


def _problem(error: csv.Error) -> str:
    if str(error) == _END:
        return "it ends inside quotes: the file is cut off, or a quote is missing"
    if "field limit" in str(error):
        return f"it has a cell of more than {LONGEST_CELL:,} characters; is a quote missing?"
    return f"its quotes are not in order: {error}"


def _too_long() -> str:
    return f"it has more than {LONGEST_LINE:,} characters"


csv.field_size_limit(LONGEST_CELL)
