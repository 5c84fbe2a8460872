"""Metrics as Prometheus reads them: what this process has counted, and what it shows of what packs declare.

A line of the audit trail is a call here. The process's figures are its own: several servers on one database each show
the gauges of that database.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import prometheus_client as prometheus
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from sixty.offers import METHODS
from sixty.signals.gauges import Gauges
from sixty.signals.metrics import Counter, Gauge, Histogram, Reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric as Family

    from sixty.audit import Entry
    from sixty.events import Event
    from sixty.host import Host
    from sixty.signals.metrics import Metric

__all__ = ["Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of a call's duration."""
UNKNOWN = "unknown"
"""The name of whatever was called that is not there: callers may make up as many names as they like."""

_logger = logging.getLogger(__name__)
_Counted = prometheus.Counter | prometheus.Histogram


class Metrics(Collector):
    """What one host counts, from its making on."""

    def __init__(self, host: Host) -> None:
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._host = host
        self._gauges = Gauges(host)
        self._counted: dict[Metric, _Counted] = {}
        self._registry = registry = prometheus.CollectorRegistry()
        names = ("tool_name",)
        self._calls = prometheus.Counter(
            "mcp_tool_calls_total", "Calls that have ended.", (*names, "status"), registry=registry
        )
        self._seconds = prometheus.Histogram(
            "mcp_tool_call_duration_seconds",
            "How long calls took, from their message to their answer.",
            names,
            buckets=SECONDS,
            registry=registry,
        )
        self._errors = prometheus.Counter(
            "mcp_errors_total", "Calls that came to an error.", ("error_type", *names), registry=registry
        )
        self._steps: dict[tuple[str, str], tuple[Callable[[], None], ...]] = {}
        self._timers: dict[str, Callable[[float], None]] = {}
        registry.register(self)
        for collector in (prometheus.ProcessCollector, prometheus.PlatformCollector, prometheus.GCCollector):
            collector(registry=registry)

    def connected(self, count: Callable[[], int]) -> None:
        """From now on it is shown how many clients are connected."""
        gauge = prometheus.Gauge("mcp_active_connections", "Connections that are open now.", registry=self._registry)
        gauge.set_function(count)

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[None]:
        """Within the block, what happens is counted."""
        host = self._host
        host.call_observers.append(self.call_settled)
        host.event_observers.append(self.event_committed)
        try:
            yield
        finally:
            host.call_observers.remove(self.call_settled)
            host.event_observers.remove(self.event_committed)
            await self._gauges.close()

    def call_settled(self, entry: Entry) -> None:
        """Count a call."""
        name = _name(entry)
        for step in self._steps.get((name, entry.outcome)) or self._first(name, entry):
            step()
        self._timers[name](entry.microseconds / 1e6)

    def _first(self, name: str, entry: Entry) -> tuple[Callable[[], None], ...]:
        """What is to be done for each call of this name and outcome; the library is slow to find it."""
        steps: tuple[Callable[[], None], ...]
        if entry.is_error:
            steps = self._calls.labels(name, "error").inc, self._errors.labels(entry.outcome, name).inc
        else:
            steps = (self._calls.labels(name, "success").inc,)
        self._steps[name, entry.outcome] = steps
        self._timers[name] = self._seconds.labels(name).observe
        return steps

    def event_committed(self, event: Event) -> None:
        """Count what has happened for good."""
        for metric in self._host.registry.metrics_of(event.name):
            counted = self._kept(metric)
            if isinstance(counted, prometheus.Counter):
                counted.inc()
            elif isinstance(metric, Histogram) and (value := metric.value(event)) is not None:
                counted.observe(float(value))

    async def shown(self, accept: str) -> tuple[str, bytes]:
        """The content type and the text, in a format that whoever reads it accepts."""
        await self._gauges.refresh()
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)

    def collect(self) -> Iterator[Family]:
        """What packs declare that serve now, as the library asks for it."""
        metrics = self._host.registry.metrics
        self._counted = {metric: counted for metric, counted in self._counted.items() if metric in metrics}
        for metric in metrics:
            if isinstance(metric, Counter | Histogram):
                yield from self._kept(metric).collect()
            elif isinstance(metric, Gauge):
                rows = self._gauges.of(metric)
                labels = metric.labels
                values = {tuple(str(row[label]) for label in labels): row["value"] for row in rows}
                yield _family(metric, labels, {key: value for key, value in values.items() if value is not None})
            elif isinstance(metric, Reading) and (found := self._read(metric)) is not None:
                yield _family(metric, () if metric.label is None else (metric.label,), found)

    def _kept(self, metric: Metric) -> _Counted:
        counted = self._counted.get(metric)
        if counted is None:
            counted = self._counted[metric] = (
                prometheus.Histogram(metric.name, metric.description, buckets=metric.buckets, registry=None)
                if isinstance(metric, Histogram)
                else prometheus.Counter(metric.name, metric.description, registry=None)
            )
        return counted

    def _read(self, metric: Reading) -> Mapping[tuple[str, ...], float] | None:
        try:
            found = metric.read(self._host)
        except Exception:
            _logger.exception("the metric %s cannot be read", metric.name)
            return {}
        if found is None:
            return None
        return {(): found} if isinstance(found, int | float) else {(key,): value for key, value in found.items()}


def _name(entry: Entry) -> str:
    """The tool that was called, or the method by which something else was; none of it is of a caller's making."""
    if entry.kind != "tool":
        return METHODS[entry.kind]
    return entry.tool if entry.effect is not None else UNKNOWN


def _family(metric: Metric, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Family:
    family = (CounterMetricFamily if metric.is_counter else GaugeMetricFamily)(
        metric.name, metric.description, labels=labels
    )
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family
