"""Schedules: a job that comes by itself, once each time, however many processes there are and whatever clocks do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from fakes import errands, notes
from fakes.making import plugin

from sixty import Schedule
from sixty.errors import Unavailable
from sixty.jobs import control
from sixty.jobs.ticks import next_tick
from sixty.tables import jobs
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from fakes.errands import State

    from sixty import Work
    from sixty.testing import Clock, Organisation

PACKS = (("notes", notes), ("errands", errands))
SIX = datetime(2026, 3, 3, 6, tzinfo=UTC)
"""When the rounds come first: tests begin on the morning of the day before."""
TICKS = sa.select(jobs).where(jobs.c.lane == "schedule:errands.rounds").order_by(jobs.c.seq)
_DAY = timedelta(days=1)


async def due(organisation: Organisation) -> list[datetime]:
    return [row["due_at"] for row in await organisation.rows(TICKS.where(jobs.c.state == "waiting"))]


async def test_it_comes_each_time_its_expression_names(sixty: Organisation, state: State) -> None:
    await sixty.work()
    assert await due(sixty) == [SIX]
    sixty.clock.advance(SIX - sixty.clock() - timedelta(microseconds=1))
    await sixty.work()
    assert state.done == []
    sixty.clock.advance(timedelta(microseconds=1))
    await sixty.work()
    assert state.done == ["rounds"]
    (work,) = state.tries
    assert (work.user_id, work.call_id, work.args.label) == (None, None, "rounds")
    assert await due(sixty) == [SIX + _DAY]
    sixty.clock.advance(_DAY)
    await sixty.work()
    assert state.done == ["rounds", "rounds"]


async def test_it_comes_once_for_several_processes(database_url: str, clock: Clock, state: State) -> None:
    async with (
        open_organisation(database_url, PACKS, clock=clock) as here,
        open_organisation(database_url, PACKS, clock=clock) as there,
    ):
        await asyncio.gather(here.work(), there.work())
        assert await due(here) == [SIX]
        for days in range(1, 4):
            clock.advance(_DAY)
            await asyncio.gather(here.work(), there.work())
            assert state.done == ["rounds"] * days
            assert await due(here) == [SIX + days * _DAY]


async def test_after_a_downtime_it_comes_once(database_url: str, clock: Clock, state: State) -> None:
    async with open_organisation(database_url, PACKS, clock=clock) as organisation:
        await organisation.work()
    clock.advance(timedelta(days=30, hours=2))
    async with open_organisation(database_url, PACKS, clock=clock) as organisation:
        await organisation.work()
        assert state.done == ["rounds"]
        assert await due(organisation) == [SIX + timedelta(days=30)]


async def test_one_that_fails_comes_again_all_the_same(sixty: Organisation, state: State) -> None:
    async def fail(work: Work) -> None:
        raise Unavailable("not today")

    state.does["rounds"] = fail
    await sixty.work()
    for pause in (_DAY, *[timedelta(hours=1)] * 3):
        sixty.clock.advance(pause)
        await sixty.work()
    assert state.attempts == [1, 2, 3, 4]
    assert [work.error for work in state.failed] == ["not today"]
    assert await due(sixty) == [SIX + _DAY]


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # clocks go forward from 02:00 to 03:00 on 29 March 2026, and back from 03:00 to 02:00 on 25 October
        ("30 2 * * *", "2026-03-28T12:00+01:00", ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
        ("30 2 * * *", "2026-10-24T12:00+02:00", ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
        ("0 9 * * 1-5", "2026-03-27T12:00+01:00", ["2026-03-30T09:00+02:00", "2026-03-31T09:00+02:00"]),
        ("*/30 * * * *", "2026-10-25T02:15+02:00", ["2026-10-25T02:30+02:00", "2026-10-25T02:00+01:00"]),
        ("*/30 * * * *", "2026-03-29T01:15+01:00", ["2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00"]),
        ("0 0 29 2 *", "2026-03-01T00:00+01:00", ["2028-02-29T00:00+01:00", "2032-02-29T00:00+01:00"]),
    ],
)
def test_its_times_are_the_organisations_where_clocks_are_put_forward_and_back(
    cron: str, after: str, expected: list[str]
) -> None:
    moment, found = datetime.fromisoformat(after).astimezone(UTC), []
    for _ in expected:
        moment = next_tick(cron, moment, ZoneInfo("Europe/Berlin"))
        assert moment.tzinfo is UTC
        found.append(moment)
    assert found == [datetime.fromisoformat(text) for text in expected]


async def test_it_comes_at_the_organisations_time_of_day(database_url: str, clock: Clock) -> None:
    environ = {"SIXTY_TIMEZONE": "America/New_York"}
    clock.advance(timedelta(days=5, hours=3))  # on 8 March 2026 clocks go forward there
    async with open_organisation(database_url, PACKS, clock=clock, environ=environ) as organisation:
        await organisation.work()
        assert await due(organisation) == [datetime(2026, 3, 8, 10, tzinfo=UTC)]


async def test_one_whose_time_has_changed_comes_at_the_new_one(database_url: str, clock: Clock, state: State) -> None:
    def packs(cron: str) -> tuple[tuple[str, object], ...]:
        rounds = Schedule("rounds", cron=cron, job=errands.errand, payload={"label": "rounds"})
        hooks = {"sixty_jobs": lambda: [errands.errand], "sixty_schedules": lambda: [rounds]}
        return (("errands", plugin(**hooks)),)

    for cron in ("0 6 * * *", "0 7 * * *"):
        async with open_organisation(database_url, packs(cron), clock=clock) as organisation:
            await organisation.work()
    async with open_organisation(database_url, packs("0 7 * * *"), clock=clock) as organisation:
        assert await due(organisation) == [SIX + timedelta(hours=1)]


async def test_one_of_a_disabled_pack_does_not_come_until_it_is_back(sixty: Organisation, state: State) -> None:
    await sixty.work()
    await sixty.host.disable("errands")
    worker = sixty.host.worker
    await worker.lists_may_have_changed()
    await sixty.work()
    assert await due(sixty) == []
    sixty.clock.advance(3 * _DAY)
    await sixty.host.enable("errands")
    await worker.lists_may_have_changed()
    await sixty.work()
    assert state.done == []
    assert await due(sixty) == [SIX + 3 * _DAY]


async def test_one_of_a_pack_that_only_is_not_loaded_here_is_left_to_others(database_url: str, clock: Clock) -> None:
    async with open_organisation(database_url, PACKS, clock=clock) as organisation:
        await organisation.work()
    async with open_organisation(database_url, PACKS[:1], clock=clock) as organisation:
        await organisation.work()
        assert await due(organisation) == [SIX]


async def test_a_time_that_is_cancelled_is_left_out_and_the_next_one_comes(sixty: Organisation, state: State) -> None:
    await sixty.work()
    (tick,) = await sixty.rows(TICKS)
    await control.cancel(sixty.host, tick["id"])
    assert await due(sixty) == [SIX + _DAY]
    await sixty.host.worker.lists_may_have_changed()
    sixty.clock.advance(_DAY)
    await sixty.work()
    assert state.done == []
    sixty.clock.advance(_DAY)
    await sixty.work()
    assert state.done == ["rounds"]


async def test_what_became_of_jobs_long_ago_is_removed_every_night(sixty: Organisation, state: State) -> None:
    async def left() -> set[Any]:
        found = await sixty.rows(sa.select(jobs.c.payload).where(jobs.c.lane.is_(None)))
        return {row["payload"]["label"] for row in found}

    user = sixty.as_role("user")
    await user.call("leave", label="old")
    await user.call("leave", label="still to come", after=90 * 86_400)
    await sixty.work()
    sixty.clock.advance(timedelta(days=13))
    await user.call("leave", label="new")
    await sixty.work()
    assert await left() == {"old", "new", "still to come"}
    sixty.clock.advance(timedelta(days=2))
    assert "core.clear_expired" in await sixty.work()
    assert await left() == {"new", "still to come"}
