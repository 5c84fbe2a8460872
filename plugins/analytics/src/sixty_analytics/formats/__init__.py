"""The files that a report can become. Each format is a module of its own, imported when a file is written in it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty_analytics.report import Report

__all__ = ["FORMATS", "MIME_TYPES", "Format", "neutral", "write"]

Format = Literal["json", "csv", "xlsx", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)

MIME_TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}

_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - some programs take these, too


def write(report: Report, form: Format) -> str | bytes:
    """The whole file: a text, or bytes. Takes a while; call it in a thread."""
    module = import_module(f"sixty_analytics.formats.as_{form}")
    return cast("str | bytes", module.write(report))


def neutral(text: str) -> bool:
    """Whether no spreadsheet would run a text as a formula."""
    return not text.startswith(_RUN)
