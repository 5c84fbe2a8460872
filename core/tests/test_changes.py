"""History, and taking back what a call has done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import notes, pins
from fakes.notes import lines as lines_table
from fakes.notes import notes as notes_table

from sixty.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from sixty.ids import new_id
from sixty.people import add_grant
from sixty.tables import changes, records, search
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from sixty.testing import Client, Clock, Organisation


async def add(client: Client, text: str, **arguments: Any) -> dict[str, Any]:
    return await client.call("add_note", text=text, **arguments)


async def test_history_says_who_changed_which_field_from_what_to_what(sixty: Organisation, clock: Clock) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    added = await add(user, "one", rank=1)
    clock.advance(timedelta(hours=1))
    note = added["note"]["id"]
    edited = await manager.call("edit_note", note_id=note, updates={"text": "two", "rank": None})
    history = (await user.call("read_note", note_id=note))["history"]
    first = {"at": "2026-03-02T09:30:00+00:00", "by": "Uma User", "call": added["change_id"]}
    then = {"at": "2026-03-02T10:30:00+00:00", "by": "Max Manager", "call": edited["change_id"]}
    assert sorted(history, key=lambda entry: (entry["at"], entry["field"])) == [
        {**first, "field": "record", "from": None, "to": "created"},
        {**then, "field": "rank", "from": 1, "to": None},
        {**then, "field": "text", "from": "one", "to": "two"},
    ]


async def test_every_write_answers_with_the_change_that_undoes_it(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    answer = await add(user, "one")
    (change,) = await sixty.rows(sa.select(changes).where(changes.c.call_id == answer["change_id"]))
    assert (change["op"], change["record_id"], change["by"]) == ("insert", answer["note"]["id"], user.user_id)
    assert (change["permission"], change["cause"]) == ("notes:create", None)
    assert "change_id" not in await user.call("find_notes")


async def test_undoing_an_update_brings_the_fields_back_and_goes_on_counting(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await add(user, "before", price=12.34, due="2026-03-31", rank=1))["note"]
    edited = await user.call("edit_note", note_id=note["id"], updates={"text": "after", "rank": None, "body": "more"})
    answer = await user.call("undo_change", change_id=edited["change_id"])
    assert answer["undone"] == [{"kind": "note", "id": note["id"]}]
    assert (await user.call("read_note", note_id=note["id"]))["note"] == {**note, "version": 3}
    assert [hit["title"] for hit in (await user.call("search_crm", query="before"))["results"]] == ["before"]
    assert all(hit["title"] != "after" for hit in (await user.call("search_crm", query="more"))["results"])


async def test_undoing_an_insert_removes_the_record_and_its_details(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    added = await add(user, "one", lines=["a", "b"])
    await user.call("undo_change", change_id=added["change_id"])
    with pytest.raises(NotFound):
        await user.call("read_note", note_id=added["note"]["id"])
    assert await sixty.count(notes_table) == await sixty.count(lines_table) == await sixty.count(search) == 0


async def test_undoing_a_deletion_brings_back_record_details_owner_and_words(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    note = (await add(user, "findable", lines=["a", "b"], price=0.01))["note"]
    removed = await manager.call("remove_note", note_id=note["id"])
    await manager.call("undo_change", change_id=removed["change_id"])
    back = await user.call("read_note", note_id=note["id"])
    assert back["note"] == {**note, "version": back["note"]["version"]}
    assert back["note"]["version"] > 1
    assert back["lines"] == ["a", "b"]
    assert [hit["id"] for hit in (await user.call("search_crm", query="findable"))["results"]] == [note["id"]]
    (spine,) = await sixty.rows(sa.select(records))
    assert (spine["deleted_at"], spine["owner_id"], spine["version"]) == (None, user.user_id, back["note"]["version"])


async def test_undoing_details_alone_brings_them_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await add(user, "one", lines=["a", "b"]))["note"]["id"]
    changed = await user.call("change_lines", note_id=note, line="x")
    added = await user.call("add_line", note_id=note, line="c")
    assert (await user.call("read_note", note_id=note))["lines"] == ["x", "x", "c"]
    await user.call("undo_change", change_id=added["change_id"])
    await user.call("undo_change", change_id=changed["change_id"])
    assert (await user.call("read_note", note_id=note))["lines"] == ["a", "b"]


async def test_a_detail_that_was_touched_since_keeps_the_change_from_being_undone(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await add(user, "one", lines=["a"]))["note"]["id"]
    first = await user.call("change_lines", note_id=note, line="x")
    second = await user.call("change_lines", note_id=note, line="y")
    with pytest.raises(Conflict, match="note_lines changed again") as caught:
        await user.call("undo_change", change_id=first["change_id"])
    assert caught.value.details["change_id"] == second["change_id"]


async def test_undoing_details_needs_the_right_to_write_their_record(sixty: Organisation) -> None:
    user, reader = sixty.as_role("user"), await sixty.user("Reader")
    await add_grant(sixty.host.database, "reader@example.com", "notes:read", known=sixty.host.registry.permissions)
    note = (await add(user, "one", lines=["a"]))["note"]["id"]
    added = await user.call("add_line", note_id=note, line="b")
    with pytest.raises(Forbidden, match="it needs notes:update for this note"):
        await reader.call("undo_change", change_id=added["change_id"])
    with pytest.raises(NotFound):
        await (await sixty.user("Cal")).call("undo_change", change_id=added["change_id"])


async def test_an_undo_can_be_undone(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await add(user, "one", lines=["a"]))["note"]["id"]
    edited = await user.call("edit_note", note_id=note, updates={"text": "two"})
    undone = await user.call("undo_change", change_id=edited["change_id"])
    await user.call("undo_change", change_id=undone["change_id"])
    assert (await user.call("read_note", note_id=note))["note"]["text"] == "two"

    removed = await sixty.as_role("admin").call("remove_note", note_id=note)
    undone = await sixty.as_role("admin").call("undo_change", change_id=removed["change_id"])
    await sixty.as_role("admin").call("undo_change", change_id=undone["change_id"])
    with pytest.raises(NotFound):
        await user.call("read_note", note_id=note)


async def test_an_undone_insert_can_be_brought_back_with_its_details(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    added = await add(admin, "one", lines=["a", "b"])
    undone = await admin.call("undo_change", change_id=added["change_id"])
    await admin.call("undo_change", change_id=undone["change_id"])
    assert (await admin.call("read_note", note_id=added["note"]["id"]))["lines"] == ["a", "b"]


async def test_a_field_that_was_touched_since_is_a_conflict_that_names_the_culprit(
    sixty: Organisation, clock: Clock
) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    note = (await add(user, "one"))["note"]["id"]
    first = await user.call("edit_note", note_id=note, updates={"text": "two", "rank": 1})
    await user.call("edit_note", note_id=note, updates={"body": "of no importance"})
    clock.advance(timedelta(minutes=1))
    second = await manager.call("edit_note", note_id=note, updates={"text": "three"})
    await user.call("edit_note", note_id=note, updates={"body": "nor this"})
    with pytest.raises(Conflict, match="text changed again") as caught:
        await user.call("undo_change", change_id=first["change_id"])
    assert caught.value.details == {
        "id": note,
        "fields": ["text"],
        "by": "Max Manager",
        "at": "2026-03-02T09:31:00+00:00",
        "change_id": second["change_id"],
    }
    await user.call("undo_change", change_id=second["change_id"])
    await user.call("undo_change", change_id=first["change_id"])
    note = (await user.call("read_note", note_id=note))["note"]
    assert (note["text"], note["body"]) == ("one", "nor this")


async def test_a_record_that_was_edited_since_cannot_be_made_undone(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    added = await add(user, "one")
    await user.call("edit_note", note_id=added["note"]["id"], updates={"text": "two"})
    with pytest.raises(Conflict, match="has been touched since"):
        await user.call("undo_change", change_id=added["change_id"])


async def test_undoing_twice_is_a_conflict(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    added = await add(admin, "one")
    edited = await admin.call("edit_note", note_id=added["note"]["id"], updates={"text": "two"})
    await admin.call("undo_change", change_id=edited["change_id"])
    with pytest.raises(Conflict, match="text changed again"):
        await admin.call("undo_change", change_id=edited["change_id"])
    removed = await admin.call("remove_note", note_id=added["note"]["id"])
    with pytest.raises(Conflict, match="it is gone"):
        await admin.call("undo_change", change_id=added["change_id"])
    await admin.call("undo_change", change_id=removed["change_id"])
    with pytest.raises(Conflict, match="it exists again"):
        await admin.call("undo_change", change_id=removed["change_id"])


async def test_undoing_takes_what_reactions_did_along(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    added = await add(user, "!important")
    (link,) = (await admin.call("get_record", id=added["note"]["id"]))["links"]
    await user.call("undo_change", change_id=added["change_id"])
    with pytest.raises(NotFound):
        await admin.call("get_record", id=link["id"])
    assert await sixty.count(pins.pins) == await sixty.count(notes_table) == 0


async def test_undoing_needs_what_the_change_needed(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    note = (await add(user, "one"))["note"]["id"]
    removed = await manager.call("remove_note", note_id=note)
    with pytest.raises(Forbidden, match="you may not undo this: it needs notes:delete for this note"):
        await user.call("undo_change", change_id=removed["change_id"])
    boss = await sixty.user("Boss", role="manager", team="South")
    with pytest.raises(NotFound, match="there is no change"):  # a stranger does not even learn that it is there
        await boss.call("undo_change", change_id=removed["change_id"])


async def test_undoing_a_guarded_field_needs_its_permission(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    note = (await add(user, "one"))["note"]["id"]
    edited = await admin.call("edit_note", note_id=note, updates={"secret": "hush"})
    with pytest.raises(Forbidden, match="Only an admin"):
        await user.call("undo_change", change_id=edited["change_id"])
    await admin.call("undo_change", change_id=edited["change_id"])


async def test_giving_away_is_undone_only_by_whoever_may_write_it_now(sixty: Organisation) -> None:
    manager, user = sixty.as_role("manager"), sixty.as_role("user")
    note = (await add(manager, "one"))["note"]["id"]
    given = await manager.call("edit_note", note_id=note, updates={"owner_id": user.user_id})
    stranger = await sixty.user("Cal", team="South")
    await add_grant(
        sixty.host.database, "cal@example.com", "notes:read", known=sixty.host.registry.permissions
    )  # who reads everything and writes only what is theirs
    with pytest.raises(Forbidden):
        await stranger.call("undo_change", change_id=given["change_id"])
    await manager.call("undo_change", change_id=given["change_id"])
    assert (await manager.call("read_note", note_id=note))["note"]["owner_id"] == manager.user_id


async def test_an_unknown_change_is_not_found_and_no_id_is_invalid(sixty: Organisation) -> None:
    with pytest.raises(NotFound, match="every write answers with its change_id"):
        await sixty.as_role("admin").call("undo_change", change_id=new_id())
    with pytest.raises(Invalid):
        await sixty.as_role("admin").call("undo_change", change_id="the last one")


async def test_a_change_of_a_pack_that_is_gone_waits_for_it_to_come_back(database_url: str) -> None:
    async with open_organisation(database_url, [("notes", notes), ("pins", pins)]) as sixty:
        added = await add(sixty.as_role("user"), "!important")
    async with open_organisation(database_url, [("notes", notes)]) as sixty:
        with pytest.raises(Unavailable, match="the pack that owns pins is not loaded; enable it and undo again"):
            await sixty.as_role("user").call("undo_change", change_id=added["change_id"])
    async with open_organisation(database_url, [("notes", notes), ("pins", pins)]) as sixty:
        await sixty.as_role("user").call("undo_change", change_id=added["change_id"])
        assert await sixty.count(pins.pins) == 0
