"""MCP on the process's standard streams, both eras. The credential is the one of the settings, looked at on each call.

Nothing of HTTP is imported: an agent waits for this server to start.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mcp.server.stdio import stdio_server

from sixty.errors import ConfigError, Unauthenticated
from sixty.server.caller import CALLER, Caller
from sixty.server.mcp import SixtyServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
    serving = asyncio.create_task(_serve(server, host.settings.max_request_bytes))
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows has no such signals, and ends by KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, serving.cancel)
    with suppress(asyncio.CancelledError):
        await serving


async def _serve(server: SixtyServer, longest: int) -> None:
    async with stdio_server(stdin=await _standard_input(longest)) as (read, write):
        await server.run(read, write, server.create_initialization_options())


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
    while not reader.at_eof():
        try:
            line = await reader.readuntil()
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)
            too_long = True
        except asyncio.IncompleteReadError as error:
            yield error.partial
        else:
            yield b"too long" if too_long else line
            too_long = False
