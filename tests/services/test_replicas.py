"""Several servers are one: whatever a client does at one of them is known to the others, and one that goes is missed
by nobody for long.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import websockets
from fleet import Fleet, fleet, missing
from mcp import MCPError
from mcp.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult, ResourceUpdatedNotification

from sixty.config import Settings
from sixty.host import Host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from sixty.testing.databases import PostgresTemplates

pytestmark = [
    pytest.mark.services,
    pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning"),  # sessions subscribe in the older way
]

FAKES = Path(__file__).parents[2] / "core" / "tests"
"""Where packs are whose tools ask."""
NEWEST, OLDER = "2026-07-28", "2025-11-25"
META = {
    "io.modelcontextprotocol/protocolVersion": NEWEST,
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
INITIALIZE = {"protocolVersion": OLDER, "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
CHANGED = "notifications/tools/list_changed"
SOON = 30.0


@pytest.fixture(scope="module")
def replicas(postgres_templates: PostgresTemplates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if (reason := missing()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("replicas")
    url = postgres_templates.copy(None)
    settings = {
        "PYTHONPATH": f"{_packs(folder)}:{FAKES}",
        "SIXTY_RATE_STANDARD": "off",
        "SIXTY_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    with fleet(url, folder, settings) as found:
        yield found
    postgres_templates.drop(url)


def _packs(folder: Path) -> Path:
    """A folder that, on the path, is as good as two packs that are installed."""
    described = folder / "packs" / "fakes-1.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: fakes\nVersion: 1\n")
    (described / "entry_points.txt").write_text("[sixty.plugins]\nnotes = fakes.notes\ndesk = fakes.desk\n")
    return described.parent


class Turns(httpx2.AsyncBaseTransport):
    """Sends each request to another server."""

    def __init__(self, addresses: list[str]) -> None:
        self._turn = cycle(httpx2.URL(address) for address in addresses)
        self._inner = httpx2.AsyncHTTPTransport()
        self.asked: list[int | None] = []
        """The ports, in order."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        address = next(self._turn)
        request.url = request.url.copy_with(scheme="http", host=address.host, port=address.port)
        request.headers["Host"] = f"{address.host}:{address.port}"
        self.asked.append(address.port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def http(
    replicas: Fleet, role: str = "user", address: str | None = None, transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client of nginx, or of whom its transport leads to, with a credential and perhaps another address."""
    headers = {"Authorization": f"Bearer {replicas.keys[role]}", "Accept": "application/json, text/event-stream"}
    trust = ssl.create_default_context(cafile=replicas.certificate)
    through = transport or httpx2.AsyncHTTPTransport(verify=trust, local_address=address)
    async with httpx2.AsyncClient(headers=headers, timeout=SOON, base_url=replicas.url, transport=through) as client:
        yield client


@asynccontextmanager
async def connected(
    replicas: Fleet, url: str | None = None, role: str = "user", mode: str = "auto", **options: Any
) -> AsyncIterator[Client]:
    """The official client, by nginx, or at one of the servers."""
    async with http(replicas, role) as client:
        transport = streamable_http_client(f"{url or replicas.url}/mcp", http_client=client)
        async with Client(transport, mode=mode, **options) as connection:
            yield connection


async def call(client: httpx2.AsyncClient, tool: str, arguments: dict[str, Any], url: str = "") -> dict[str, Any]:
    """The result of a call in the newest era, in which each stands for itself."""
    params = {"name": tool, "arguments": arguments, "_meta": META}
    headers = {"MCP-Protocol-Version": NEWEST, "Mcp-Method": "tools/call", "Mcp-Name": tool}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    answer = await client.post(f"{url}/mcp", json=message, headers=headers)
    result: dict[str, Any] = answer.json()["result"]["structuredContent"]
    return result


async def ask(
    client: httpx2.AsyncClient, method: str, params: Any, session: str | None = None, url: str = ""
) -> httpx2.Response:
    """The answer to a message of the handshake era."""
    headers = {"Mcp-Session-Id": session} if session is not None else {}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return await client.post(f"{url}/mcp", json=message, headers=headers)


async def opened(client: httpx2.AsyncClient) -> str:
    """The id of a new session."""
    session: str = (await ask(client, "initialize", INITIALIZE)).headers["mcp-session-id"]
    return session


async def homes(client: httpx2.AsyncClient, replicas: Fleet, session: str) -> list[int]:
    """The numbers of the servers that know a session."""
    answers = [await ask(client, "ping", {}, session, address) for address in replicas.addresses]
    return [number for number, answer in enumerate(answers) if answer.status_code == 200]


async def until(condition: Callable[[], Any], otherwise: str) -> None:
    """Return once it holds."""
    try:
        async with asyncio.timeout(SOON):
            while True:
                found = condition()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(otherwise) from None


class Told:
    """What a client was told."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def __call__(self, message: Any) -> None:
        about = f" {message.params.uri}" if isinstance(message, ResourceUpdatedNotification) else ""
        self.messages.append(f"{message.method}{about}")

    async def until(self, message: str, times: int) -> None:
        """It was told this so often, and no more."""
        await until(lambda: self.messages.count(message) >= times, f"{self.messages} instead of {times} {message}")
        assert self.messages.count(message) == times


# calls


async def test_any_server_answers_any_call(replicas: Fleet) -> None:
    turns = Turns(replicas.addresses)
    async with http(replicas, transport=turns) as client:
        deal = (await call(client, "create_deal", {"title": "Everywhere", "company_name": "Acme"}))["deal_id"]
        for stage in ("opportunity", "verbal", "opportunity", "verbal"):
            moved = await call(client, "move_deal_stage", {"deal_id": deal, "stage": stage})
            assert moved["deal"]["stage"] == stage
    assert len(set(turns.asked)) == len(replicas.addresses)


async def test_a_question_that_one_server_asked_is_answered_at_another(replicas: Fleet) -> None:
    async def person(_context: Any, params: Any) -> ElicitResult:
        content = {"sure": True} if "sure" in params.message else {"reason": "because"}
        return ElicitResult(action="accept", content=content)

    turns = Turns(replicas.addresses)
    async with http(replicas, transport=turns) as client:
        transport = streamable_http_client(f"{replicas.url}/mcp", http_client=client)
        async with Client(transport, elicitation_callback=person) as connection:
            before = len(turns.asked)
            result = await connection.call_tool("ask_twice", {})
    assert result.structured_content is not None
    assert result.structured_content["answers"] == ["True", "because"]
    assert len(set(turns.asked[before:])) == 3


async def test_refused_credentials_are_counted_at_all_servers_by_the_address_that_nginx_saw(replicas: Fleet) -> None:
    wrong = {"Authorization": "Bearer sk60_wrong", "X-Forwarded-For": "203.0.113.7"}
    async with http(replicas, address="127.0.0.9") as attacker, http(replicas, address="127.0.0.10") as other:
        statuses = [(await attacker.post("/mcp", headers=wrong)).status_code for _ in range(120)]
        # after the thirtieth, the other two servers learn of it by one refusal each, when nginx draws them next
        assert 30 <= statuses.count(401) <= 32
        assert set(statuses[-20:]) == {429}
        assert (await attacker.post("/mcp", headers={"X-Forwarded-For": "203.0.113.8"})).status_code == 429
        assert (await call(other, "search_deals", {}))["success"]


async def test_the_scheme_is_the_one_that_nginx_was_asked_by(replicas: Fleet) -> None:
    async with http(replicas) as client:
        refused = await client.post("/mcp", headers={"Authorization": "", "X-Forwarded-Proto": "http"})
        assert f'resource_metadata="{replicas.url}/.well-known' in refused.headers["www-authenticate"]


# what clients are told


async def test_a_list_that_changes_is_told_once_to_clients_of_every_server(replicas: Fleet) -> None:
    everywhere = [(url, mode) for url in (*replicas.addresses, None) for mode in ("auto", "legacy")]
    async with AsyncExitStack() as stack:
        clients = []
        for url, mode in everywhere:
            told = Told()
            client = await stack.enter_async_context(connected(replicas, url, mode=mode, message_handler=told))
            if mode == "auto":
                await stack.enter_async_context(client.listen(tools_list_changed=True))
            clients.append((client, told))
        elsewhere = await stack.enter_async_context(
            Host.open(Settings(database_url=replicas.env["SIXTY_DATABASE_URL"]))
        )
        for count, change in enumerate((elsewhere.disable, elsewhere.enable, elsewhere.disable, elsewhere.enable), 1):
            await change("tasks")
            for client, told in clients:
                names = [tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools]
                assert ("create_task" in names) == (change == elsewhere.enable)  # told or not, never the old list
                await told.until(CHANGED, count)


async def test_a_record_that_changes_is_told_to_who_listens_at_another_server(replicas: Fleet) -> None:
    here, *others = replicas.addresses
    async with http(replicas) as client, AsyncExitStack() as stack:
        deal = (await call(client, "create_deal", {"title": "Watched", "company_name": "Acme"}, here))["deal_id"]
        uri, listeners = f"crm://deals/{deal}", []
        for url in others:
            for mode in ("auto", "legacy"):
                told = Told()
                listener = await stack.enter_async_context(connected(replicas, url, mode=mode, message_handler=told))
                if mode == "auto":
                    await stack.enter_async_context(listener.listen(resource_subscriptions=[uri]))
                else:
                    await listener.subscribe_resource(uri)
                listeners.append(told)
        for count in (1, 2):
            await call(client, "update_deal", {"deal_id": deal, "updates": {"notes": f"{count}"}}, here)
            for told in listeners:
                await told.until(f"notifications/resources/updated {uri}", count)


# limits


async def forecasts(client: httpx2.AsyncClient, number: int) -> int:
    """How many of so many calls of a tool that is limited to ten a minute are served, each at another server."""
    return sum([(await call(client, "forecast_revenue", {"period": "month"}))["success"] for _ in range(number)])


async def readiness(client: httpx2.AsyncClient, replicas: Fleet) -> set[tuple[int, str, str]]:
    """What the servers say of themselves."""
    answers = [await client.get(f"{address}/ready") for address in replicas.addresses]
    return {(answer.status_code, answer.json()["status"], answer.json()["redis"]) for answer in answers}


async def test_calls_are_counted_at_all_servers_together_and_without_redis_at_each(replicas: Fleet) -> None:
    async with http(replicas, transport=Turns(replicas.addresses)) as client, http(replicas) as plain:
        assert await forecasts(client, 33) == 10
        replicas.redis.kill()
        try:
            assert await forecasts(client, 33) == 30
            assert await readiness(plain, replicas) == {(200, "degraded", "it cannot be reached")}
        finally:
            replicas.redis.start()
        await until(
            lambda: is_ready(plain, replicas),
            "Redis is back, and not all servers know it",
        )
        assert await forecasts(client, 33) == 10  # of this Redis, which remembers nothing


async def is_ready(client: httpx2.AsyncClient, replicas: Fleet) -> bool:
    """Whether every server is."""
    return await readiness(client, replicas) == {(200, "ready", "ok")}


# sessions


async def test_a_session_is_led_to_its_server_and_sessions_are_spread(replicas: Fleet) -> None:
    async with http(replicas) as client:
        sessions = [await opened(client) for _ in range(12)]
        for session in sessions:
            answers = [await ask(client, "ping", {}, session) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 200]
        places = [await homes(client, replicas, session) for session in sessions]
        assert {len(found) for found in places} == {1}
        assert len({found[0] for found in places}) > 1


async def test_a_client_does_not_choose_the_id_of_its_session(replicas: Fleet) -> None:
    chosen, message = "f" * 32, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    ways: list[tuple[str, dict[str, str]]] = [(f"/mcp?session_id={chosen}", {}), ("/mcp", {"X-Request-ID": chosen})]
    async with http(replicas) as client:
        for path, headers in ways:
            answer = await client.post(path, json=message, headers=headers)
            assert (answer.status_code, answer.headers["mcp-session-id"] == chosen) == (200, False)


async def test_a_session_whose_server_is_gone_is_refused_and_begun_anew_elsewhere(replicas: Fleet) -> None:
    sessions: list[str] = []

    async def remember(response: httpx2.Response) -> None:
        sessions.append(response.headers.get("mcp-session-id", ""))

    async with http(replicas) as inner, http(replicas) as client:
        inner.event_hooks = {"response": [remember]}
        transport = streamable_http_client(f"{replicas.url}/mcp", http_client=inner)
        async with Client(transport, mode="legacy") as official:
            assert (await official.call_tool("search_deals", {})).structured_content
            session = next(filter(None, sessions))
            [home] = await homes(client, replicas, session)
            with replicas.without(home):
                answer = await ask(client, "ping", {}, session)
                assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32600)
                with pytest.raises(MCPError, match="begin anew with `initialize`"):
                    await official.call_tool("search_deals", {})
                for _ in range(6):
                    another = await opened(client)
                    assert (await ask(client, "ping", {}, another)).status_code == 200
                async with connected(replicas, mode="legacy") as anew:
                    assert (await anew.call_tool("search_deals", {})).structured_content


async def test_server_sent_events_and_what_is_posted_meet_at_one_server(replicas: Fleet) -> None:
    trust = ssl.create_default_context(cafile=replicas.certificate)

    def trusting(**options: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(verify=trust, **{name: given for name, given in options.items() if given is not None})

    authorization = {"Authorization": f"Bearer {replicas.keys['user']}"}
    for _ in range(6):  # of which hardly all are led to one server by chance
        transport = sse_client(f"{replicas.url}/sse", authorization, httpx_client_factory=trusting)
        async with Client(transport, mode="legacy") as client:
            assert (await client.call_tool("search_deals", {})).structured_content


async def test_a_websocket_comes_through(replicas: Fleet) -> None:
    trust = ssl.create_default_context(cafile=replicas.certificate)
    authorization = {"Authorization": f"Bearer {replicas.keys['user']}"}
    url = f"{replicas.url.replace('https', 'wss')}/ws"
    opening = websockets.connect(url, subprotocols=["mcp"], additional_headers=authorization, ssl=trust, proxy=None)
    async with opening as socket, asyncio.timeout(SOON):
        for number, (method, params) in enumerate((("initialize", INITIALIZE), ("ping", {}), ("tools/list", {}))):
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
            answer = json.loads(await socket.recv())
            assert (answer["id"], "result" in answer) == (number, True)


# jobs


async def test_what_a_killed_server_was_doing_is_done_by_another(replicas: Fleet) -> None:
    came: asyncio.Queue[str] = asyncio.Queue()
    taking = asyncio.Event()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await came.put(next(line for line in head.splitlines() if line.startswith("webhook-id:")))
        if taking.is_set():
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        else:
            await reader.read()  # until whoever sent it is gone
        writer.close()

    receiver = await asyncio.start_server(receive, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/"
    async with receiver, http(replicas, "manager") as client:
        await client.post("/webhooks", json={"url": address, "events": ["deal.created"]})
        with replicas.without(1, 2):  # so that the other one is doing it
            await call(client, "create_deal", {"title": "Told", "company_name": "Acme"}, replicas.addresses[0])
            first = await asyncio.wait_for(came.get(), SOON)
        with replicas.without(0):
            taking.set()
            assert await asyncio.wait_for(came.get(), SOON) == first


# nginx


async def test_figures_are_not_shown_to_the_world_and_http_leads_to_https(replicas: Fleet) -> None:
    async with http(replicas) as client:
        for spelling in (
            "/metrics",
            "/%6detrics",
            "//metrics",
            "/./metrics",
            "/x%2f..%2fmetrics",
            "/metrics/",
            "/metrics%3f",
        ):
            assert (await client.get(spelling)).status_code == 404, spelling
        health = await client.get("/health")
        assert health.status_code == 200
        assert health.headers["strict-transport-security"]
        assert (await client.get("/ready")).status_code == 200
        too_much = await client.post("/mcp", content=b" " * 1_050_000)
        assert (too_much.status_code, "1048576" in too_much.text) == (413, True)  # in the server's own words
        assert (await client.post("/mcp", content=b" " * 2_000_000)).status_code == 413
        plain = await client.get(f"{replicas.plain_url}/mcp?a=b")
        assert (plain.status_code, plain.headers["location"]) == (308, "https://127.0.0.1/mcp?a=b")
