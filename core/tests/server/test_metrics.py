"""`/metrics`, as Prometheus asks for it: what is counted of calls, who may read it, and in which form."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import websockets
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from sixty.people import set_role
from sixty.server.http import app, listening
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sixty.testing import Organisation
    from sixty.testing.clock import Clock

TOKEN = "a token for whoever scrapes"
SECONDS = "mcp_tool_call_duration_seconds"


async def samples(http: httpx2.AsyncClient) -> dict[tuple[str, ...], float]:
    """Every sample, by its name and the values of its labels."""
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (it.name, *(it.labels[key] for key in sorted(it.labels))): it.value for one in families for it in one.samples
    }


# what is counted


async def test_a_call_is_counted_by_its_tool_and_timed(raw: Any) -> None:
    await raw.call("echo", {"text": "hello"})
    await raw.call("echo", {"text": "again"})
    found = await samples(raw.http)
    assert found["mcp_tool_calls_total", "success", "echo"] == 2
    assert found[f"{SECONDS}_count", "echo"] == found[f"{SECONDS}_bucket", "+Inf", "echo"] == 2
    assert 0 < found[f"{SECONDS}_sum", "echo"] < 10
    assert {key[1] for key in found if key[0] == f"{SECONDS}_bucket"} >= {"0.001", "10.0"}


async def test_an_error_is_counted_by_its_code(raw: Any) -> None:
    await raw.call("echo", {"txet": "hello"})
    await raw.call("shut_down", {})
    found = await samples(raw.http)
    assert found["mcp_tool_calls_total", "error", "echo"] == 1
    assert found["mcp_errors_total", "invalid", "echo"] == 1
    assert found["mcp_errors_total", "forbidden", "shut_down"] == 1


async def test_names_that_callers_make_up_are_counted_as_one(raw: Any) -> None:
    for number in range(3):
        await raw.call(f"made_up_{number}", {})
    found = await samples(raw.http)
    assert found["mcp_errors_total", "unknown_tool", "unknown"] == 3
    assert not [key for key in found if any("made_up" in part for part in key)]


async def test_a_credential_that_is_refused_is_counted(raw: Any) -> None:
    await raw.call("echo", {}, Authorization="Bearer nobody")
    assert (await samples(raw.http))["mcp_errors_total", "unauthenticated", "unknown"] == 1


async def test_what_is_no_tool_is_counted_by_its_method(connect: Callable[..., Any], raw: Any) -> None:
    async with connect("user") as client:
        await client.read_resource("crm://me")
    assert (await samples(raw.http))["mcp_tool_calls_total", "success", "resources/read"] == 1


async def test_connections_are_counted_while_they_are_open(url: str, keys: Mapping[str, str], raw: Any) -> None:
    name = ("mcp_active_connections",)
    before = (await samples(raw.http))[name]  # its own
    headers = {"Authorization": f"Bearer {keys['user']}"}
    address = f"{url.replace('http', 'ws')}/ws"
    async with websockets.connect(address, subprotocols=["mcp"], additional_headers=headers, proxy=None) as socket:
        assert (await samples(raw.http))[name] == before + 1
        socket.transport.abort()
        async with asyncio.timeout(5):
            while (await samples(raw.http))[name] != before:
                pass


async def test_the_process_is_shown(raw: Any) -> None:
    found = await samples(raw.http)
    assert found["process_resident_memory_bytes",] > 1e6
    assert {key[0] for key in found} >= {"process_cpu_seconds_total", "python_info", "python_gc_collections_total"}
    assert not [key for key in found if key[0].endswith("_created")]


async def test_it_is_given_in_the_format_that_the_reader_prefers(raw: Any) -> None:
    plain = await raw.http.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    preferred = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    newer = await raw.http.get("/metrics", headers=preferred)
    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    assert {family.name for family in open_metrics(newer.text)} >= {"mcp_tool_calls", "sixty_build_info"}


async def test_each_series_has_a_help_and_a_type_once(raw: Any) -> None:
    await raw.call("echo", {"text": "hello"})
    text = (await raw.http.get("/metrics")).text
    for word in ("# HELP ", "# TYPE "):
        named = [line.split()[2] for line in text.splitlines() if line.startswith(word)]
        assert len(named) == len(set(named)) > 10
    assert all(len(line.split(maxsplit=3)) == 4 for line in text.splitlines() if line.startswith("# HELP "))


async def test_nothing_is_counted_once_the_server_has_ended(sixty: Organisation) -> None:
    async with listening(sixty.host):
        assert len(sixty.host.call_observers) == len(sixty.host.event_observers) == 1
    assert sixty.host.call_observers == sixty.host.event_observers == []


# who may read it


async def test_without_a_token_what_came_through_a_proxy_is_refused(raw: Any) -> None:
    for header in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Via"):
        answer = await raw.http.get("/metrics", headers={header: "203.0.113.7"})
        assert answer.status_code == 403, header
        assert "SIXTY_METRICS_TOKEN" in answer.text


@pytest.mark.parametrize("client", [("203.0.113.7", 1234), None])
async def test_without_a_token_other_machines_are_refused(sixty: Organisation, client: Any) -> None:
    transport = httpx2.ASGITransport(app(sixty.host), client=client)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 403
    assert "SIXTY_METRICS_TOKEN" in answer.text


async def test_without_a_token_a_page_under_a_name_of_its_own_is_refused(raw: Any) -> None:
    assert (await raw.http.get("/metrics", headers={"Host": "rebound.example"})).status_code == 421
    assert (await raw.http.get("/metrics", headers={"Origin": "https://elsewhere.example"})).status_code == 403


async def test_with_a_token_nobody_reads_it_without(database_url: str, clock: Clock) -> None:
    async with (
        open_organisation(database_url, [], clock=clock, environ={"SIXTY_METRICS_TOKEN": TOKEN}) as sixty,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app(sixty.host)), base_url="http://localhost") as http,
    ):
        for sent in (None, "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}r", "Bearer \xe9", TOKEN):
            answer = await http.get("/metrics", headers={"Authorization": sent.encode("latin-1")} if sent else {})
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), sent
            assert TOKEN not in answer.text


async def test_with_the_token_it_is_read_from_anywhere_and_under_any_name(database_url: str, clock: Clock) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "10.1.2.3:8060", "X-Forwarded-For": "203.0.113.7"}
    async with open_organisation(database_url, [], clock=clock, environ={"SIXTY_METRICS_TOKEN": TOKEN}) as sixty:
        transport = httpx2.ASGITransport(app(sixty.host), client=("203.0.113.7", 1234))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert "sixty_build_info" in answer.text


async def test_what_somebody_may_do_in_the_crm_does_not_open_it(raw: Any, sixty: Organisation) -> None:
    await set_role(sixty.host.database, "uma.user@example.com", "admin")
    headers = {"Authorization": f"Bearer {raw.key}", "X-Forwarded-For": "203.0.113.7"}
    assert (await raw.http.get("/metrics", headers=headers)).status_code == 403
