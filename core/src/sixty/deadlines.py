"""Running what others wrote, with a deadline. What does not end in time is left behind, and goes on harming nobody."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sixty.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["in_thread", "on_loop"]

GRACE = 1.0
"""Seconds that a task has to end once it is cancelled."""

_T = TypeVar("_T")


async def in_thread(function: Callable[[], _T], seconds: float) -> _T:
    """What `function` returns, run in a daemon thread of its own; nothing that serves waits for it.

    Raises what it raises; `PluginError` if it does not return in time, or raises what would end the process.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[_T] = loop.create_future()

    def settle(result: Any, error: Exception | None) -> None:
        if outcome.done():
            return
        outcome.set_exception(error) if error is not None else outcome.set_result(result)

    def run() -> None:
        result, problem = None, None
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 - also what would end the process is handed to whoever waits
            problem = _tame(error)
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(settle, result, problem)

    threading.Thread(target=run, name="sixty-plugin", daemon=True).start()
    await asyncio.wait((outcome,), timeout=seconds)
    if not outcome.done():
        outcome.cancel()
        raise _too_late(seconds)
    return outcome.result()


async def on_loop(awaitable: Awaitable[_T], seconds: float) -> _T:
    """What `awaitable` gives, awaited here: it must not block. Raises as `in_thread` does."""
    task = asyncio.create_task(_guarded(awaitable))
    try:
        await asyncio.wait((task,), timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait((task,), timeout=GRACE)
    if not task.done() or task.cancelled():
        raise _too_late(seconds)
    return task.result()


async def _guarded(awaitable: Awaitable[_T]) -> _T:
    try:
        return await awaitable
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        raise _tame(error) from error


def _tame(error: BaseException) -> Exception:
    """The same error, if it can be handed on like any other."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return PluginError(f"{type(error).__name__}: {error}")


def _too_late(seconds: float) -> PluginError:
    return PluginError(f"it did not return within {seconds:g} seconds")
