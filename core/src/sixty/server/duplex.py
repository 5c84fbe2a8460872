"""What the SDK reads from and writes to where a transport carries both directions itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from anyio import BrokenResourceError, ClosedResourceError, EndOfStream
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextvars import Context
    from typing import Self

    from mcp.shared.message import SessionMessage

__all__ = ["Incoming", "Outgoing", "unreadable"]


class Incoming(ABC):
    """The client's messages. Whoever derives from it says how the next one is had."""

    @property
    def last_context(self) -> Context | None:
        """The context in which the last message was sent; None: the one in which it was received."""
        return None

    @abstractmethod
    async def receive(self) -> SessionMessage:
        """The next message. `EndOfStream` if there is none."""

    async def aclose(self) -> None:  # noqa: B027 - most have nothing to release
        """No message is wanted any more."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class Outgoing:
    """The server's messages, each sent as JSON text by whoever wrote it."""

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        """`send` raises `OSError` if the client has gone."""
        self._send = send
        self._is_closed = False

    async def send(self, item: SessionMessage) -> None:
        """Send a message. `ClosedResourceError` or `BrokenResourceError` if it cannot arrive any more."""
        if self._is_closed:
            raise ClosedResourceError
        try:
            await self._send(item.message.model_dump_json(by_alias=True, exclude_unset=True))
        except OSError:
            raise BrokenResourceError from None

    async def aclose(self) -> None:
        """No message is sent any more."""
        self._is_closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def unreadable(what: str, error: Exception) -> JSONRPCError:
    """The answer to `what`, such as "the line", that is no message."""
    is_json = isinstance(error, ValidationError) and error.errors(include_url=False)[0]["type"] != "json_invalid"
    if is_json:
        wrong = ErrorData(code=INVALID_REQUEST, message=f"{what} is JSON, and not a JSON-RPC message")
    else:
        wrong = ErrorData(code=PARSE_ERROR, message=f"{what} is not JSON, or is too long")
    return JSONRPCError(jsonrpc="2.0", id=None, error=wrong)
