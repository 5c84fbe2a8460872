"""Streamable HTTP, as official clients of both eras see it, and as whoever gets it wrong sees it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from mcp.shared.exceptions import MCPError

from sixty.errors import ConfigError, OperatorError
from sixty.people import disable_user, set_role
from sixty.server import streamable
from sixty.server.http import app, listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from mcp.client import Client

    from sixty.testing import Organisation

    Connect = Callable[..., AbstractAsyncContextManager[Client]]

NEWEST = "2026-07-28"
both_eras = pytest.mark.parametrize(("mode", "version"), [("auto", NEWEST), ("legacy", "2025-11-25")])
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "tests", "version": "1"},
    },
}


@both_eras
async def test_the_official_client_lists_and_calls(connect: Connect, mode: str, version: str) -> None:
    async with connect("user", mode=mode) as client:
        assert client.protocol_version == version
        assert client.server_info is not None
        assert client.server_info.name == "sixty-crm-mcp"
        assert "CRM" in (client.instructions or "")
        assert "echo" in [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("echo", {"text": "good morning"})
    assert result.structured_content == {"success": True, "message": "said", "text": "good morning"}
    assert json.loads(result.content[0].text) == result.structured_content
    assert not result.is_error


@both_eras
async def test_a_list_shows_only_what_its_reader_may_call_in_a_stable_order(
    connect: Connect, mode: str, version: str
) -> None:
    shown = {}
    for role in ("user", "admin"):
        async with connect(role, mode=mode) as client:
            shown[role] = [tool.name for tool in (await client.list_tools()).tools]
        assert shown[role] == sorted(shown[role])
    assert set(shown["admin"]) - set(shown["user"]) == {"shut_down"}


async def test_the_list_says_for_how_long_and_for_whom_it_may_be_kept(raw: Any) -> None:
    result = (await raw.list()).json()["result"]
    assert (result["ttlMs"], result["cacheScope"], result["resultType"]) == (5000, "private", "complete")


@both_eras
async def test_a_mistake_is_a_tool_result_that_says_what_to_do(connect: Connect, mode: str, version: str) -> None:
    async with connect("user", mode=mode) as client:
        result = await client.call_tool("echo", {"txt": "typo"})
    assert result.is_error
    assert result.structured_content is not None
    assert result.structured_content["success"] is False
    assert result.structured_content["error"]["code"] == "invalid"
    assert json.loads(result.content[0].text) == result.structured_content


@both_eras
async def test_an_unknown_tool_is_a_protocol_error(connect: Connect, mode: str, version: str) -> None:
    async with connect("user", mode=mode) as client:
        with pytest.raises(MCPError, match="Unknown tool: ecco") as raised:
            await client.call_tool("ecco", {})
    assert raised.value.error.code == -32602


@both_eras
async def test_a_changed_role_counts_from_the_next_request_on(
    connect: Connect, sixty: Organisation, mode: str, version: str
) -> None:
    async with connect("user", mode=mode, cache=None) as client:
        assert "shut_down" not in [tool.name for tool in (await client.list_tools()).tools]
        await set_role(sixty.host.database, "uma.user@example.com", "admin")
        assert "shut_down" in [tool.name for tool in (await client.list_tools()).tools]
        assert not (await client.call_tool("shut_down", {})).is_error


@both_eras
async def test_a_disabled_account_is_refused_on_the_next_request(
    connect: Connect, sixty: Organisation, mode: str, version: str
) -> None:
    async with connect("user", mode=mode) as client:
        await client.call_tool("echo", {"text": "still here"})
        await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
        with pytest.raises(MCPError, match="disabled"):
            await client.call_tool("echo", {"text": "gone"})


@both_eras
async def test_a_call_knows_who_calls_from_where_and_with_what(
    connect: Connect, pack: Any, mode: str, version: str
) -> None:
    async with connect("user", mode=mode) as client:
        await client.call_tool("echo", {"text": "hello"}, meta={"sixty/idempotency-key": "k1"})
    request = pack.calls[0].request
    assert (request.transport, request.address, request.idempotency_key) == ("http", "127.0.0.1", "k1")
    assert request.client.startswith("mcp/")
    assert pack.calls[0].principal.email == "uma.user@example.com"


async def test_a_call_repeated_with_its_key_is_not_done_twice(raw: Any, pack: Any) -> None:
    first = (await raw.call("count", {}, Idempotency_Key="once")).json()["result"]
    again = (await raw.call("count", {}, {"sixty/idempotency-key": "once"})).json()["result"]
    assert first["structuredContent"] == again["structuredContent"]
    assert pack.count == 1


async def test_a_key_that_is_no_text_is_refused(raw: Any, pack: Any) -> None:
    for meta in ({}, {"progressToken": 1}):
        answer = await raw.call("count", {}, {"sixty/idempotency-key": 5, **meta})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32602)
    assert pack.count == 0


@pytest.mark.parametrize("arguments", [{"text": "hi"}, {"txt": "hi"}, {"text": "ü" * 300}])
@pytest.mark.parametrize("tool", ["echo", "ecco"])
async def test_the_short_way_answers_as_the_sdk_does(raw: Any, tool: str, arguments: dict[str, str]) -> None:
    short = await raw.call(tool, arguments)
    long = await raw.call(tool, arguments, {"progressToken": "p"})  # could be streamed to, so the SDK answers
    assert short.status_code == long.status_code
    assert short.json() == long.json()


async def test_half_a_character_is_refused_in_an_answer_that_can_be_sent(raw: Any) -> None:
    body = json.dumps(message(params={"arguments": {"text": "\ud800"}}))  # in JSON it can be spelt
    answer = await raw.post(body.encode())
    assert answer.json()["result"]["structuredContent"]["error"]["code"] == "invalid"


async def test_the_short_list_is_the_one_that_the_sdk_gives(raw: Any) -> None:
    short = await raw.list()
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": None}}
    message["params"]["_meta"] = json.loads(short.request.content)["params"]["_meta"] | {"progressToken": 1}
    long = await raw.post(message, raw.headers("tools/list", None))
    assert short.json() == long.json()


async def test_a_list_of_one_page_has_no_cursor(connect: Connect) -> None:
    async with connect("user") as client:
        with pytest.raises(MCPError, match="one page"):
            await client.list_tools(cursor="next")


MESSAGE = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "hi"}}}
META = {
    "io.modelcontextprotocol/protocolVersion": NEWEST,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def message(**changed: Any) -> dict[str, Any]:
    params = {**MESSAGE["params"], "_meta": META, **changed.pop("params", {})}
    return {**MESSAGE, "params": params, **changed}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"{", 400, -32700, id="not JSON"),
        pytest.param(b"\xff\xfe", 400, -32700, id="not UTF-8"),
        pytest.param(b"", 400, -32700, id="nothing"),
        pytest.param(b"[" * 20_000, 400, -32700, id="nested too deeply"),
        pytest.param(b"null", 400, -32600, id="null"),
        pytest.param([message()], 400, -32600, id="a batch"),
        pytest.param(message(jsonrpc="1.0"), 400, -32600, id="another JSON-RPC"),
        pytest.param(message(id=None), 400, -32600, id="no id"),
        pytest.param(message(id=True), 400, -32600, id="an id that is neither text nor number"),
        pytest.param(message(id={}), 400, -32600, id="an id that is an object"),
        pytest.param({**MESSAGE, "params": None}, 400, -32602, id="no parameters"),
        pytest.param({**MESSAGE, "params": [1]}, 400, -32600, id="parameters that are a list"),
        pytest.param(MESSAGE, 400, -32602, id="no envelope"),
        pytest.param(message(params={"arguments": [1]}), 400, -32602, id="arguments that are a list"),
        pytest.param(message(params={"arguments": "text"}), 400, -32602, id="arguments that are text"),
        pytest.param(message(params={"name": 5}), 400, -32020, id="a name that is a number"),
        pytest.param(message(params={"name": "count"}), 400, -32020, id="another name than in the header"),
        pytest.param(message(method="tools/list"), 400, -32020, id="another method than in the header"),
        pytest.param(message(params={"_meta": {**META, "io.modelcontextprotocol/protocolVersion": "1999-01-01"}}), 400, -32020, id="another version than in the header"),  # noqa: E501 - one case, one line
    ],
)  # fmt: skip
async def test_a_malformed_message_is_told_what_is_wrong_and_leaves_nothing_behind(
    raw: Any, pack: Any, body: Any, status: int, code: int
) -> None:
    answer = await raw.post(body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert pack.calls == []


async def test_an_unknown_method_is_not_found(raw: Any) -> None:
    answer = await raw.post(message(method="tools/make"), raw.headers("tools/make"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)


async def test_a_version_that_nobody_speaks_is_told_which_are_spoken(raw: Any) -> None:
    changed = message(params={"_meta": {**META, "io.modelcontextprotocol/protocolVersion": "2030-01-01"}})
    answer = await raw.post(changed, raw.headers(MCP_Protocol_Version="2030-01-01"))
    assert answer.json()["error"]["code"] == -32022
    assert NEWEST in answer.json()["error"]["data"]["supported"]


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(raw: Any, sixty: Organisation) -> None:
    answer = await raw.call("echo", {"text": "x" * sixty.host.settings.max_request_bytes})
    assert answer.status_code == 413
    assert str(sixty.host.settings.max_request_bytes) in answer.json()["error"]["message"]


async def test_a_body_of_unknown_length_is_refused_once_it_is_too_large(raw: Any, sixty: Organisation) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * (sixty.host.settings.max_request_bytes // 30)

    assert (await raw.post(pieces())).status_code == 413


async def test_a_body_in_pieces_is_put_together(raw: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in json.dumps(message()).encode():
            yield bytes([byte])

    answer = await raw.post(pieces())
    assert answer.json()["result"]["structuredContent"]["text"] == "hi"


@pytest.mark.parametrize("meta", [{}, {"progressToken": 1}], ids=["short way", "through the SDK"])
async def test_a_client_that_goes_away_cancels_its_call(
    url: str, keys: Mapping[str, str], pack: Any, raw: Any, meta: dict[str, Any]
) -> None:
    body = json.dumps(message(params={"name": "wait", "arguments": {}, "_meta": META | meta})).encode()
    headers = raw.headers(name="wait") | {"Host": "localhost", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    address, port = url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(address, int(port))
    writer.write(f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + body)
    async with asyncio.timeout(10):
        await pack.waiting.wait()
        writer.close()
        await writer.wait_closed()
        await pack.cancelled.wait()
    await asyncio.sleep(0)
    assert [entry.outcome for entry in pack.entries] == ["cancelled"]


async def test_the_handshake_era_cancels_a_call_when_it_is_told_to(connect: Connect, pack: Any) -> None:
    async with connect("user", mode="legacy") as client, asyncio.timeout(10):
        call = asyncio.create_task(client.call_tool("wait", {}))
        await pack.waiting.wait()
        call.cancel()
        await pack.cancelled.wait()
        with suppress(asyncio.CancelledError):
            await call


async def test_white_space_around_a_header_is_not_part_of_it(raw: Any, url: str) -> None:
    # as written to the socket: HTTP clients would take it away
    port = int(url.rpartition(":")[2])
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}).encode()
    headers = raw.headers("tools/list", None, Host=f"127.0.0.1:{port}", Content_Length=str(len(body)))
    lines = "".join(f"{name}: \t {value} \t\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + body)
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_session_is_for_whoever_opened_it(raw: Any, keys: Mapping[str, str]) -> None:
    old = {"MCP_Protocol_Version": None, "Mcp_Method": None, "Mcp_Name": None}
    opened = await raw.post(INITIALIZE, raw.headers(**old))
    session = {**old, "MCP_Session_Id": opened.headers["mcp-session-id"]}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    raw.key = keys["admin"]
    assert (await raw.post(ping, raw.headers(**session))).status_code == 404
    raw.key = keys["user"]
    assert (await raw.post(ping, raw.headers(**session))).status_code == 200


async def test_a_session_that_nobody_knows_is_not_found(raw: Any) -> None:
    headers = raw.headers(MCP_Protocol_Version="2025-11-25", MCP_Session_Id="0" * 32)
    answer = await raw.post({"jsonrpc": "2.0", "id": 2, "method": "ping"}, headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32600)
    assert "begin anew with `initialize`" in answer.json()["error"]["message"]


INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


async def test_sessions_are_bounded_and_an_idle_one_makes_room(
    sixty: Organisation, keys: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamable, "MAX_SESSIONS", 1)
    monkeypatch.setattr(streamable, "SESSION_IDLE", 0.5)
    headers = {"Authorization": f"Bearer {keys['user']}", "Accept": "application/json, text/event-stream"}
    async with listening(sixty.host) as url, httpx2.AsyncClient(base_url=url, headers=headers) as http:
        first = await http.post("/mcp", json=INITIALIZE)
        assert (await http.post("/mcp", json=INITIALIZE)).status_code == 503
        async with asyncio.timeout(20):
            while (await http.post("/mcp", json=INITIALIZE)).status_code == 503:
                pass  # a refused one keeps no session awake
        ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
        session = {"Mcp-Session-Id": first.headers["mcp-session-id"]}
        assert (await http.post("/mcp", json=ping, headers=session)).status_code == 404


async def test_stopping_does_not_wait_for_open_streams(sixty: Organisation, keys: Mapping[str, str]) -> None:
    headers = {"Authorization": f"Bearer {keys['user']}", "Accept": "application/json, text/event-stream"}
    async with asyncio.timeout(5):
        async with listening(sixty.host) as url, httpx2.AsyncClient(base_url=url, headers=headers) as http:
            opened = await http.post("/mcp", json=INITIALIZE)
            session = {"mcp-session-id": opened.headers["mcp-session-id"]}
            request = http.build_request("GET", "/mcp", headers=session)
            stream = await http.send(request, stream=True)
            assert stream.status_code == 200
            reading = asyncio.create_task(stream.aread())
        await asyncio.gather(reading, return_exceptions=True)


async def test_a_taken_port_is_said_plainly(sixty: Organisation, url: str) -> None:
    port = int(url.rpartition(":")[2])
    with pytest.raises(OperatorError, match=f"cannot listen on 127.0.0.1:{port}"):
        async with listening(sixty.host, port=port):
            pass


async def test_everyone_may_be_served_as_one_user_on_this_machine(sixty: Organisation, raw: Any) -> None:
    async with listening(sixty.host, anonymous_as="Uma.User@example.com") as url:
        raw.http.base_url = url
        answer = await raw.call("echo", {"text": "hi"}, Authorization=None)
        assert answer.json()["result"]["structuredContent"]["text"] == "hi"
        assert (await raw.call("echo", {"text": "hi"}, Authorization="Bearer sk60_wrong")).status_code == 401
        await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
        assert (await raw.call("echo", {"text": "hi"}, Authorization=None)).status_code == 401


async def test_nobody_is_served_anonymously_from_elsewhere(sixty: Organisation) -> None:
    with pytest.raises(ConfigError, match="--anonymous-as"):
        app(sixty.host, address="0.0.0.0", anonymous_as="uma.user@example.com")  # noqa: S104 - it is refused
