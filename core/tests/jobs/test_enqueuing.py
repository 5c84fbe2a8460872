"""A job is a row of the call that leaves it: it is there if the call has happened, and not otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.errors import Invalid
from sixty.storage.database import StaleWrite
from sixty.tables import jobs
from sixty.testing import InternalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.errands import State

    from sixty.testing import Organisation

LEFT = sa.select(jobs).where(jobs.c.name.like("errands.%"), jobs.c.lane.is_distinct_from("schedule:errands.rounds"))


async def test_a_job_is_done_after_the_call_for_whoever_has_caused_it(sixty: Organisation, state: State) -> None:
    user = sixty.as_role("user")
    left = await user.call("leave", label="milk")
    assert state.done == []
    assert await sixty.work() == ["errands.errand"]
    assert state.done == ["milk"]
    (work,) = state.tries
    assert (work.id, work.attempt, work.user_id, work.now) == (left["job_id"], 1, user.user_id, sixty.clock())
    assert work.args.label == "milk"
    assert await sixty.work() == []


@pytest.mark.parametrize("then", ["refuse", "explode"])
async def test_a_job_of_a_call_that_fails_does_not_exist(sixty: Organisation, then: str) -> None:
    outcome = await sixty.as_role("user").outcome("leave", label="milk", then=then)
    assert outcome.is_error
    assert await sixty.rows(LEFT) == []


async def test_a_job_of_a_savepoint_that_is_rolled_back_does_not_exist(sixty: Organisation, state: State) -> None:
    await sixty.as_role("user").call("leave", label="milk", then="save")
    await sixty.work()
    assert state.done == ["milk"]


async def test_a_call_that_was_slower_and_runs_again_leaves_one_job(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, refused = sixty.host.database.apply, []

    async def refuse_once(writes: Any) -> None:
        if not refused:
            refused.append(writes)
            raise StaleWrite("somebody was faster")
        await apply(writes)

    monkeypatch.setattr(sixty.host.database, "apply", refuse_once)
    await sixty.as_role("user").call("leave", label="milk")
    assert len(await sixty.rows(LEFT)) == 1


async def test_a_job_costs_its_call_no_transaction_of_its_own(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bursts, apply = [], sixty.host.database.apply

    async def counted(writes: Any) -> None:
        bursts.append(len(writes))
        await apply(writes)

    def refuse() -> None:
        raise AssertionError("it must be one burst")

    monkeypatch.setattr(sixty.host.database, "apply", counted)
    monkeypatch.setattr(sixty.host.database, "transaction", refuse)  # which an ordinary burst on Postgres does without
    await sixty.as_role("user").call("leave", label="milk")
    await sixty.as_role("user").call("leave", label="milk", key="once")
    assert bursts == [2, 2]  # the job, and the line in the audit trail


async def test_a_tool_that_opens_its_own_transactions_leaves_jobs_in_them(sixty: Organisation, state: State) -> None:
    await sixty.as_role("user").call("leave_outside", label="milk")
    await sixty.work()
    assert state.done == ["milk"]


async def test_a_tool_that_says_it_only_reads_leaves_nothing(sixty: Organisation) -> None:
    with pytest.raises(InternalError):
        await sixty.as_role("user").call("leave_quietly", label="milk")
    assert await sixty.rows(LEFT) == []


async def test_a_job_that_nobody_declares_is_a_bug_of_who_leaves_it(
    sixty: Organisation, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InternalError):
        await sixty.as_role("user").call("leave", label="milk", then="forgotten")
    assert "return it from `sixty_jobs`" in caplog.text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"label": " "}, "must not be empty"),
        ({"label": "milk", "lane": ""}, "lane has 1 to 255 characters, got 0"),
        ({"label": "milk", "queue": "q" * 161}, "queue has 1 to 160 characters, got 161"),
        ({"label": "milk", "key": "k" * 256}, "key has 1 to 255 characters, got 256"),
    ],
)
async def test_what_does_not_fit_is_refused_when_it_is_left(
    sixty: Organisation, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        await sixty.as_role("user").call("leave", **given)
    assert await sixty.rows(LEFT) == []


async def test_a_second_job_with_the_same_key_is_not_made(sixty: Organisation, state: State) -> None:
    user = sixty.as_role("user")
    first = await user.call("leave", label="milk", key="monday")
    again = await user.call("leave", label="more milk", key="monday")
    other = await user.call("leave", label="bread", key="tuesday")
    assert first["job_id"] == again["job_id"] != other["job_id"]
    await sixty.work()
    assert state.done == ["milk", "bread"]
    await user.call("leave", label="milk at last", key="monday")  # it is known although it is done
    assert await sixty.work() == []


async def test_a_job_for_later_is_done_when_its_time_has_come(sixty: Organisation, state: State) -> None:
    await sixty.as_role("user").call("leave", label="milk", after=3600)
    assert await sixty.work() == []
    sixty.clock.advance(timedelta(minutes=59))
    assert await sixty.work() == []
    sixty.clock.advance(timedelta(minutes=1))
    assert await sixty.work() == ["errands.errand"]


async def test_a_reaction_to_everything_is_told_of_each_event_in_the_call_that_publishes_it(
    sixty: Organisation, state: State
) -> None:
    note = (await sixty.as_role("user").call("add_note", text="hello"))["note"]
    (left,) = await sixty.rows(LEFT)
    assert left["lane"] == note["id"]
    await sixty.work()
    assert state.done == [f"note.added {note['id']}"]


async def test_the_row_says_what_caused_it(sixty: Organisation, row_of: Callable[[str], Any]) -> None:
    left = await sixty.as_role("user").call("leave", label="milk", lane="dairy", queue="shop", key="monday")
    row = await row_of(left["job_id"])
    kept = {name: row[name] for name in ("name", "queue", "lane", "key", "payload", "user_id", "state", "attempts")}
    assert kept == {
        "name": "errands.errand",
        "queue": "shop",
        "lane": "dairy",
        "key": "monday",
        "payload": {"label": "milk"},
        "user_id": sixty.as_role("user").user_id,
        "state": "waiting",
        "attempts": 0,
    }
