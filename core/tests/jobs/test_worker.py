"""Workers, in one process and in several: each job is done, by one of them, in the order of its lane."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import errands, notes

from sixty.errors import Unavailable
from sixty.jobs.leases import Leases
from sixty.storage.statements import Write
from sixty.tables import jobs
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from fakes.errands import State

    from sixty import Work
    from sixty.testing import Clock, Organisation

    from .conftest import Gate

HERE = Path(__file__).parents[1]
PACKS = (("notes", notes), ("errands", errands))
SOON = 20.0
"""Seconds after which a test gives up."""
LEASE = timedelta(seconds=10, microseconds=1)
"""After so long without a word from a worker, its jobs are anybody's."""


@asynccontextmanager
async def two(database_url: str, clock: Clock) -> AsyncIterator[tuple[Organisation, Organisation]]:
    async with (
        open_organisation(database_url, PACKS, clock=clock) as here,
        open_organisation(database_url, PACKS, clock=clock) as there,
    ):
        yield here, there


class Counted:
    """Lets a test wait until so many errands are done."""

    def __init__(self, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
        self._came = asyncio.Condition()
        self._done = state.done
        monkeypatch.setattr(state, "done", self)

    def append(self, label: str) -> None:
        self._done.append(label)
        self._told = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()

    async def reaches(self, count: int) -> list[str]:
        async with asyncio.timeout(SOON), self._came:
            await self._came.wait_for(lambda: len(self._done) >= count)
        return self._done


@pytest.fixture
def counted(state: State, monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(state, monkeypatch)


async def test_two_workers_do_each_of_many_jobs_once(
    database_url: str, clock: Clock, counted: Counted, state: State
) -> None:
    met, hosts = asyncio.Event(), set()

    async def meet(work: Work) -> None:
        hosts.add(work.host)
        if len(hosts) == 2:
            met.set()
        await met.wait()

    async with two(database_url, clock) as (here, there):
        for number in range(60):
            state.does[str(number)] = meet
            await here.as_role("user").call("leave", label=f"{number}", lane=f"lane {number % 20}")
        async with here.host.working(), there.host.working():
            done = await counted.reaches(60)
        assert sorted(done, key=int) == [str(number) for number in range(60)]
        assert len({work.id for work in state.tries}) == len(state.tries) == 60
        for lane in range(20):
            of_lane = [int(label) for label in done if int(label) % 20 == lane]
            assert of_lane == sorted(of_lane)
        states = await here.rows(sa.select(jobs.c.state).where(jobs.c.name == "errands.errand", jobs.c.key.is_(None)))
        assert {row["state"] for row in states} == {"done"}


async def test_a_lane_is_in_order_while_others_go_on(
    sixty: Organisation, state: State, counted: Counted, gate: Gate
) -> None:
    state.does["first"] = gate
    user = sixty.as_role("user")
    for label, lane in (("first", "a"), ("second", "a"), ("other", "b"), ("third", "a"), ("free", None)):
        await user.call("leave", label=label, lane=lane)
    async with sixty.host.working():
        await gate.holds()
        assert sorted(await counted.reaches(2)) == ["free", "other"]
        gate.let_go()
        assert (await counted.reaches(5))[2:] == ["first", "second", "third"]


async def test_a_job_waits_for_one_before_it_in_its_lane_that_is_not_yet_due(sixty: Organisation, state: State) -> None:
    await sixty.as_role("user").call("leave", label="first", lane="a", after=60)
    await sixty.as_role("user").call("leave", label="second", lane="a")
    assert await sixty.work() == []
    sixty.clock.advance(timedelta(minutes=1))
    await sixty.work()
    assert state.done == ["first", "second"]


async def test_what_was_committed_late_does_not_run_beside_another_of_its_lane(
    sixty: Organisation, state: State, counted: Counted, gate: Gate
) -> None:
    state.does["late in order"] = gate
    left = await sixty.as_role("user").call("leave", label="late in order", lane="a")
    moved = sa.update(jobs).where(jobs.c.id == left["job_id"]).values(seq=1_000)
    await sixty.host.database.apply([Write(moved, {})])
    async with sixty.host.working():
        await gate.holds()
        earlier = await sixty.as_role("user").call("leave", label="early in order", lane="a")
        moved = sa.update(jobs).where(jobs.c.id == earlier["job_id"]).values(seq=999)
        await sixty.host.database.apply([Write(moved, {})])
        await sixty.as_role("user").call("leave", label="elsewhere")
        await counted.reaches(1)
        gate.let_go()
        assert await counted.reaches(3) == ["elsewhere", "late in order", "early in order"]


async def test_those_behind_one_that_is_put_off_wait_with_it(sixty: Organisation, state: State) -> None:
    async def fail_once(work: Work) -> None:
        if work.attempt == 1:
            raise Unavailable("not now")

    state.does["first"] = fail_once
    await sixty.as_role("user").call("leave", label="first", lane="a")
    await sixty.as_role("user").call("leave", label="second", lane="a")
    far = await sixty.as_role("user").call("leave", label="far", lane="a", after=9_000)
    await sixty.work()
    rows = await sixty.rows(sa.select(jobs).where(jobs.c.lane == "a"))
    due = {row["payload"]["label"]: row["due_at"] for row in rows}
    assert due["first"] == due["second"] > sixty.clock()
    assert due["far"] == sixty.clock() + timedelta(seconds=9_000)
    sixty.clock.advance(timedelta(seconds=6))
    await sixty.as_role("user").call("leave", label="third", lane="a")
    await sixty.work()
    assert state.done == ["first", "second"]
    sixty.clock.advance(timedelta(seconds=9_000))
    await sixty.work()
    assert state.done == ["first", "second", "far", "third"]
    assert far["job_id"] == state.tries[-2].id


async def test_a_queue_that_hangs_delays_no_other(
    sixty: Organisation, state: State, counted: Counted, gate: Gate
) -> None:
    state.does["hangs"] = gate
    user = sixty.as_role("user")
    for _ in range(20):
        await user.call("leave", label="hangs", queue="slow")
    for number in range(20):
        await user.call("leave", label=f"{number}", queue="fast")
    async with sixty.host.working():
        await gate.holds(8)
        await counted.reaches(20)
        assert len(gate.entered) == 8
        gate.let_go()
        await counted.reaches(40)


async def test_what_this_process_leaves_is_done_at_once(
    sixty: Organisation, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.watch.EVERY", 3600.0)
    monkeypatch.setattr("sixty.jobs.worker.POLL", 3600.0)
    async with sixty.host.working():
        await sixty.as_role("user").call("leave", label="milk")
        await counted.reaches(1)
        await sixty.as_role("user").call("leave", label="bread")
        await counted.reaches(2)


async def test_what_another_process_leaves_is_done_soon(
    database_url: str, clock: Clock, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.jobs.worker.POLL", 3600.0)
    async with two(database_url, clock) as (here, there), there.host.working():
        await here.as_role("user").call("leave", label="milk")
        await counted.reaches(1)


async def test_nobody_who_works_leaves_nothing_running(sixty: Organisation) -> None:
    before = asyncio.all_tasks()
    async with sixty.host.working():
        assert asyncio.all_tasks() > before
    if telling := asyncio.all_tasks() - before:  # a database, that nobody waits any more for what was asked
        await asyncio.wait(telling, timeout=5.0)
    assert asyncio.all_tasks() <= before


# leases


async def test_the_jobs_of_a_killed_process_are_done_by_another(
    sixty: Organisation, database_url: str, state: State, row_of: Callable[[str], Any]
) -> None:
    left = await sixty.as_role("user").call("leave", label="endless", lane="a")
    await sixty.as_role("user").call("leave", label="behind", lane="a")
    environ = {**os.environ, "PYTHONPATH": str(HERE)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fakes.labourer", database_url, stdout=asyncio.subprocess.PIPE, env=environ
    )
    assert process.stdout is not None
    async with asyncio.timeout(SOON):
        assert (await process.stdout.readline()).decode().strip() == left["job_id"]
    process.kill()
    assert await process.wait() == -9
    assert await sixty.work() == []
    sixty.clock.advance(LEASE)
    await sixty.work()
    assert state.done == ["endless", "behind"]
    assert state.attempts == [2, 1]
    assert (await row_of(left["job_id"]))["state"] == "done"


async def test_a_lease_that_is_lost_settles_nothing(
    database_url: str, clock: Clock, state: State, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    async def slow_at_first(work: Work) -> None:
        if work.attempt == 1:
            await gate(work)
            raise Unavailable("as the first one sees it")

    state.does["milk"] = slow_at_first
    async with two(database_url, clock) as (here, there):
        left = await here.as_role("user").call("leave", label="milk")
        first = asyncio.create_task(here.work())
        await gate.holds()
        clock.advance(LEASE)
        await there.work()
        gate.let_go()
        await first
        assert state.done == ["milk"]
        (row,) = await here.rows(sa.select(jobs).where(jobs.c.id == left["job_id"]))
        assert (row["state"], row["attempts"], row["error"]) == ("done", 2, None)
        assert "has ended while it ran" in caplog.text


async def test_a_lease_is_renewed_while_its_job_runs_and_one_that_is_lost_ends_it(
    database_url: str, clock: Clock, state: State, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.jobs.worker.RENEW", 0.01)
    renew, renewed, ended = Leases.renew, asyncio.Event(), asyncio.Event()

    async def telling(leases: Leases, seqs: Iterable[int]) -> set[int]:
        kept = await renew(leases, seqs)
        renewed.set()
        return kept

    monkeypatch.setattr(Leases, "renew", telling)

    async def slow_at_first(work: Work) -> None:
        if work.attempt == 1:
            try:
                await gate(work)
            finally:
                ended.set()

    state.does["milk"] = slow_at_first
    async with two(database_url, clock) as (here, there):
        left = await here.as_role("user").call("leave", label="milk")
        async with here.host.working():
            await gate.holds()
            clock.advance(LEASE / 2)
            for _ in range(2):  # the first one may have begun before
                renewed.clear()
                async with asyncio.timeout(SOON):
                    await renewed.wait()
            clock.advance(LEASE / 2)
            assert await there.work() == []
            taken = sa.update(jobs).where(jobs.c.id == left["job_id"]).values(state="waiting", leased_by=None)
            await there.host.database.apply([Write(taken, {})])
            async with asyncio.timeout(SOON):
                await ended.wait()
        await here.work()
        assert state.done == ["milk"]


async def test_a_job_that_ends_its_process_each_time_has_failed_after_its_last_try(
    sixty: Organisation, state: State, row_of: Callable[[str], Any]
) -> None:
    left = await sixty.as_role("user").call("leave", label="poison", then="once")
    lost = sa.update(jobs).where(jobs.c.id == left["job_id"])
    lost = lost.values(state="running", attempts=1, leased_by=left["job_id"], leased_until=sixty.clock())
    await sixty.host.database.apply([Write(lost, {})])
    sixty.clock.advance(LEASE)
    await sixty.work()
    row = await row_of(left["job_id"])
    assert (row["state"], state.tries) == ("failed", [])
    assert "the process that ran it ended" in row["error"]


async def test_a_clean_stop_hands_back_what_runs_as_if_it_had_not_been_tried(
    sixty: Organisation, state: State, gate: Gate, row_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.jobs.worker.GRACE", 0.01)
    state.does["milk"] = gate
    left = await sixty.as_role("user").call("leave", label="milk")
    async with sixty.host.working():
        await gate.holds()
    row = await row_of(left["job_id"])
    assert (row["state"], row["attempts"], row["leased_by"], row["leased_until"]) == ("waiting", 0, None, None)
    gate.let_go()
    await sixty.work()
    assert state.done == ["milk"]
    assert state.attempts == [1, 1]


async def test_a_clean_stop_leaves_what_runs_a_moment_to_end(
    sixty: Organisation, state: State, row_of: Callable[[str], Any]
) -> None:
    begun, stopping = asyncio.Event(), asyncio.Event()

    async def quick(work: Work) -> None:
        begun.set()
        await stopping.wait()

    state.does["milk"] = quick
    left = await sixty.as_role("user").call("leave", label="milk")
    async with sixty.host.working():
        await begun.wait()
        asyncio.get_running_loop().call_later(0.05, stopping.set)
    assert (await row_of(left["job_id"]))["state"] == "done"


# what may be away


async def test_a_job_whose_pack_is_disabled_waits_until_it_is_back(
    sixty: Organisation, state: State, counted: Counted, row_of: Callable[[str], Any]
) -> None:
    left = await sixty.as_role("user").call("leave", label="milk")
    await sixty.host.disable("errands")
    assert await sixty.work() == []
    assert (await row_of(left["job_id"]))["state"] == "waiting"
    async with sixty.host.working():
        await sixty.host.enable("errands")
        await counted.reaches(1)


async def test_a_database_that_is_away_is_told_of_once_and_tried_again(
    sixty: Organisation, counted: Counted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sixty.jobs.worker.AWAY", 0.001)
    rows, asked, failures = sixty.host.database.rows, asyncio.Event(), 0

    async def away(*_: Any) -> Any:
        nonlocal failures
        failures += 1
        if failures == 5:
            asked.set()
        raise Unavailable("away")

    async with sixty.host.working():
        monkeypatch.setattr(sixty.host.database, "rows", away)
        sixty.host.worker.wake()
        await asked.wait()
        monkeypatch.setattr(sixty.host.database, "rows", rows)
        await sixty.as_role("user").call("leave", label="milk")
        await counted.reaches(1)
    messages = [record.message for record in caplog.records if record.name == "sixty.jobs.worker"]
    assert messages == ["jobs cannot be looked for; it is tried again: away", "jobs can be looked for again"]


async def test_what_came_of_a_job_is_written_once_the_database_is_back(
    sixty: Organisation, state: State, row_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.jobs.worker.AWAY", 0.001)
    apply, refused = sixty.host.database.apply, []

    async def away(writes: Any) -> None:
        if len(refused) < 3:
            refused.append(writes)
            raise Unavailable("away")
        await apply(writes)

    async def unplug(work: Work) -> None:
        monkeypatch.setattr(sixty.host.database, "apply", away)

    state.does["milk"] = unplug
    left = await sixty.as_role("user").call("leave", label="milk")
    await sixty.work()
    assert (await row_of(left["job_id"]))["state"] == "done"
    assert state.attempts == [1]
