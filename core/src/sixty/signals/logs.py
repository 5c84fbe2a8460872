"""What the process tells of itself, on standard error: lines for people, or JSON for programs. No line has a secret.

The code, packs and libraries log as Python does, `logging.getLogger(__name__)`; what a line is about is added here.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from sixty.config import OWN
from sixty.signals.masking import masking
from sixty.signals.within import WITHIN

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from sixty.config import Settings

__all__ = ["handler", "log", "secrets_of"]

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log(settings: Settings) -> None:
    """From now on what happens is told on standard error, as the settings say."""
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler(settings, sys.stderr)])
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells of each request, and some addresses are secrets


def handler(settings: Settings, stream: TextIO) -> logging.Handler:
    """What writes lines to `stream`, in the format of the settings."""
    mask = masking(secrets_of(settings))
    writing = _Writing(stream)
    writing.setFormatter(_json(mask) if settings.log_format == "json" else _Text(mask))
    return writing


class _Writing(logging.StreamHandler[TextIO]):
    """Writes lines. Of one that cannot be made it says so; Python would show it as it is, and unmasked."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - Python's name
        with suppress(Exception):  # there may be nobody left to tell
            why = type(sys.exception()).__name__
            self.stream.write(f"a line of {record.name} ({record.filename}:{record.lineno}) cannot be logged: {why}\n")


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

    def masked(value: Any) -> Any:
        if isinstance(value, str):
            return mask(value)
        if isinstance(value, Mapping):
            return {mask(str(name)): masked(content) for name, content in value.items()}
        if isinstance(value, list | tuple):
            return [masked(item) for item in value]
        return value if value is None or isinstance(value, int | float) else mask(repr(value))

    def rendered(event: Any, **_: Any) -> str:
        # what other formatters have left on the record says nothing new
        told = {name: masked(event[name]) for name in event if name not in ("message", "asctime")}
        try:
            return orjson.dumps(told).decode()
        except TypeError:  # half a surrogate pair, or a number of more than 64 bits
            return json.dumps(told)

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
            structlog.processors.JSONRenderer(rendered),
        ],
    )


def secrets_of(settings: Settings) -> list[str]:
    """The settings that are never shown, and so are not logged either."""
    hidden = (getattr(settings, name) for name, field in type(settings).model_fields.items() if not field.repr)
    texts = (text for value in hidden for text in (value if isinstance(value, tuple) else (value,)))
    return [text for text in texts if isinstance(text, str) and text != OWN]
