"""What becomes of a job that fails: the next try of its plan, and in the end what it does once it has failed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes.notes import notes

from sixty import GiveUp, NotFound, RetryLater, Unavailable, new_id
from sixty.errors import RateLimited, Unauthenticated
from sixty.people import disable_user
from sixty.storage.statements import Write
from sixty.tables import audit, jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.errands import State

    from sixty import Work
    from sixty.testing import Organisation


def fails(error: Exception, times: int = 99) -> Callable[[Work], Any]:
    """What an errand does that fails in its first tries."""

    async def fail(work: Work) -> None:
        if work.attempt <= times:
            raise error

    return fail


async def until_due(sixty: Organisation, row: Any, by: timedelta = timedelta()) -> timedelta:
    """How long it is until a job is due; it is then, or earlier `by` so much."""
    pause = row["due_at"] - sixty.clock()
    sixty.clock.advance(pause - by)
    return pause


async def test_it_is_tried_again_by_its_plan_until_it_has_failed(
    sixty: Organisation, state: State, row_of: Callable[[str], Any]
) -> None:
    state.does["milk"] = fails(Unavailable("the shop is shut"))
    job_id = (await sixty.as_role("user").call("leave", label="milk"))["job_id"]
    for attempt, planned in enumerate((5, 60, 600), 1):
        assert await sixty.work() == ["errands.errand"]
        row = await row_of(job_id)
        assert (row["state"], row["attempts"], row["error"]) == ("waiting", attempt, "the shop is shut")
        pause = row["due_at"] - sixty.clock()
        assert timedelta(seconds=planned) <= pause <= timedelta(seconds=planned * 1.1)
        sixty.clock.advance(pause - timedelta(microseconds=1))
        assert await sixty.work() == []
        sixty.clock.advance(timedelta(microseconds=1))
    assert state.failed == []
    await sixty.work()
    row = await row_of(job_id)
    assert (row["state"], row["attempts"], row["finished_at"]) == ("failed", 4, sixty.clock())
    (work,) = state.failed
    assert (work.id, work.args.label, work.error) == (job_id, "milk", "the shop is shut")
    assert state.attempts == [1, 2, 3, 4]
    assert {work.id for work in state.tries} == {job_id}
    sixty.clock.advance(timedelta(days=1))
    await sixty.work()
    assert len(state.failed) == 1


async def test_it_is_done_once_a_try_succeeds(sixty: Organisation, state: State, row_of: Callable[[str], Any]) -> None:
    state.does["milk"] = fails(ValueError("a bug"), times=1)
    job_id = (await sixty.as_role("user").call("leave", label="milk"))["job_id"]
    await sixty.work()
    row = await row_of(job_id)
    assert row["error"] == "ValueError: a bug"
    await until_due(sixty, row)
    await sixty.work()
    row = await row_of(job_id)
    assert (row["state"], row["attempts"], row["error"], row["leased_by"]) == ("done", 2, None, None)
    assert state.failed == []


@pytest.mark.parametrize(
    ("error", "seconds"), [(RetryLater(7200, "come back later"), 7200), (RateLimited("too many", 90), 90)]
)
async def test_whoever_is_told_when_to_come_back_comes_back_then(
    sixty: Organisation, state: State, row_of: Callable[[str], Any], error: Exception, seconds: int
) -> None:
    state.does["milk"] = fails(error, times=1)
    job_id = (await sixty.as_role("user").call("leave", label="milk"))["job_id"]
    await sixty.work()
    row = await row_of(job_id)
    assert row["error"] == str(error)
    pause = await until_due(sixty, row)
    assert timedelta(seconds=seconds) <= pause <= timedelta(seconds=seconds * 1.1)
    await sixty.work()
    assert state.done == ["milk"]


async def test_who_comes_back_too_often_has_failed(sixty: Organisation, state: State) -> None:
    state.does["milk"] = fails(RetryLater(1))
    await sixty.as_role("user").call("leave", label="milk")
    for _ in range(9):
        await sixty.work()
        sixty.clock.advance(timedelta(seconds=1))
    assert state.attempts == [1, 2, 3, 4]
    assert [work.error for work in state.failed] == ["to be tried again in 1 seconds"]


async def test_who_gives_up_has_failed_at_once(sixty: Organisation, state: State, row_of: Callable[[str], Any]) -> None:
    state.does["milk"] = fails(GiveUp("there are no cows any more"))
    job_id = (await sixty.as_role("user").call("leave", label="milk"))["job_id"]
    await sixty.work()
    row = await row_of(job_id)
    assert (row["state"], row["error"]) == ("failed", "there are no cows any more")
    assert len(state.failed) == 1


async def test_one_that_takes_too_long_is_ended_and_tried_again(
    sixty: Organisation, state: State, row_of: Callable[[str], Any]
) -> None:
    async def endless(work: Work) -> None:
        await asyncio.Event().wait()

    state.does["milk"] = endless
    job_id = (await sixty.as_role("user").call("leave", label="milk", then="hasty"))["job_id"]
    await sixty.work()
    row = await row_of(job_id)
    assert (row["state"], row["error"]) == ("waiting", "it did not return within 0.01 seconds")


async def test_what_is_done_after_a_failure_may_fail_itself(
    sixty: Organisation, state: State, row_of: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    state.does["milk"] = fails(GiveUp("no cows"))
    state.does["failed milk"] = fails(RuntimeError("nor sheep"))
    job_id = (await sixty.as_role("user").call("leave", label="milk"))["job_id"]
    await sixty.work()
    assert (await row_of(job_id))["error"] == "no cows"
    assert "nor sheep" in caplog.text


async def test_a_payload_that_no_longer_fits_fails_by_its_plan(
    sixty: Organisation, state: State, row_of: Callable[[str], Any]
) -> None:
    job_id = (await sixty.as_role("user").call("leave", label="milk", then="once"))["job_id"]
    await sixty.host.database.apply([Write(sa.update(jobs).values(payload={"title": "milk"}), {})])
    await sixty.work()
    row = await row_of(job_id)
    assert row["state"] == "failed"
    assert "the argument 'label' is missing" in row["error"]
    assert state.tries == []


# calling tools


async def test_a_job_calls_tools_as_whoever_has_caused_it_and_each_call_is_done_once(
    sixty: Organisation, state: State
) -> None:
    async def note_it(work: Work) -> None:
        for text in ("one", "one", "two"):
            answer = await work.call("add_note", {"text": text})
            assert answer["success"]
        if work.attempt == 1:
            raise RuntimeError("after all was done")

    state.does["milk"] = note_it
    user = sixty.as_role("user")
    await user.call("leave", label="milk")
    await sixty.work()
    sixty.clock.advance(timedelta(minutes=1))
    await sixty.work()
    assert "milk" in state.done
    found = await sixty.rows(sa.select(notes).order_by(notes.c.id))
    assert [row["text"] for row in found] == ["one", "one", "two"]
    assert {row["owner_id"] for row in found} == {user.user_id}
    await sixty.host.audit.flush()
    lines = await sixty.rows(sa.select(audit).where(audit.c.tool == "add_note"))
    assert {(line["transport"], line["client"], line["user_id"]) for line in lines} == {
        ("job", "errands.errand", user.user_id)
    }


async def test_an_error_of_a_tool_is_raised_by_its_class(sixty: Organisation, state: State) -> None:
    seen: list[Exception] = []

    async def look(work: Work) -> None:
        try:
            await work.call("read_note", {"note_id": new_id()})
        except NotFound as error:
            seen.append(error)

    state.does["milk"] = look
    await sixty.as_role("user").call("leave", label="milk")
    await sixty.work()
    assert len(seen) == 1


async def test_a_job_that_nobody_has_caused_must_say_for_whom_it_calls(sixty: Organisation, state: State) -> None:
    seen: list[Exception] = []
    user = sixty.as_role("user")

    async def make_rounds(work: Work) -> None:
        try:
            await work.call("add_note", {"text": "rounds"})
        except LookupError as error:
            seen.append(error)
        await work.call("add_note", {"text": "rounds"}, user_id=user.user_id)

    state.does["rounds"] = make_rounds
    await sixty.work()  # which plans the rounds
    sixty.clock.advance(timedelta(days=1))
    await sixty.work()
    assert "say for whom it calls add_note" in str(seen[0])
    assert [row["owner_id"] for row in await sixty.rows(sa.select(notes))] == [user.user_id]


async def test_nothing_is_called_for_somebody_who_has_left(sixty: Organisation, state: State) -> None:
    seen: list[Exception] = []

    async def note_it(work: Work) -> None:
        try:
            await work.call("add_note", {"text": "for nobody"})
        except Unauthenticated as error:
            seen.append(error)
            raise

    state.does["milk"] = note_it
    await sixty.as_role("user").call("leave", label="milk")
    await disable_user(sixty.host.database, "uma.user@example.com", now=sixty.clock())
    await sixty.work()
    assert "is disabled" in str(seen[0])
    assert await sixty.count(notes) == 0
