"""Streams that would stay open, and clients that do not read, do not keep a server from ending, nor anybody waiting."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import websockets
from mcp.client import Client
from mcp.client.sse import sse_client

from sixty.people import set_role
from sixty.server import http, leases, patience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from sixty.testing import Organisation

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}


def listening(uris: list[str]) -> dict[str, Any]:
    """A request to listen."""
    notifications = {"toolsListChanged": True, "resourceSubscriptions": uris}
    params = {"notifications": notifications, "_meta": META}
    return {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}


def headers(key: str, **more: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


NEWEST = {"MCP_Protocol_Version": "2026-07-28", "Mcp_Method": "subscriptions/listen"}


async def test_streams_of_every_kind_end_with_the_server(
    sixty: Organisation, keys: Mapping[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    key = keys["user"]
    async with httpx2.AsyncClient() as client:

        async def stream(method: str, path: str, sent: dict[str, str], body: Any = None) -> httpx2.Response:
            request = client.build_request(method, f"{url}{path}", headers=sent, json=body)
            return await client.send(request, stream=True)

        async with http.listening(sixty.host) as url:
            message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
            session = (await client.post(f"{url}/mcp", json=message, headers=headers(key))).headers["mcp-session-id"]
            listen = await stream("POST", "/mcp", headers(key, **NEWEST), listening([]))
            get = await stream("GET", "/mcp", headers(key, Mcp_Session_Id=session))
            events = await stream("GET", "/sse", headers(key))
            address = f"{url.replace('http', 'ws')}/ws"
            connection = await websockets.connect(
                address, subprotocols=["mcp"], additional_headers={"Authorization": f"Bearer {key}"}, proxy=None
            )
        # each is read to its end: it would raise if it broke off
        frames = [json.loads(line[6:]) for line in (await listen.aread()).decode().splitlines() if "data" in line]
        assert [frame.get("method", frame.get("id")) for frame in frames] == [
            "notifications/subscriptions/acknowledged",
            1,
        ]
        await get.aread()
        await events.aread()
        await connection.wait_closed()
        assert connection.close_code == 1001
    assert [record.message for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on whose connections little is under way."""
    bound = http._bound

    def narrowed(address: str, port: int) -> socket.socket:
        listener = bound(address, port)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return listener

    monkeypatch.setattr(http, "_bound", narrowed)


@asynccontextmanager
async def deaf(url: str, sent: bytes) -> AsyncIterator[None]:
    """A client that sends this, and of the answer reads nothing but the beginning."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)  # noqa: FBT003 - as the function has it
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await loop.sock_connect(connection, ("127.0.0.1", int(url.rpartition(":")[2])))
        await loop.sock_sendall(connection, sent)
        assert await loop.sock_recv(connection, 12) == b"HTTP/1.1 200"
        yield


def deaf_listener(key: str) -> bytes:
    """A listen stream whose first frame alone is more than fits."""
    body = json.dumps(listening([f"sixty://records/{n}/{'x' * 500}" for n in range(1000)])).encode()
    head = headers(key, **NEWEST, Host="localhost", Content_Length=str(len(body)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + body


async def is_refused(url: str, key: str) -> bool:
    """Whether there is no place for one more listen stream."""
    async with httpx2.AsyncClient() as client:
        sent = headers(key, **NEWEST)
        async with client.stream("POST", f"{url}/mcp", headers=sent, json=listening([])) as answer:
            return answer.headers["content-type"] == "application/json"


@pytest.fixture
def _one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LIMIT", 1)


@pytest.mark.usefixtures("narrow", "_one_place")
async def test_who_does_not_read_is_dropped_after_a_while(
    keys: Mapping[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 0.5)
    async with deaf(url, deaf_listener(keys["user"])), asyncio.timeout(10):
        assert await is_refused(url, keys["user"])
        while await is_refused(url, keys["user"]):
            pass


@pytest.mark.usefixtures("narrow")
async def test_who_does_not_read_makes_nobody_wait(
    sixty: Organisation, keys: Mapping[str, str], listen: Callable[..., Any], watch: Any, url: str
) -> None:
    async with deaf(url, deaf_listener(keys["user"])), listen("user", "http", "auto") as (_, told):
        await set_role(sixty.host.database, "uma.user@example.com", "admin")
        await watch.lists()
        await told.until(1)


@pytest.mark.usefixtures("narrow")
async def test_who_does_not_read_does_not_keep_the_server_from_ending(
    sixty: Organisation, keys: Mapping[str, str]
) -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(patience.PATIENCE), http.listening(sixty.host) as url:
        await stack.enter_async_context(deaf(url, deaf_listener(keys["user"])))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_server_to_which_everybody_listens(
    sixty: Organisation, database_url: str, number: signal.Signals
) -> None:
    own = {"SIXTY_DATABASE_URL": database_url, "SIXTY_PLUGINS": ""}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")} | own
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from sixty.cli import main; main()", "serve", "--transport", "http", "--port", "0"),
        *("--anonymous-as", "uma.user@example.com"),
        env=environ,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(20), AsyncExitStack() as stack:
        while (found := re.search(rb"MCP is served at (http://\S+)/mcp", await process.stderr.readline())) is None:
            pass
        url = found[1].decode()
        address = f"{url.replace('http', 'ws')}/ws"
        for mode in ("auto", "legacy"):
            client = await stack.enter_async_context(Client(f"{url}/mcp", mode=mode))
            await client.list_tools()
        await stack.enter_async_context(Client(sse_client(f"{url}/sse"), mode="legacy"))
        socket = await stack.enter_async_context(websockets.connect(address, subprotocols=["mcp"], proxy=None))
        await socket.send(json.dumps(listening([])))
        await socket.recv()
        process.send_signal(number)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert err == b""
