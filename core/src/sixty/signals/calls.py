"""A log line for each settled call: what came of it, how long it took, how it came in. Never what was said in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sixty.audit import Entry

__all__ = ["log_call", "log_failure"]

_OURS = ("internal", "unavailable")
"""What comes of a call through no fault of its caller."""
_logger = logging.getLogger(__name__)


def log_call(entry: Entry) -> None:
    """Log a call, as a warning where the fault is on this side."""
    level = logging.WARNING if entry.outcome in _OURS else logging.INFO
    if _logger.isEnabledFor(level):
        milliseconds = entry.microseconds / 1000
        told = {"outcome": entry.outcome, "milliseconds": milliseconds, "transport": entry.transport}
        # made by hand: to find out which line of the code logs it would take longer than all the rest
        record = _logger.makeRecord(
            _logger.name,
            level,
            __file__,
            0,
            "%s: %s in %.1f ms over %s",
            (entry.tool[:128], entry.outcome, milliseconds, entry.transport),
            None,
            extra=told,
        )
        _logger.handle(record)


def log_failure(entry: Entry) -> None:
    """Log a call if the fault is on this side."""
    if entry.outcome in _OURS:
        log_call(entry)
