"""WebSocket, as a good client of either era sees it, and as whoever gets it wrong sees it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import websockets
from websockets.exceptions import InvalidStatus

from sixty.auth import mint
from sixty.errors import Unavailable
from sixty.people import disable_user, set_role
from sixty.server import leases, websocket
from sixty.server.http import listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from sixty.testing import Organisation

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture
def environ(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {**environ, "SIXTY_MAX_REQUEST_BYTES": "20000", "SIXTY_RATE_AUTH": "3/minute"}


class Socket:
    """A connection whose frames are what the test says."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection

    async def ask(self, method: str, number: int = 1, **params: Any) -> Any:
        """The answer to a request of the newest era."""
        await self.send(method, number, **params)
        return await self.hear()

    async def send(self, method: str, number: int = 1, **params: Any) -> None:
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": META}}
        await self.connection.send(json.dumps(message))

    async def hear(self) -> Any:
        async with asyncio.timeout(10):
            return json.loads(await self.connection.recv())

    async def end(self) -> tuple[int, str]:
        """Why the server has closed the connection, once it has."""
        async with asyncio.timeout(10):
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


@pytest.fixture
def dial(url: str, keys: Mapping[str, str]) -> Callable[..., Any]:
    """A socket: `async with dial() as socket`, with other headers or subprotocols if they are given."""

    @asynccontextmanager
    async def dialled(
        token: str | None = keys["user"], protocols: tuple[str, ...] = ("mcp",), path: str = "/ws", **headers: str
    ) -> AsyncIterator[Socket]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        address = url.replace("http", "ws") + path
        async with websockets.connect(
            address, subprotocols=protocols or None, additional_headers=sent, proxy=None, ping_interval=None
        ) as connection:
            yield Socket(connection)

    return dialled


async def refusal(dial: Callable[..., Any], *args: Any, **options: Any) -> tuple[int, Any, Any]:
    """The status, the body and the headers with which an upgrade is refused."""
    with pytest.raises(InvalidStatus) as raised:
        async with dial(*args, **options):
            pass
    response = raised.value.response
    return response.status_code, json.loads(response.body), response.headers


async def test_the_subprotocol_is_agreed_on(dial: Callable[..., Any]) -> None:
    async with dial(protocols=("other", "mcp")) as socket:
        assert socket.connection.subprotocol == "mcp"


async def test_calls_are_answered_side_by_side_until_the_socket_drops(dial: Callable[..., Any], pack: Any) -> None:
    async with dial() as socket:
        await socket.send("tools/call", 1, name="wait", arguments={})
        await pack.waiting.wait()
        answer = await socket.ask("tools/call", 2, name="echo", arguments={"text": "meanwhile"})
        assert (answer["id"], answer["result"]["structuredContent"]["text"]) == (2, "meanwhile")
        socket.connection.transport.abort()
        async with asyncio.timeout(10):
            await pack.cancelled.wait()
    assert pack.calls[0].request.transport == "websocket"


async def test_a_connection_stays_in_the_era_in_which_it_began(dial: Callable[..., Any]) -> None:
    async with dial() as socket:
        assert "tools" in (await socket.ask("tools/list"))["result"]
        answer = await socket.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={})
        assert "error" in answer


@pytest.mark.parametrize(
    ("frame", "code"),
    [("{", -32700), ("", -32700), ("[" * 5000, -32700), ("[]", -32600), ("5", -32600), ('{"id": 1}', -32600)],
)
async def test_a_frame_that_is_no_message_is_told_what_is_wrong(
    dial: Callable[..., Any], frame: str, code: int
) -> None:
    async with dial() as socket:
        for _ in range(2):  # and the connection goes on
            await socket.connection.send(frame)
            answer = await socket.hear()
            assert (answer["id"], answer["error"]["code"]) == (None, code)
        assert "result" in await socket.ask("tools/list")


async def test_a_binary_frame_ends_the_connection(dial: Callable[..., Any]) -> None:
    async with dial() as socket:
        await socket.connection.send(b"{}")
        assert (await socket.end())[0] == 1003


