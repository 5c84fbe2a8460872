"""What an operator does by the command line is in the audit trail, whichever command it is.

A command that makes calls is there by its calls. Any other leaves a line of its own, with what was typed and what came
of it; also one that only looks, because it shows what the operator may not otherwise see.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING

import click

from sixty.audit import Entry
from sixty.errors import OperatorError, SixtyError
from sixty.ids import new_id
from sixty.operator import operator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sixty.host import Host

__all__ = ["TRANSPORT", "acting"]

TRANSPORT = "cli"


@asynccontextmanager
async def acting(host: Host) -> AsyncIterator[None]:
    """What the block does is in the trail."""
    host.sealer.to_the_end = True  # there may be no server that does
    call_id, at, started = new_id(), host.clock(), perf_counter()
    outcome, message = "ok", None
    try:
        yield
    except BaseException as error:
        outcome, message = _told(error)
        raise
    finally:
        context = click.get_current_context()
        if TRANSPORT not in host.audit.transports:
            entry = Entry(
                call_id=call_id,
                at=at,
                tool=context.command_path,
                outcome=outcome,
                message=message,
                arguments={name: value for name, value in context.params.items() if value not in (None, (), False)},
                transport=TRANSPORT,
                client=operator(),
                microseconds=round((perf_counter() - started) * 1e6),
            )
            host.audit.later(entry)


def _told(error: BaseException) -> tuple[str, str | None]:
    """The outcome and the message of a command that has ended in another way."""
    if isinstance(error, SixtyError):
        return error.code, error.message
    if isinstance(error, click.exceptions.Exit):
        return ("ok", None) if error.exit_code == 0 else ("failed", f"exit status {error.exit_code}")
    if isinstance(error, click.ClickException):
        return "failed", error.format_message()
    if isinstance(error, OperatorError):
        return "failed", str(error)
    if isinstance(error, Exception):
        return "internal", f"something went wrong on our side: {type(error).__name__}"
    return "cancelled", "it was interrupted"
