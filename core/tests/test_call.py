"""One call, from the credential to the answer, and the line that every one of them leaves."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import world
from fakes.notes import notes

from sixty import context
from sixty.call import call_tool
from sixty.errors import (
    Conflict,
    Forbidden,
    Invalid,
    RateLimited,
    ToolRemoved,
    Unauthenticated,
    Unavailable,
    UnknownTool,
)
from sixty.people import add_key, disable_user, set_role
from sixty.request import Request
from sixty.storage.database import IntegrityViolation, StaleWrite
from sixty.tables import audit, changes, idempotency, records
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.storage.statements import Row
    from sixty.testing import Clock, Organisation


async def trail(sixty: Organisation) -> list[Row]:
    """The audit trail, oldest first, with what was still waiting."""
    await sixty.host.audit.flush()
    return sorted(await sixty.rows(sa.select(audit)), key=lambda line: (line["call_id"], line["seq"]))


async def outcomes(sixty: Organisation) -> list[tuple[str, str]]:
    return [(line["tool"], line["outcome"]) for line in await trail(sixty)]


async def notes_of(sixty: Organisation) -> set[str]:
    return {row["text"] for row in await sixty.rows(sa.select(notes.c.text))}


# -- the answer


async def test_a_result_has_success_and_a_message_and_the_same_as_compact_json(sixty: Organisation) -> None:
    outcome = await sixty.as_role("user").outcome("add_note", text="one", price=50_000)
    assert outcome.structured["success"] is True
    assert outcome.structured["message"] == 'Added "one"'
    assert outcome.structured["note"]["price"] == 50_000
    assert json.loads(outcome.text) == outcome.structured
    assert outcome.text.startswith('{"success":true,"message":"Added')


async def test_a_callers_mistake_is_an_answer_with_a_code(sixty: Organisation) -> None:
    outcome = await sixty.as_role("user").outcome("add_note", txt="one")
    assert outcome.is_error
    assert outcome.structured["success"] is False
    error = outcome.structured["error"]
    assert error["code"] == "invalid"
    assert error["message"] == "the argument 'text' is missing; unknown argument 'txt'; did you mean 'text'?"


async def test_a_bug_is_internal_with_an_id_to_quote_and_no_detail(sixty: Organisation) -> None:
    outcome = await sixty.as_role("user").outcome("break_down", text="password hunter2")
    error = outcome.structured["error"]
    assert error["code"] == "internal"
    assert "hunter2" not in outcome.text
    assert "Value" not in outcome.text
    assert await notes_of(sixty) == set()
    (line,) = await trail(sixty)
    assert (line["outcome"], line["call_id"]) == ("internal", error["error_id"])


async def test_a_tool_without_a_model_answers_with_a_message_all_the_same(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert await user.call("echo", words=["a", "b"], loud=True) == {
        "success": True,
        "message": "echo is done",
        "said": ["A", "B"],
    }
    assert (await user.call("say_nothing"))["message"] == "say_nothing is done"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [({}, None), ({"words": "a"}, "words"), ({"words": [1]}, "words.0"), ({"words": [], "x": 1}, None)],
)
async def test_a_plain_json_schema_is_kept_to(
    sixty: Organisation, arguments: Mapping[str, Any], field: str | None
) -> None:
    with pytest.raises(Invalid) as caught:
        await sixty.as_role("user").call("echo", **arguments)
    assert caught.value.details.get("field") == field


async def test_a_tool_that_says_it_reads_and_writes_is_stopped(sixty: Organisation) -> None:
    outcome = await sixty.as_role("user").outcome("pretend_to_read", text="one")
    assert outcome.structured["error"]["code"] == "internal"
    assert await notes_of(sixty) == set()


async def test_a_handler_reads_its_own_writes(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert (await user.call("claim_text", text="mine"))["message"] == "rank 1"
    with pytest.raises(Conflict, match="there is a note 'mine' already"):
        await user.call("claim_text", text="mine")
    (note,) = await sixty.rows(sa.select(notes))
    assert (note["rank"], note["version"]) == (1, 2)


# -- who calls


async def test_a_credential_is_authenticated_on_each_call(sixty: Organisation, clock: Clock) -> None:
    await sixty.user("Ann")
    _, secret = await add_key(sixty.host.database, "ann@example.com", "laptop", now=clock())
    outcome = await call_tool(sixty.host, Request("find_notes", {}, token=secret))
    assert not outcome.is_error
    await disable_user(sixty.host.database, "ann@example.com", now=clock())
    with pytest.raises(Unauthenticated):
        await call_tool(sixty.host, Request("find_notes", {}, token=secret))
    assert [line["outcome"] for line in await trail(sixty)] == ["ok", "unauthenticated"]


async def test_a_changed_role_counts_from_the_next_call_on(sixty: Organisation, clock: Clock) -> None:
    ann = await sixty.user("Ann")
    with pytest.raises(Forbidden):
        await ann.call("merge_notes", primary_id="x", duplicate_ids=[])
    await set_role(sixty.host.database, "ann@example.com", "admin")
    with pytest.raises(Invalid):
        await ann.call("merge_notes", primary_id="x", duplicate_ids=[])


async def test_an_unknown_tool_is_the_protocols_to_answer_and_names_the_nearest(sixty: Organisation) -> None:
    with pytest.raises(UnknownTool, match=r"Unknown tool: ad_note; did you mean 'add_note'?"):
        await sixty.as_role("user").call("ad_note", text="one")
    with pytest.raises(UnknownTool):
        await sixty.as_role("user").call("\ud800" * 500)
    with pytest.raises(UnknownTool):
        await sixty.as_role("user").call("sum_deals")  # nobody publishes what it needs


async def test_a_tool_whose_pack_has_gone_says_so(sixty: Organisation) -> None:
    sixty.host.tombstones["old_tool"] = "old_pack"
    with pytest.raises(ToolRemoved, match="the tool old_tool went away with the pack old_pack") as caught:
        await sixty.as_role("user").call("old_tool")
    assert caught.value.details["plugin"] == "old_pack"


async def test_rate_limits_hold_per_user_and_tool_and_cost_nothing_else(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    for _ in range(2):
        await user.call("hurry", text="now")
    with pytest.raises(RateLimited, match="at most 2 calls of hurry a minute") as caught:
        await user.call("hurry", text="now")
    assert 1 <= caught.value.retry_after <= 60
    await manager.call("hurry", text="now")
    assert await outcomes(sixty) == [("hurry", "ok")] * 2 + [("hurry", "rate_limited"), ("hurry", "ok")]


async def test_a_pack_has_its_own_settings(database_url: str, plugins: Any) -> None:
    environ = {"SIXTY_WORLD_GREETING": "Moin", "SIXTY_WORLD_TIMES": "2"}
    async with open_organisation(database_url, plugins, environ=environ) as sixty:
        assert (await sixty.as_role("user").call("greet", text="x"))["message"] == "Moin Moin"


# -- the audit trail


async def test_every_call_leaves_a_line_whatever_became_of_it(sixty: Organisation, clock: Clock) -> None:
    user = sixty.as_role("user")
    added = await user.call("add_note", text="one")
    await user.call("find_notes")
    for tool, arguments in (
        ("add_note", {}),
        ("remove_note", {"note_id": added["note"]["id"]}),
        ("read_note", {"note_id": added["change_id"]}),
        ("break_down", {"text": "x"}),
        ("add_note", {"text": "forbidden fruit"}),
    ):
        assert (await user.outcome(tool, **arguments)).is_error
    with pytest.raises(UnknownTool):
        await user.call("no_such_tool")
    with pytest.raises(Unauthenticated):
        await call_tool(sixty.host, Request("find_notes", {}, token="sk60_wrong", address="192.0.2.7"))
    lines = await trail(sixty)
    assert [(line["tool"], line["outcome"]) for line in lines] == [
        ("add_note", "ok"),
        ("find_notes", "ok"),
        ("add_note", "invalid"),
        ("remove_note", "forbidden"),
        ("read_note", "not_found"),
        ("break_down", "internal"),
        ("add_note", "conflict"),
        ("no_such_tool", "unknown_tool"),
        ("find_notes", "unauthenticated"),
    ]
    first, last = lines[0], lines[-1]
    assert (first["call_id"], first["user_id"]) == (added["change_id"], user.user_id)
    assert (first["arguments"], first["records"]) == ({"text": "one"}, {added["note"]["id"]: "note"})
    assert (first["effect"], first["transport"], first["at"]) == ("create", "test", clock())
    assert first["microseconds"] > 0
    assert (last["user_id"], last["address"], last["effect"]) == (None, "192.0.2.7", None)


async def test_a_write_that_touches_only_details_is_in_the_trail_as_well(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="one"))["note"]["id"]
    await user.call("add_line", note_id=note, line="x")
    assert (await trail(sixty))[-1]["records"] == {note: "note"}


async def test_observers_are_told_and_a_failing_one_loses_no_answer(sixty: Organisation) -> None:
    world.STATE.fail_observe = True
    await sixty.as_role("user").call("add_note", text="one")
    assert [(entry.tool, entry.outcome) for entry in world.STATE.seen] == [("add_note", "ok")]


# -- idempotency


async def test_a_repeated_call_answers_as_the_first_time_and_writes_once(sixty: Organisation) -> None:
    user = sixty.as_role("user").keyed("k1")
    first = await user.call("add_note", text="one", price=1.5)
    again = await user.call("add_note", price=1.5, text="one")
    assert again == first
    assert await sixty.count(notes) == 1
    assert [line["outcome"] for line in await trail(sixty)] == ["ok", "repeated"]


async def test_a_key_with_other_arguments_or_another_tool_is_a_conflict(sixty: Organisation) -> None:
    user = sixty.as_role("user").keyed("k1")
    await user.call("add_note", text="one")
    with pytest.raises(Conflict, match="was used for another call"):
        await user.call("add_note", text="two")
    with pytest.raises(Conflict, match=r"was used for another call \(add_note\)"):
        await user.call("claim_text", text="one")
    assert await sixty.count(notes) == 1


async def test_a_key_is_one_persons_own(sixty: Organisation) -> None:
    await sixty.as_role("user").keyed("k1").call("add_note", text="one")
    await sixty.as_role("manager").keyed("k1").call("add_note", text="two")
    assert await notes_of(sixty) == {"one", "two"}


async def test_a_key_is_remembered_for_a_day_and_by_a_clock_that_is_set_by_another(
    sixty: Organisation, clock: Clock
) -> None:
    user = sixty.as_role("user").keyed("k1")
    await user.call("add_note", text="one")
    clock.advance(timedelta(days=2))
    await user.call("add_note", text="one")
    assert await sixty.count(notes) == 1
    clock.advance(timedelta(hours=1))
    await user.call("add_note", text="one")
    assert await sixty.count(notes) == 2
    assert await sixty.count(idempotency) == 1


async def test_a_call_that_failed_may_be_tried_again_under_its_key(sixty: Organisation) -> None:
    user = sixty.as_role("user").keyed("k1")
    with pytest.raises(Conflict):
        await user.call("add_note", text="forbidden fruit")
    await user.call("add_note", text="allowed")
    assert await notes_of(sixty) == {"allowed"}


async def test_duplicates_that_arrive_together_write_once_and_answer_alike(sixty: Organisation) -> None:
    user = sixty.as_role("user").keyed("k1")
    answers = await asyncio.gather(*(user.call("add_note", text="one") for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert await sixty.count(notes) == await sixty.count(records) == 1


async def test_a_read_takes_no_notice_of_a_key(sixty: Organisation) -> None:
    user = sixty.as_role("user").keyed("k1")
    assert (await user.call("find_notes"))["total"] == 0
    await sixty.as_role("user").call("add_note", text="one")
    assert (await user.call("find_notes"))["total"] == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b", "\ud800"])
async def test_a_key_that_is_none_is_invalid(sixty: Organisation, key: str) -> None:
    with pytest.raises(Invalid, match="an idempotency key has 1 to 255 printable characters"):
        await sixty.as_role("user").keyed(key).call("add_note", text="one")


@pytest.mark.parametrize("strange", ["\ud800", "\x00", float("nan"), 10**400, {"\ud800": 1}, [[[]]] * 3])
async def test_strange_values_are_refused_by_a_typed_error_under_a_key_too(sixty: Organisation, strange: Any) -> None:
    user = sixty.as_role("user").keyed("k1")
    for tool, name in (("add_note", "text"), ("echo", "words"), ("greet", "text"), ("echo", "\ud800")):
        outcome = await user.outcome(tool, **{name: strange})
        assert outcome.structured["error"]["code"] == "invalid"
        assert outcome.text
    assert [line["outcome"] for line in await trail(sixty)] == ["invalid"] * 4


async def test_values_that_no_json_can_hold_are_refused_where_the_schema_does_not_look(sixty: Organisation) -> None:
    deep: Any = "at the bottom"
    for _ in range(300):
        deep = [deep]
    for strange in ("\ud800", 10**400, deep):
        outcome = await sixty.as_role("user").keyed("k1").outcome("say_nothing", anything=strange)
        assert outcome.is_error
        assert outcome.structured["error"]["code"] == "invalid"
    assert len(await trail(sixty)) == 3


# -- several at once


async def test_whoever_comes_second_runs_again_on_what_the_first_has_left(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="one"))["note"]["id"]
    answers = await asyncio.gather(*(user.outcome("rank_up", note_id=note) for _ in range(12)))
    applied = [answer for answer in answers if not answer.is_error]
    assert {answer.structured["error"]["code"] for answer in answers if answer.is_error} <= {"conflict"}
    (row,) = await sixty.rows(sa.select(notes))
    assert row["rank"] == len(applied) >= 4
    assert sorted(answer.structured["note"]["rank"] for answer in applied) == list(range(1, len(applied) + 1))
    assert len(await sixty.rows(sa.select(audit).where(audit.c.tool == "rank_up", audit.c.outcome == "ok"))) == len(
        applied
    )


async def test_two_who_expect_the_same_version_do_not_both_get_their_way(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="one"))["note"]["id"]
    answers = await asyncio.gather(
        *(user.outcome("edit_note", note_id=note, updates={"text": text}, expected_version=1) for text in ("a", "b"))
    )
    assert sorted(answer.is_error for answer in answers) == [False, True]
    (lost,) = [answer for answer in answers if answer.is_error]
    assert lost.structured["error"]["code"] == "conflict"
    assert lost.structured["error"]["changed"] == ["text"]


async def test_who_is_never_first_is_told_so(sixty: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    async def too_slow(_writes: object) -> None:
        raise StaleWrite

    user = sixty.as_role("user")
    with monkeypatch.context() as patch:
        patch.setattr(sixty.host.database, "apply", too_slow)
        with pytest.raises(Conflict, match="somebody else is changing the same record at this moment"):
            await user.call("add_note", text="one")
    assert await notes_of(sixty) == set()


async def test_what_the_database_refuses_twice_is_a_conflict(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_writes: object) -> None:
        raise IntegrityViolation("duplicate key")

    user = sixty.as_role("user")
    with monkeypatch.context() as patch:
        patch.setattr(sixty.host.database, "apply", refuse)
        with pytest.raises(Conflict, match="a value that must be unique is taken, or a record it names has gone"):
            await user.call("add_note", text="one")
    assert await notes_of(sixty) == set()


async def test_a_commit_whose_outcome_is_not_known_in_time_is_unavailable(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, committed, apply = asyncio.Event(), asyncio.Event(), sixty.host.database.apply

    async def slowly(writes: Any) -> None:
        await go_on.wait()
        await apply(writes)
        committed.set()

    user = sixty.as_role("user")
    with monkeypatch.context() as patch:
        patch.setattr(sixty.host.database, "apply", slowly)
        patch.setattr(context, "PATIENCE", 0)
        with pytest.raises(Unavailable, match="whether this was written is not known"):
            await user.call("add_note", text="one")
        go_on.set()
        await committed.wait()
    assert await notes_of(sixty) == {"one"}


# -- clients that go away


async def test_a_client_that_goes_away_meanwhile_leaves_nothing_but_a_line(sixty: Organisation) -> None:
    call = asyncio.create_task(sixty.as_role("user").call("wait_for_me", text="one"))
    await world.STATE.reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await notes_of(sixty) == set()
    assert await sixty.count(records) == await sixty.count(changes) == 0
    assert await outcomes(sixty) == [("wait_for_me", "cancelled")]


async def test_a_client_that_goes_away_at_any_moment_leaves_all_or_nothing(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for steps in range(40):
        call = asyncio.create_task(user.call("add_note", text=f"!{steps}", lines=["a", "b"]))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    written = {text[1:] for text in await notes_of(sixty)}
    lines = [line for line in await trail(sixty) if line["outcome"] == "ok"]
    assert {line["arguments"]["text"][1:] for line in lines} == written
    assert await sixty.count(records) == 2 * len(written)  # each with its pin
    assert await sixty.count(changes) == 4 * len(written)
    assert len(lines) == len(written)


# -- the world outside


async def test_an_open_world_tool_commits_its_steps_one_by_one(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    answer = await user.call("ask_world", text="when?")
    assert await notes_of(sixty) == {"when?, answered", "the answer"}
    lines = await trail(sixty)
    assert {line["call_id"] for line in lines} == {answer["change_id"]}
    assert [line["message"] for line in lines][:2] == ["a step of ask_world"] * 2
    await user.call("undo_change", change_id=answer["change_id"])
    assert await notes_of(sixty) == set()


async def test_an_open_world_tool_that_is_repeated_with_its_key_is_answered_again_and_done_once(
    sixty: Organisation,
) -> None:
    user = sixty.as_role("user").keyed("k1")
    first = await user.call("ask_world", text="when?")
    assert await user.call("ask_world", text="when?") == first
    assert await sixty.count(records) == 2
    with pytest.raises(Conflict, match="was used for another call"):
        await user.call("ask_world", text="why?")
    sixty.clock.advance(timedelta(days=3))
    await user.call("ask_world", text="why?")
    assert await sixty.count(records) == 4


async def test_an_open_world_tool_that_is_called_twice_at_once_answers_both(sixty: Organisation) -> None:
    user = sixty.as_role("user").keyed("k1")
    answers = await asyncio.gather(user.call("ask_world", text="when?"), user.call("ask_world", text="when?"))
    assert [answer["message"] for answer in answers] == ["Asked"] * 2
    assert await user.call("ask_world", text="when?") in answers


async def test_what_an_open_world_tool_has_committed_stays_when_it_fails_later(sixty: Organisation) -> None:
    with pytest.raises(Unavailable, match="the world outside is gone"):
        await sixty.as_role("user").call("ask_world", text="too late")
    assert await notes_of(sixty) == {"too late"}
    assert [line["outcome"] for line in await trail(sixty)] == ["ok", "unavailable"]


async def test_transactions_are_opened_by_open_world_tools_and_by_no_other(sixty: Organisation) -> None:
    for tool in ("reach_outside", "nest"):
        outcome = await sixty.as_role("user").outcome(tool, text="x")
        assert outcome.structured["error"]["code"] == "internal"
