"""Spans of calls, handlers, statements and jobs, as a collector gets them; and where none are collected, none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import errands, notes, world
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from receiving import receiving, says

from sixty.call import call_tool
from sixty.errors import ConfigError
from sixty.request import Request
from sixty.signals import exporting
from sixty.signals.within import WITHIN
from sixty.tables import users
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan

    from sixty import Work
    from sixty.testing import Organisation
    from sixty.testing.clock import Clock

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "a word that nobody must see"


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("errands", errands), ("world", world))


@pytest.fixture
def environ() -> Mapping[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> errands.State:
    monkeypatch.setattr(errands, "STATE", errands.State())
    return errands.STATE


class Kept(InMemorySpanExporter):
    """What was exported, also once a host has ended: making a template of a database opens one."""

    def shutdown(self) -> None:
        pass


class Spans:
    """The spans that have ended."""

    def __init__(self) -> None:
        self.exporter = Kept()

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        """The one span of that name."""
        (span,) = [span for span in self.all if span.name == name]
        return span

    def below(self, span: ReadableSpan) -> list[ReadableSpan]:
        """Those whose parent it is."""
        return [other for other in self.all if other.parent is not None and other.parent.span_id == of(span)[1]]


def of(span: ReadableSpan) -> tuple[int, int]:
    """The ids of a span's trace and of itself."""
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, context.span_id


def about(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    spans = Spans()
    monkeypatch.setattr(exporting, "processor", lambda: SimpleSpanProcessor(spans.exporter))
    return spans


@pytest.fixture
def sixty(spans: Spans, sixty: Organisation) -> Organisation:
    spans.exporter.clear()
    return sixty


async def test_a_call_is_a_span_with_those_of_its_handler_and_of_its_statements_below(
    sixty: Organisation, spans: Spans
) -> None:
    user = sixty.as_role("user")
    made = await user.call("add_note", text=SECRET)
    call = spans.named("tools/call add_note")
    assert call.kind is SpanKind.SERVER
    assert call.status.status_code is StatusCode.UNSET
    assert about(call) == {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "add_note",
        "sixty.transport": "test",
        "sixty.call.id": made["change_id"],
        "user.id": user.user_id,
    }
    handler = spans.named("handler add_note")
    assert handler in spans.below(call)
    burst = spans.named("BATCH")
    assert burst in spans.below(call)
    assert burst.kind is SpanKind.CLIENT
    assert about(burst)["db.system.name"] == sixty.host.database.dialect_name
    assert about(burst)["db.operation.batch.size"] >= 4
    assert "INSERT INTO notes" in about(burst)["db.query.text"]


async def test_a_read_is_a_span_below_its_handler(sixty: Organisation, spans: Spans) -> None:
    note = (await sixty.as_role("user").call("add_note", text=SECRET))["note"]
    spans.exporter.clear()
    await sixty.as_role("user").call("read_note", note_id=note["id"])
    *_, handler = (span for span in spans.all if span.name == "handler read_note")  # which may have run anew
    reads = spans.below(handler)
    assert {span.name for span in reads} == {"SELECT"}
    assert any("FROM note_lines" in about(span)["db.query.text"] for span in reads)


async def test_no_span_has_an_argument_a_result_or_a_value_of_a_statement(sixty: Organisation, spans: Spans) -> None:
    note = (await sixty.as_role("user").call("add_note", text=SECRET))["note"]
    await sixty.as_role("user").call("claim_text", text=f"{SECRET} too")
    await sixty.as_role("user").outcome("add_note", text=SECRET, rank=SECRET)
    await sixty.as_role("user").outcome("leave", label=SECRET, then="explode")
    told = "".join(f"{span.name}{span.attributes}{span.events}{span.status.description}" for span in spans.all)
    assert SECRET not in told
    assert note["id"] not in told


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [("add_note", {"txet": "x"}, "invalid"), ("remove_note", {"note_id": "x"}, "invalid")],
)
async def test_an_error_is_named_by_its_code(
    sixty: Organisation, spans: Spans, tool: str, arguments: dict[str, Any], code: str
) -> None:
    await sixty.as_role("manager").outcome(tool, **arguments)
    span = spans.named(f"tools/call {tool}")
    assert (span.status.status_code, about(span)["error.type"]) == (StatusCode.ERROR, code)


async def test_a_bug_is_named_by_its_class_in_the_handler_and_internal_in_the_call(
    sixty: Organisation, spans: Spans
) -> None:
    await sixty.as_role("user").outcome("leave", label="x", then="explode")
    assert about(spans.named("handler leave"))["error.type"] == "RuntimeError"
    assert about(spans.named("tools/call leave"))["error.type"] == "internal"


async def test_a_name_that_a_caller_made_up_is_no_name_of_a_span(sixty: Organisation, spans: Spans) -> None:
    with pytest.raises(Exception, match="Unknown tool"):
        await sixty.as_role("user").outcome("made_up")
    assert about(spans.named("tools/call"))["error.type"] == "unknown_tool"


