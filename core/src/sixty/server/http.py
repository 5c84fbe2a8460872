"""Every transport that comes by HTTP, and the pages beside them. `listening` runs it, `app` is it without a socket."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import uvicorn
from mcp_types import INVALID_REQUEST

from sixty.errors import ConfigError, OperatorError
from sixty.server.collecting import settling
from sixty.server.gate import METADATA_PATH, Gate, Metadata
from sixty.server.health import Health, Ready
from sixty.server.mcp import SixtyServer
from sixty.server.patience import HttpProtocol, WebSocketProtocol
from sixty.server.proxies import Proxied
from sixty.server.replies import refuse
from sixty.server.scraping import PATH as METRICS
from sixty.server.scraping import Scraping
from sixty.server.sse import MESSAGES, STREAM, Sse
from sixty.server.streamable import StreamableHttp
from sixty.server.trust import Trust, Trusted, is_loopback
from sixty.server.webhooks import PATH as WEBHOOKS
from sixty.server.webhooks import Webhooks, refuse_plainly
from sixty.server.websocket import PATH as SOCKET
from sixty.server.websocket import PING, WebSocket
from sixty.signals.exposition import Metrics
from sixty.signals.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sixty.host import Host

__all__ = ["PATH", "App", "app", "listening", "serve_http"]

PATH = "/mcp"
GRACE = 10
"""Seconds that calls in flight have to end when the server stops."""
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: longer than proxies and HTTP clients keep theirs."""

_logger = logging.getLogger(__name__)


class App:
    """The ASGI application: a path leads to an endpoint."""

    def __init__(self, host: Host, address: str, anonymous_as: str | None = None) -> None:
        server = SixtyServer(host)
        self._host = host
        self.largest = host.settings.max_request_bytes
        """Bytes of a message at the most."""
        sse = Sse(server, self.largest)
        self._subscriptions = server.subscriptions
        self._streamable = StreamableHttp(server, self.largest)
        metadata = Metadata(host, PATH)
        trust = Trust(host.settings, address)
        transports: dict[str, ASGIApp] = {
            PATH: self._streamable,
            STREAM: sse.stream,
            MESSAGES: sse.post,
            SOCKET: WebSocket(server),
        }
        self._transports = {
            path: Trusted(Gate(transport, host, metadata, anonymous_as), trust)
            for path, transport in transports.items()
        }
        webhooks = Gate(Webhooks(host, self.largest), host, metadata, anonymous_as, refuse_plainly)
        self._webhooks = Trusted(webhooks, trust, refuse_plainly)
        self.metrics = Metrics(host)
        self._pulse = Pulse()
        self._pages: dict[str, ASGIApp] = {
            METRICS: Scraping(self.metrics, host.settings, trust),
            METADATA_PATH: Trusted(metadata, trust),
            METADATA_PATH + PATH: Trusted(metadata, trust),
            "/health": Health(host, self._pulse),
            "/ready": Ready(host),
        }
        proxies = host.settings.trusted_proxies
        self._serving: ASGIApp = Proxied(self._serve, proxies) if proxies else self._serve
        self._ended: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to whatever serves its path."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._serving(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_socket = scope["type"] == "websocket"
        if is_socket:
            send = _denying(send)
        if is_socket and scope["path"] != SOCKET:
            await refuse(send, 404, INVALID_REQUEST, f"WebSocket is at {SOCKET}")
        elif (transport := self._transports.get(scope["path"])) is not None:
            await transport(scope, receive, send)
        elif f"{scope['path']}/".startswith(f"{WEBHOOKS}/"):
            await self._webhooks(scope, receive, send)
        elif (page := self._pages.get(scope["path"])) is None:
            await refuse(send, 404, INVALID_REQUEST, f"nothing is here; MCP is at {PATH}")
        elif scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, INVALID_REQUEST, "this page can only be read", [(b"allow", b"GET, HEAD")])
        else:
            await page(scope, receive, send)

    async def start(self) -> None:
        """Requests can be served."""
        self._ended = asyncio.Event()
        running = asyncio.Event()
        await self._host.limits.trouble()  # connects, so that no call has to
        self._task = asyncio.create_task(self._run(running, self._ended))
        await running.wait()

    async def stop(self) -> None:
        """Streams have ended, so that nothing keeps connections open."""
        if self._task is not None and self._ended is not None:
            self._ended.set()
            await self._task

    async def _run(self, running: asyncio.Event, ended: asyncio.Event) -> None:
        # entered and left by one task, whoever starts and stops
        async with (
            self._streamable.running(),
            self._subscriptions.watching(),
            self.metrics.counting(),
            self._pulse.beating(),
        ):
            running.set()
            await ended.wait()
            await self._subscriptions.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await (self.start() if message["type"] == "lifespan.startup" else self.stop())
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def _denying(send: Send) -> Send:
    """`send`, by which an HTTP answer refuses the upgrade to a WebSocket."""

    async def deny(message: Message) -> None:
        if message["type"].startswith("http."):
            message["type"] = f"websocket.{message['type']}"
        await send(message)

    return deny


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
            http=HttpProtocol,
            ws=WebSocketProtocol,
            ws_max_size=application.largest,
            ws_ping_interval=PING,
            ws_ping_timeout=PING,
            ws_per_message_deflate=False,  # it would take 40 kB for each socket
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
        application.metrics.connected(lambda: len(self.server_state.connections))
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
    async with listening(host, address, port, anonymous_as=anonymous_as) as url, settling():
        _logger.info("MCP is served at %s%s", url, PATH)
        await stop.wait()


def _bound(address: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((address, port), family=family, backlog=2048)
    except OSError as error:
        raise OperatorError(f"cannot listen on {address}:{port}: {error.strerror or error}") from error
