"""Parts of a call that stand alone, decisions that are made one after the other, and what packs add to each other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import batch, notes, pins

from sixty import Conflict, Extension, hookimpl
from sixty.extensions import Point
from sixty.host import Host
from sixty.tables import audit, changes, claims, records

if TYPE_CHECKING:
    from sixty.testing import Organisation

TEXTS = ["one", "!pinned", "forbidden by a reaction", "bad", "two"]


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("pins", pins), ("batch", batch))


async def texts(sixty: Organisation) -> list[str]:
    return [row["text"] for row in await sixty.rows(sa.select(notes.notes.c.text).order_by(notes.notes.c.id))]


@pytest.mark.parametrize("look", [False, True], ids=["collected", "read in between"])
async def test_each_item_stands_alone_with_its_reactions(sixty: Organisation, *, look: bool) -> None:
    added = await sixty.as_role("user").call("add_notes", texts=TEXTS, look=look)
    assert [item.get("error") for item in added["results"]] == [None, None, "conflict", "conflict", None]
    assert await texts(sixty) == ["one", "!pinned", "two"]
    (pin,) = await sixty.rows(sa.select(pins.pins))
    assert pin["note_id"] == added["results"][1]["id"]
    assert await sixty.count(records) == await sixty.count(changes) == 4
    positions = [row["position"] for row in await sixty.rows(sa.select(changes).order_by(changes.c.seq))]
    assert sorted(positions) == [0, 1, 2, 3]
    (line,) = await sixty.rows(sa.select(audit))
    assert set(line["records"]) == {*(item["id"] for item in added["results"] if "id" in item), pin["id"]}


async def test_what_is_attached_goes_with_its_item(sixty: Organisation) -> None:
    outcome = await sixty.as_role("user").outcome("add_notes", texts=TEXTS)
    assert [block["text"] for block in outcome.blocks] == ["one", "!pinned", "two"]


async def test_a_whole_batch_is_undone_at_once(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    added = await user.call("add_notes", texts=TEXTS, look=True)
    await user.call("undo_change", change_id=added["change_id"])
    assert await texts(sixty) == []
    assert await sixty.count(pins.pins) == 0


async def test_nothing_is_written_when_every_item_fails(sixty: Organisation) -> None:
    answer = await sixty.as_role("user").call("add_notes", texts=["bad", "bad again"], look=True)
    assert "change_id" not in answer
    assert await sixty.count(records) == 0


@pytest.mark.parametrize("look", [False, True])
async def test_a_part_of_a_part_stands_alone_too(sixty: Organisation, *, look: bool) -> None:
    await sixty.as_role("user").call("add_notes", texts=["one", "bad", "two"], look=look, nested=True)
    assert await texts(sixty) == ["one", "instead one", "two", "instead two"]


async def test_a_bug_in_one_item_undoes_all(sixty: Organisation) -> None:
    outcome = await sixty.as_role("user").outcome("add_notes", texts=["one", "explode"])
    assert outcome.structured["error"]["code"] == "internal"
    assert await sixty.count(records) == 0


async def test_a_batch_may_have_as_many_events_as_it_has_items(sixty: Organisation) -> None:
    added = await sixty.as_role("user").call("add_notes", texts=[f"!note {number}" for number in range(120)])
    assert all("id" in item for item in added["results"])
    assert await sixty.count(pins.pins) == 120


async def test_of_two_that_claim_the_same_at_once_the_second_sees_the_first(sixty: Organisation) -> None:
    users = [sixty.as_role("manager")] * 8
    done = await asyncio.gather(*(user.call("name_note", text="mine") for user in users), return_exceptions=True)
    refused = [result for result in done if isinstance(result, Conflict)]
    assert [str(error) for error in refused] == ["there is one already"] * 7
    assert await texts(sixty) == ["mine"]
    (claim,) = await sixty.rows(sa.select(claims))
    assert "mine" not in claim["key"]


async def test_a_claim_does_not_reveal_what_one_cannot_see(sixty: Organisation) -> None:
    await sixty.as_role("admin").call("name_note", text="mine")
    await sixty.as_role("user").call("name_note", text="mine")
    assert await texts(sixty) == ["mine", "mine"]


async def test_packs_add_to_what_others_do(sixty: Organisation) -> None:
    heard = await sixty.as_role("user").call("criticize", text="tea")
    assert heard["opinions"] == ["tea, please"]


async def test_a_pack_that_adds_something_of_another_type_is_not_loaded(sixty: Organisation) -> None:
    class Rude:
        @hookimpl
        def sixty_extensions(self) -> list[Extension]:
            return [Extension(batch.CRITICS, "bah")]

    plugins: list[tuple[str, Any]] = [("notes", notes), ("batch", batch), ("rude", Rude())]
    async with Host.open(sixty.host.settings, plugins=plugins, environ={}) as host:
        assert "'bah' cannot be added to critics: it is no Critic" in host.registry.quarantined["rude"]
    assert repr(Point("critics", str)) == "Point('critics')"
