"""A report as JSON: every figure as it is, with its definition. What is not known is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from sixty_analytics.report import plain

if TYPE_CHECKING:
    from sixty_analytics.report import Report, Table

__all__ = ["rows_of", "write"]


def write(report: Report) -> str:
    """The file."""
    content = {
        "report": report.name,
        "title": report.title,
        "summary": report.summary,
        "window": {"from": report.first.isoformat(), "to": report.last.isoformat()},
        "timezone": report.timezone,
        "tables": [_table(table) for table in report.tables],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def rows_of(table: Table, most: int | None = None) -> list[dict[str, Any]]:
    """The first rows of a table, or all of them, each with what is known of it."""
    return [
        {column.key: plain(cell) for column, cell in zip(table.columns, row, strict=True) if cell is not None}
        for row in table.rows[:most]
    ]


def _table(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "definition": table.definition,
        "notes": list(table.notes),
        "columns": [{"key": column.key, "title": column.title, "holds": column.sort} for column in table.columns],
        "rows": rows_of(table),
    }
