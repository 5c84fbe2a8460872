"""Reading and writing records: versions, pointers, guarded fields, ids that are none."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import notes
from fakes.making import plugin
from fakes.notes import NOTE
from fakes.notes import notes as notes_table

from sixty import (
    Arguments,
    Call,
    Cents,
    Kind,
    Permissions,
    Record,
    RecordId,
    Result,
    Tables,
    pointer,
    record_table,
    tool,
)
from sixty.errors import Conflict, Forbidden, Invalid, NotFound
from sixty.ids import new_id
from sixty.tables import records
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from sixty.testing import Clock, Organisation


async def test_a_new_record_is_the_callers_at_version_1_and_shows_what_it_was_given(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    given = {"text": "Héllo", "body": "x" * 10_000, "price": 12.5, "rank": -3, "key": "k", "due": "2026-03-31"}
    note = (await user.call("add_note", **given, seen_at="2026-03-01T12:00:00+02:00"))["note"]
    assert note == {
        **given,
        "id": note["id"],
        "owner_id": user.user_id,
        "version": 1,
        "mood": "calm",
        "seen_at": "2026-03-01T10:00:00Z",
        "created_at": "2026-03-02T09:30:00Z",
        "updated_at": "2026-03-02T09:30:00Z",
    }
    assert (await user.call("read_note", note_id=note["id"]))["note"] == note


async def test_an_update_changes_what_is_given_and_raises_the_version(sixty: Organisation, clock: Clock) -> None:
    from datetime import timedelta  # noqa: PLC0415

    user = sixty.as_role("user")
    before = (await user.call("add_note", text="one", rank=1, key="k"))["note"]
    clock.advance(timedelta(minutes=5))
    after = (await user.call("edit_note", note_id=before["id"], updates={"text": "two", "key": "l"}))["note"]
    changed = {"text": "two", "key": "l", "version": 2, "updated_at": "2026-03-02T09:35:00Z"}
    assert after == {**before, **changed}


async def test_an_update_to_what_is_there_already_writes_nothing(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="one", rank=1))["note"]
    answer = await user.call("edit_note", note_id=note["id"], updates={"text": "one", "rank": 1})
    assert answer["note"]["version"] == 1
    assert "change_id" not in answer


async def test_a_stale_version_is_a_conflict_that_says_what_changed_since(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="one"))["note"]["id"]
    await user.call("edit_note", note_id=note, updates={"text": "two"})
    await user.call("edit_note", note_id=note, updates={"rank": 2})
    with pytest.raises(Conflict) as caught:
        await user.call("edit_note", note_id=note, updates={"text": "three"}, expected_version=1)
    assert caught.value.message == (
        "the note is at version 3, you expected 1; since then rank, text changed: read it again and decide anew"
    )
    assert caught.value.details == {"version": 3, "expected_version": 1, "changed": ["rank", "text"]}
    with pytest.raises(Conflict, match="since then rank changed"):
        await user.call("edit_note", note_id=note, updates={"text": "three"}, expected_version=2)
    await user.call("edit_note", note_id=note, updates={"text": "three"}, expected_version=3)


async def test_an_expected_version_of_the_future_is_a_conflict_too(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="one"))["note"]["id"]
    with pytest.raises(Conflict, match="at version 1, you expected 9"):
        await user.call("edit_note", note_id=note, updates={"text": "two"}, expected_version=9)


@pytest.mark.parametrize("given", ["", "7", "not-an-id", "0" * 32, "{}", "' OR 1=1 --", 7, None, ["x"]])
async def test_an_id_that_is_no_id_is_invalid(sixty: Organisation, given: Any) -> None:
    with pytest.raises(Invalid, match="note_id") as caught:
        await sixty.as_role("user").call("read_note", note_id=given)
    assert caught.value.details["field"] == "note_id"


async def test_an_id_in_capitals_is_the_same_id(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="one"))["note"]["id"]
    assert (await user.call("read_note", note_id=note.upper()))["note"]["id"] == note


async def test_an_id_of_nothing_names_the_tool_that_finds_the_right_one(sixty: Organisation) -> None:
    missing = new_id()
    with pytest.raises(NotFound, match=f"there is no note {missing} that you can see; find_notes finds the right id"):
        await sixty.as_role("admin").call("read_note", note_id=missing)


async def test_an_id_of_another_kind_says_so_to_whoever_may_see_it(sixty: Organisation) -> None:
    admin, user = sixty.as_role("admin"), sixty.as_role("user")
    pin = (await admin.call("add_pin", label="a pin"))["pin"]["id"]
    with pytest.raises(NotFound, match="is a pin, not a note; find_notes finds the right id"):
        await admin.call("read_note", note_id=pin)
    with pytest.raises(NotFound, match="there is no note"):
        await user.call("read_note", note_id=pin)


async def test_a_pointer_to_another_kind_than_it_wants_is_invalid(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    pin = (await admin.call("add_pin", label="a pin"))["pin"]["id"]
    with pytest.raises(Invalid, match=r"note_id must be the id of a note, and .* is a pin"):
        await admin.call("add_pin", label="a pin on a pin", note_id=pin)
    with pytest.raises(NotFound, match="note_id: there is no note"):
        await admin.call("add_pin", label="a pin on nothing", note_id=new_id())


async def test_a_pointer_can_be_taken_away_again(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    one = (await user.call("add_note", text="one"))["note"]["id"]
    two = (await user.call("add_note", text="two", about_id=one))["note"]["id"]
    answer = await user.call("edit_note", note_id=two, updates={"about_id": None})
    assert "about_id" not in answer["note"]


async def test_a_guarded_field_needs_its_own_permission_wherever_it_is_set(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    with pytest.raises(Forbidden, match="Only an admin may keep a secret") as caught:
        await user.call("add_note", text="one", secret="hush")
    assert caught.value.details == {"field": "secret", "permission": "notes:classify"}
    note = (await user.call("add_note", text="one"))["note"]["id"]
    with pytest.raises(Forbidden, match="Only an admin"):
        await user.call("edit_note", note_id=note, updates={"secret": "hush"})
    await admin.call("edit_note", note_id=note, updates={"secret": "hush"})
    with pytest.raises(Forbidden, match="Only an admin"):
        await user.call("edit_note", note_id=note, updates={"secret": None})
    await user.call("edit_note", note_id=note, updates={"text": "other fields are free"})


async def test_deleting_takes_the_row_keeps_the_spine_and_hides_the_record_everywhere(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    note = (await admin.call("add_note", text="short-lived", lines=["a line"]))["note"]["id"]
    other = (await admin.call("add_note", text="about it", about_id=note))["note"]["id"]
    await admin.call("remove_note", note_id=note)
    assert await sixty.count(notes_table) == 1
    (spine,) = await sixty.rows(sa.select(records).where(records.c.id == note))
    assert spine["deleted_at"] == sixty.clock()
    with pytest.raises(NotFound):
        await admin.call("read_note", note_id=note)
    with pytest.raises(NotFound):
        await admin.call("get_record", id=note)
    with pytest.raises(NotFound):
        await admin.call("remove_note", note_id=note)
    assert (await admin.call("search_crm", query="short-lived"))["results"] == []
    assert (await admin.call("get_record", id=other))["links"] == []  # the pointer holds, and leads to nothing
    with pytest.raises(NotFound):
        await admin.call("add_note", text="about what is gone", about_id=note)


async def test_delete_record_deletes_any_kind_for_whoever_may(sixty: Organisation) -> None:
    admin, manager = sixty.as_role("admin"), sixty.as_role("manager")
    pin = (await admin.call("add_pin", label="a pin"))["pin"]["id"]
    with pytest.raises(NotFound):  # Ada's, and no pin of his own: pins are read by team
        await (await sixty.user("Boss", role="manager", team="South")).call("delete_record", id=pin)
    answer = await manager.call("delete_record", id=pin, reason="obsolete")
    assert (answer["kind"], answer["id"]) == ("pin", pin)


async def test_get_record_shows_the_records_around_it(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    one = (await admin.call("add_note", text="one"))["note"]["id"]
    two = (await admin.call("add_note", text="two", about_id=one))["note"]["id"]
    pin = (await admin.call("add_pin", label="a pin", note_id=two))["pin"]["id"]
    answer = await admin.call("get_record", id=two)
    assert answer["kind"] == "note"
    assert answer["record"]["text"] == "two"
    assert {(link["kind"], link["id"], link["field"]) for link in answer["links"]} == {
        ("note", one, "about_id"),
        ("pin", pin, "note_id"),
    }


class AboutNote(Arguments):
    note_id: RecordId


async def test_a_link_to_what_is_named_by_no_text_is_named_as_python_shows_it(database_url: str, clock: Clock) -> None:
    metadata = sa.MetaData()
    amount = sa.Column("amount", Cents, nullable=False)
    bill = Kind("bill", record_table("bills", metadata, amount, pointer("note_id")), Record, "bills", title="amount")

    @tool("add_bill", permission="bills:create", effect="create")
    async def add_bill(args: AboutNote, call: Call) -> Result:
        """Add a bill."""
        await call.records.add(bill, {"amount": Decimal("12.34"), "note_id": args.note_id})
        return Result(message="Added")

    bills = plugin(
        sixty_tools=lambda: [add_bill],
        sixty_tables=lambda: Tables(metadata, kinds=(bill,)),
        sixty_permissions=lambda: [Permissions("bills", {"read": "Read bills", "create": "Add bills"}, {})],
    )
    async with open_organisation(database_url, [("notes", notes), ("bills", bills)], clock=clock) as sixty:
        admin = sixty.as_role("admin")
        note = (await admin.call("add_note", text="what is owed"))["note"]["id"]
        await admin.call("add_bill", note_id=note)
        (link,) = (await admin.call("get_record", id=note))["links"]
        assert (link["kind"], link["field"], link["title"]) == ("bill", "note_id", "12.34")


async def test_a_pack_cannot_write_the_spine_or_a_field_that_is_none(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = sixty.as_role("user")
    await user.call("add_note", text="one")
    for values in ({"version": 7}, {"id": new_id()}, {"colour": "red"}):
        monkeypatch.setattr(notes.AddNote, "model_dump", lambda *_, given=values, **__: {"text": "x", **given})
        outcome = await user.outcome("add_note", text="two")
        assert outcome.structured["error"]["code"] == "internal"
    assert await sixty.count(notes_table) == 1


async def test_a_kind_says_what_a_pack_may_write() -> None:
    assert NOTE.pointers == ("about_id",)
    assert NOTE.fields == {"text", "body", "price", "rank", "key", "due", "seen_at", "mood", "secret", "about_id"}
