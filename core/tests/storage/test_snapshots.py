"""Snapshots: what is read together is of one state, also where no transaction was spent on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sixty.storage.database import Database, StaleWrite, StorageUnavailable, open_database
from sixty.storage.statements import Write
from sixty.tables import metadata, state
from sixty.unit import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COUNTER = sa.select(state.c.value).where(state.c.name == "identity")
ONE = sa.select(state.c.value).where(state.c.name == sa.bindparam("key"))
NAMES = sa.select(state.c.name)
NOTHING = sa.select(state.c.name).where(sa.false())
RAISE = Write(sa.update(state).values(value=state.c.value + 1), {})


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_database(database_url)
    yield opened
    await opened.close()


def test_the_counter_is_one_of_the_cores_tables() -> None:
    assert state in metadata.tables.values()


async def test_a_snapshot_does_not_see_what_is_written_meanwhile(database: Database) -> None:
    async with database.snapshot() as snapshot:
        before = await snapshot.rows(COUNTER)
        await database.apply([RAISE])
        assert await snapshot.rows(COUNTER) == before
    assert await database.rows(COUNTER) != before


async def test_a_hopeful_snapshot_shows_one_state_or_says_that_it_did_not(database: Database) -> None:
    first = second = None
    try:
        async with database.snapshot(hope="test") as snapshot:
            first = await snapshot.rows(COUNTER)
            await database.apply([RAISE])
            second = await snapshot.rows(COUNTER)
    except StaleWrite:
        return
    assert first == second


async def holds(database: Database, hope: str) -> bool:
    """Whether a snapshot shows one state although somebody writes."""
    try:
        async with database.snapshot(hope=hope) as snapshot:
            first = await snapshot.rows(COUNTER)
            await database.apply([RAISE])
            return first == await snapshot.rows(COUNTER)
    except StaleWrite:
        return False


async def test_after_a_vain_hope_those_of_the_same_name_hold_and_others_still_hope(database: Database) -> None:
    hopes_cost_nothing = database.dialect_name == "sqlite"
    assert await holds(database, "long") == hopes_cost_nothing
    assert await holds(database, "long")
    assert await holds(database, "short") == hopes_cost_nothing
    assert await holds(database, "long")


async def test_the_more_often_hope_is_vain_the_less_is_read_twice(database: Database) -> None:
    held = [await holds(database, "long") for _ in range(100)]
    assert held.count(False) < 10
    assert held[-32:].count(False) <= 1


async def test_a_hopeful_snapshot_holds_while_nobody_writes(database: Database) -> None:
    async def holds(hope: str) -> bool:
        try:
            async with database.snapshot(hope=hope) as snapshot:
                assert await snapshot.rows(COUNTER) == await snapshot.rows(COUNTER)
                assert await snapshot.rows(NOTHING) == []
                assert [row.keys() for row in await snapshot.rows(NAMES)] == [{"name"}] * 3
                assert await snapshot.rows(NOTHING) == []
        except StaleWrite:
            return False
        return True

    held, tries = await holds("0"), 1
    while not held and database.dialect_name == "postgresql" and tries < 100:
        held, tries = await holds(str(tries)), tries + 1  # what is written in the server's other databases counts, too
    assert held


@pytest.mark.parametrize("statements", [(COUNTER, NOTHING), (NOTHING, COUNTER), (NOTHING, NOTHING)])
async def test_what_is_written_before_or_after_a_statement_without_rows_is_noticed(
    database: Database, statements: tuple[sa.Select[tuple[int]], ...]
) -> None:
    noticed = False
    try:
        async with database.snapshot(hope="test") as snapshot:
            before, after = statements
            await snapshot.rows(before)
            await database.apply([RAISE])
            await snapshot.rows(after)
    except StaleWrite:
        noticed = True
    assert noticed == (database.dialect_name == "postgresql")


async def test_a_unit_that_is_cancelled_asks_nothing_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: object) -> str:
        raise StorageUnavailable("the database is not available; try again later")

    async def cancelled() -> None:
        async with UnitOfWork(database, hope="test") as unit:
            assert await unit.rows(COUNTER)
            assert await unit.rows(NOTHING) == []
            raise asyncio.CancelledError

    monkeypatch.setattr("sixty.storage.postgres_session.Session.state", away)
    with pytest.raises(asyncio.CancelledError):
        await cancelled()


async def test_a_row_is_asked_for_once_as_long_as_it_cannot_change(database: Database) -> None:
    async with UnitOfWork(database, hope="test") as unit:
        before = await unit.before_of(ONE, "identity")
        await database.apply([RAISE])
        again = await unit.before_of(ONE, "identity")
        assert again == before
        assert again is not before, "whoever changes it changes nobody else's"
        await unit.commit()


async def test_a_row_is_asked_for_again_in_a_transaction_that_writes(database: Database) -> None:
    async with UnitOfWork(database) as unit:
        before = await unit.before_of(ONE, "identity")
        unit.write(RAISE)
        assert await unit.before_of(ONE, "identity") == before
        await unit.rows(NOTHING)  # which puts in what was written
        assert before
        assert await unit.before_of(ONE, "identity") == {"value": before["value"] + 1}
        await unit.commit()


async def test_one_statement_is_a_snapshot_by_itself(database: Database) -> None:
    async with database.snapshot(hope="test") as snapshot:
        assert await snapshot.row(NOTHING) is None
        await database.apply([RAISE])


async def test_the_state_of_a_snapshot_changes_only_when_somebody_writes(database: Database) -> None:
    async def seen() -> object:
        async with database.snapshot(hope="test") as snapshot:
            await snapshot.rows(COUNTER)
            return await snapshot.state()

    before, now, looks = await seen(), await seen(), 2
    while now != before and database.dialect_name == "postgresql" and looks < 100:
        before, now, looks = now, await seen(), looks + 1  # what is written in the server's other databases counts, too
    assert now == before
    await database.apply([RAISE])
    assert await seen() != before


async def test_a_look_shows_rows_only_where_somebody_has_written_since(database: Database) -> None:
    state, rows = await database.look(COUNTER, None)
    assert rows == await database.rows(COUNTER)
    looks = 0
    while (now := await database.look(COUNTER, state))[1] is not None and looks < 100:
        state, looks = now[0], looks + 1  # as above
    assert now == (state, None)
    await database.apply([RAISE])
    _, rows = await database.look(COUNTER, state)
    assert rows == await database.rows(COUNTER)
