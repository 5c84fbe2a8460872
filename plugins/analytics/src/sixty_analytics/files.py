"""The files of reports. None is stored: its address says what is in it, and who reads it gets what they may see."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from sixty import Arguments, Call, Day, Resource, resource
from sixty.crm import DEALS, STAGE_CHANGES
from sixty_analytics.formats import FORMATS, MIME_TYPES, Format, write
from sixty_analytics.reports import Name, made

if TYPE_CHECKING:
    from sixty_analytics.report import Report

__all__ = ["FILES", "NEEDS", "File", "file_of", "link"]

NEEDS = (DEALS, STAGE_CHANGES)
"""The views without which there are no reports."""


class File(BaseModel):
    """Where a report is as a whole file, for who reads the address."""

    model_config = ConfigDict(frozen=True)

    uri: str
    name: str
    mime_type: str


class OneReport(Arguments):
    """The variables of the address."""

    report: Name
    start: Day
    end: Day


def file_of(report: Report, form: Format) -> File:
    """The file of a report. Its address has the days, so that it is the same tomorrow."""
    name = f"{report.name}-{report.first}-{report.last}.{form}"
    uri = f"crm://reports/{report.name}/{report.first}/{report.last}/report.{form}"
    return File(uri=uri, name=name, mime_type=MIME_TYPES[form])


def link(call: Call, report: Report, file: File) -> None:
    """The address of the file stands behind the result."""
    from mcp_types import ResourceLink  # noqa: PLC0415 - a third of a second

    title = f"{report.title}, {report.window}"
    shown = ResourceLink(type="resource_link", uri=file.uri, name=file.name, title=title, mime_type=file.mime_type)
    call.attach(shown)


def _written(form: Format) -> Resource:
    @resource(
        f"crm://reports/{{report}}/{{start}}/{{end}}/report.{form}",
        name=f"Report as {form}",
        permission="analytics:read",
        mime_type=MIME_TYPES[form],
        rate="bulk",
        needs=NEEDS,
        aggregates=True,
    )
    async def report_file(args: OneReport, call: Call) -> str | bytes:
        """A report (pipeline, forecast, activity, performance or velocity) from one day to another, made anew."""
        report = await made(call, args.report, args.start, args.end)
        return await asyncio.to_thread(write, report, form)

    return report_file


FILES = tuple(map(_written, FORMATS))
"""One for each format."""
