"""A report as a workbook: a sheet for each table, one with the charts, and one that says what was counted.

A text is written as a text, whatever it begins with; one that would be a formula if somebody edited it is marked as
quoted, as Excel itself marks it.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import xlsxwriter

from sixty_analytics.charts import picture
from sixty_analytics.formats import neutral
from sixty_analytics.report import plain

if TYPE_CHECKING:
    from sixty_analytics.report import Cell, Column, Report, Table

__all__ = ["write"]

_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_NUMBERS = {"count": "#,##0", "number": "#,##0.00", "money": "#,##0.00", "days": "#,##0.0", "share": "0.0%"}
_WIDEST = 60
_CHART_ROWS = 30
"""Rows of the sheet that one chart takes."""


def write(report: Report) -> bytes:
    """The file: the same bytes for the same report."""
    written = io.BytesIO()
    book = _Book(xlsxwriter.Workbook(written, _OPTIONS))
    made = datetime.combine(report.last, time(), UTC).replace(tzinfo=None)  # and not now, for the bytes to be the same
    book.book.set_properties({"title": report.title, "comments": report.window, "created": made})
    book.add_summary(report)
    for table in report.tables:
        book.add_table(table)
    book.add_charts(report)
    book.add_definitions(report)
    book.book.close()
    return written.getvalue()


class _Book:
    """A workbook that is being written, with the formats of its cells."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.book = book
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.quoted = book.add_format({"quote_prefix": True})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self.numbers = {sort: book.add_format({"num_format": shape}) for sort, shape in _NUMBERS.items()}

    def add_summary(self, report: Report) -> None:
        sheet = self.book.add_worksheet("Summary")
        sheet.set_column(0, 0, 100)
        sheet.write_string(0, 0, report.title, self.title)
        sheet.write_string(1, 0, report.window)
        sheet.write_string(2, 0, report.summary, self.wrapped)

    def add_table(self, table: Table) -> None:
        sheet = self.book.add_worksheet(table.title)
        for place, column in enumerate(table.columns):
            sheet.write_string(0, place, column.title, self.head)
            cells = [len(str(plain(row[place]))) for row in table.rows]
            sheet.set_column(place, place, min(_WIDEST, max(10, len(column.title), *cells, 0) + 2))
            for line, row in enumerate(table.rows, start=1):
                self._write(sheet, line, place, column, row[place])
        sheet.freeze_panes(1, 0)
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)

    def add_charts(self, report: Report) -> None:
        sheet = self.book.add_worksheet("Charts")
        for number, chart in enumerate(report.charts):
            image = {"image_data": io.BytesIO(picture(chart, "png")), "description": chart.alternative}
            sheet.insert_image(number * _CHART_ROWS, 0, f"{chart.name}.png", image)

    def add_definitions(self, report: Report) -> None:
        sheet = self.book.add_worksheet("Definitions")
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 100)
        sheet.write_row(0, 0, ("Table", "What was counted, and what was left out"), self.head)
        sheet.freeze_panes(1, 0)
        lines = [(table.title, text) for table in report.tables for text in (table.definition, *table.notes)]
        for line, (title, text) in enumerate(lines, start=1):
            sheet.write_string(line, 0, title)
            sheet.write_string(line, 1, text, self.wrapped)

    def _write(self, sheet: Any, line: int, place: int, column: Column, cell: Cell) -> None:
        if cell is None:
            return
        if isinstance(cell, str):
            sheet.write_string(line, place, cell, None if neutral(cell) else self.quoted)
        elif isinstance(cell, int | float) or column.sort != "day":
            sheet.write_number(line, place, plain(cell), self.numbers[column.sort])
        else:
            sheet.write_datetime(line, place, cell, self.day)
