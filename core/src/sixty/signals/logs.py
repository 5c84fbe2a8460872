"""What the process tells of itself, on standard error: lines for people, or JSON for programs. No line has a secret.

The code, packs and libraries log as Python does, `logging.getLogger(__name__)`; what a line is about is added here.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from sixty.signals.masking import masking
from sixty.signals.within import WITHIN

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from sixty.config import Settings

__all__ = ["log"]

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log(settings: Settings) -> None:
    """From now on what happens is told on standard error, as the settings say."""
    mask = masking(_secrets(settings))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json(mask) if settings.log_format == "json" else _Text(mask))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells of each request, and some addresses are secrets


class _Text(logging.Formatter):
    """A line, what it is about behind it, and a traceback below it if there is one."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__(_TEXT)
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - Python's name
        line = super().formatMessage(record)
        if facts := WITHIN.get():
            line += "".join(f" {name}={fact}" for name, fact in facts.items())
        if line.isprintable():
            return line
        # what callers have sent must not look like a line of its own
        return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)


def _json(mask: Callable[[str], str]) -> logging.Formatter:
    """An object for each line: `timestamp`, `level`, `logger`, `event`, what it is about, and `exception`."""
    import orjson  # noqa: PLC0415 - with the next one
    import structlog  # noqa: PLC0415 - a tenth of a second, which a server over stdio does not spend by default

    def about(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.update(WITHIN.get())
        return event

    def masked(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: mask(value) if isinstance(value, str) else value for name, value in event.items()}

    def rendered(event: Any, **_: Any) -> str:
        return orjson.dumps(event, default=lambda value: mask(repr(value))).decode()

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            about,
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            masked,
            structlog.processors.JSONRenderer(rendered),
        ],
    )


def _secrets(settings: Settings) -> list[str]:
    """The settings that are never shown, and so are not logged either."""
    hidden = [name for name, field in type(settings).model_fields.items() if not field.repr]
    return [value for name in hidden if isinstance(value := getattr(settings, name), str)]
