"""Behind proxies: whose words count, whom a request is from, and which id its session has."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sixty.server.proxies import Proxied
from sixty.tables import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

    from sixty.testing import Organisation

NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
PROXY = "10.1.1.1"
ID = "0123456789abcdef0123456789abcdef"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}


@pytest.fixture
def environ(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {**environ, "SIXTY_TRUSTED_PROXIES": "127.0.0.0/8"}


async def seen(peer: str | None, *headers: tuple[str, str], kind: str = "http") -> Scope:
    """What the application sees of a request that `peer` has sent."""
    scopes: list[Scope] = []

    async def app(scope: Scope, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    client = (peer, 50_000) if peer is not None else None
    scope = {"type": kind, "client": client, "scheme": {"http": "http"}.get(kind, "ws"), "headers": raw}
    await Proxied(app, NETWORKS)(scope, None, None)  # type: ignore[arg-type]
    return scopes[0]


async def client(peer: str, *forwarded: str) -> str:
    """The address of the client, as the application sees it."""
    scope = await seen(peer, *(("x-forwarded-for", value) for value in forwarded))
    address: str = scope["client"][0]
    return address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7"], "203.0.113.7"),  # who wrote the first one is a client
        (["10.9.9.9, 203.0.113.7, 10.2.2.2"], "203.0.113.7"),
        (["198.51.100.1", "203.0.113.7, 10.2.2.2"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["2001:db8::1, fd00::2"], "2001:db8::1"),
        (["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        (["203.0.113.7, unknown"], PROXY),
        (["'; DROP TABLE audit --"], PROXY),
        ([""], PROXY),
        ([], PROXY),
    ],
)
async def test_the_client_is_the_right_most_address_that_is_no_proxy(forwarded: list[str], address: str) -> None:
    assert await client(PROXY, *forwarded) == address


@given(spoofed=st.lists(st.ip_addresses().map(str) | st.text(st.characters(codec="ascii", categories=["L", "N", "P"]))))
async def test_nothing_that_a_client_writes_changes_who_it_is(spoofed: list[str]) -> None:
    assert await client(PROXY, ", ".join([*spoofed, "203.0.113.7", "10.2.2.2"])) == "203.0.113.7"


@given(peer=st.ip_addresses(), forwarded=st.ip_addresses())
async def test_only_a_proxy_is_believed(peer: Any, forwarded: Any) -> None:
    is_proxy = any(peer in network for network in NETWORKS)
    assert ip_address(await client(str(peer), str(forwarded))) == (forwarded if is_proxy else peer)


async def test_the_scheme_is_the_one_that_the_client_used() -> None:
    https = ("x-forwarded-proto", "https")
    assert (await seen(PROXY, https))["scheme"] == "https"
    assert (await seen(PROXY, https, kind="websocket"))["scheme"] == "wss"
    assert (await seen("203.0.113.7", https))["scheme"] == "http"
    assert (await seen(None, https))["scheme"] == "http"


async def test_an_address_that_a_proxy_forwards_is_audited_and_limited(raw: Any, sixty: Organisation) -> None:
    first = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "Authorization": "Bearer sk60_wrong"}
    for _ in range(30):
        assert (await raw.list(**first)).status_code == 401
    assert (await raw.list(**first)).status_code == 429
    assert (await raw.list(X_Forwarded_For="203.0.113.8")).status_code == 200
    await sixty.host.audit.flush()
    assert {row["address"] for row in await sixty.rows(sa.select(audit.c.address))} >= {"203.0.113.7"}


async def test_the_metadata_names_the_scheme_that_the_client_used(raw: Any) -> None:
    found = await raw.http.get("/.well-known/oauth-protected-resource/mcp", headers={"X-Forwarded-Proto": "https"})
    assert found.json()["resource"].startswith("https://127.0.0.1")


def old(raw: Any, **changed: Any) -> dict[str, str]:
    """Headers of the handshake era."""
    headers: dict[str, str] = raw.headers(
        **{"MCP_Protocol_Version": None, "Mcp_Method": None, "Mcp_Name": None, **changed}
    )
    return headers


async def test_a_session_has_the_id_by_which_its_proxy_leads_requests_here(raw: Any) -> None:
    opened = await raw.post(INITIALIZE, old(raw, X_Request_ID=ID))
    assert opened.headers["mcp-session-id"] == ID
    assert (await raw.post(PING, old(raw, Mcp_Session_Id=ID, X_Request_ID=ID))).status_code == 200
    ended = await raw.http.request("DELETE", "/mcp", headers=old(raw, Mcp_Session_Id=ID))
    assert ended.status_code == 200
    assert (await raw.post(PING, old(raw, Mcp_Session_Id=ID))).status_code == 404


@pytest.mark.parametrize("chosen", ["", "short", ID.upper(), f"{ID}0", f"{ID[:-1]}é"])
async def test_an_id_of_another_form_is_not_taken(raw: Any, chosen: str) -> None:
    opened = await raw.post(INITIALIZE, {**old(raw), "X-Request-ID": chosen.encode("latin-1")})
    assert opened.headers["mcp-session-id"] != chosen
    assert len(opened.headers["mcp-session-id"]) == 32


async def test_an_id_that_is_taken_is_not_given_again(raw: Any) -> None:
    first, second = [await raw.post(INITIALIZE, old(raw, X_Request_ID=ID)) for _ in range(2)]
    assert first.headers["mcp-session-id"] == ID
    assert second.headers["mcp-session-id"] != ID
    for opened in (first, second):
        session = old(raw, Mcp_Session_Id=opened.headers["mcp-session-id"])
        assert (await raw.post(PING, session)).status_code == 200


async def test_who_knows_or_chooses_the_id_of_anothers_session_is_let_into_none(
    raw: Any, keys: Mapping[str, str]
) -> None:
    await raw.post(INITIALIZE, old(raw, X_Request_ID=ID))
    somebody = {"Authorization": f"Bearer {keys['admin']}"}
    for sent in ({"Mcp_Session_Id": ID}, {"Mcp_Session_Id": ID, "X_Request_ID": ID}):
        assert (await raw.post(PING, old(raw, **sent, **somebody))).status_code == 404
    opened = await raw.post(INITIALIZE, old(raw, X_Request_ID=ID, **somebody))
    assert opened.headers["mcp-session-id"] != ID
    assert (await raw.post(PING, old(raw, Mcp_Session_Id=ID))).status_code == 200


async def test_a_stream_of_server_sent_events_has_that_id_too(raw: Any) -> None:
    async with raw.http.stream("GET", "/sse", headers=old(raw, X_Request_ID=ID)) as stream:
        lines = stream.aiter_lines()
        assert [await anext(lines), await anext(lines)] == ["event: endpoint", f"data: /messages?session_id={ID}"]


async def test_who_is_no_proxy_chooses_no_id() -> None:
    header = ("x-request-id", ID)
    assert ID in (await seen(PROXY, header)).values()
    assert ID not in (await seen("203.0.113.7", header)).values()
    assert ID not in (await seen(PROXY, header, header)).values()