async def test_a_call_goes_on_with_the_trace_of_its_caller(sixty: Organisation, spans: Spans) -> None:
    principal = await sixty.as_role("user").principal()
    await call_tool(sixty.host, Request("find_notes", {}, principal, traceparent=PARENT))
    span = spans.named("tools/call find_notes")
    assert span.parent is not None
    assert f"{of(span)[0]:032x}-{span.parent.span_id:016x}" in PARENT


@pytest.mark.parametrize("given", ["", "nonsense", "00-0-0-01", PARENT.replace("00-", "ff-"), "é" * 99])
async def test_a_trace_that_is_none_is_left_aside(sixty: Organisation, spans: Spans, given: str) -> None:
    principal = await sixty.as_role("user").principal()
    await call_tool(sixty.host, Request("find_notes", {}, principal, traceparent=given))
    assert spans.named("tools/call find_notes").parent is None


async def test_a_job_is_done_in_the_trace_of_the_call_that_left_it(
    sixty: Organisation, spans: Spans, state: errands.State
) -> None:
    seen: list[Any] = []

    async def add(work: Work) -> None:
        seen.append(WITHIN.get())
        await work.call("find_notes")

    state.does["later"] = add
    left = await sixty.as_role("user").call("leave", label="later")
    await sixty.work()
    call, job = spans.named("tools/call leave"), spans.named("process errands.errand")
    assert job in spans.below(spans.named("handler leave"))
    assert job.kind is SpanKind.CONSUMER
    assert about(job)["messaging.message.id"] == left["job_id"]
    inner = spans.named("tools/call find_notes")
    assert inner in spans.below(job)
    assert of(call)[0] == of(job)[0] == of(inner)[0]
    assert (seen[0]["job"], seen[0]["trace"]) == (left["job_id"], f"{of(call)[0]:032x}")


async def test_a_try_that_fails_is_an_error(sixty: Organisation, spans: Spans, state: errands.State) -> None:
    async def fail(_: Work) -> None:
        raise ZeroDivisionError(SECRET)

    state.does["bad"] = fail
    await sixty.as_role("user").call("leave", label="bad", then="once")
    await sixty.work()
    assert about(spans.named("process errands.once"))["error.type"] == "ZeroDivisionError"


async def test_what_the_server_does_by_itself_begins_no_trace(sixty: Organisation, spans: Spans) -> None:
    await sixty.host.database.rows(notes._ALL)
    await sixty.work()
    assert spans.all == ()


async def test_what_is_written_for_many_is_in_nobody_s_trace(sixty: Organisation, spans: Spans) -> None:
    await sixty.as_role("user").call("find_notes")
    before = len(spans.all)
    await sixty.host.audit.close()
    assert not [span for span in spans.all[before:] if "INSERT INTO audit" in about(span).get("db.query.text", "")]


async def test_the_database_below_does_what_it_is_asked(sixty: Organisation) -> None:
    database = sixty.host.database
    select = sa.select(sa.func.count().label("n")).select_from(users)
    async with database.transaction() as transaction:
        assert await transaction.row(select) == {"n": 3}
        await transaction.apply([])
        assert await transaction.state() is not None
    assert await database.shared(select) == [{"n": 3}]
    state, rows = await database.look(select, None)
    assert rows == [{"n": 3}]
    assert (await database.look(select, state))[0] is not None
    await database.analyze()
    assert set(database.connections) in (set(), {"busy", "idle"})


# where traces go


async def test_without_a_collector_there_are_none(database_url: str, plugins: Any, clock: Clock) -> None:
    async with open_organisation(database_url, plugins, clock=clock) as sixty:
        assert sixty.host.tracing is None


@pytest.mark.parametrize(
    "more", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}]
)
async def test_what_is_switched_off_is_off(environ: Mapping[str, str], more: Mapping[str, str]) -> None:
    async with exporting.exporting({**environ, **more}) as tracing:
        assert tracing is None


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_TRACES_EXPORTER", "console"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
)
async def test_what_cannot_be_had_is_refused(environ: Mapping[str, str], name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is '{value}'"):
        async with exporting.exporting({**environ, name: value}):
            pass


async def test_without_the_extra_it_is_said_what_to_install(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ImportError

    monkeypatch.setattr(exporting, "processor", missing)
    with pytest.raises(ConfigError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT is set.*sixty-core\[traces\]"):
        async with exporting.exporting(environ):
            pass


async def test_a_collector_is_sent_the_spans_by_the_end(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, clock: Clock, database_url: str, plugins: Any
) -> None:
    async with receiving() as collector:
        collector.answers = [says(200)]
        named = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/hook"), "OTEL_SERVICE_NAME": "desk"}
        for name, value in {**named, "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)  # the library reads no others
        async with open_organisation(database_url, plugins, clock=clock, environ=named) as sixty:
            await sixty.as_role("user").call("add_note", text=SECRET)
        (request,) = collector.requests
    assert request.line.startswith("POST /v1/traces ")
    sent = ExportTraceServiceRequest.FromString(request.body)
    resource = {item.key: item.value.string_value for item in sent.resource_spans[0].resource.attributes}
    assert resource["service.name"] == "desk"
    found = {span.name for scope in sent.resource_spans[0].scope_spans for span in scope.spans}
    assert {"tools/call add_note", "handler add_note", "BATCH"} <= found
    assert SECRET.encode() not in request.body
