"""MCP on the process's standard streams, both eras. The credential is the one of the settings, looked at on each call.

Nothing of HTTP is imported: an agent waits for this server to start.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from sixty.errors import ConfigError, Unauthenticated
from sixty.server.caller import CALLER, Caller
from sixty.server.duplex import Incoming, unreadable
from sixty.server.mcp import SixtyServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextvars import Context

    from mcp.shared._context_streams import ContextReceiveStream, ContextSendStream

    from sixty.host import Host

__all__ = ["serve_stdio"]


async def serve_stdio(host: Host) -> None:
    """Serve until the client closes standard input, or until SIGINT or SIGTERM.

    Raises `ConfigError` at once if the settings have no credential, or one that is not accepted.
    """
    token = host.settings.token
    if token is None:
        raise ConfigError(
            "SIXTY_TOKEN is not set: a stdio server acts for one user; make a key with `sixty key add EMAIL` and set it"
        )
    try:
        await host.authenticator.authenticate(token)
    except Unauthenticated as error:
        raise ConfigError(
            f"SIXTY_TOKEN is not accepted: {error.message}; make a key with `sixty key add EMAIL`"
        ) from error
    CALLER.set(Caller(token=token, transport="stdio"))
    server = SixtyServer(host)
    gc.freeze()  # what is loaded stays; nobody waits for a look at all of it
    gc.enable()
    serving = asyncio.create_task(_serve(server, host.settings.max_request_bytes))
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows has no such signals, and ends by KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving


async def _serve(server: SixtyServer, longest: int) -> None:
    async with server.subscriptions.watching(), stdio_server(stdin=await _standard_input(longest)) as (read, write):
        await server.run(_Messages(read, write), write, server.create_initialization_options())


class _Messages(Incoming):
    """The client's messages. A line that is none is answered with an error here; the SDK would keep silent."""

    def __init__(
        self, lines: ContextReceiveStream[SessionMessage | Exception], answers: ContextSendStream[SessionMessage]
    ) -> None:
        self._lines = lines
        self._answers = answers

    @property
    def last_context(self) -> Context | None:
        """The context in which the last message was sent."""
        return self._lines.last_context

    async def receive(self) -> SessionMessage:
        """The next message."""
        while isinstance(item := await self._lines.receive(), Exception):
            await self._answers.send(SessionMessage(unreadable("the line", item)))
        return item

    async def aclose(self) -> None:
        """No message is wanted any more."""
        await self._lines.aclose()


async def _standard_input(longest: int) -> Any:
    """Standard input without a thread that could not be stopped, or None where only a thread can read it."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if sys.platform == "win32" or not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None
    reader = asyncio.StreamReader(limit=longest)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return _lines(reader)


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a pipe; in the place of one that is too long, a line that is no message."""
    too_long = False
    while True:
        try:
            line = await reader.readuntil()
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)
            too_long = True
        except asyncio.IncompleteReadError:
            return
        else:
            yield b"too long" if too_long else line
            too_long = False
