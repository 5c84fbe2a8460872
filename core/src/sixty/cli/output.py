"""How commands show what they found: tables for people, plain columns for pipes, JSON for scripts."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["as_json", "print_json", "show"]

ID_WIDTH = 36
"""Characters of an id."""

_JOINERS = "\u200c\u200d"

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
"""The option of every command that lists something."""


def show(rows: Iterable[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows that all have the same columns; `empty` is what to say where there is none."""
    found = list(rows)
    if as_json:
        print_json(found)
    elif not found:
        click.echo(empty)
    else:
        titles = list(found[0])
        cells = [[_cell(row[title]) for title in titles] for row in found]
        if sys.stdout.isatty():
            _print_table(titles, cells)
        else:
            _print_columns(titles, cells)


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_shown))


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _cell(value: Any) -> str:
    """A value on one line, with nothing in it that a terminal would obey: some of it was written by callers."""
    if value is None:
        return ""
    text = value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)
    return "".join(char if char.isprintable() or char in _JOINERS else "\ufffd" for char in text)


def _print_table(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box  # noqa: PLC0415 - only a terminal needs it
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=box.SIMPLE_HEAD)
    for title in titles:
        is_id = title == "id"  # which is there to be copied, whole
        table.add_column(title, overflow="fold", no_wrap=is_id, min_width=ID_WIDTH if is_id else None)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _print_columns(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[column]) for line in (titles, *cells)) for column in range(len(titles))]
    for line in (titles, *cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
