"""A server on loopback with a small pack; clients: the official one by each transport, and one that can be wrong."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import websockets
from mcp.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._context_streams import create_context_streams
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from sixty import Arguments, Call, Permissions, Result, Text, hookimpl, tool
from sixty.people import add_key
from sixty.server.http import listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from sixty.audit import Entry
    from sixty.testing import Organisation
    from sixty.testing.databases import SqliteTemplates

NEWEST = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": NEWEST,
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Say(Arguments):
    text: Text


class Said(Result):
    text: str


class Nothing(Arguments):
    pass


class Echo:
    """A pack: it repeats what is said, waits for ever, counts, and has a tool for admins only."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.count = 0
        self.calls: list[Call] = []
        self.entries: list[Entry] = []

    @hookimpl
    def sixty_tools(self) -> list[Any]:
        @tool("echo", permission="echo:say", effect="read")
        async def echo(args: Say, call: Call) -> Said:
            """Say it again."""
            self.calls.append(call)
            return Said(message="said", text=args.text)

        @tool("count", permission="echo:say", effect="create")
        async def count(args: Nothing, call: Call) -> Said:
            """Count one further."""
            self.count += 1
            return Said(message="counted", text=str(self.count))

        @tool("wait", permission="echo:say", effect="read")
        async def wait(args: Nothing, call: Call) -> Said:
            """Wait for ever."""
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
            raise AssertionError

        @tool("shut_down", permission="echo:rule", effect="destroy")
        async def shut_down(args: Nothing, call: Call) -> Said:
            """Stop everything."""
            return Said(message="stopped", text="")

        return [echo, count, wait, shut_down]

    @hookimpl
    def sixty_permissions(self) -> list[Permissions]:
        actions = {"say": "Say something.", "rule": "Rule over others."}
        return [Permissions("echo", actions, {"user": ("echo:say",)})]

    @hookimpl
    def sixty_observe(self, entry: Entry) -> None:
        self.entries.append(entry)


@pytest.fixture
def pack() -> Echo:
    return Echo()


@pytest.fixture
def plugins(pack: Echo) -> tuple[tuple[str, object], ...]:
    return (("echo", pack),)


@pytest.fixture
def database_url(sqlite_templates: SqliteTemplates, tmp_path: Path) -> str:
    # what is served is the same on both databases, and the pack has no tables
    return sqlite_templates.copy((), tmp_path / "sixty.db")


@pytest.fixture
def environ() -> Mapping[str, str]:
    return {"SIXTY_JWT_SECRET": "a secret that is long enough for HS256", "SIXTY_JWT_AUDIENCE": "sixty"}


class Watch:
    """The host's watch, which notices when a test says so."""

    def __init__(self) -> None:
        self.observers: list[Any] = []

    @asynccontextmanager
    async def watching(self, observer: Any) -> AsyncIterator[None]:
        self.observers.append(observer)
        yield
        self.observers.remove(observer)

    async def lists(self) -> None:
        """The registry or somebody's rights have changed."""
        for observer in self.observers:
            await observer.lists_may_have_changed()

    async def records(self) -> None:
        """Somebody has written."""
        for observer in self.observers:
            await observer.records_may_have_changed()


@pytest.fixture
def watch(sixty: Organisation, monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(sixty.host, "watching", watch.watching, raising=False)
    return watch


@pytest.fixture
async def url(sixty: Organisation, watch: Watch) -> AsyncIterator[str]:
    async with listening(sixty.host) as url:
        yield url


@pytest.fixture
async def keys(sixty: Organisation) -> Mapping[str, str]:
    """A key of somebody in each role."""
    people = {"user": "uma.user@example.com", "admin": "ada.admin@example.com"}
    now = datetime.now(UTC)
    return {role: (await add_key(sixty.host.database, email, role, now=now))[1] for role, email in people.items()}


@asynccontextmanager
async def websocket_client(url: str, headers: Mapping[str, str]) -> AsyncIterator[Any]:
    """A transport for the official client, which has none for WebSocket."""
    given, incoming = create_context_streams[SessionMessage | Exception](0)
    outgoing, taken = create_context_streams[SessionMessage](0)

    async def read(socket: websockets.ClientConnection) -> None:
        async with given:
            async for text in socket:
                await given.send(SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False)))

    async def write(socket: websockets.ClientConnection) -> None:
        async for item in taken:
            await socket.send(item.message.model_dump_json(by_alias=True, exclude_unset=True))

    async with websockets.connect(url, subprotocols=["mcp"], additional_headers=headers, proxy=None) as socket:
        tasks = [asyncio.create_task(read(socket)), asyncio.create_task(write(socket))]
        try:
            yield incoming, outgoing
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for stream in (incoming, outgoing, taken, given):
                stream.close()


