"""Merging: whatever pointed at a duplicate points at the primary, in every pack, loaded or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import ALL, notes, pins

from sixty.errors import Forbidden, Invalid, NotFound
from sixty.tables import records
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation


async def add(client: Client, text: str, **arguments: Any) -> str:
    note: dict[str, str] = (await client.call("add_note", text=text, **arguments))["note"]
    return note["id"]


async def test_every_pointer_of_every_pack_moves_details_too(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    primary, duplicate = await add(admin, "primary"), await add(admin, "duplicate", lines=["stays with it"])
    about = await add(admin, "about it", about_id=duplicate)
    pin = (await admin.call("add_pin", label="pin", note_id=duplicate, mark_id=duplicate))["pin"]["id"]
    merged = await admin.call("merge_notes", primary_id=primary, duplicate_ids=[duplicate], text="merged")
    assert merged["note"]["text"] == "merged"
    assert merged["moved"] == {"note": 1, "pin": 1, "pin_marks": 1}
    assert (await admin.call("read_note", note_id=about))["note"]["about_id"] == primary
    read = await admin.call("read_pin", pin_id=pin)
    assert (read["pin"]["note_id"], read["marks"]) == (primary, [primary])


async def test_a_merged_id_leads_to_where_it_went_also_through_several_merges(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    one, two, three = [await add(admin, text) for text in ("one", "two", "three")]
    await admin.call("merge_notes", primary_id=two, duplicate_ids=[one])
    await admin.call("merge_notes", primary_id=three, duplicate_ids=[two])
    assert (await admin.call("read_note", note_id=one))["note"]["id"] == three
    assert (await admin.call("get_record", id=two))["record"]["id"] == three
    pin = (await admin.call("add_pin", label="pin", note_id=one))["pin"]
    assert pin["note_id"] == three
    assert (await admin.call("edit_note", note_id=one, updates={"text": "edited"}))["note"]["id"] == three
    assert len((await admin.call("search_crm", query="one"))["results"]) == 0


async def test_several_duplicates_and_pointers_among_them_become_one(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    primary = await add(admin, "primary")
    first = await add(admin, "first", about_id=primary)
    second = await add(admin, "second", about_id=first)
    other = await add(admin, "other", about_id=second)
    await admin.call("merge_notes", primary_id=primary, duplicate_ids=[first, second])
    assert (await admin.call("read_note", note_id=other))["note"]["about_id"] == primary
    assert len(await sixty.rows(sa.select(notes.notes))) == 2


async def test_undoing_a_merge_restores_every_record_and_pointer(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    primary, duplicate = await add(admin, "primary"), await add(admin, "duplicate", lines=["a", "b"])
    pin = (await admin.call("add_pin", label="pin", note_id=duplicate, mark_id=duplicate))["pin"]["id"]
    merged = await admin.call("merge_notes", primary_id=primary, duplicate_ids=[duplicate], text="merged")
    await admin.call("undo_change", change_id=merged["change_id"])
    assert (await admin.call("read_note", note_id=primary))["note"]["text"] == "primary"
    back = await admin.call("read_note", note_id=duplicate)
    assert (back["note"]["id"], back["lines"]) == (duplicate, ["a", "b"])
    read = await admin.call("read_pin", pin_id=pin)
    assert (read["pin"]["note_id"], read["marks"]) == (duplicate, [duplicate])
    assert {row["merged_into"] for row in await sixty.rows(sa.select(records.c.merged_into))} == {None}


async def test_pointers_of_packs_that_are_not_loaded_move_and_come_back(database_url: str) -> None:
    async with open_organisation(database_url, ALL) as sixty:
        admin = sixty.as_role("admin")
        primary, duplicate = await add(admin, "primary"), await add(admin, "duplicate")
        pin = (await admin.call("add_pin", label="pin", note_id=duplicate, mark_id=duplicate))["pin"]["id"]
    async with open_organisation(database_url, [("notes", notes)]) as sixty:
        merged = await sixty.as_role("admin").call("merge_notes", primary_id=primary, duplicate_ids=[duplicate])
        assert merged["moved"] == {"pins": 1, "pin_marks": 1}
    async with open_organisation(database_url, ALL) as sixty:
        read = await sixty.as_role("admin").call("read_pin", pin_id=pin)
        assert (read["pin"]["note_id"], read["marks"]) == (primary, [primary])
    async with open_organisation(database_url, [("notes", notes)]) as sixty:
        await sixty.as_role("admin").call("undo_change", change_id=merged["change_id"])
    async with open_organisation(database_url, ALL) as sixty:
        read = await sixty.as_role("admin").call("read_pin", pin_id=pin)
        assert (read["pin"]["note_id"], read["marks"]) == (duplicate, [duplicate])


async def test_a_merge_done_without_a_pack_can_be_undone_with_it(database_url: str) -> None:
    async with open_organisation(database_url, ALL) as sixty:
        admin = sixty.as_role("admin")
        primary, duplicate = await add(admin, "primary"), await add(admin, "duplicate")
        pin = (await admin.call("add_pin", label="pin", note_id=duplicate, mark_id=duplicate))["pin"]["id"]
    async with open_organisation(database_url, [("notes", notes)]) as sixty:
        merged = await sixty.as_role("admin").call("merge_notes", primary_id=primary, duplicate_ids=[duplicate])
    async with open_organisation(database_url, ALL) as sixty:
        await sixty.as_role("admin").call("undo_change", change_id=merged["change_id"])
        read = await sixty.as_role("admin").call("read_pin", pin_id=pin)
        assert (read["pin"]["note_id"], read["marks"]) == (duplicate, [duplicate])


async def test_pointers_move_also_from_records_that_the_caller_may_not_read(sixty: Organisation) -> None:
    admin, manager = sixty.as_role("admin"), sixty.as_role("manager")
    boss = await sixty.user("Boss", role="manager", team="South")
    primary, duplicate = await add(boss, "primary"), await add(boss, "duplicate")
    hidden = await add(admin, "hidden", about_id=duplicate)
    merged = await boss.call("merge_notes", primary_id=primary, duplicate_ids=[duplicate])
    assert merged["moved"] == {"note": 1}
    assert (await admin.call("read_note", note_id=hidden))["note"]["about_id"] == primary
    with pytest.raises(NotFound):
        await manager.call("undo_change", change_id=merged["change_id"])
    undone = await boss.call("undo_change", change_id=merged["change_id"])
    assert (await admin.call("read_note", note_id=hidden))["note"]["about_id"] == duplicate
    await boss.call("undo_change", change_id=undone["change_id"])
    assert (await admin.call("read_note", note_id=hidden))["note"]["about_id"] == primary


async def test_merging_needs_the_right_to_write_each_of_them(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    mine = await add(manager, "mine")
    with pytest.raises(Forbidden, match="may not call merge_notes"):
        await user.call("merge_notes", primary_id=await add(user, "a"), duplicate_ids=[await add(user, "b")])
    stranger = await sixty.user("Cal", team="South")
    with pytest.raises(NotFound):
        await manager.call("merge_notes", primary_id=mine, duplicate_ids=[await add(stranger, "Cal's")])


async def test_a_record_is_not_merged_with_itself_nor_twice(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    one, two, three = [await add(admin, text) for text in ("one", "two", "three")]
    with pytest.raises(Invalid, match="a record cannot be merged with itself"):
        await admin.call("merge_notes", primary_id=one, duplicate_ids=[one])
    with pytest.raises(Invalid, match="name each one once"):
        await admin.call("merge_notes", primary_id=one, duplicate_ids=[two, two])
    await admin.call("merge_notes", primary_id=three, duplicate_ids=[two])
    with pytest.raises(Invalid, match="merged with itself"):
        await admin.call("merge_notes", primary_id=three, duplicate_ids=[two])
    assert await sixty.count(pins.pins) == 0
