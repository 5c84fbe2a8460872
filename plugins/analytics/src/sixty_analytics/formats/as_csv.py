"""A report as CSV (RFC 4180): one table after the other, each below a line with its title.

A text that a spreadsheet would run as a formula begins with an apostrophe. Numbers are numbers: a negative one stays.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from sixty_analytics.formats import neutral
from sixty_analytics.report import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sixty_analytics.report import Cell, Report

__all__ = ["write"]


def write(report: Report) -> str:
    """The file."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(_lines(report))
    return written.getvalue()


def _lines(report: Report) -> Iterator[list[Any]]:
    yield [report.title]
    yield [report.window]
    yield [_safe(report.summary)]
    for table in report.tables:
        yield []
        yield [table.title]
        yield [_safe(table.definition)]
        yield from ([_safe(note)] for note in table.notes)
        yield [column.title for column in table.columns]
        yield from ([_safe(cell) for cell in row] for row in table.rows)


def _safe(cell: Cell) -> Any:
    """A cell that is a number, or a text that is one and nothing else; empty where nothing is known."""
    value = plain(cell)
    return f"'{value}" if isinstance(value, str) and not neutral(value) else value