@pytest.fixture
def connect(url: str, keys: Mapping[str, str]) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """The official client, as somebody in a role: `async with connect("user", "sse", mode="legacy") as client`."""

    @asynccontextmanager
    async def connected(role: str, transport: str = "http", **options: Any) -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {keys.get(role, role)}"}
        async with httpx2.AsyncClient(headers=headers) as http:
            transports = {
                "http": lambda: streamable_http_client(f"{url}/mcp", http_client=http),
                "sse": lambda: sse_client(f"{url}/sse", headers=headers),
                "websocket": lambda: websocket_client(f"{url.replace('http', 'ws')}/ws", headers),
            }
            async with Client(transports[transport](), **options) as client:
                yield client

    return connected


class Told:
    """What a client is told, as long as it listens."""

    def __init__(self) -> None:
        self.methods: list[str] = []
        self.uris: list[str] = []
        self._heard = asyncio.Event()

    async def hear(self, message: Any) -> None:
        """Be the message handler of a client."""
        if isinstance(message, Exception):
            return
        self.methods.append(message.method)
        if message.method == "notifications/resources/updated":
            self.uris.append(message.params.uri)
        self._heard.set()

    async def until(self, count: int) -> list[str]:
        """The notifications, once there are `count` of them."""
        return await self._until(self.methods, count)

    async def until_updated(self, count: int) -> list[str]:
        """The resources that have changed, once `count` of them have."""
        return await self._until(self.uris, count)

    async def _until(self, heard: list[str], count: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(heard) < count:
                self._heard.clear()
                await self._heard.wait()
        return heard


@pytest.fixture
def listen(connect: Callable[..., AbstractAsyncContextManager[Client]]) -> Callable[..., Any]:
    """A client that listens: `async with listen("user", "sse", "legacy") as (client, told)`."""

    @asynccontextmanager
    async def listening(
        role: str, transport: str, mode: str, uris: Sequence[str] = (), **kinds: bool
    ) -> AsyncIterator[tuple[Client, Told]]:
        told = Told()
        async with connect(role, transport, mode=mode, message_handler=told.hear, cache=None) as client:
            if mode == "legacy":
                for uri in uris:
                    with pytest.warns(MCPDeprecationWarning):
                        await client.subscribe_resource(uri)
                yield client, told
            else:
                wanted = kinds or {"tools_list_changed": True}
                async with client.listen(resource_subscriptions=uris, **wanted):
                    yield client, told

    return listening


class Raw:
    """A client that says exactly what it is told to say."""

    def __init__(self, http: httpx2.AsyncClient, key: str) -> None:
        self.http = http
        self.key = key

    def headers(self, method: str = "tools/call", name: str | None = "echo", **changed: str | None) -> dict[str, str]:
        """The headers of a good request; those given as None are left out."""
        wanted: dict[str, str | None] = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {self.key}",
            "MCP-Protocol-Version": NEWEST,
            "Mcp-Method": method,
            "Mcp-Name": name,
            **{header.replace("_", "-"): value for header, value in changed.items()},
        }
        return {header: value for header, value in wanted.items() if value is not None}

    async def post(self, body: Any, headers: dict[str, str] | None = None) -> httpx2.Response:
        """The answer to a body, which is sent as JSON unless it is bytes or comes in pieces."""
        content = {"json": body} if isinstance(body, dict | list) else {"content": body}
        return await self.http.post("/mcp", headers=headers or self.headers(), **content)

    async def call(self, tool: str, arguments: Any, meta: Mapping[str, Any] | None = None, **changed: Any) -> Any:
        """The answer to a call in the newest era."""
        params = {"name": tool, "arguments": arguments, "_meta": {**META, **(meta or {})}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return await self.post(message, self.headers(name=tool, **changed))

    async def list(self, **changed: Any) -> Any:
        """The answer to `tools/list` in the newest era."""
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}
        return await self.post(message, self.headers("tools/list", None, **changed))


@pytest.fixture
async def raw(url: str, keys: Mapping[str, str]) -> AsyncIterator[Raw]:
    async with httpx2.AsyncClient(base_url=url) as http:
        yield Raw(http, keys["user"])
