"""Everything that can go wrong for a caller, as one tree.

SixtyError                what a caller may be told; `str(error)` is safe to show
├── Invalid               an argument is missing, unknown, of the wrong type or out of range
├── Unauthenticated       no credential, or one that is not accepted
├── Forbidden             the caller may not do this
├── NotFound              no such record, or none that the caller may see
├── Conflict              the state has moved on: a stale version, a duplicate, a touched field
├── RateLimited           too many calls; try again after a while
├── UnknownTool           no such tool, or none that the caller may see
├── ToolRemoved           the tool was here and its pack has gone
└── Unavailable           something this call needs is not there right now

What is outside the tree is a bug of ours and leaves as `internal`, with an id to quote and no detail.
Errors of the operator (a bad setting, a bad plugin) are not shown to callers:

OperatorError
├── BackupError           a backup cannot be made, kept or restored
├── ConfigError           a setting is unknown or bad
├── Misfit                what a command was told does not fit the file that it was given
└── PluginError           a plugin cannot be loaded
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "BackupError",
    "ConfigError",
    "Conflict",
    "Forbidden",
    "Invalid",
    "Misfit",
    "NotFound",
    "OperatorError",
    "PluginError",
    "RateLimited",
    "SixtyError",
    "ToolRemoved",
    "Unauthenticated",
    "Unavailable",
    "UnknownTool",
    "nearest",
    "raised",
]


def _valid(value: Any) -> Any:
    """A JSON value whose texts are valid Unicode, also where it quotes what a caller has sent."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_valid(name): _valid(content) for name, content in value.items()}
    return [_valid(item) for item in value] if isinstance(value, list | tuple) else value


class SixtyError(Exception):
    """Something a caller may be told. `details` are JSON values that go beside `code` and `message`."""

    code: ClassVar[str]

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = {name: value for name, value in details.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """The error as a tool result shows it."""
        return {"code": self.code, "message": _valid(self.message), **_valid(self.details)}


class Invalid(SixtyError):
    """An argument breaks a rule. Details: `field`, `given`, `allowed`."""

    code = "invalid"


class Unauthenticated(SixtyError):
    """The credential is missing or not accepted. `str()` says why in general terms, never the credential."""

    code = "unauthenticated"


class Forbidden(SixtyError):
    """The caller may not do this. Details: `permission`, and `owner_id` where a record belongs to somebody else."""

    code = "forbidden"


class NotFound(SixtyError):
    """There is no such record for this caller. The message names the tool that finds the right id."""

    code = "not_found"


class Conflict(SixtyError):
    """The state has moved on since the caller looked. Details say what changed, and by whom."""

    code = "conflict"


class RateLimited(SixtyError):
    """Too many calls. `retry_after` is in whole seconds, at least 1."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


class UnknownTool(SixtyError):
    """No tool of that name is visible to the caller. A protocol error, not a tool result."""

    code = "unknown_tool"


class ToolRemoved(SixtyError):
    """The tool was served until its pack was disabled. Details: `plugin`, and what to use instead."""

    code = "tool_removed"


class Unavailable(SixtyError):
    """Something that this call needs is not there right now; the same call may work later."""

    code = "unavailable"


def raised(answer: Mapping[str, Any]) -> SixtyError | None:
    """The error that an answer shows, as it was raised; None for one that is not in the tree, such as `internal`."""
    details = {name: value for name, value in answer.items() if name not in ("code", "message")}
    found = (error for error in _tree(SixtyError) if error.code == answer["code"])
    return next((error(answer["message"], **details) for error in found), None)


def _tree(error: type[SixtyError]) -> Iterator[type[SixtyError]]:
    for child in error.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from _tree(child)


class OperatorError(Exception):
    """Something that the person who runs the server has to mend."""


class BackupError(OperatorError):
    """A backup cannot be made, kept or restored; the message says why, and what is as it was."""


class ConfigError(OperatorError):
    """A setting is unknown or bad; the message names it."""


class Misfit(OperatorError):
    """What a command was told does not fit the file that it was given; the message says what would."""


class PluginError(OperatorError):
    """A plugin cannot be loaded; the message says why."""


def nearest(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """The ending `; did you mean 'x'?`, or nothing if no known name is close; a `prefix` of all does not count."""
    others = [other.removeprefix(prefix) for other in known]
    close = get_close_matches(name.removeprefix(prefix), others, n=1, cutoff=0.6)
    return f"; did you mean {prefix + close[0]!r}?" if close else ""
