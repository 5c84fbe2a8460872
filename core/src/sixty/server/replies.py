"""Plain HTTP answers: of the pages beside the protocol, and of refusals before it. Bodies are JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from mcp_types import INVALID_REQUEST

from sixty.server.refusals import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Send

    from sixty.errors import Unavailable

__all__ = ["JSON", "SOON", "Refuse", "refuse", "refuse_large", "refuse_unavailable", "reply"]

JSON = (b"content-type", b"application/json")
SOON = (b"retry-after", b"5")
"""When to come back while something is away."""
Refuse = Callable[..., Awaitable[None]]
"""`refuse`, or what stands in its place where no MCP is spoken."""
_Header = tuple[bytes, bytes]


async def reply(send: Send, status: int, body: bytes, headers: Iterable[_Header] = ()) -> None:
    """Send a whole answer."""
    head = [JSON, (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def refuse(  # noqa: PLR0917 - in the order in which they are written
    send: Send,
    status: int,
    code: int,
    message: str,
    headers: Iterable[_Header] = (),
    data: Mapping[str, Any] | None = None,
) -> None:
    """Send a refusal, in the form in which MCP clients look for one: a JSON-RPC error without an id."""
    error = {"code": code, "message": message, **({"data": data} if data is not None else {})}
    await reply(send, status, orjson.dumps({"jsonrpc": "2.0", "id": None, "error": error}), headers)


async def refuse_unavailable(send: Send, error: Unavailable) -> None:
    """Send that the client may come back in a moment."""
    await refuse(send, 503, UNAVAILABLE, error.message, [SOON], error.to_json())


async def refuse_large(send: Send, limit: int) -> None:
    """Send that a body is larger than `limit` bytes. The rest of it is thrown away as it comes."""
    await refuse(send, 413, INVALID_REQUEST, f"the request is larger than {limit} bytes; send less at once")
