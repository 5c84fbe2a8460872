"""The protocol's methods without a wire: the official client on the server itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types.methods import serialize_server_result

from sixty.outcome import Outcome
from sixty.people import list_keys, revoke_key
from sixty.server.caller import CALLER, Caller
from sixty.server.listing import Listing
from sixty.server.mcp import SixtyServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Organisation

both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])


@both_eras
async def test_a_credential_is_looked_at_on_each_call(
    sixty: Organisation, keys: Mapping[str, str], pack: Any, mode: str
) -> None:
    CALLER.set(Caller(token=keys["user"]))
    async with Client(SixtyServer(sixty.host), mode=mode, cache=None) as client:
        assert "echo" in [tool.name for tool in (await client.list_tools()).tools]
        assert not (await client.call_tool("echo", {"text": "hi"})).is_error
        for key in await list_keys(sixty.host.database):
            await revoke_key(sixty.host.database, key.id, now=sixty.clock())
        for refused in (client.list_tools(), client.call_tool("echo", {"text": "hi"})):
            with pytest.raises(MCPError, match="revoked") as raised:
                await refused
            assert raised.value.error.code == -32010
    assert [entry.outcome for entry in pack.entries] == ["ok", "unauthenticated"]


@both_eras
async def test_without_a_caller_nothing_is_served(sixty: Organisation, mode: str) -> None:
    refused = pytest.RaisesExc(MCPError, match="no credential")
    with pytest.RaisesGroup(refused, allow_unwrapped=True, flatten_subgroups=True):
        async with Client(SixtyServer(sixty.host), mode=mode) as client:  # the handshake is a message, too
            await client.list_tools()


async def test_a_list_is_made_once_for_each_set_of_tools(sixty: Organisation) -> None:
    listing = Listing(sixty.host, {})
    user, admin = await sixty.as_role("user").principal(), await sixty.as_role("admin").principal()
    manager = await sixty.as_role("manager").principal()
    assert listing.result("tools/list", user) is listing.result("tools/list", manager)
    assert listing.result("tools/list", user) is not listing.result("tools/list", admin)
    assert listing.encoded_tools(user, "2026-07-28") is listing.encoded_tools(manager, "2026-07-28")


async def test_a_swapped_registry_is_listed_at_once(sixty: Organisation) -> None:
    listing = Listing(sixty.host, {})
    user = await sixty.as_role("user").principal()
    assert b'"echo"' in listing.encoded_tools(user, "2026-07-28")
    sixty.host.registry = sixty.host.registry.without("echo", "gone")
    assert b'"echo"' not in listing.encoded_tools(user, "2026-07-28")
    assert "echo" not in [tool["name"] for tool in listing.result("tools/list", user)["tools"]]


@pytest.mark.parametrize("version", ["2026-07-28", "2025-11-25", "2025-06-18"])
async def test_every_tool_fits_the_protocol_as_it_is(sixty: Organisation, version: str) -> None:
    result = Listing(sixty.host, {}).result("tools/list", await sixty.as_role("admin").principal())
    shown = serialize_server_result("tools/list", version, result)
    assert [tool["inputSchema"] for tool in shown["tools"]] == [tool["inputSchema"] for tool in result["tools"]]


def test_half_a_character_does_not_break_an_answer() -> None:
    assert Outcome.of({"given": ["\ud800", {"\udfff": 1}]}).text == '{"given":["?",{"?":1}]}'
