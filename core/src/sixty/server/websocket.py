"""MCP over WebSocket at `/ws`, both eras: a JSON-RPC message is a text frame. The SDK has no such transport."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from anyio import CancelScope, EndOfStream
from mcp.server.runner import serve_dual_era_loop
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, JSONRPCError, JSONRPCRequest, jsonrpc_message_adapter
from pydantic import ValidationError

from sixty.errors import Unauthenticated, Unavailable
from sixty.server.caller import CALLER, principal_now
from sixty.server.duplex import Incoming, Outgoing, unreadable
from sixty.server.refusals import protocol_error
from sixty.server.replies import refuse, refuse_unavailable

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from sixty.server.caller import Caller
    from sixty.server.mcp import SixtyServer

__all__ = ["PATH", "WebSocket"]

PATH = "/ws"
SUBPROTOCOL = "mcp"
PING = 20.0
"""Seconds between pings, and those that a client has to answer one."""
SILENCE = 30.0
"""Seconds within which the first message has to come."""

GOING_AWAY, UNSUPPORTED, POLICY = 1001, 1003, 1008
"""Why a socket is closed, as RFC 6455 has it."""


class WebSocket:
    """`/ws` behind the gate."""

    def __init__(self, server: SixtyServer) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection for as long as both sides keep it and its caller's credential is accepted."""
        if scope["type"] != "websocket":
            upgrade = [(b"upgrade", b"websocket"), (b"connection", b"upgrade")]
            await refuse(send, 426, INVALID_REQUEST, f"{PATH} is for WebSocket clients", upgrade)
            return
        if SUBPROTOCOL not in scope["subprotocols"]:
            message = f"offer the subprotocol `{SUBPROTOCOL}` (Sec-WebSocket-Protocol: {SUBPROTOCOL})"
            await refuse(send, 400, INVALID_REQUEST, message)
            return
        caller = replace(CALLER.get(), transport="websocket", traceparent=None)  # which was that of the upgrade
        connection = _Connection(self._server, caller, receive, send)
        try:
            with self._server.subscriptions.connections.hold(caller, connection.end):
                await connection.serve()
        except Unavailable as error:
            await refuse_unavailable(send, error)


class _Connection(Incoming):
    """One client. Each message is authenticated anew, with the credential that came with the upgrade."""

    def __init__(self, server: SixtyServer, caller: Caller, receive: Receive, send: Send) -> None:
        self._server = server
        self._caller = caller
        self._receive = receive
        self._send = send
        self._serving = CancelScope()
        self._patience: float | None = SILENCE
        self._saying = asyncio.Lock()
        self._is_over = False
        self._close: tuple[int, str] | None = None

    def end(self) -> None:
        """The socket is closed soon."""
        if self._server.subscriptions.connections.are_given:
            self._close = POLICY, "the credential is not accepted any more"
        else:
            self._close = GOING_AWAY, "the server is stopping"
        self._serving.cancel()

    async def serve(self) -> None:
        """Open the socket, serve it, and say why it is closed if that was not the client's doing."""
        await self._receive()  # that there is somebody
        await self._send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        with self._serving:
            await serve_dual_era_loop(self._server, self, Outgoing(self._say), lifespan_state={})
        if self._close is not None:
            code, reason = self._close
            with suppress(OSError):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def receive(self) -> SessionMessage:
        """The next message, in the context of its caller. What is none is answered here."""
        while True:
            text = await self._frame()
            try:
                message = SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False))
            except ValidationError as error:
                await self._answer(unreadable("the frame", error))
                continue
            try:
                principal = await principal_now(self._server.host, self._caller)
            except Unauthenticated:
                raise self._ending(POLICY, "the credential is not accepted any more") from None
            except Unavailable as error:
                if isinstance(message.message, JSONRPCRequest):
                    wrong = protocol_error(error).error
                    await self._answer(JSONRPCError(jsonrpc="2.0", id=message.message.id, error=wrong))
                continue
            CALLER.set(replace(self._caller, principal=principal))
            return message

    async def _frame(self) -> str:
        if self._is_over:  # the SDK asks again
            raise EndOfStream
        async with self._saying:
            pass  # who does not read is not read
        try:
            async with asyncio.timeout(self._patience):
                event = await self._receive()
        except TimeoutError:
            raise self._ending(POLICY, f"no message came within {SILENCE:.0f} seconds") from None
        self._patience = None
        if event["type"] == "websocket.disconnect":
            self._is_over = True
            raise EndOfStream
        text: str | None = event.get("text")
        if text is None:
            raise self._ending(UNSUPPORTED, "send messages as text frames, not as binary ones")
        return text

    def _ending(self, code: int, reason: str) -> EndOfStream:
        self._is_over, self._close = True, (code, reason)
        return EndOfStream()

    async def _answer(self, message: JSONRPCError) -> None:
        with suppress(OSError):
            await self._say(message.model_dump_json(by_alias=True, exclude_unset=True))

    async def _say(self, text: str) -> None:
        try:
            async with self._saying:
                await self._send({"type": "websocket.send", "text": text})
        except RuntimeError as error:  # the server has closed it by itself, because of too large a frame for example
            raise ConnectionResetError from error
