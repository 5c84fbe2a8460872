"""What each report is about: figures become tables and charts. How they are written, `formats` knows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from datetime import date

    from sixty import Call
    from sixty_analytics.report import Report

__all__ = ["NAMES", "Name", "made"]

Name = Literal["pipeline", "forecast", "activity", "performance", "velocity"]
NAMES: tuple[Name, ...] = get_args(Name)


async def made(call: Call, name: Name, start: date | None, end: date | None) -> Report:
    """The report, of what the caller may see, from `start` to `end`; each report has a window of its own without them.

    Raises `Invalid` for a window that ends before it begins, or is longer than ten years.
    """
    module = import_module(f"sixty_analytics.reports.{name}")
    report: Report = await module.made(call, start, end)
    return report
