"""Calls that come by HTTP go on with the trace of their caller, by the header or by what the message itself says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import websockets
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sixty.signals import exporting

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-1bf7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture
def environ() -> Mapping[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(exporter, "shutdown", lambda: None)  # which also ends what made the template of a database
    monkeypatch.setattr(exporting, "processor", lambda: SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def database_url(exporter: InMemorySpanExporter, database_url: str) -> str:
    return database_url


def parents(exporter: InMemorySpanExporter) -> list[str | None]:
    """The trace and the span that each call is below."""
    calls = [span for span in exporter.get_finished_spans() if span.name == "tools/call echo"]
    return [it.parent and f"{it.parent.trace_id:032x}-{it.parent.span_id:016x}" for it in calls]


async def test_a_call_is_below_the_span_that_its_header_names(raw: Any, exporter: InMemorySpanExporter) -> None:
    await raw.call("echo", {"text": "hello"}, traceparent=HEADER)
    assert parents(exporter) == [HEADER[3:-3]]


async def test_what_the_message_says_counts_before_what_its_request_says(
    raw: Any, exporter: InMemorySpanExporter
) -> None:
    await raw.call("echo", {"text": "hello"}, {"traceparent": OTHER}, traceparent=HEADER)
    await raw.call("echo", {"text": "hello"}, {"traceparent": 7})
    assert parents(exporter) == [OTHER[3:-3], None]


async def test_the_header_of_an_upgrade_is_not_that_of_each_message(
    url: str, keys: Mapping[str, str], exporter: InMemorySpanExporter
) -> None:
    headers = {"Authorization": f"Bearer {keys['user']}", "traceparent": HEADER}
    address = f"{url.replace('http', 'ws')}/ws"
    async with websockets.connect(address, subprotocols=["mcp"], additional_headers=headers, proxy=None) as socket:
        for number, meta in enumerate(({}, {"traceparent": OTHER})):
            params = {"name": "echo", "arguments": {"text": "x"}, "_meta": {**META, **meta}}
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}))
            await socket.recv()
    assert parents(exporter) == [None, OTHER[3:-3]]
