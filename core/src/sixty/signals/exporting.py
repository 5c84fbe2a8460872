"""Where traces go: to the collector that the standard variables of OpenTelemetry name, and nowhere without one."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

from sixty.deadlines import in_thread
from sixty.errors import ConfigError, PluginError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from opentelemetry.sdk.trace import SpanProcessor

    from sixty.signals.tracing import Tracing

__all__ = ["exporting"]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""The variables that name a collector."""
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
FAREWELL = 5.0
"""Seconds that the last spans have to leave when the server ends."""
NAME = "sixty-crm-mcp"
"""The service, unless `OTEL_SERVICE_NAME` says otherwise."""


@asynccontextmanager
async def exporting(environ: Mapping[str, str]) -> AsyncIterator[Tracing | None]:
    """What makes spans within the block, and sends them to the collector; None where there is none.

    Raises `ConfigError` if the variables ask for what is not installed, or for what there is not.
    """
    if not _is_wanted(environ):
        yield None
        return
    try:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra, and slow to import
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above

        process = processor()
    except ImportError as error:
        wanted = next(name for name in ENDPOINTS if environ.get(name))
        raise ConfigError(f"{wanted} is set: to send traces, pip install 'sixty-core[traces]'") from error
    from sixty.signals.tracing import Tracing  # noqa: PLC0415 - as above

    named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    about = {"service.version": version("sixty-core")} | ({} if named else {"service.name": NAME})
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(process)
    try:
        yield Tracing(provider)
    finally:
        with suppress(PluginError):  # the collector is away
            await in_thread(provider.shutdown, FAREWELL)


def processor() -> SpanProcessor:
    """What sends spans, in a thread of its own, as the variables say. `ImportError` without the extra."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above

    return BatchSpanProcessor(OTLPSpanExporter())


def _is_wanted(environ: Mapping[str, str]) -> bool:
    exporter = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none":
        return False
    if not any(environ.get(name) for name in ENDPOINTS):
        return False
    if exporter != "otlp":
        raise ConfigError(f"OTEL_TRACES_EXPORTER is {exporter!r}; traces are sent by `otlp`, or with `none` not at all")
    spoken = next((environ[name] for name in PROTOCOLS if environ.get(name)), "http/protobuf")
    if spoken != "http/protobuf":
        raise ConfigError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {spoken!r}; traces are sent by `http/protobuf`")
    return True
