"""A report as one page of HTML that stands alone: no script, nothing to fetch, charts and style inside it."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING
from unicodedata import category

from sixty_analytics.charts import picture
from sixty_analytics.report import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sixty_analytics.charts import Chart
    from sixty_analytics.report import Cell, Column, Report, Table

__all__ = ["write"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2530; --soft: #55606e; --line: #d5dbe3; --page: #fff; --band: #f3f6f9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #a7b1be; --line: #3a4350; --page: #14181e; --band: #1d232c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; color: var(--ink); background: var(--page);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p { margin: .4rem 0; max-width: 48rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .9rem; }
figure { margin: 1.5rem 0; }
figure img { display: block; width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: .4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom-width: 2px; }
tbody tr:nth-child(even) { background: var(--band); }
.figure { text-align: right; white-space: nowrap; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; color: #000; background: #fff; }
  .wide { overflow: visible; }
  figure, tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
""".strip()

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>"""


def write(report: Report) -> str:
    """The file."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield _HEAD.format(title=_text(f"{report.title}, {report.window}"), style=_STYLE)
    yield f"<h1>{_text(report.title)}</h1>"
    yield f'<p class="soft">{_text(report.window)}</p>'
    yield f"<p>{_text(report.summary)}</p>"
    yield from (_figure(chart) for chart in report.charts)
    for table in report.tables:
        yield from _section(table)
    yield "</main>\n</body>\n</html>"


def _figure(chart: Chart) -> str:
    drawn = b64encode(picture(chart, "svg")).decode()
    source = f"data:image/svg+xml;base64,{drawn}"
    caption = f'<figcaption class="soft">{_text(chart.title)}</figcaption>'
    return f'<figure><img alt="{_text(chart.alternative)}" src="{source}">{caption}</figure>'


def _section(table: Table) -> Iterator[str]:
    name = _text(table.name)
    yield f'<section aria-labelledby="{name}">'
    yield f'<h2 id="{name}">{_text(table.title)}</h2>'
    if table.rows:
        yield f'<div class="wide" role="region" aria-labelledby="{name}" tabindex="0">'
        yield "<table><thead><tr>"
        yield "".join(f'<th scope="col"{_class(column)}>{_text(column.title)}</th>' for column in table.columns)
        yield "</tr></thead><tbody>"
        yield from (_row(table, row) for row in table.rows)
        yield "</tbody></table></div>"
    else:
        yield "<p>There is nothing to show.</p>"
    yield f'<p class="soft">{_text(table.definition)}</p>'
    yield from (f'<p class="soft">{_text(note)}</p>' for note in table.notes)
    yield "</section>"


def _row(table: Table, row: tuple[Cell, ...]) -> str:
    shown = [_text(spoken(cell, column.sort)) for column, cell in zip(table.columns, row, strict=True)]
    cells = "".join(
        f"<td{_class(column)}>{text}</td>" for column, text in zip(table.columns[1:], shown[1:], strict=True)
    )
    return f'<tr><th scope="row"{_class(table.columns[0])}>{shown[0]}</th>{cells}</tr>'


def _class(column: Column) -> str:
    return "" if column.sort in ("text", "day") else ' class="figure"'


def _text(text: str) -> str:
    """A text as it can stand between tags and in attributes; characters that no page may have are replaced."""
    return escape("".join("\ufffd" if category(each) in ("Cc", "Cs") else each for each in text))
