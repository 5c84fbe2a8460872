"""Reactions: what packs do when something has happened elsewhere, in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from fakes.notes import notes
from fakes.pins import pins

from sixty.errors import Conflict, Forbidden, NotFound, PluginError
from sixty.events import on
from sixty.people import add_grant
from sixty.tables import audit, changes, records

if TYPE_CHECKING:
    from sixty.testing import Organisation


async def test_a_reaction_acts_for_the_owner_of_what_caused_it_under_its_own_permissions(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    added = await manager.call("add_note", text="!important", owner_id=user.user_id)
    (pin,) = await sixty.rows(sa.select(pins))
    assert (pin["owner_id"], pin["note_id"]) == (user.user_id, added["note"]["id"])
    (change,) = await sixty.rows(sa.select(changes).where(changes.c.table_name == "pins"))
    assert change["by"] == manager.user_id
    assert change["cause"] == "pins.pin_important_notes"
    assert change["permission"] == "pins:create"
    assert change["call_id"] == added["change_id"]


async def test_a_reaction_may_do_what_its_pack_declares_though_the_caller_may_not(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    with pytest.raises(Forbidden):
        await user.call("add_pin", label="by hand")
    await user.call("add_note", text="!by reaction")
    assert await sixty.count(pins) == 1


async def test_a_reaction_without_a_declared_permission_is_bound_by_the_callers(sixty: Organisation) -> None:
    with pytest.raises(Forbidden):
        await sixty.as_role("user").call("add_note", text="?as far as I may")
    assert await sixty.count(notes) == 0
    await sixty.as_role("manager").call("add_note", text="?as far as I may")
    assert await sixty.count(pins) == 1


async def test_a_reaction_may_point_at_what_the_event_names_though_the_caller_may_not_read_it(
    sixty: Organisation,
) -> None:
    other = await sixty.user("Otto Other", team="Elsewhere")
    await add_grant(sixty.host.database, "uma.user@example.com", "notes:update", known=["notes:update"])
    note = (await sixty.as_role("user").call("add_note", text="!for Otto", owner_id=other.user_id))["note"]
    (pin,) = await sixty.rows(sa.select(pins))
    assert (pin["note_id"], pin["owner_id"]) == (note["id"], other.user_id)
    with pytest.raises(NotFound):
        await sixty.as_role("user").call("read_note", note_id=note["id"])


async def test_a_failing_reaction_undoes_the_call_but_not_its_audit_line(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    with pytest.raises(Conflict, match="that is forbidden"):
        await user.call("add_note", text="forbidden fruit")
    outcome = await user.outcome("add_note", text="explode")
    assert outcome.structured["error"]["code"] == "internal"
    for table in (notes, pins, records, changes):
        assert await sixty.count(table) == 0
    await sixty.host.audit.flush()
    assert {line["outcome"] for line in await sixty.rows(sa.select(audit))} == {"conflict", "internal"}


async def test_events_of_one_call_are_bounded(sixty: Organisation) -> None:
    outcome = await sixty.as_role("user").outcome("add_note", text="!loop")
    assert outcome.structured["error"]["code"] == "internal"
    assert await sixty.count(notes) == await sixty.count(pins) == 0


async def test_one_answer_names_all_that_was_written(sixty: Organisation) -> None:
    added = await sixty.as_role("user").call("add_note", text="!important")
    (pin,) = await sixty.rows(sa.select(pins))
    (line,) = await sixty.rows(sa.select(audit))
    assert line["records"] == {added["note"]["id"]: "note", pin["id"]: "pin"}


def test_a_reaction_is_an_async_function() -> None:
    with pytest.raises(PluginError, match="must be an async function"):

        @on("note.added")
        def react(event: object, call: object) -> None:  # type: ignore[arg-type]
            """Do nothing."""
