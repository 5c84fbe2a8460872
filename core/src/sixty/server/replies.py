"""Plain HTTP answers: of the pages beside the protocol, and of refusals before it. Bodies are JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Send

__all__ = ["JSON", "refuse", "reply"]

JSON = (b"content-type", b"application/json")
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
