"""Traces: one call, its handler, its statements and the jobs that it leaves, as spans of OpenTelemetry.

Made only where somebody collects them. A span says what was done, for whom and how it ended; never an argument, a
result, a value of a statement, or the words of an error.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sixty.conversation import InputRequired
from sixty.errors import SixtyError
from sixty.offers import METHODS
from sixty.signals.within import within
from sixty.storage.traced import TracedDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span, TracerProvider

    from sixty.audit import Entry
    from sixty.offers import Offer
    from sixty.registry import Registry
    from sixty.request import Request
    from sixty.storage.database import Database
    from sixty.storage.statements import Row

__all__ = ["Tracing"]

LONGEST = 4_000
"""Characters of SQL that a span has."""

_NAMES = {"tool": "gen_ai.tool.name", "prompt": "gen_ai.prompt.name"}
_FORMAT = TraceContextTextMapPropagator()


class Tracing:
    """Makes the spans of one host."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("sixty", version("sixty-core"))

    @contextmanager
    def call(self, registry: Registry, request: Request, about: dict[str, Any]) -> Iterator[None]:
        """What happens in the block is one call, in the trace of its caller if that has one; `about` says in which."""
        method, kind = METHODS[request.kind], request.kind
        attributes = {"mcp.method.name": method, "sixty.transport": request.transport}
        name = method
        if request.offer is not None or request.tool in registry.offers[kind]:  # callers may make up names
            name = f"{method} {request.tool}"
            attributes[_NAMES.get(kind, "sixty.offer")] = request.tool
        inside = SpanKind.SERVER if request.transport != "job" else SpanKind.INTERNAL
        parent = _remote(request.traceparent)
        with self._tracer.start_as_current_span(
            name, parent, inside, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            about["trace"] = _id(span)
            yield

    def call_settled(self, entry: Entry) -> None:
        """The span of the call that runs says whose it was, and how it ended."""
        span = trace.get_current_span()
        span.set_attribute("sixty.call.id", entry.call_id)
        if entry.user_id is not None:
            span.set_attribute("user.id", entry.user_id)
        if entry.is_error:
            _fail(span, entry.outcome)

    def handler(self, offer: Offer) -> AbstractContextManager[Span]:
        """What happens in the block is done by the handler of `offer`."""
        attributes = {"gen_ai.operation.name": "execute_tool"} if offer.kind == "tool" else {}
        return self._span(f"handler {offer.name}", SpanKind.INTERNAL, attributes)

    def statement(self, system: str, sql: str, batch: int | None = None) -> AbstractContextManager[Span]:
        """What happens in the block is a statement, or a burst of so many."""
        operation = "BATCH" if batch is not None else sql.split(maxsplit=1)[0].upper()
        attributes: dict[str, Any] = {
            "db.system.name": system,
            "db.operation.name": operation,
            "db.query.text": sql[:LONGEST],
        }
        if batch is not None:
            attributes["db.operation.batch.size"] = batch
        return self._span(operation, SpanKind.CLIENT, attributes)

    @property
    def is_recording(self) -> bool:
        """Whether there is a span here to which others belong: what the server does by itself begins none."""
        return trace.get_current_span().is_recording()

    @contextmanager
    def job(self, row: Row) -> Iterator[None]:
        """What happens in the block is one try of a job, in the trace of the call that left it."""
        attributes: dict[str, Any] = {
            "messaging.system": "sixty",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": row["queue"],
            "messaging.message.id": row["id"],
            "sixty.job.attempt": row["attempts"],
        }
        about = {"sixty.call.id": row["call_id"], "user.id": row["user_id"]}
        attributes |= {name: value for name, value in about.items() if value is not None}
        parent = _remote(row["traceparent"]) or Context()
        name = f"process {row['name']}"
        with self._span(name, SpanKind.CONSUMER, attributes, parent) as span, within(trace=_id(span)):
            yield

    def database(self, database: Database) -> Database:
        """The same database, whose statements are spans."""
        return TracedDatabase(database, self)

    def traceparent(self) -> str | None:
        """The trace that this happens in, as the W3C has it, for whoever goes on with it."""
        carrier: dict[str, str] = {}
        _FORMAT.inject(carrier)
        return carrier.get("traceparent")

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, attributes: Mapping[str, Any], parent: Context | None = None
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except InputRequired:  # a question, and no error
                raise
            except BaseException as error:
                _fail(span, error.code if isinstance(error, SixtyError) else type(error).__qualname__)
                raise


def _remote(traceparent: str | None) -> Context | None:
    """The context of a span elsewhere; None, the one that we are in, if none is named."""
    return None if traceparent is None else _FORMAT.extract({"traceparent": traceparent}, Context())


def _id(span: Span) -> str:
    return trace.format_trace_id(span.get_span_context().trace_id)


def _fail(span: Span, error_type: str) -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(StatusCode.ERROR)
