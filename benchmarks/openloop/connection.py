"""A kept connection, one request on it at a time, and what is made of the answer."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Protocol, cast

import httptools

from benchmarks.closedloop import result_of

if TYPE_CHECKING:
    from benchmarks.openloop.plan import Kind

__all__ = ["Connection", "Request"]


class Request:
    """One that is on its way, or waits for a connection."""

    __slots__ = ("counts", "due", "kind", "touches", "written")

    def __init__(self, kind: Kind, due: float, written: bytes, touches: str | None, *, counts: bool) -> None:
        self.kind, self.due, self.written, self.touches, self.counts = kind, due, written, touches, counts


class Owner(Protocol):
    """Whoever uses connections, and hears of them."""

    def settle(self, request: Request, error: tuple[str, str] | None) -> None:
        """The request was answered just now: with this error, its code and all of it, unless it was served."""

    def fail(self, request: Request, code: str, why: str) -> None:
        """The request will not be answered."""

    def release(self, connection: Connection) -> None:
        """The connection is free."""

    def lost(self, connection: Connection) -> None:
        """The connection is gone."""


class Connection(asyncio.Protocol):
    """A connection that is kept, with one request on its way at a time."""

    def __init__(self, owner: Owner, port: int) -> None:
        self._owner = owner
        self.port = port
        self.free_since = 0.0
        self._request: Request | None = None
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It can be written to."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        self._parser = httptools.HttpResponseParser(self)

    def send(self, request: Request) -> None:
        """Send a request; the connection must be free."""
        self._request = request
        self._body.clear()
        self._transport.write(request.written)

    def close(self) -> None:
        """The connection is closed."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """The server has sent something."""
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        """A part of an answer's body has come."""
        self._body += data

    def on_message_complete(self) -> None:
        """The answer is whole."""
        request, self._request = self._request, None
        if request is None:
            return
        self._owner.settle(request, error_in(self._parser.get_status_code(), bytes(self._body)))
        self.free_since = perf_counter()
        if self._parser.should_keep_alive():
            self._owner.release(self)
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._owner.lost(self)
        if self._request is not None:
            self._owner.fail(self._request, "connection lost", str(exc))


def error_in(status: int, body: bytes) -> tuple[str, str] | None:
    """The code of the error in an answer, and all of it; None if it is a success."""
    result = result_of(status, body)
    if result is None:
        return f"HTTP {status}", body[:600].decode(errors="replace")
    if result.get("isError"):
        return result["structuredContent"]["error"]["code"], body[:600].decode(errors="replace")
    return None
