"""Jobs: what a pack does after a call, and the decorator that makes one from an async function."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import cleandoc, iscoroutinefunction
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sixty.errors import PluginError
from sixty.offers import model_of, parsed
from sixty.values import Arguments

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.jobs.work import Work

__all__ = ["GiveUp", "Job", "Nothing", "RetryLater", "job"]

RETRY = (5.0, 60.0, 600.0, 3600.0)
"""Seconds before each further try, unless a job says otherwise."""
TIMEOUT = 300.0
"""Seconds that one try may take, unless a job says otherwise."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

Payload = Mapping[str, Any] | BaseModel
Handler = Callable[[Any, "Work"], Awaitable[None]]
Retry = tuple[float, ...] | Callable[["Host"], tuple[float, ...]]


class Nothing(Arguments):
    """The arguments of a job that needs none."""


class RetryLater(Exception):
    """Raised by a job that cannot be done now: its next try, if it has one left, is in so many seconds."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(reason or f"to be tried again in {seconds:g} seconds")
        self.seconds = seconds


class GiveUp(Exception):
    """Raised by a job that no further try would help: it has failed, for this reason."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Something that a pack does later. Make it with `@job`."""

    name: str
    handler: Handler
    arguments: type[BaseModel]
    description: str
    retry: Retry = RETRY
    """Seconds before each further try, or what finds them in settings. After the last one it has failed."""
    timeout: float = TIMEOUT
    """Seconds that one try may take."""
    failed: Handler | None = None
    """What is done once it has failed for good; with the same arguments, and with `work.error`."""
    here: Callable[[Host], bool] | None = None
    """Whether this process can do it, by its settings; one that cannot leaves it to those that can."""

    def parse(self, payload: Payload, context: Mapping[str, Any]) -> Any:
        """The payload as the job's model. `Invalid` says what is wrong with it."""
        if isinstance(payload, self.arguments):
            return payload
        return parsed(self.arguments, dict(payload), context)

    def is_done_by(self, host: Host) -> bool:
        """Whether this process can do it."""
        return self.here is None or self.here(host)

    def plan(self, host: Host) -> tuple[float, ...]:
        """Seconds before each further try."""
        return tuple(self.retry(host) if callable(self.retry) else self.retry)

    def check(self) -> None:
        """Raise `PluginError` unless it can be run; called when the plugin loads."""
        if not NAME.fullmatch(self.name):
            raise PluginError(f"the name {self.name!r} of a job must be snake_case, at most 64 characters")
        if not self.description:
            raise PluginError(f"the job {self.name} has no description: write a docstring")
        seconds = () if callable(self.retry) else self.retry
        if self.timeout <= 0 or min(seconds, default=0) < 0:
            raise PluginError(f"the job {self.name} must have a timeout above 0, and no negative seconds in retry")


def job(
    name: str,
    *,
    retry: Retry = RETRY,
    timeout: float = TIMEOUT,
    failed: Handler | None = None,
    here: Callable[[Host], bool] | None = None,
) -> Callable[[Handler], Job]:
    """A job made from an async function `(args, work)`; its docstring says what it does.

    Raises `PluginError` for a function that cannot be a job.
    """

    def decorate(function: Handler) -> Job:
        if failed is not None and not iscoroutinefunction(failed):
            raise PluginError(f"`failed` of the job {name} must be an async function")
        model = model_of(function, f"the job {name}")
        return Job(name, function, model, cleandoc(function.__doc__ or ""), retry, timeout, failed, here)

    return decorate
