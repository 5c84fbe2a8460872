"""A clock that is set under running workers: no job is taken from who runs it, none is forgotten."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.ids import new_id
from sixty.storage.statements import Write
from sixty.tables import jobs
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fakes.errands import State

    from sixty.testing import Clock, Organisation

    from .conftest import Gate

DAY = timedelta(days=1)
LEASE = timedelta(seconds=10, microseconds=1)


class Machine:
    """Where the clock is set: for the host, and for who looks at the machine's own."""

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        self._clock, self._off = clock, 0.0
        monkeypatch.setattr("sixty.jobs.worker.time", lambda: time.time() + self._off)

    def set_clock(self, by: timedelta) -> None:
        self._clock.advance(by)
        self._off += by.total_seconds()


@pytest.fixture
def machine(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(clock, monkeypatch)


@pytest.fixture
async def two(database_url: str, clock: Clock, plugins: Any) -> AsyncIterator[tuple[Organisation, Organisation]]:
    async with (
        open_organisation(database_url, plugins, clock=clock) as here,
        open_organisation(database_url, plugins, clock=clock) as there,
    ):
        yield here, there


@pytest.mark.parametrize("by", [DAY, -DAY])
async def test_a_job_stays_with_who_runs_it(
    two: tuple[Organisation, Organisation], machine: Machine, state: State, gate: Gate, by: timedelta
) -> None:
    here, there = two
    state.does["milk"] = gate
    await here.as_role("user").call("leave", label="milk")
    first = asyncio.create_task(here.work())
    await gate.holds()
    machine.set_clock(by)
    await there.work()
    gate.let_go()
    await first
    assert [work.attempt for work in gate.entered] == [1]
    assert state.done.count("milk") == 1


async def test_a_job_of_who_is_gone_is_done_by_another_though_its_lease_seems_to_last(
    sixty: Organisation, machine: Machine, state: State
) -> None:
    await sixty.as_role("user").call("leave", label="milk")
    abandoned = {"state": "running", "leased_by": new_id(), "leased_until": sixty.clock() + LEASE, "attempts": 1}
    await sixty.host.database.apply(
        [Write(sa.update(jobs).where(jobs.c.name == "errands.errand").values(abandoned), {})]
    )
    machine.set_clock(-DAY)
    await sixty.work()
    assert state.done == []
    sixty.clock.advance(LEASE)
    await sixty.work()
    assert state.done == ["milk"]
    assert state.attempts == [2]


async def test_what_was_to_be_done_at_once_is_and_what_was_not_waits(
    sixty: Organisation, machine: Machine, state: State
) -> None:
    await sixty.as_role("user").call("leave", label="at once")
    await sixty.as_role("user").call("leave", label="in a minute", after=60)
    machine.set_clock(-DAY)
    await sixty.work()
    assert state.done == ["at once"]
    machine.set_clock(DAY)
    sixty.clock.advance(timedelta(minutes=1))
    await sixty.work()
    assert "in a minute" in state.done


async def test_a_schedule_goes_on_after_a_clock_that_was_a_day_ahead(
    sixty: Organisation, machine: Machine, state: State
) -> None:
    machine.set_clock(DAY)
    await sixty.work()
    ahead = state.done.count("rounds")
    machine.set_clock(-DAY)
    await sixty.work()
    for _ in range(3):
        sixty.clock.advance(DAY)
        await sixty.work()
    assert state.done.count("rounds") >= ahead + 2
    assert len({work.id for work in state.tries}) == len(state.tries)  # no tick of it twice