async def test_a_frame_that_is_too_large_ends_the_connection_and_its_calls(
    dial: Callable[..., Any], pack: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with dial() as socket:
        await socket.send("tools/call", 1, name="wait", arguments={})
        await pack.waiting.wait()
        await socket.connection.send("x" * 20_001)
        assert (await socket.end())[0] == 1009
        async with asyncio.timeout(10):
            await pack.cancelled.wait()
    assert [record for record in caplog.records if record.exc_info] == []


async def test_a_frame_of_the_largest_size_is_read(dial: Callable[..., Any]) -> None:
    async with dial() as socket:
        await socket.connection.send("x" * 20_000)
        assert (await socket.hear())["error"]["code"] == -32700


@pytest.mark.parametrize("protocols", [(), ("other",)])
async def test_without_the_subprotocol_no_connection_is_opened(
    dial: Callable[..., Any], protocols: tuple[str, ...]
) -> None:
    status, body, _ = await refusal(dial, protocols=protocols)
    assert status == 400
    assert "Sec-WebSocket-Protocol: mcp" in body["error"]["message"]


async def test_a_socket_that_drops_before_it_says_anything_leaves_nothing_behind(
    dial: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LIMIT", 1)
    for _ in range(3):
        async with dial():
            pass
        async with asyncio.timeout(10):
            while True:
                try:
                    async with dial() as socket:
                        assert "result" in await socket.ask("tools/list")
                except InvalidStatus:
                    continue
                break


async def test_without_a_credential_one_learns_where_to_get_one(dial: Callable[..., Any], url: str) -> None:
    status, body, headers = await refusal(dial, token=None)
    assert (status, body["error"]["code"]) == (401, -32010)
    assert f'resource_metadata="{url}/.well-known/oauth-protected-resource/mcp"' in headers["www-authenticate"]


async def test_credentials_cannot_be_tried_out(dial: Callable[..., Any], keys: Mapping[str, str]) -> None:
    assert [(await refusal(dial, token="sk60_nobody"))[0] for _ in range(4)] == [401, 401, 401, 429]


async def test_a_page_from_elsewhere_cannot_connect(dial: Callable[..., Any]) -> None:
    assert (await refusal(dial, Origin="https://evil.example"))[0] == 403
    async with dial(Origin="http://localhost:3000"):
        pass


async def test_another_host_is_refused(url: str, keys: Mapping[str, str]) -> None:
    request = (
        "GET /ws HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: mcp\r\nAuthorization: Bearer {keys['user']}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(request.encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 421 ")
    writer.close()
    await writer.wait_closed()


async def test_elsewhere_there_is_no_socket_and_here_there_is_nothing_else(
    dial: Callable[..., Any], raw: Any, url: str
) -> None:
    for path in ("/nowhere", "/health", "/ready"):
        assert (await refusal(dial, path=path))[0] == 404
    for path in ("/mcp", "/sse", "/messages"):
        assert (await refusal(dial, path=path))[0] == 404
    answer = await raw.http.get("/ws", headers=raw.headers())
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


async def test_while_the_directory_is_away_one_is_asked_to_come_back(
    dial: Callable[..., Any], sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(token: str | None) -> None:
        raise Unavailable("the database is away")

    async with dial() as socket:
        with monkeypatch.context() as away:
            away.setattr(sixty.host.authenticator, "authenticate", fail)
            status, _, headers = await refusal(dial)
            assert (status, headers["retry-after"]) == (503, "5")
            assert (await socket.ask("tools/list"))["error"]["code"] == -32011
        assert "result" in await socket.ask("tools/list")


async def test_no_more_connect_than_can_be_served(dial: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LIMIT", 1)
    async with dial() as socket:
        assert (await refusal(dial))[0] == 503
        assert "result" in await socket.ask("tools/list")


async def test_rights_are_those_of_the_moment(dial: Callable[..., Any], sixty: Organisation) -> None:
    async with dial() as socket:
        answer = await socket.ask("tools/call", name="shut_down", arguments={})
        assert answer["result"]["structuredContent"]["error"]["code"] == "forbidden"
        await set_role(sixty.host.database, "uma.user@example.com", "admin")
        answer = await socket.ask("tools/call", name="shut_down", arguments={})
        assert answer["result"]["structuredContent"]["success"] is True


async def test_a_disabled_account_is_cut_off_at_its_next_message(dial: Callable[..., Any], sixty: Organisation) -> None:
    async with dial() as socket:
        await socket.ask("tools/list")
        await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
        await socket.send("tools/list")
        assert (await socket.end())[0] == 1008


async def test_a_disabled_account_is_cut_off_when_it_is_noticed(
    dial: Callable[..., Any], sixty: Organisation, watch: Any
) -> None:
    async with dial() as socket:
        await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
        await watch.lists()
        assert await socket.end() == (1008, "the credential is not accepted any more")


async def test_a_token_that_ends_takes_its_connection_along(dial: Callable[..., Any], sixty: Organisation) -> None:
    uma = (await sixty.directory()).users_by_email["uma.user@example.com"]
    async with dial(mint(sixty.host.settings, uma, 2, datetime.now(UTC))) as socket:
        assert (await socket.end())[0] == 1008


async def test_who_says_nothing_is_not_waited_for(dial: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "SILENCE", 0.01)
    async with dial() as socket:
        assert (await socket.end())[0] == 1008


async def test_a_stopping_server_says_goodbye_and_ends_listen_streams_in_form(
    sixty: Organisation, keys: Mapping[str, str]
) -> None:
    async with listening(sixty.host) as url:
        connection = await websockets.connect(
            url.replace("http", "ws") + "/ws",
            subprotocols=["mcp"],
            additional_headers={"Authorization": f"Bearer {keys['user']}"},
            proxy=None,
        )
        socket = Socket(connection)
        await socket.send("subscriptions/listen", 7, notifications={"toolsListChanged": True})
        assert (await socket.hear())["method"] == "notifications/subscriptions/acknowledged"
    last = await socket.hear()
    assert (last["id"], last["result"]["resultType"]) == (7, "complete")
    assert (await socket.end())[0] == 1001


async def test_everyone_may_be_served_as_one_user_on_this_machine(sixty: Organisation) -> None:
    async with listening(sixty.host, anonymous_as="uma.user@example.com") as url:
        address = url.replace("http", "ws") + "/ws"
        async with websockets.connect(address, subprotocols=["mcp"], proxy=None) as connection:
            socket = Socket(connection)
            assert "result" in await socket.ask("tools/list")
            await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
            await socket.send("tools/list")
            assert (await socket.end())[0] == 1008
