"""HTTP with server-sent events, as clients spoke before streamable HTTP: a stream to read, an address to post to.

`/sse` is the stream; its first event names the address, `/messages` with the id of the session.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

import anyio
from mcp.server.runner import serve_dual_era_loop
from mcp.shared._context_streams import ContextSendStream, create_context_streams
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, jsonrpc_message_adapter
from pydantic import ValidationError

from sixty.errors import Unavailable
from sixty.server.bodies import read_body
from sixty.server.caller import CALLER
from sixty.server.duplex import Outgoing, unreadable
from sixty.server.proxies import new_session_id
from sixty.server.replies import refuse, refuse_large, refuse_unavailable, reply

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from sixty.server.caller import Caller
    from sixty.server.leases import Lease
    from sixty.server.mcp import SixtyServer

__all__ = ["MESSAGES", "STREAM", "Sse"]

STREAM = "/sse"
MESSAGES = "/messages"
PING = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the stream."""

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True, slots=True)
class _Session:
    lease: Lease
    messages: ContextSendStream[SessionMessage | Exception]


class Sse:
    """Both addresses, behind the gate."""

    def __init__(self, server: SixtyServer, max_body: int) -> None:
        self._server = server
        self._max_body = max_body
        self._sessions: dict[str, _Session] = {}

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a session for as long as its stream is read and its caller's credential is accepted."""
        if scope["method"] != "GET":
            await refuse(send, 405, INVALID_REQUEST, f"{STREAM} can only be read", [(b"allow", b"GET")])
            return
        try:
            with (
                anyio.CancelScope() as serving,
                self._server.subscriptions.connections.hold(CALLER.get(), serving.cancel) as lease,
            ):
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                await self._serve(lease, scope, receive, send)
        except Unavailable as error:
            await refuse_unavailable(send, error)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _serve(self, lease: Lease, scope: Scope, receive: Receive, send: Send) -> None:
        async def event(data: str, name: str = "message") -> None:
            body = f"event: {name}\r\ndata: {data}\r\n\r\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})

        messages, incoming = create_context_streams[SessionMessage | Exception](0)
        session_id = new_session_id(scope, self._sessions)
        self._sessions[session_id] = _Session(lease, messages)
        try:
            await event(f"{quote(scope.get('root_path', ''))}{MESSAGES}?session_id={session_id}", "endpoint")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, send, tasks.cancel_scope)
                await serve_dual_era_loop(self._server, incoming, Outgoing(event), lifespan_state={})
                tasks.cancel_scope.cancel()
        finally:
            del self._sessions[session_id]
            messages.close()

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a message on to its session, and say that it was; the answer comes on the stream."""
        if scope["method"] != "POST":
            await refuse(send, 405, INVALID_REQUEST, f"{MESSAGES} can only be posted to", [(b"allow", b"POST")])
            return
        caller = CALLER.get()
        body = await read_body(dict(scope["headers"]), receive, self._max_body)
        if body is None:
            await refuse_large(send, self._max_body)
            return
        session = self._sessions.get(_session_id(scope))
        if session is None or not _is_the_same(session.lease.caller, caller):
            await _refuse_unknown(send)
            return
        try:
            message = SessionMessage(jsonrpc_message_adapter.validate_json(body, by_name=False))
        except ValidationError as error:
            wrong = unreadable("the body", error).error
            await refuse(send, 400, wrong.code, wrong.message)
            return
        session.lease.renew(caller)
        CALLER.set(replace(caller, transport="sse"))
        try:
            await session.messages.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            await _refuse_unknown(send)
        else:
            await reply(send, 202, b"{}")


async def _until_gone(receive: Receive, send: Send, serving: anyio.CancelScope) -> None:
    while True:
        with anyio.move_on_after(PING) as silence:
            if (await receive())["type"] == "http.disconnect":
                serving.cancel()
                return
        if silence.cancelled_caught:
            await send({"type": "http.response.body", "body": b": ping\r\n\r\n", "more_body": True})


def _session_id(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("session_id", [""])[0]


def _is_the_same(owner: Caller, caller: Caller) -> bool:
    return (owner.principal and owner.principal.user_id) == (caller.principal and caller.principal.user_id)


async def _refuse_unknown(send: Send) -> None:
    await refuse(send, 404, INVALID_REQUEST, f"there is no such session, or its server is gone: begin anew at {STREAM}")
