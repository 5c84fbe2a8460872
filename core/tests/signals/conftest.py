"""What the tests of signals share: metrics as whoever scrapes them reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sixty.signals.exposition import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sixty.testing import Organisation


class Scraped:
    """The metrics of a host, and how they are read."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def samples(self) -> dict[str, float]:
        """Every sample, by its name and labels as the text has them."""
        _, body = await self._metrics.shown("")
        return {
            sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }


@pytest.fixture
async def scraped(sixty: Organisation) -> AsyncIterator[Scraped]:
    metrics = Metrics(sixty.host)
    async with metrics.counting():
        yield Scraped(metrics)
