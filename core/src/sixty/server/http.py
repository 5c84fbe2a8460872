"""Streamable HTTP at `/mcp`, both eras, and the pages beside it. `listening` runs it, `app` is it without a socket."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import uvicorn
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import INVALID_REQUEST

from sixty.errors import ConfigError, OperatorError
from sixty.server.caller import CALLER
from sixty.server.corked import CorkedProtocol
from sixty.server.direct import Direct
from sixty.server.gate import METADATA_PATH, Gate, Metadata
from sixty.server.health import Health, Ready
from sixty.server.mcp import UNAVAILABLE, SixtyServer
from sixty.server.replies import refuse
from sixty.server.trust import Trust, Trusted, is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sixty.host import Host

__all__ = ["PATH", "App", "app", "listening", "serve_http"]

PATH = "/mcp"
SESSION_IDLE = 600.0
"""Seconds after which a session of the handshake era without a request or a stream ends: many clients never say so."""
MAX_SESSIONS = 10_000
GRACE = 10
"""Seconds that calls in flight have to end when the server stops."""
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: longer than proxies and HTTP clients keep theirs."""

_logger = logging.getLogger(__name__)


class Endpoint:
    """`/mcp` behind the gate: what can be answered directly is, and the rest is the SDK's."""

    def __init__(self, server: SixtyServer, max_body: int) -> None:
        self._direct = Direct(server)
        self._max_body = max_body
        self._manager = StreamableHTTPSessionManager(
            server, max_request_body_size=max_body, session_idle_timeout=SESSION_IDLE, max_sessions=MAX_SESSIONS
        )
        self._ended: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a caller that the gate has let through."""
        if self._task is None or self._task.done():
            await refuse(send, 503, UNAVAILABLE, "the server is stopping; try again", [(b"connection", b"close")])
            return
        if scope["method"] == "POST":
            headers: dict[bytes, bytes] = dict(scope["headers"])
            body = await _body(headers, receive, self._max_body)
            if body is None:
                message = f"the request is larger than {self._max_body} bytes; send less at once"
                await refuse(send, 413, INVALID_REQUEST, message)  # the rest is thrown away as it comes
                return
            # a header sent twice is the SDK's to judge
            if len(headers) == len(scope["headers"]) and await self._direct.answer(headers, body, receive, send):
                return
            receive = _replaying(body, receive)
        principal = CALLER.get().principal
        if principal is not None:  # who opened a session: the SDK lets nobody else use it
            owner = AccessToken(token="", client_id=principal.user_id, scopes=[], subject=principal.user_id)
            scope = {**scope, "user": AuthenticatedUser(owner)}
        await self._manager.handle_request(scope, receive, send)

    async def start(self) -> None:
        """Sessions can be opened."""
        self._ended = asyncio.Event()
        running = asyncio.Event()
        self._task = asyncio.create_task(self._run(running, self._ended))
        await running.wait()

    async def stop(self) -> None:
        """Every session has ended, and its streams with it; calls without a session go on."""
        if self._task is not None and self._ended is not None:
            self._ended.set()
            await self._task

    async def _run(self, running: asyncio.Event, ended: asyncio.Event) -> None:
        async with self._manager.run():  # entered and left by one task, whoever starts and stops
            running.set()
            await ended.wait()


class App:
    """The ASGI application: a path leads to an endpoint."""

    def __init__(self, host: Host, address: str, anonymous_as: str | None = None) -> None:
        self._endpoint = Endpoint(SixtyServer(host), host.settings.max_request_bytes)
        metadata = Metadata(host, PATH)
        trust = Trust(host.settings, address)
        gate = Gate(self._endpoint, host, metadata, anonymous_as)
        self._protocol: dict[str, ASGIApp] = {PATH: Trusted(gate, trust)}
        self._pages: dict[str, ASGIApp] = {
            METADATA_PATH: Trusted(metadata, trust),
            METADATA_PATH + PATH: Trusted(metadata, trust),
            "/health": Health(),
            "/ready": Ready(host),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to whatever serves its path."""
        if scope["type"] == "http":
            path = scope["path"]
            if (protocol := self._protocol.get(path)) is not None:
                await protocol(scope, receive, send)
            elif (page := self._pages.get(path)) is None:
                await refuse(send, 404, INVALID_REQUEST, f"nothing is here; MCP is at {PATH}")
            elif scope["method"] not in ("GET", "HEAD"):
                await refuse(send, 405, INVALID_REQUEST, "this page can only be read", [(b"allow", b"GET, HEAD")])
            else:
                await page(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def start(self) -> None:
        """Requests can be served."""
        await self._endpoint.start()

    async def stop(self) -> None:
        """Streams have ended, so that nothing keeps connections open."""
        await self._endpoint.stop()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await (self.start() if message["type"] == "lifespan.startup" else self.stop())
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def app(host: Host, *, address: str = "127.0.0.1", anonymous_as: str | None = None) -> App:
    """The application that serves `host` at `address`, to be run by any ASGI server.

    With `anonymous_as`, the address of a user, who sends no credential acts as that user; only this machine may then
    reach the server. Raises `ConfigError` if it is not so.
    """
    if anonymous_as is not None and not is_loopback(address):
        raise ConfigError(f"--anonymous-as is for a server that only this machine reaches, and not for {address}")
    return App(host, address, anonymous_as)


class _Uvicorn(uvicorn.Server):
    """Uvicorn, which ends when its owner says so, and closes streams before it waits for connections."""

    def __init__(self, application: App) -> None:
        config = uvicorn.Config(
            application,
            http=CorkedProtocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
        )
        super().__init__(config)
        self._application = application
        self.listening = asyncio.Event()
        self._told = asyncio.Event()

    def stop(self) -> None:
        """End soon."""
        self.should_exit = True
        self._told.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # which renews the Date header
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:  # nobody new, before those who are here are sent away
            server.close()
        await self._application.stop()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # uvicorn would raise them anew at its end, and what is still to be written would be lost


@asynccontextmanager
async def listening(
    host: Host, address: str = "127.0.0.1", port: int = 0, *, anonymous_as: str | None = None
) -> AsyncIterator[str]:
    """The server at its address, such as `http://127.0.0.1:8060`, until the end of the block. Port 0 is any free one.

    Raises `OperatorError` if the address cannot be had.
    """
    application = app(host, address=address, anonymous_as=anonymous_as)
    listener = _bound(address, port)
    server = _Uvicorn(application)
    serving = asyncio.create_task(server.serve([listener]))
    ready = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving
        yield f"http://{f'[{address}]' if ':' in address else address}:{listener.getsockname()[1]}"
    finally:
        ready.cancel()
        server.stop()
        await serving
        listener.close()


async def serve_http(host: Host, address: str, port: int, *, anonymous_as: str | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Raises what `listening` does."""
    if anonymous_as is not None:
        directory = await host.identity.directory()
        if anonymous_as.lower() not in directory.users_by_email:
            raise ConfigError(f"--anonymous-as {anonymous_as}: there is no such user; see `sixty user list`")
    logging.getLogger("mcp").setLevel(logging.WARNING)  # it tells of each session, by its id
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows has no such signals, and ends by KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    async with listening(host, address, port, anonymous_as=anonymous_as) as url:
        gc.collect()
        gc.enable()
        gc.freeze()  # what is loaded stays: a full collection would stop the server for a tenth of a second
        _logger.info("MCP is served at %s%s", url, PATH)
        await stop.wait()


def _bound(address: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((address, port), family=family, backlog=2048)
    except OSError as error:
        raise OperatorError(f"cannot listen on {address}:{port}: {error.strerror or error}") from error


async def _body(headers: dict[bytes, bytes], receive: Receive, limit: int) -> bytes | None:
    """The body of a request, or None if it is larger than `limit` bytes. Of what is too large, little is read."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        return None
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        parts, size = [body], len(body)
        while size <= limit and message.get("more_body", False):
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        body = b"".join(parts)
    return body if len(body) <= limit else None


def _replaying(body: bytes, receive: Receive) -> Receive:
    """`receive`, as if the body had not been read yet."""
    first: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def replay() -> Message:
        nonlocal first
        message, first = first, None
        return message if message is not None else await receive()

    return replay
