"""What the tests of jobs share: a pack with errands, and what each of them does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.errands import State

    from sixty import Work
    from sixty.testing import Organisation

SOON = 10.0
"""Seconds after which a test gives up."""


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    from fakes import errands, notes  # noqa: PLC0415 - found by path from here on

    return (("notes", notes), ("errands", errands))


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> State:
    from fakes import errands  # noqa: PLC0415 - as above

    monkeypatch.setattr(errands, "STATE", errands.State())
    return errands.STATE


class Gate:
    """What an errand does that waits until it is let go."""

    def __init__(self) -> None:
        self.entered: list[Work] = []
        self._came = asyncio.Condition()
        self._open = asyncio.Event()

    async def __call__(self, work: Work) -> None:
        async with self._came:
            self.entered.append(work)
            self._came.notify_all()
        await self._open.wait()

    async def holds(self, count: int = 1) -> None:
        async with asyncio.timeout(SOON), self._came:
            await self._came.wait_for(lambda: len(self.entered) >= count)

    def let_go(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def row_of(sixty: Organisation) -> Callable[[str], Any]:
    """Finds the row of a job by its id."""

    async def find(job_id: str) -> Any:
        return (await sixty.rows(sa.select(jobs).where(jobs.c.id == job_id)))[0]

    return find
