"""Streamable HTTP, both eras: what can be answered directly is, and the rest is the SDK's."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken

from sixty.errors import Unavailable
from sixty.server.bodies import read_body, replaying
from sixty.server.caller import CALLER
from sixty.server.direct import Direct
from sixty.server.refusals import UNAVAILABLE
from sixty.server.replies import refuse, refuse_large, refuse_unavailable
from sixty.server.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Message, Receive, Scope, Send

    from sixty.server.mcp import SixtyServer

__all__ = ["StreamableHttp"]

SESSION_IDLE = 600.0
"""Seconds after which a session of the handshake era without a request or a stream ends: many clients never say so."""
MAX_SESSIONS = 10_000


class StreamableHttp:
    """`/mcp` behind the gate."""

    def __init__(self, server: SixtyServer, max_body: int) -> None:
        self._direct = Direct(server)
        self._subscriptions = server.subscriptions
        self._max_body = max_body
        self._manager = Sessions(
            server, max_request_body_size=max_body, session_idle_timeout=SESSION_IDLE, max_sessions=MAX_SESSIONS
        )
        self._is_running = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sessions can be opened. At the end of the block they have ended; calls without a session go on."""
        async with self._manager.run():
            self._is_running = True
            try:
                yield
            finally:
                self._is_running = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a caller that the gate has let through."""
        if not self._is_running:
            await refuse(send, 503, UNAVAILABLE, "the server is stopping; try again", [(b"connection", b"close")])
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if scope["method"] == "POST":
            body = await read_body(headers, receive, self._max_body)
            if body is None:
                await refuse_large(send, self._max_body)
                return
            # a header sent twice is the SDK's to judge
            if len(headers) == len(scope["headers"]) and await self._direct.answer(headers, body, receive, send):
                return
            receive = replaying(body, receive)
        principal = CALLER.get().principal
        if principal is not None:  # who opened a session: the SDK lets nobody else use it
            owner = AccessToken(token="", client_id=principal.user_id, scopes=[], subject=principal.user_id)
            scope = {**scope, "user": AuthenticatedUser(owner)}
        session_id = headers.get(b"mcp-session-id")
        if scope["method"] == "GET" and session_id is not None:
            await self._stream(session_id.decode("latin-1"), scope, receive, send)
        else:
            await self._manager.handle_request(scope, receive, send)

    async def _stream(self, session_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream on which a session is told, for as long as its caller's credential is accepted."""
        is_open = False

        async def watched(message: Message) -> None:
            nonlocal is_open
            await send(message)
            is_head = message["type"] == "http.response.start"
            is_open = is_head or message.get("more_body", False)
            if is_head and message["status"] == HTTPStatus.OK:
                reachable.enter_context(self._subscriptions.reachable(session_id))

        try:
            with (
                anyio.CancelScope() as serving,
                self._subscriptions.connections.hold(CALLER.get(), serving.cancel),
                ExitStack() as reachable,
            ):
                await self._manager.handle_request(scope, receive, watched)
        except Unavailable as error:
            await refuse_unavailable(send, error)
        if is_open:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
