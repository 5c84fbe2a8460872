"""A server on loopback with a small pack, and clients: official ones of both eras, and one that can be wrong."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from sixty import Arguments, Call, Permissions, Result, Text, hookimpl, tool
from sixty.people import add_key
from sixty.server.http import listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
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


@pytest.fixture
async def url(sixty: Organisation) -> AsyncIterator[str]:
    async with listening(sixty.host) as url:
        yield url


@pytest.fixture
async def keys(sixty: Organisation) -> Mapping[str, str]:
    """A key of somebody in each role."""
    people = {"user": "uma.user@example.com", "admin": "ada.admin@example.com"}
    now = datetime.now(UTC)
    return {role: (await add_key(sixty.host.database, email, role, now=now))[1] for role, email in people.items()}


@pytest.fixture
def connect(url: str, keys: Mapping[str, str]) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """The official client, as somebody in a role: `async with connect("user", mode="legacy") as client`."""

    @asynccontextmanager
    async def connected(role: str, **options: Any) -> AsyncIterator[Client]:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {keys[role]}"}) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http), **options) as client,
        ):
            yield client

    return connected


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
