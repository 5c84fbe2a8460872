"""Who is told that a list has changed, and how often, by each transport in each era."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError

from sixty import Arguments, Call, Permissions, Result, hookimpl, lifecycle, prompt, resource, tool
from sixty.auth import mint
from sixty.people import disable_user, enable_user, list_keys, revoke_key, set_role
from sixty.server import leases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import httpx2

    from sixty.testing import Organisation

everywhere = pytest.mark.parametrize(
    ("transport", "mode"),
    [(transport, mode) for transport in ("http", "sse", "websocket") for mode in ("auto", "legacy")],
)
CHANGED = "notifications/tools/list_changed"


class Nothing(Arguments):
    pass


class Pack:
    """One tool, for those who hold a permission of its own."""

    def __init__(self, name: str, role: str) -> None:
        self.name = name
        self.role = role

    @hookimpl
    def sixty_tools(self) -> list[Any]:
        @tool(f"{self.name}_it", permission=f"{self.name}:do", effect="read")
        async def do(args: Nothing, call: Call) -> Result:
            """Do it."""
            return Result(message="done")

        return [do]

    @hookimpl
    def sixty_permissions(self) -> list[Permissions]:
        grants = {"user": (f"{self.name}:do",)} if self.role == "user" else {}
        return [Permissions(self.name, {"do": "Do it."}, grants)]


class Paper:
    """A prompt and a resource."""

    @hookimpl
    def sixty_prompts(self) -> list[Any]:
        @prompt("write", permission=None)
        async def write(args: Nothing, call: Call) -> str:
            """Write."""
            return "Write."

        return [write]

    @hookimpl
    def sixty_resources(self) -> list[Any]:
        @resource("paper://sheet", name="sheet", permission=None)
        async def sheet(args: Nothing, call: Call) -> str:
            """A sheet."""
            return "blank"

        return [sheet]


def install(sixty: Organisation, name: str, role: str) -> None:
    """A pack is there, whose tool whoever is in `role` sees."""
    host = sixty.host
    host.registry = host.registry.with_pack(lifecycle.load(name, Pack(name, role), {}))


def remove(sixty: Organisation, name: str) -> None:
    sixty.host.registry = sixty.host.registry.without(name, "removed")


@everywhere
async def test_a_pack_that_comes_and_goes_is_told_once_each(
    listen: Callable[..., Any], watch: Any, sixty: Organisation, transport: str, mode: str
) -> None:
    async with listen("user", transport, mode) as (client, told):
        install(sixty, "extra", "user")
        await watch.lists()
        assert await told.until(1) == [CHANGED]
        assert "extra_it" in [tool.name for tool in (await client.list_tools()).tools]
        remove(sixty, "extra")
        await watch.lists()
        assert await told.until(2) == [CHANGED, CHANGED]
        await watch.lists()  # nothing has happened
        assert "extra_it" not in [tool.name for tool in (await client.list_tools()).tools]
        assert told.methods == [CHANGED, CHANGED]


@everywhere
async def test_only_whoever_sees_another_list_is_told(
    listen: Callable[..., Any], watch: Any, sixty: Organisation, transport: str, mode: str
) -> None:
    async with (
        listen("user", transport, mode) as (user, told_user),
        listen("admin", transport, mode) as (_, told_admin),
    ):
        install(sixty, "ruling", "admin")
        await watch.lists()
        assert await told_admin.until(1) == [CHANGED]
        await user.list_tools()
        assert told_user.methods == []
        install(sixty, "common", "user")
        await watch.lists()
        assert await told_user.until(1) == [CHANGED]
        assert await told_admin.until(2) == [CHANGED, CHANGED]


@everywhere
async def test_a_changed_role_is_told_to_its_holder_alone(
    listen: Callable[..., Any], watch: Any, sixty: Organisation, transport: str, mode: str
) -> None:
    async with (
        listen("user", transport, mode) as (_, told_user),
        listen("admin", transport, mode) as (admin, told_admin),
    ):
        await set_role(sixty.host.database, "uma.user@example.com", "admin")
        await watch.lists()
        assert await told_user.until(1) == [CHANGED]
        await admin.list_tools()
        assert told_admin.methods == []


async def test_both_eras_are_promised_what_is_done(connect: Callable[..., Any]) -> None:
    for mode in ("auto", "legacy"):
        async with connect("user", mode=mode) as client:
            promised = client.server_capabilities
            assert promised.tools.list_changed
            assert promised.prompts.list_changed
            assert promised.resources.list_changed
            assert promised.resources.subscribe


async def test_a_stream_tells_only_what_was_asked_for(
    listen: Callable[..., Any], watch: Any, sixty: Organisation
) -> None:
    async with listen("user", "http", "auto", prompts_list_changed=True) as (client, told):
        install(sixty, "extra", "user")
        await watch.lists()
        await client.list_tools()
        assert told.methods == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_each_list_is_told_of_by_itself(
    listen: Callable[..., Any], watch: Any, sixty: Organisation, mode: str
) -> None:
    host = sixty.host
    every = {"tools_list_changed": True, "prompts_list_changed": True, "resources_list_changed": True}
    async with listen("user", "http", mode, **every) as (_, told):
        host.registry = host.registry.with_pack(lifecycle.load("paper", Paper(), {}))
        await watch.lists()
        assert sorted(await told.until(2)) == [
            "notifications/prompts/list_changed",
            "notifications/resources/list_changed",
        ]


async def test_who_listens_to_too_much_is_refused(connect: Callable[..., Any]) -> None:
    async with connect("user") as client:
        with pytest.raises(MCPError, match="at most 1000 resources"):
            async with client.listen(resource_subscriptions=[f"sixty://records/{n}" for n in range(1001)]):
                pass


async def test_no_more_listen_than_can_be_kept(connect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LIMIT", 1)
    async with connect("user") as client, client.listen(tools_list_changed=True):
        with pytest.raises(MCPError, match="1 listen streams open and no more"):
            async with client.listen(tools_list_changed=True):
                pass


INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "tests", "version": "1"},
}


class Session:
    """A session of the handshake era by streamable HTTP, of which each step is taken when the test says so."""

    def __init__(self, raw: Any) -> None:
        self.http: httpx2.AsyncClient = raw.http
        self.headers = {
            "Authorization": f"Bearer {raw.key}",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
        }

    async def post(self, method: str, params: dict[str, Any] | None = None, **more: Any) -> httpx2.Response:
        message = {"jsonrpc": "2.0", "method": method, **({"params": params} if params else {}), **more}
        return await self.http.post("/mcp", json=message, headers=self.headers)

    async def open(self) -> None:
        answer = await self.post("initialize", INITIALIZE, id=1)
        self.headers["Mcp-Session-Id"] = answer.headers["mcp-session-id"]

    async def ready(self) -> None:
        assert (await self.post("notifications/initialized")).status_code == 202

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[AsyncIterator[str]]:
        """The methods of what is told on the session's stream."""
        async with self.http.stream("GET", "/mcp", headers=self.headers) as answer:
            assert answer.status_code == 200
            yield (json.loads(line[5:])["method"] async for line in answer.aiter_lines() if line.startswith("data:"))


