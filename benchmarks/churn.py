"""Clients that come and go, most of them badly: nothing that they do may stay behind in a server.

A process of its own. It takes ports and API keys as JSON on its standard input and goes on until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import subprocess
import sys
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING

from benchmarks import wire
from benchmarks.listening import Http, drained, expect, handshake, stream
from benchmarks.processes import end

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

__all__ = ["churning"]

PAUSE = 0.25
"""Seconds between two clients of each habit."""
AT_ONCE = struct.pack("ii", 1, 0)
"""The option of a socket that is closed without a farewell, even if something is still to come."""


@contextmanager
def churning(ports: Sequence[int], tokens: Sequence[str]) -> Iterator[None]:
    """Such clients are at it within the block."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps([ports, tokens]))
        process.stdin.close()
        try:
            yield
            if process.poll() is not None:
                raise RuntimeError(f"the clients that come and go have ended with {process.returncode}")
        finally:
            end(process)


async def calls_once(port: int, token: str) -> None:
    """One connection for one call."""
    http = Http(port, token)
    expect(200, *await http.send("POST", "/mcp", wire.headers("tools/list"), wire.rpc("tools/list")))
    await drained(http)
    http.close()


async def leaves_session(port: int, token: str) -> None:
    """A session that is opened, and never closed."""
    http = Http(port, token)
    await handshake(http)
    http.close()


async def drops_stream(port: int, token: str) -> None:
    """A listen stream whose client is gone some seconds later, without a word."""
    listening = stream(port, token)
    with suppress(TimeoutError):
        async with asyncio.timeout(random.uniform(1, 5)):
            async for _ in listening:
                pass
    await listening.aclose()  # type: ignore[attr-defined]


async def vanishes(port: int, token: str) -> None:
    """A call whose client does not wait for the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(wire.call(port, "get_pipeline_metrics", {}, token).encode())
    await writer.drain()
    with suppress(TimeoutError):
        await asyncio.wait_for(reader.read(1), random.uniform(0, 0.02))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()


HABITS: Sequence[Callable[[int, str], Awaitable[None]]] = (calls_once, leaves_session, drops_stream, vanishes)


async def main(ports: Sequence[int], tokens: Sequence[str]) -> None:
    """Clients of every habit come one after another, to each server in turn."""
    async with asyncio.TaskGroup() as clients:
        for number in count():
            for habit in HABITS:
                clients.create_task(_survived(habit, ports[number % len(ports)], tokens[number % len(tokens)]))
            await asyncio.sleep(PAUSE)


async def _survived(habit: Callable[[int, str], Awaitable[None]], port: int, token: str) -> None:
    with suppress(OSError, EOFError):  # the server may be busy with all the others; the load counts errors, not this
        await habit(port, token)


if __name__ == "__main__":
    asyncio.run(main(*json.load(sys.stdin)))
