"""The short way of the newest era's `tools/call` and `tools/list`: decoded, called and encoded in one step.

The SDK serves the protocol; it takes some 200 microseconds a message, several times what the call itself may take. A
request goes this way only if it is exactly what the protocol asks for and can be answered with one JSON object.
Everything else, each mistake and each stream, is the SDK's to answer. The SDK's own checks decide what is exact.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import orjson
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS, InboundLadderRejection, classify_inbound_request
from mcp_types import CLIENT_INFO_META_KEY, LOG_LEVEL_META_KEY, SERVER_INFO_META_KEY
from mcp_types.methods import validate_client_request
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from sixty.call import call_tool
from sixty.errors import UnknownTool
from sixty.server.caller import CALLER
from sixty.server.mcp import request_of
from sixty.server.refusals import protocol_error
from sixty.server.replies import reply

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from starlette.types import Receive, Send

    from sixty.server.mcp import SixtyServer
    from sixty.tools import Tool

__all__ = ["Direct"]

PATIENCE = 0.05
"""Seconds that a call runs before it is watched for its client going away: most have ended by then."""

_VERSIONS = {version.encode(): version for version in MODERN_PROTOCOL_VERSIONS}
_STREAMED = ("progressToken", LOG_LEVEL_META_KEY)
"""What in `_meta` asks for more than one answer."""
_ROUTING = ((b"mcp-protocol-version", "mcp-protocol-version"), (b"mcp-method", "mcp-method"), (b"mcp-name", "mcp-name"))
_PARAMS = {"tools/call": frozenset({"_meta", "name", "arguments"}), "tools/list": frozenset({"_meta"})}
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Exact:
    """A message that the SDK would let through to a handler, and answer with one object."""

    id: int | str
    version: str
    params: dict[str, Any]
    is_call: bool


class Direct:
    """Answers what can be answered directly."""

    def __init__(self, server: SixtyServer) -> None:
        self._server = server
        self._host = server.host
        self._stamp = orjson.Fragment(orjson.dumps({SERVER_INFO_META_KEY: server.server_info_stamp}))
        self._special: WeakKeyDictionary[Tool, bool] = WeakKeyDictionary()

    async def answer(self, headers: Mapping[bytes, bytes], body: bytes, receive: Receive, send: Send) -> bool:
        """Whether this POST has been answered; if not, nothing has been done."""
        message = _exact(headers, body)
        principal = CALLER.get().principal
        if message is None or principal is None or (message.is_call and self._is_special(message.params["name"])):
            return False
        if message.is_call:
            await self._call(message, receive, send)
        elif not self._host.is_current(principal):  # the list waits for packs that are coming
            return False
        else:
            await _write(send, message, orjson.Fragment(self._server.listing.encoded_tools(principal, message.version)))
        return True

    async def _call(self, message: _Exact, receive: Receive, send: Send) -> None:
        params = message.params
        meta = params["_meta"]
        try:
            request = request_of(params["name"], params.get("arguments"), meta, meta.get(CLIENT_INFO_META_KEY))
            outcome = await _unless_gone(call_tool(self._host, request), receive)
        except _ClientGone:
            return
        except UnknownTool as error:
            await _write_error(send, message, protocol_error(error))
        except MCPError as error:
            await _write_error(send, message, error)
        else:
            result = {
                "content": outcome.content,
                "isError": outcome.is_error,
                "resultType": "complete",
                "_meta": self._stamp,
            }
            if outcome.text:
                result["structuredContent"] = orjson.Fragment(outcome.text)
            await _write(send, message, result)

    def _is_special(self, name: str) -> bool:
        """Whether the tool asks its client, or wants arguments repeated in headers, which the SDK then compares."""
        tool = self._host.registry.tools.get(name)
        if tool is None:
            return False
        special = self._special.get(tool)
        if special is None:
            special = tool.interactive or b'"x-mcp-header"' in orjson.dumps(tool.input_schema)
            self._special[tool] = special
        return special


def _exact(headers: Mapping[bytes, bytes], body: bytes) -> _Exact | None:
    """The message of a POST, or None if it is for the SDK to answer."""
    version = _VERSIONS.get(headers.get(b"mcp-protocol-version", b""))
    if version is None or not _is_plain(headers.get(b"content-type", b""), headers.get(b"accept", b"")):
        return None
    message = _decoded(body)
    if message is None:
        return None
    params = message["params"]
    routing = {name: headers[key].decode("latin-1") for key, name in _ROUTING if key in headers}
    if isinstance(classify_inbound_request(message, headers=routing), InboundLadderRejection):
        return None
    try:
        validate_client_request(message["method"], version, params)
    except ValidationError:
        return None
    if any(key in params["_meta"] for key in _STREAMED):
        return None
    return _Exact(message["id"], version, params, message["method"] == "tools/call")


def _decoded(body: bytes) -> dict[str, Any] | None:
    """A request that has nothing but what calling and listing need, or None."""
    try:
        message = orjson.loads(body)
        known = _PARAMS[message["method"]]
        is_request = message["jsonrpc"] == "2.0" and type(message["id"]) in (int, str)
        is_plain = type(message["params"]) is dict and known.issuperset(message["params"])
    except (ValueError, LookupError, TypeError):
        return None
    return message if is_request and is_plain else None


class _ClientGone(Exception):
    """The client went away, and its call was cancelled."""


async def _unless_gone(call: Coroutine[Any, Any, _Result], receive: Receive) -> _Result:
    """The result of a call, which is cancelled if the client goes away meanwhile."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    watcher: asyncio.Task[None] | None = None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        if task is not None:
            task.cancel()

    def begin() -> None:
        nonlocal watcher
        watcher = loop.create_task(watch())

    timer = loop.call_later(PATIENCE, begin)
    try:
        return await call
    except asyncio.CancelledError:
        if gone and task is not None and task.uncancel() == 0:
            raise _ClientGone from None
        raise
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()


@lru_cache(256)
def _is_plain(content_type: bytes, accept: bytes) -> bool:
    """Whether JSON is sent and JSON is accepted."""
    accepted = {part.partition(b";")[0].strip().lower() for part in accept.split(b",")}
    is_json = content_type.partition(b";")[0].strip().lower() == b"application/json"
    return is_json and not accepted.isdisjoint((b"application/json", b"application/*", b"*/*"))


async def _write(send: Send, message: _Exact, result: Any) -> None:
    await reply(send, 200, orjson.dumps({"jsonrpc": "2.0", "id": message.id, "result": result}))


async def _write_error(send: Send, message: _Exact, error: MCPError) -> None:
    shown = error.error.model_dump(mode="json", by_alias=True, exclude_none=True)
    body = orjson.dumps({"jsonrpc": "2.0", "id": message.id, "error": shown})
    await reply(send, ERROR_CODE_HTTP_STATUS.get(error.error.code, 200), body)
