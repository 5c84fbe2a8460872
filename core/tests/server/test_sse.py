"""HTTP with server-sent events, as it was before streamable HTTP: what goes right, and what can be got wrong."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from sixty.people import disable_user
from sixty.server import leases, sse
from sixty.server.http import listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from sixty.testing import Organisation

LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}},
}


@pytest.fixture
def environ(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {**environ, "SIXTY_MAX_REQUEST_BYTES": "20000"}


class Session:
    """An open stream."""

    def __init__(self, http: httpx2.AsyncClient, lines: AsyncIterator[str], headers: Mapping[str, str]) -> None:
        self.http = http
        self.lines = lines
        self.headers = headers
        self.address = ""

    async def event(self) -> tuple[str, str]:
        """The name and the data of the next event; a comment has no name."""
        name = ""
        async for line in self.lines:
            if line.startswith(":"):
                return "", line
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                return name, line[6:]
        return "end", ""

    async def post(self, message: Any, **options: Any) -> httpx2.Response:
        content = {"content": message} if isinstance(message, bytes) else {"json": message}
        return await self.http.post(self.address, headers=options.get("headers", self.headers), **content)

    async def ask(self, message: Any) -> Any:
        assert (await self.post(message)).status_code == 202
        name, data = await self.event()
        assert name == "message"
        return json.loads(data)


@pytest.fixture
def opened(raw: Any, keys: Mapping[str, str]) -> Callable[..., Any]:
    """A session of somebody in a role."""

    @asynccontextmanager
    async def stream(role: str = "user") -> AsyncIterator[Session]:
        headers = {"Authorization": f"Bearer {keys[role]}"}
        async with raw.http.stream("GET", "/sse", headers=headers) as answer:
            assert answer.status_code == 200
            session = Session(raw.http, answer.aiter_lines(), headers)
            name, session.address = await session.event()
            assert name == "endpoint"
            yield session

    return stream


async def test_an_old_client_is_answered_on_its_stream(opened: Callable[..., Any]) -> None:
    async with opened() as session:
        assert session.address.startswith("/messages?session_id=")
        assert (await session.ask(INITIALIZE))["result"]["protocolVersion"] == "2024-11-05"
        assert "echo" in [tool["name"] for tool in (await session.ask(LIST))["result"]["tools"]]


async def test_a_call_knows_how_it_came(connect: Callable[..., Any], pack: Any) -> None:
    async with connect("user", "sse", mode="legacy") as client:
        await client.call_tool("echo", {"text": "hello"})
    request = pack.calls[0].request
    assert (request.transport, request.address) == ("sse", "127.0.0.1")


async def test_a_stream_that_is_dropped_cancels_its_calls(opened: Callable[..., Any], pack: Any) -> None:
    async with opened() as session:
        await session.ask(INITIALIZE)
        await session.post({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "wait"}})
        await pack.waiting.wait()
    async with asyncio.timeout(10):
        await pack.cancelled.wait()


async def test_a_session_is_for_whoever_opened_it(opened: Callable[..., Any], keys: Mapping[str, str]) -> None:
    async with opened() as session:
        other = {"Authorization": f"Bearer {keys['admin']}"}
        foreign = await session.post(LIST, headers=other)
        session.address = "/messages?session_id=nobody"
        unknown = await session.post(LIST, headers=other)
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.json() == unknown.json()


async def test_a_session_that_has_ended_is_unknown(opened: Callable[..., Any]) -> None:
    async with opened() as session:
        pass
    async with asyncio.timeout(10):
        while (await session.post(INITIALIZE)).status_code != 404:
            pass


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"", -32700),
        (b"\xff", -32700),
        (b"[" * 10_000, -32700),
        (b"[]", -32600),
        (b'{"id": 1}', -32600),
    ],
)
async def test_what_is_no_message_is_told_what_is_wrong(opened: Callable[..., Any], body: bytes, code: int) -> None:
    async with opened() as session:
        answer = await session.post(body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
        assert "result" in await session.ask(INITIALIZE)


async def test_a_message_that_is_too_large_is_refused(opened: Callable[..., Any]) -> None:
    async with opened() as session:
        assert (await session.post(b"x" * 20_001)).status_code == 413


async def test_no_more_streams_are_opened_than_can_be_served(
    opened: Callable[..., Any], raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LIMIT", 1)
    async with opened() as session:
        answer = await raw.http.get("/sse", headers=session.headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(("method", "path", "allowed"), [("POST", "/sse", "GET"), ("GET", "/messages", "POST")])
async def test_each_address_has_one_method(raw: Any, method: str, path: str, allowed: str) -> None:
    answer = await raw.http.request(method, path, headers=raw.headers())
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(("method", "path"), [("GET", "/sse"), ("POST", "/messages")])
async def test_nobody_comes_past_the_gate(raw: Any, method: str, path: str) -> None:
    assert (await raw.http.request(method, path)).status_code == 401
    elsewhere = raw.headers(Origin="https://evil.example")
    assert (await raw.http.request(method, path, headers=elsewhere)).status_code == 403


async def test_a_silent_stream_is_kept_alive(opened: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "PING", 0.01)
    async with opened() as session:
        assert await session.event() == ("", ": ping")
        assert await session.event() == ("", ": ping")


async def test_a_stream_ends_with_the_account_that_opened_it(
    opened: Callable[..., Any], sixty: Organisation, watch: Any
) -> None:
    async with opened() as session:
        await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
        await watch.lists()
        assert await session.event() == ("end", "")


async def test_a_stopping_server_ends_streams_in_form(sixty: Organisation, keys: Mapping[str, str]) -> None:
    headers = {"Authorization": f"Bearer {keys['user']}"}
    async with httpx2.AsyncClient() as http:
        async with listening(sixty.host) as url:
            stream = await http.send(http.build_request("GET", f"{url}/sse", headers=headers), stream=True)
        assert b"endpoint" in await stream.aread()  # to its end: it would raise if it broke off
