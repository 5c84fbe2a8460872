"""Metrics as packs declare them: of events, of tables, and of the process. Nothing here counts.

Events are counted once the call that published them is committed, and never for one that was rolled back. Tables are
summed up in SQL, over everybody's records, and asked now and then. Nothing of Prometheus is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sixty.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    import sqlalchemy as sa

    from sixty.events import Event
    from sixty.host import Host

__all__ = ["BUCKETS", "OWN", "Counter", "Gauge", "Histogram", "Metric", "Reading"]

BUCKETS = (100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0, 100_000.0, 300_000.0, 1_000_000.0, 3_000_000.0)
"""The upper bounds of a histogram's buckets, unless it says otherwise: made for amounts of money."""
OWN = ("mcp_", "sixty_", "process_", "python_")
"""How the core's own metrics begin, and nobody else's."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOTAL = "_total"
_TAKEN = (_TOTAL, "_bucket", "_count", "_sum")
"""Endings that say what kind of series one is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Metric:
    """What every metric has."""

    name: str
    description: str
    """One sentence, which whoever reads the metrics is shown."""

    @property
    def is_counter(self) -> bool:
        """Whether it only ever rises, which its name then says."""
        return self.name.endswith(_TOTAL)

    @property
    def series(self) -> tuple[str, ...]:
        """Every name that it takes."""
        return (self.name,)

    def check(self) -> None:
        """Raise `PluginError` unless it can be shown; called when the plugin loads."""
        if not _NAME.fullmatch(self.name):
            raise PluginError(f"the name {self.name!r} of a metric must be snake_case")
        if not self.description:
            raise PluginError(f"the metric {self.name} has no description")
        if self.name.removesuffix(_TOTAL).endswith(_TAKEN):
            raise PluginError(f"the name of the metric {self.name} must not end like a part of another metric")


@dataclass(frozen=True, kw_only=True, eq=False)
class Counter(Metric):
    """How often an event has happened. Its name ends in `_total`."""

    event: type[Event]

    def check(self) -> None:
        """Raise `PluginError` unless it can be shown."""
        super().check()
        if not self.is_counter:
            raise PluginError(f"the name of the counter {self.name} must end in {_TOTAL}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram(Metric):
    """How a number is spread that each event of a type has. Its name ends in the unit."""

    event: type[Event]
    value: Callable[[Any], float | Decimal | None]
    """Takes the number out of an event; None for one that has none."""
    buckets: tuple[float, ...] = BUCKETS
    """Upper bounds, rising."""

    @property
    def series(self) -> tuple[str, ...]:
        """Every name that it takes."""
        return (self.name, *(f"{self.name}{part}" for part in ("_bucket", "_count", "_sum")))

    def check(self) -> None:
        """Raise `PluginError` unless it can be shown."""
        super().check()
        _check_no_total(self)
        if not self.buckets or any(low >= high for low, high in pairwise(self.buckets)):
            raise PluginError(f"the buckets of the histogram {self.name} must rise")


@dataclass(frozen=True, kw_only=True, eq=False)
class Gauge(Metric):
    """What the pack's tables say, whoever the records belong to.

    The select gives a number as `value`; each further column is a label. Let it aggregate: few rows, of few labels.
    """

    select: sa.Select[Any] | sa.CompoundSelect[*tuple[Any, ...]]

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns that tell its series apart."""
        return tuple(name for name in self.select.selected_columns.keys() if name != "value")  # noqa: SIM118 - no dict

    def check(self) -> None:
        """Raise `PluginError` unless it can be shown."""
        super().check()
        _check_no_total(self)
        if "value" not in self.select.selected_columns:
            raise PluginError(f"the select of the gauge {self.name} must give a column `value`")
        for label in self.labels:
            if not _NAME.fullmatch(label):
                raise PluginError(f"the label {label!r} of the gauge {self.name} must be snake_case")


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading(Metric):
    """What this process knows without asking anybody, read each time. It is a counter if its name ends in `_total`."""

    read: Callable[[Host], float | Mapping[str, float] | None]
    """The number, or one for each value of `label`; None: there is nothing to show."""
    label: str | None = None


def _check_no_total(metric: Metric) -> None:
    if metric.is_counter:
        raise PluginError(f"the name of the metric {metric.name} must not end in {_TOTAL}: it may fall as well")
