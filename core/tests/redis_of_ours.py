"""As much of a Redis as counting asks of one, which can be slow, wrong and away. How it counts, a real one is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

MINUTE = 60_000


class Redis:
    """Counts by key. What it answers to `EVALSHA` is what the script would."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.connections = 0
        """How many were made so far."""
        self.error: str | None = None
        """What it answers instead of counting."""
        self.silent = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Every connection is closed."""
        for writer in list(self._writers):
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while command := await _command(reader):
                if not self.silent:
                    writer.write(self._answer(*command))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, name: str, *arguments: str) -> bytes:
        if name != "EVALSHA":
            return b"+OK\r\n"
        if self.error is not None:
            return f"-{self.error}\r\n".encode()
        key, most = arguments[2], int(arguments[3])
        if self.counts[key] == most:
            return b":%d\r\n" % MINUTE
        self.counts[key] += 1
        return b":%d\r\n" % (-MINUTE if self.counts[key] == most else 0)


async def _command(reader: asyncio.StreamReader) -> list[str]:
    """The next command, or nothing at the end."""
    head = await reader.readline()
    parts: list[Any] = []
    for _ in range(int(head[1:] or 0)):
        size = int((await reader.readline())[1:])
        parts.append((await reader.readexactly(size + 2))[:-2].decode())
    return parts
