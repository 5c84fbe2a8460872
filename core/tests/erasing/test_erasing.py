"""Whoever is erased is gone: from the record, its history, the trail and every text, and nothing brings them back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import notes

from sixty.audit.verifying import ERASED, verify
from sixty.erasing import erasing, places
from sixty.erasing.erasing import erase
from sixty.erasing.subjects import subject_of
from sixty.errors import Conflict, Invalid, NotFound, Unauthenticated, UnknownTool
from sixty.ids import new_id
from sixty.jobs.enqueuing import enqueued
from sixty.people import add_key
from sixty.storage import sqlite_connection
from sixty.storage.database import StaleWrite, open_database
from sixty.storage.statements import Write
from sixty.tables import audit, changes, idempotency, imported, jobs, records, search
from sixty.webhooks.delivering import Delivery

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

ANN = "Ann-Kathrin Löwe"
EVERY = (audit, changes, idempotency, imported, jobs, search)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "SETTLED", 0.0)


async def named_everywhere(sixty: Organisation) -> str:
    """A note that is a person, who is named in other notes, in calls, answers, jobs and events; its id."""
    user = sixty.as_role("user")
    ann = (await user.keyed("first").call("add_note", text=ANN, body="met at the fair", lines=[f"{ANN} called"]))[
        "note"
    ]
    await user.call("edit_note", note_id=ann["id"], updates={"text": "Ann-Kathrin Löwe-Meyer"})
    await user.call("edit_note", note_id=ann["id"], updates={"text": ANN})
    await user.call(
        "add_note", text="Lunch", body=f"with ANN-KATHRIN  LÖWE, and {ANN}berg", about_id=ann["id"], lines=[ANN]
    )
    await user.call("read_note", note_id=ann["id"])
    await user.outcome("add_note", text=ANN, rank="high")
    await user.call("add_note", text="Nothing of hers", body="at all")
    delivery = Delivery(
        webhook_id=ann["id"], event="note.added", at=sixty.clock(), record_id=ann["id"], kind="note", data={"text": "x"}
    )
    errand = delivery.model_copy(update={"data": {"to": ANN}, "record_id": None})
    for name, payload in (("core.deliver", delivery), ("errands.errand", errand)):
        write = enqueued(name, payload, now=sixty.clock(), due_at=None, queue=None, lane=None, key=None)
        await sixty.host.database.apply([write])
    of_her = {"form": "notes", "source": "old", "key": ANN, "record_id": ann["id"], "digest": "0"}
    await sixty.host.database.apply([Write(sa.insert(imported), of_her)])
    await sixty.host.audit.flush()
    await sixty.host.sealer.seal()
    return str(ann["id"])


async def everything(sixty: Organisation) -> str:
    tables = [
        *EVERY,
        *(
            table
            for pack in sixty.host.registry.packs.values()
            if pack.name != "core" and pack.tables
            for table in pack.tables.metadata.sorted_tables
        ),
    ]
    return str([await sixty.rows(sa.select(table)) for table in tables]).casefold()


async def test_a_record_is_gone_from_everywhere_and_the_trail_still_verifies(sixty: Organisation) -> None:
    ann = await named_everywhere(sixty)
    assert ANN.casefold() in await everything(sixty)
    erasure = await erase(sixty.host, await subject_of(sixty.host, "note", ann))
    left = await everything(sixty)
    assert f"{ANN}berg".casefold() in left
    left = left.replace(f"{ANN}berg".casefold(), "")
    for trace in (ANN, "ann-kathrin  löwe", "löwe", "met at the fair"):
        assert trace.casefold() not in left, trace
    assert erasure.found["note"] == 1
    await sixty.host.audit.flush()
    await sixty.host.sealer.seal()
    report = await verify(sixty.host)
    assert report.findings == []
    assert report.erased == erasure.found["audit trail"] == 6


async def test_what_has_nothing_to_do_with_it_stays(sixty: Organisation) -> None:
    ann = await named_everywhere(sixty)
    await erase(sixty.host, await subject_of(sixty.host, "note", ann))
    user = sixty.as_role("user")
    notes = {note["text"]: note for note in (await user.call("find_notes"))["notes"]}
    assert notes["Lunch"]["body"] == f"with [erased], and {ANN}berg"
    assert notes["Nothing of hers"]["body"] == "at all"
    read = await user.call("read_note", note_id=notes["Lunch"]["id"])
    assert (read["lines"], read["note"]["about_id"]) == (["[erased]"], ann)
    found = await user.call("search_crm", query="erased")
    assert [hit["title"] for hit in found["results"]] == ["Lunch"]
    edited = await user.call("edit_note", note_id=notes["Lunch"]["id"], updates={"rank": 1}, expected_version=2)
    assert edited["note"]["rank"] == 1


async def test_a_rehearsal_finds_the_same_and_changes_nothing(sixty: Organisation) -> None:
    ann = await named_everywhere(sixty)
    before = await everything(sixty)
    rehearsal = await erase(sixty.host, await subject_of(sixty.host, "note", ann), rehearsing=True)
    assert await everything(sixty) == before
    erasure = await erase(sixty.host, await subject_of(sixty.host, "note", ann))
    assert {**rehearsal.found} == {**erasure.found}


async def test_undo_does_not_bring_it_back_and_says_why(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    added = await user.call("add_note", text=ANN)
    removed = await sixty.as_role("manager").call("remove_note", note_id=added["note"]["id"])
    await erase(sixty.host, await subject_of(sixty.host, "note", ANN.upper()))  # deleted, and yet known
    for change in (added, removed):
        with pytest.raises(Conflict, match="erased for good"):
            await sixty.as_role("admin").call("undo_change", change_id=change["change_id"])


async def test_another_of_the_same_name_keeps_it_also_in_what_undo_brings_back(sixty: Organisation) -> None:
    manager = sixty.as_role("manager")
    one, other = [(await manager.call("add_note", text=ANN, body=f"I am {ANN}"))["note"]["id"] for _ in range(2)]
    removed = await manager.call("remove_note", note_id=other)
    await erase(sixty.host, await subject_of(sixty.host, "note", one))
    await sixty.as_role("admin").call("undo_change", change_id=removed["change_id"])
    note = (await manager.call("read_note", note_id=other))["note"]
    assert (note["text"], note["body"]) == (ANN, "I am [erased]")


async def test_whoever_calls_a_tool_by_the_name_of_an_erasure_is_erased_there_too(sixty: Organisation) -> None:
    ann = (await sixty.as_role("user").call("add_note", text=ANN))["note"]["id"]
    for name in (ERASED, places.COMMAND):
        with pytest.raises(UnknownTool):
            await sixty.as_role("user").call(name, text=ANN)
    await sixty.host.audit.flush()
    await erase(sixty.host, await subject_of(sixty.host, "note", ann))
    assert ANN.casefold() not in await everything(sixty)


async def test_what_was_merged_into_it_goes_as_well(sixty: Organisation) -> None:
    manager = sixty.as_role("manager")
    one, other = [(await manager.call("add_note", text=text))["note"]["id"] for text in (ANN, "Ann-Kathrin L.")]
    await manager.call("merge_notes", primary_id=one, duplicate_ids=[other])
    subject = await subject_of(sixty.host, "note", other)
    assert (subject.id, subject.ids) == (one, {one, other})
    await erase(sixty.host, subject)
    assert "kathrin" not in await everything(sixty)
    spine = await sixty.rows(sa.select(records.c.deleted_at).where(records.c.id.in_([one, other])))
    assert all(row["deleted_at"] is not None for row in spine)


async def test_an_erasure_that_was_broken_off_can_be_begun_again(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await named_everywhere(sixty)

    def fails(*_: object) -> Any:
        raise KeyboardInterrupt

    subject = await subject_of(sixty.host, "note", ann)
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "_going", fails)
        with pytest.raises(KeyboardInterrupt):
            await erase(sixty.host, subject)
    await erase(sixty.host, await subject_of(sixty.host, "note", ann))
    assert ANN.casefold() not in (await everything(sixty)).replace(f"{ANN}berg".casefold(), "")
    assert (await verify(sixty.host)).findings == []


async def test_of_two_that_are_known_by_the_same_one_has_to_say_which(sixty: Organisation) -> None:
    for _ in range(2):
        await sixty.as_role("user").call("add_note", text=ANN)
    with pytest.raises(Conflict, match="2 notes"):
        await subject_of(sixty.host, "note", ANN)


NOBODY = "nobody@example.com"


@pytest.mark.parametrize(("kind", "who"), [("note", NOBODY), ("user", NOBODY), ("note", new_id())])
async def test_who_is_not_there_is_not_named_by_the_refusal(sixty: Organisation, kind: str, who: str) -> None:
    with pytest.raises(NotFound) as refused:
        await subject_of(sixty.host, kind, who)
    assert who not in str(refused.value)
    with pytest.raises(Invalid, match="did you mean 'note'"):
        await subject_of(sixty.host, "notee", who)


async def test_a_user_is_a_pseudonym_whose_keys_open_nothing_and_whose_records_stay(sixty: Organisation) -> None:
    grace: Client = await sixty.user("Grace Hopper")
    note = (await grace.call("add_note", text="Compilers"))["note"]
    await sixty.as_role("admin").call("add_note", text="Ask grace.hopper@example.com", body="or Grace Hopper")
    _, secret = await add_key(sixty.host.database, "grace.hopper@example.com", "Grace's laptop", now=sixty.clock())
    await sixty.host.audit.flush()
    await erase(sixty.host, await subject_of(sixty.host, "user", "Grace.Hopper@example.com"))
    user = (await sixty.directory()).users[grace.user_id]
    assert (user.email, user.name, user.subject) == (f"erased-{user.id}@erased.invalid", "Erased user", None)
    with pytest.raises(Unauthenticated):
        await sixty.host.authenticator.authenticate(secret)
    admin = sixty.as_role("admin")
    assert (await admin.call("read_note", note_id=note["id"]))["note"]["owner_id"] == user.id
    asked = next(one for one in (await admin.call("find_notes"))["notes"] if one.get("body"))
    assert (asked["text"], asked["body"]) == ("Ask grace.hopper@example.com", "or [erased]")
    assert (await verify(sixty.host)).findings == []


async def test_the_bytes_are_gone_from_an_sqlite_file(sixty: Organisation) -> None:
    if sixty.host.database.dialect_name != "sqlite":
        assert not await sixty.host.database.scrub()
        return
    ann = await named_everywhere(sixty)
    erasure = await erase(sixty.host, await subject_of(sixty.host, "note", ann))
    assert erasure.scrubbed
    path = Path(sa.make_url(sixty.host.settings.database_url).database or "")
    for file in path.parent.glob(f"{path.name}*"):
        content = file.read_bytes().decode("utf-8", "replace").casefold().replace(f"{ANN}berg".casefold(), "")
        assert "löwe" not in content, file
        assert "lowe" not in content.replace("loweberg", ""), file  # as its words are folded
        assert "met at the fair" not in content, file


async def test_a_text_that_somebody_writes_at_the_same_moment_is_erased_all_the_same(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = sixty.as_role("user")
    ann = (await user.call("add_note", text=ANN))["note"]["id"]
    other = (await user.call("add_note", text="Lunch", body=f"with {ANN}"))["note"]["id"]
    faster = iter([f"with {ANN} and Joe", "with nobody"])

    def always_slower(*_: object) -> Any:
        raise StaleWrite("notes")

    async def outrun(place: str, *writes: Write) -> None:
        if place == "notes" and (body := next(faster, None)) is not None:
            await user.call("edit_note", note_id=other, updates={"body": body})
        await write(place, *writes)

    subject = await subject_of(sixty.host, "note", ann)
    sweep = places.Sweep(sixty.host, subject)
    write = sweep._write
    monkeypatch.setattr(sweep, "_write", outrun)
    await sweep.texts(notes.notes)
    assert (await user.call("read_note", note_id=other))["note"]["body"] == "with nobody"
    monkeypatch.setattr(places, "_rewriting", always_slower)
    await user.call("edit_note", note_id=other, updates={"body": f"with {ANN}"})
    with pytest.raises(Conflict, match="erase again"):
        await sweep.texts(notes.notes)


async def test_a_file_that_somebody_is_reading_is_not_said_to_be_clean(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if sixty.host.database.dialect_name != "sqlite":
        return
    monkeypatch.setattr(sqlite_connection, "BUSY", 0.01)
    await sixty.as_role("user").call("add_note", text="Lunch")
    other = await open_database(sixty.host.settings.database_url)
    async with other.snapshot() as reader:
        await reader.rows(sa.select(audit))
        assert not await (await open_database(sixty.host.settings.database_url)).scrub()
    await other.close()
    assert "still has what was deleted" in caplog.text
