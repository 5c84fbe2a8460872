"""What a report is, whatever it is about and whatever file it becomes: tables of named columns, and charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sixty_analytics.charts import Chart

__all__ = ["Cell", "Column", "Report", "Sort", "Table", "cells", "plain", "spoken"]

Cell = str | int | float | Decimal | date | None
"""What is not known is None, never 0."""
Sort = Literal["text", "day", "count", "number", "money", "days", "share"]
"""What a column holds. Money is of the organisation's currency, `days` are a time in days, a share is from 0 to 1."""

_WIDTHS = {"money": 2, "days": 1, "number": 2}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name for programs, its title for people, and what it holds."""

    key: str
    title: str
    sort: Sort = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, one for each column. `definition` says what was counted, each note what was left out or lacks."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    definition: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is in the file. `first` and `last` are days of `timezone`, both included."""

    name: str
    title: str
    summary: str
    first: date
    last: date
    timezone: str
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]

    @property
    def window(self) -> str:
        """The days that it is about."""
        return f"{self.first} to {self.last} ({self.timezone})"


def cells(figures: object, columns: Iterable[Column]) -> tuple[Cell, ...]:
    """A row: those attributes of some figures that have the names of the columns."""
    return tuple(getattr(figures, column.key) for column in columns)


def plain(cell: Cell) -> Any:
    """A cell as JSON has it: numbers are numbers, days ISO 8601."""
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def spoken(cell: Cell, sort: Sort) -> str:
    """A cell as people read it; a dash where nothing is known."""
    if cell is None:
        return "–"  # noqa: RUF001 - a dash, and no hyphen
    if isinstance(cell, str | date):
        return str(cell)
    if sort == "share":
        return f"{cell * 100:.1f} %"
    return f"{cell:,.{_WIDTHS.get(sort, 0)}f}"