@pytest.fixture
async def session(raw: Any) -> Session:
    session = Session(raw)
    await session.open()
    return session


async def test_what_changes_while_there_is_no_stream_is_told_on_the_next_one(
    session: Session, watch: Any, sixty: Organisation
) -> None:
    await session.ready()
    for number in range(3):
        install(sixty, f"extra{number}", "user")
        await watch.lists()
    async with session.stream() as told:
        assert await anext(told) == CHANGED
        second = asyncio.ensure_future(anext(told))
        assert (await session.post("ping", id=2)).status_code == 200
        assert not second.done()  # three swaps were one change
        remove(sixty, "extra0")
        await watch.lists()
        assert await second == CHANGED


async def test_what_is_as_it_was_when_the_stream_opens_is_not_told(
    session: Session, watch: Any, sixty: Organisation
) -> None:
    await session.ready()
    install(sixty, "passing", "user")
    await watch.lists()
    remove(sixty, "passing")
    await watch.lists()
    async with session.stream() as told:
        first = asyncio.ensure_future(anext(told))
        assert (await session.post("tools/list", id=2)).status_code == 200
        assert not first.done()
        install(sixty, "staying", "user")
        await watch.lists()
        assert await first == CHANGED


async def test_nothing_is_told_before_the_client_is_ready(session: Session, watch: Any, sixty: Organisation) -> None:
    async with session.stream() as told:
        install(sixty, "extra", "user")
        await watch.lists()
        first = asyncio.ensure_future(anext(told))
        assert (await session.post("ping", id=2)).status_code == 200
        assert not first.done()
        await session.ready()
        assert await first == CHANGED


async def test_a_stream_ends_with_the_key_that_opened_it(session: Session, watch: Any, sixty: Organisation) -> None:
    await session.ready()
    async with session.stream() as told:
        await revoke(sixty)
        await watch.lists()
        assert [method async for method in told] == []


async def revoke(sixty: Organisation) -> None:
    for key in await list_keys(sixty.host.database):
        await revoke_key(sixty.host.database, key.id, now=sixty.clock())


async def test_a_session_that_was_refused_for_a_while_learns_what_it_has_missed(
    session: Session, watch: Any, sixty: Organisation
) -> None:
    await session.ready()
    await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
    install(sixty, "extra", "user")
    await watch.lists()
    await enable_user(sixty.host.database, "uma.user@example.com")
    async with session.stream() as told:
        assert (await session.post("ping", id=2)).status_code == 200
        assert await anext(told) == CHANGED


async def test_a_listen_stream_ends_in_form_when_the_account_is_disabled(
    connect: Callable[..., Any], watch: Any, sixty: Organisation
) -> None:
    async with connect("user") as client, client.listen(tools_list_changed=True) as changes:
        await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
        await watch.lists()
        async with asyncio.timeout(10):
            assert [change async for change in changes] == []  # it would raise if the stream broke off


async def test_a_listen_stream_ends_when_its_token_does(connect: Callable[..., Any], sixty: Organisation) -> None:
    uma = (await sixty.directory()).users_by_email["uma.user@example.com"]
    token = mint(sixty.host.settings, uma, 2, datetime.now(UTC))
    async with connect(token) as client, client.listen(tools_list_changed=True) as changes:
        async with asyncio.timeout(10):
            assert [change async for change in changes] == []
