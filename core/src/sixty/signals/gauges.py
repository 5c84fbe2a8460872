"""What gauges say: asked of the database now and then, and never so long that whoever reads them waits."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sixty.signals.metrics import Gauge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.host import Host
    from sixty.registry import Registry
    from sixty.storage.statements import Row

__all__ = ["Gauges"]

EVERY = timedelta(seconds=15)
"""How long an answer is given again, however many ask."""
KEEP = timedelta(minutes=5)
"""How long the last answer counts while there is no newer one; a figure of an hour ago would look like one of now."""
PATIENCE = 2.0
"""Seconds that whoever reads waits for new answers."""
LONGEST = 30.0
"""Seconds that one gauge may take."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_logger = logging.getLogger(__name__)


class Gauges:
    """The last answers, each with its time."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._answers: dict[Gauge, tuple[datetime, Sequence[Row]]] = {}
        self._failing: set[Gauge] = set()
        self._asked: tuple[datetime, Registry | None] = (_NEVER, None)
        self._asking: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """The answers are as new as they may be had in a moment."""
        if self._asking is None and self._is_due():
            self._asked = self._host.clock(), self._host.registry
            self._asking = asyncio.create_task(self._ask())
        if self._asking is not None:
            await asyncio.wait((self._asking,), timeout=PATIENCE)

    def of(self, gauge: Gauge) -> Sequence[Row]:
        """What a gauge has said last, unless that is too long ago."""
        at, rows = self._answers.get(gauge, (_NEVER, ()))
        return rows if self._host.clock() - at <= KEEP else ()

    async def close(self) -> None:
        """Nothing is asked any more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,))

    def _is_due(self) -> bool:
        at, registry = self._asked
        # a clock that was set back must not silence gauges until it has caught up
        return registry is not self._host.registry or not timedelta(0) <= self._host.clock() - at < EVERY

    async def _ask(self) -> None:
        try:
            metrics = self._host.registry.metrics
            gauges = [metric for metric in metrics if isinstance(metric, Gauge)]
            self._answers = {gauge: self._answers[gauge] for gauge in gauges if gauge in self._answers}
            self._failing.intersection_update(gauges)
            for gauge in gauges:
                await self._ask_one(gauge)
        finally:
            self._asking = None

    async def _ask_one(self, gauge: Gauge) -> None:
        try:
            async with asyncio.timeout(LONGEST):
                rows = await self._host.database.rows(gauge.select)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are asked
            if gauge not in self._failing:  # it is asked again, and would say so each time
                _logger.warning("the gauge %s cannot be asked: %s", gauge.name, str(error) or type(error).__name__)
            self._failing.add(gauge)
        else:
            self._failing.discard(gauge)
            self._answers[gauge] = self._host.clock(), rows
