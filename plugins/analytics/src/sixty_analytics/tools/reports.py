"""The tool that makes reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sixty import Arguments, Call, Day, Result, tool
from sixty_analytics.charts import attach
from sixty_analytics.files import NEEDS, File, file_of, link
from sixty_analytics.formats import Format
from sixty_analytics.formats.as_json import rows_of
from sixty_analytics.models import Image
from sixty_analytics.reports import Name, made

if TYPE_CHECKING:
    from sixty_analytics.report import Report, Table

__all__ = ["generate_reports"]

SHOWN = 25
"""Rows of a table in the result; the file has them all."""


class GenerateReports(Arguments):
    """The arguments of `generate_reports`."""

    report: Name
    format: Format
    start: Day | None = None
    end: Day | None = None


class ShownTable(BaseModel):
    """The first rows of a table. What is not known is left out of a row."""

    model_config = ConfigDict(frozen=True)

    name: str
    rows: list[dict[str, Any]]
    row_count: int
    """Of the whole table."""
    definition: str
    notes: list[str]


class ShownReport(BaseModel):
    """The figures of a report."""

    model_config = ConfigDict(frozen=True)

    report: Name
    start: str
    end: str
    timezone: str
    tables: list[ShownTable]


class ReportMade(Result):
    """What `generate_reports` answers."""

    report: ShownReport
    file: File
    image: Image


@tool(
    "generate_reports",
    permission="analytics:read",
    effect="read",
    rate="bulk",
    needs=NEEDS,
    aggregates=True,
)
async def generate_reports(args: GenerateReports, call: Call) -> ReportMade:
    """Make a report of the pipeline, forecast (against targets), activity, performance or velocity, with its chart.

    The file is read at its link, json, csv, xlsx or html; the result has the figures. Each report has a usual window,
    ending today, unless given.
    """
    report = await made(call, args.report, args.start, args.end)
    file = file_of(report, args.format)
    image = await attach(call, report.charts[0])
    link(call, report, file)
    return ReportMade(message=report.summary.rstrip("."), report=_shown(args.report, report), file=file, image=image)


def _shown(name: Name, report: Report) -> ShownReport:
    return ShownReport(
        report=name,
        start=str(report.first),
        end=str(report.last),
        timezone=report.timezone,
        tables=[_table(table) for table in report.tables],
    )


def _table(table: Table) -> ShownTable:
    return ShownTable(
        name=table.name,
        rows=rows_of(table, SHOWN),
        row_count=len(table.rows),
        definition=table.definition,
        notes=list(table.notes),
    )
