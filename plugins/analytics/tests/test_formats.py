"""The files that a report becomes: the same figures in each, and nothing in them that runs."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook
from report_pages import Page, pixels

from sixty_analytics.charts import Chart, Series, heatmap, picture
from sixty_analytics.formats import FORMATS, Format, write
from sixty_analytics.report import Column, Report, Table

FORMULAS = (
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://example.com?x="&A1,"click")',
)
MARKUP = "<script>alert('&')</script> $x$ 张伟 \x07"

BARS = Chart(
    "value",
    "Value by owner",
    "bars",
    ("Ann $x$", "张伟", FORMULAS[0]),
    (Series("value", (1500.5, None, 20.0), (1000.0, None, None), (2000.0, None, None)),),
    sort="money",
    across="Owner",
    along="Money",
    empty="Nothing was won.",
)
STACK = Chart(
    "months",
    "By month",
    "stack",
    tuple(f"2026-{month:02}" for month in range(1, 13)),
    (Series("won", tuple(range(12))), Series("open", (None, *range(11)))),
    sort="count",
    across="Month",
    along="Deals",
    empty="Nothing.",
    marks=Series("target", (None,) * 6 + (7.0,) * 6),
)
COLUMNS = replace(STACK, name="columns", shape="columns", labels=STACK.labels[:3], series=(Series("a", (1, 2, 3)),))
EMPTY = replace(BARS, labels=("Ann",), series=(Series("value", (0.0,)),))
HEAT = heatmap([[day * hour for hour in range(24)] for day in range(7)], "2026")
LONG = replace(STACK, name="long", labels=tuple(map(str, range(60))), series=(Series("a", (1,) * 60),), marks=None)
CHARTS = (BARS, LONG, STACK, replace(COLUMNS, marks=None), EMPTY, HEAT)


def a_report(*charts: Chart) -> Report:
    columns = (
        Column("owner", "Owner"),
        Column("day", "Day", "day"),
        Column("deals", "Deals", "count"),
        Column("value", "Value", "money"),
        Column("mean", "Mean days", "days"),
        Column("rate", "Win rate", "share"),
        Column("rest", "Rest", "number"),
    )
    rows = [(text, date(2026, 1, 31), 3, Decimal("1234567.89"), 12.34, 0.3333, Decimal(-5)) for text in FORMULAS]
    rows.append((MARKUP, None, 0, None, None, None, None))  # type: ignore[arg-type]
    tables = (
        Table("owners", "Owners", columns, tuple(rows), "What each owner has", ("=1+1 was left out", "2 more")),
        Table("nothing", "Nothing", columns, (), "What there is not"),
    )
    first, last = date(2026, 1, 1), date(2026, 1, 31)
    return Report("sums", "Sums & more", "=A sum of <all>", first, last, "UTC", tables, charts)


def figures_in_json(text: str) -> list[list[Any]]:
    table = json.loads(text)["tables"][0]
    return [[row.get(column["key"]) for column in table["columns"]] for row in table["rows"]]


def test_json_has_the_figures_as_they_are() -> None:
    text = write(a_report(), "json")
    assert isinstance(text, str)
    assert figures_in_json(text)[0] == [FORMULAS[0], "2026-01-31", 3, 1234567.89, 12.34, 0.3333, -5]
    content = json.loads(text)
    assert content["window"] == {"from": "2026-01-01", "to": "2026-01-31"}
    assert content["tables"][0]["notes"] == ["=1+1 was left out", "2 more"]
    assert content["tables"][0]["rows"][-1] == {"owner": MARKUP, "deals": 0}
    assert content["tables"][1]["rows"] == []


def test_a_workbook_has_the_figures_of_the_json_and_no_formula() -> None:
    report = a_report(BARS)
    written = write(report, "xlsx")
    assert isinstance(written, bytes)
    book = load_workbook(io.BytesIO(written))
    assert book.sheetnames == ["Summary", "Owners", "Nothing", "Charts", "Definitions"]
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    sheet = book["Owners"]
    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in sheet[1]] == [column.title for column in report.tables[0].columns]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    for row in rows:
        row[1] = row[1].date().isoformat() if row[1] else None
    expected = figures_in_json(str(write(report, "json")))
    unprintable = [row[0] for row in rows if row[0] not in FORMULAS]
    assert [row[1:] for row in rows] == [row[1:] for row in expected]
    assert len(unprintable) <= 2
    assert all(sheet.cell(place, 1).quotePrefix for place in range(2, 2 + len(FORMULAS)))
    assert not sheet.cell(2 + len(FORMULAS), 1).quotePrefix
    assert [sheet.cell(2, place).number_format for place in (3, 4, 6)] == ["#,##0", "#,##0.00", "0.0%"]
    assert [row[1].value for row in book["Definitions"].iter_rows(min_row=2)] == [
        "What each owner has",
        "=1+1 was left out",
        "2 more",
        "What there is not",
    ]
    assert len(book["Charts"]._images) == 1


def test_csv_has_every_table_below_its_title_and_no_cell_that_runs() -> None:
    text = write(a_report(), "csv")
    assert isinstance(text, str)
    assert text.replace("\r\n", "").count("\n") == 0
    lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert lines[:3] == [["Sums & more"], ["2026-01-01 to 2026-01-31 (UTC)"], ["'=A sum of <all>"]]
    begin = lines.index(["Owners"])
    assert lines[begin + 1 : begin + 4] == [["What each owner has"], ["'=1+1 was left out"], ["2 more"]]
    assert lines[begin + 4] == ["Owner", "Day", "Deals", "Value", "Mean days", "Win rate", "Rest"]
    rows = lines[begin + 5 : begin + 5 + len(FORMULAS)]
    assert [row[0] for row in rows] == [f"'{text}" for text in FORMULAS]
    assert rows[0][1:] == ["2026-01-31", "3", "1234567.89", "12.34", "0.3333", "-5"]
    assert lines[begin + 5 + len(FORMULAS)] == [MARKUP, "", "0", "", "", "", ""]
    assert ["Nothing"] in lines


def test_a_page_stands_alone_and_runs_nothing() -> None:
    text = write(a_report(*CHARTS), "html")
    assert isinstance(text, str)
    page = Page(text)
    assert "<script>alert('&')</script> $x$ 张伟 \ufffd" in page.texts
    assert all(formula.replace("\t", "\ufffd").replace("\r", "\ufffd") in page.texts for formula in FORMULAS)
    assert "http" not in text.replace("http-equiv", "").replace("http://example.com?x=", "")
    assert [image["alt"] for image in page.all("img")] == [chart.alternative for chart in CHARTS]
    assert len(page.all("table")) == 1
    assert {found["scope"] for found in page.all("th")} == {"col", "row"}
    assert "There is nothing to show." in page.texts
    assert "1,234,567.89" in page.texts
    assert "33.3 %" in page.texts
    assert "–" in page.texts  # noqa: RUF001 - a dash, where nothing is known


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_report_is_the_same_file(form: Format) -> None:
    assert write(a_report(BARS), form) == write(a_report(BARS), form)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: f"{chart.name}-{chart.shape}")
def test_a_chart_is_a_picture_that_is_the_same_each_time(chart: Chart) -> None:
    png = picture(chart, "png")
    assert pixels(png)[0] == 1000
    assert png == picture(chart, "png")


def test_a_chart_is_told_in_words_for_who_cannot_see_it() -> None:
    assert BARS.alternative == (
        "Value by owner. Ann $x$: value 1,500.50; 张伟: value –; =cmd|' /C calc'!A0: value 20.00."  # noqa: RUF001 - as above
    )
    assert "2026-07: won 6, open 5, target 7" in STACK.alternative
    many = replace(STACK, labels=(*STACK.labels, "2027-01"), series=(Series("won", tuple(range(13))),), marks=None)
    assert many.alternative.endswith("; and 1 more.")
    assert HEAT.alternative.startswith("Completed activities by weekday and hour. The highest: Sunday 23: 138; ")


def test_a_chart_of_nothing_says_so_instead_of_drawing_zeros() -> None:
    assert EMPTY.is_empty
    assert EMPTY.alternative == "Value by owner. Nothing was won."
    drawn = picture(EMPTY, "svg").decode()
    assert "Nothing was won." in drawn
    assert "patch_3" not in drawn


def test_nothing_that_draws_or_writes_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys; from sixty_analytics import plugin; [tool.wire for tool in plugin.sixty_tools()]; "
        "print(sorted({'matplotlib', 'xlsxwriter', 'numpy', 'mcp_types'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert found.stdout.strip() == "[]"
