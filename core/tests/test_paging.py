"""Pages: every row exactly once, an honest total, and cursors that cannot be made up."""

from __future__ import annotations

import asyncio
import base64
import gc
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes.notes import ORDERS, notes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty import paging
from sixty.errors import Invalid
from sixty.ids import new_id
from sixty.storage.statements import Write
from sixty.tables import records

if TYPE_CHECKING:
    from sixty.testing import Client, Clock, Organisation

rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-2, 2)),
        st.sampled_from(["a", "b", "Z", "ä"]),
        st.one_of(st.none(), st.integers(0, 3)),
        st.one_of(st.none(), st.integers(0, 2)),
    ),
    max_size=12,
)


async def walk(client: Client, sort: str, limit: int) -> tuple[list[dict[str, Any]], set[int]]:
    """All rows, page by page, and every total that was told on the way."""
    found: list[dict[str, Any]] = []
    totals, cursor = set(), {}
    while True:
        page = await client.call("find_notes", sort=sort, limit=limit, **cursor)
        found += page["notes"]
        totals.add(page["total"])
        assert page["count"] == len(page["notes"]) <= limit
        if "next_cursor" not in page:
            return found, totals
        assert page["count"] == limit
        cursor = {"cursor": page["next_cursor"]}


async def fill(sixty: Organisation, made_up: list[tuple[Any, ...]]) -> None:
    """Notes that differ in what lists are sorted by, and no others."""
    now, owner = sixty.clock(), sixty.as_role("user").user_id
    writes = [Write(sa.delete(notes), {})]
    for number, (rank, text, due, seen) in enumerate(made_up):
        spine = {"id": new_id(), "owner_id": owner, "version": 1, "created_at": now, "updated_at": now}
        row = dict.fromkeys(notes.c.keys()) | spine | {"text": text, "rank": rank, "mood": str(number)}
        row["price"] = None if due is None else due
        row["due"] = None if due is None else (now + timedelta(days=due)).date()
        row["seen_at"] = None if seen is None else now + timedelta(microseconds=seen)
        empty = {"deleted_at": None, "merged_into": None}
        writes += [Write(sa.insert(records), spine | empty | {"kind": "note"}), Write(sa.insert(notes), row)]
    await sixty.host.database.apply(writes)


async def test_pages_visit_every_row_once_in_the_order_of_the_whole(sixty: Organisation) -> None:
    user, loop = sixty.as_role("user"), asyncio.get_running_loop()

    async def check(made_up: list[tuple[Any, ...]], limit: int) -> None:
        await fill(sixty, made_up)
        for sort in ORDERS:
            whole = (await user.call("find_notes", sort=sort, limit=200))["notes"]
            paged, totals = await walk(user, sort, limit)
            assert paged == whole
            assert {note["mood"] for note in whole} == {str(number) for number in range(len(made_up))}
            assert totals == {len(made_up)}
        for sort, name in (("rank", "rank"), ("-rank", "rank"), ("price", "price"), ("-due", "due")):
            values = [note.get(name) for note in (await user.call("find_notes", sort=sort, limit=200))["notes"]]
            filled = [value for value in values if value is not None]
            assert values == sorted(filled, reverse=sort.startswith("-")) + [None] * (len(values) - len(filled))

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rows, st.integers(1, 4))
    def examples(made_up: list[tuple[Any, ...]], limit: int) -> None:
        asyncio.run_coroutine_threadsafe(check(made_up, limit), loop).result()

    await asyncio.to_thread(examples)


async def test_a_cursor_stands_still_while_rows_come_and_go(sixty: Organisation, clock: Clock) -> None:
    admin = sixty.as_role("admin")
    for text in "abcd":
        clock.advance(timedelta(seconds=1))
        last = await admin.call("add_note", text=text)
    first = await admin.call("find_notes", limit=2)
    assert [note["text"] for note in first["notes"]] == ["d", "c"]
    clock.advance(timedelta(seconds=1))
    await admin.call("add_note", text="new")
    await admin.call("remove_note", note_id=last["note"]["id"])
    second = await admin.call("find_notes", limit=2, cursor=first["next_cursor"])
    assert [note["text"] for note in second["notes"]] == ["b", "a"]


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "\ud800",
        "ä",
        "!!!!",
        "null",
        encoded(b""),
        encoded(b"null"),
        encoded(b"{}"),
        encoded(b"[]"),
        encoded(b'["2026-03-02T09:30:00+00:00"]'),
        encoded(b"[1, 2]"),
        encoded(b'["2026-03-02T09:30:00+00:00", "not an id"]'),
        encoded(b'["yesterday", "01a20443-858c-7175-95d9-427f7dccbc49"]'),
        encoded(b'[{}, "01a20443-858c-7175-95d9-427f7dccbc49"]'),
        encoded(b"[" * 1000),
        encoded(b"\xff\xfe"),
    ],
)
async def test_a_cursor_that_is_none_of_this_list_is_invalid(sixty: Organisation, cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        await sixty.as_role("user").call("find_notes", cursor=cursor)


CURSORS = [
    "[1, 2, 3]",
    '["a", "b"]',
    "[1e400, null]",
    "[99999999999999999999, 1]",
    '["-99999-01-01", null]',
    "[true, null]",
]


@pytest.mark.parametrize("raw", CURSORS)
@pytest.mark.parametrize("sort", list(ORDERS))
async def test_a_forged_cursor_shows_nothing_else_and_breaks_nothing(sixty: Organisation, sort: str, raw: str) -> None:
    outcome = await sixty.as_role("user").outcome("find_notes", sort=sort, cursor=encoded(raw.encode()))
    assert not outcome.is_error or outcome.structured["error"]["code"] == "invalid"


async def test_a_cursor_of_another_order_is_invalid(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for text in "abc":
        await user.call("add_note", text=text, rank=1)
    cursor = (await user.call("find_notes", limit=1))["next_cursor"]
    with pytest.raises(Invalid, match="take next_cursor from the answer before, with the same arguments"):
        await user.call("find_notes", limit=1, sort="rank", cursor=cursor)


async def test_a_total_beyond_the_limit_is_a_lower_bound(sixty: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "EXACT", 3)
    paging._counted.cache_clear()
    user = sixty.as_role("user")
    for text in "abc":
        await user.call("add_note", text=text)
    page = await user.call("find_notes", limit=1)
    assert (page["total"], page.get("total_is_at_least")) == (3, None)
    await user.call("add_note", text="d")
    page = await user.call("find_notes", limit=1)
    assert (page["total"], page["total_is_at_least"]) == (3, True)
    paging._counted.cache_clear()


@pytest.mark.parametrize("limit", [0, -1, 201, 1.5, "10"])
async def test_a_page_has_1_to_200_rows(sixty: Organisation, limit: Any) -> None:
    with pytest.raises(Invalid, match="limit must"):
        await sixty.as_role("user").call("find_notes", limit=limit)


async def test_totals_are_forgotten_with_the_packs_that_they_were_counted_for(sixty: Organisation) -> None:
    for role in ("user", "manager"):
        for text in ("one", "two"):
            await sixty.as_role(role).call("add_note", text=text)
        await sixty.as_role(role).call("find_notes", limit=1)
    assert len(sixty.host.totals._known) == 2
    await sixty.host.disable("pins")
    await sixty.host.lineup.settled()
    await sixty.host.enable("pins")  # the packs of before are remembered until then
    gc.collect()
    assert len(sixty.host.totals._known) == 0
