"""A receiver of webhooks on loopback: it keeps what it is sent, and answers as badly as it is told to."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator


@dataclass(frozen=True)
class Request:
    """What came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    @property
    def text(self) -> str:
        """The text of the note that it tells of."""
        text: str = self.event["data"]["text"]
        return text


def says(status: int, body: bytes = b"", **headers: str) -> Any:
    """Answers with this."""

    async def answer(_: Receiver, writer: asyncio.StreamWriter) -> None:
        named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} Something\r\ncontent-length: {len(body)}\r\n{named}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return answer


async def closes(_: Receiver, writer: asyncio.StreamWriter) -> None:
    """Goes away without a word."""


async def hangs(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
    """Says nothing for as long as anybody listens."""
    await receiver.ended.wait()


def floods(size: int, status: int = 500) -> Any:
    """Answers with so many bytes; `receiver.taken` is how many were sent off before the other side went away."""

    async def answer(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} Something\r\ncontent-length: {size}\r\n\r\n".encode())
        piece = b"x" * 10_000
        try:
            while receiver.taken < size:
                writer.write(piece)
                await writer.drain()
                receiver.taken += len(piece)
        except ConnectionError:
            receiver.left.set()

    return answer


@dataclass
class Receiver:
    """What it has received, and what it says next."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    """What it does with the next requests; then it takes everything."""
    taken: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def texts(self) -> list[str]:
        """The texts of the notes that it was told of, in order."""
        return [request.text for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.requests.append(Request(line, headers, body))
            self.arrived.set()
            answer = self.answers.pop(0) if self.answers else says(204)
            await answer(self, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """A receiver that runs for as long as the block."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, host, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"{'http' if context is None else 'https'}://{host}:{port}/hook"
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.close()
