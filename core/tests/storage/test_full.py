"""A disk that is full: every writer is told, what fits is written, nothing is there by halves, and reads go on."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sixty.storage import sqlite_reader, sqlite_writer
from sixty.storage.database import StorageUnavailable, open_database
from sixty.storage.statements import Write
from sixty.tables import state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sixty.storage.database import Database

ADD = sa.insert(state)
LARGE = "x" * 2_000
"""A name that takes half a page."""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(f"sqlite+aiosqlite:///{tmp_path}/sixty.db")
    async with database.transaction() as transaction:
        await transaction.execute(sa.text("CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER)"))
    yield database
    await database.close()


def add(name: str) -> Write:
    return Write(ADD, {"name": name, "value": 0})


def large(count: int) -> list[Write]:
    return [add(f"{number}{LARGE}") for number in range(count)]


async def limit(database: Database, pages: int) -> None:
    """So many pages more than there are, and no more, fit on the disk. It is the writer's connection that counts."""
    async with database.transaction() as transaction:
        (count,) = await transaction.rows(sa.text("PRAGMA page_count"))
        await transaction.rows(sa.text(f"PRAGMA max_page_count={count['page_count'] + pages}"))


async def names(database: Database) -> set[str]:
    return {row["name"] for row in await database.rows(sa.select(state.c.name))}


async def test_a_burst_that_does_not_fit_is_refused_whole_and_written_once_there_is_room(database: Database) -> None:
    await database.apply([add("before")])
    await limit(database, 5)
    with pytest.raises(StorageUnavailable, match=r"database or disk is full.*try again later"):
        await database.apply([add("small"), *large(40)])
    assert await names(database) == {"before"}
    await limit(database, 1_000)
    await database.apply([add("small"), *large(40)])
    assert len(await names(database)) == 42


async def test_of_bursts_that_are_committed_together_each_is_there_whole_or_refused(database: Database) -> None:
    await limit(database, 5)
    bursts = [[add("a")], [add("b"), *large(40)], [add("c")]]
    outcomes = await asyncio.gather(*(database.apply(burst) for burst in bursts), return_exceptions=True)
    assert all(outcome is None or isinstance(outcome, StorageUnavailable) for outcome in outcomes)
    told = {name for name, outcome in zip("abc", outcomes, strict=True) if outcome is None}
    assert await names(database) == told
    assert "b" not in told
    await database.apply([add("d")])


async def test_a_transaction_that_does_not_fit_is_undone_whole_though_it_goes_on_after_the_error(
    database: Database,
) -> None:
    await limit(database, 5)

    async def goes_on() -> None:
        async with database.transaction() as transaction:
            await transaction.apply([add("first")])
            with pytest.raises(StorageUnavailable):
                await transaction.apply(large(40))
            raise StorageUnavailable("and gives up")

    with pytest.raises(StorageUnavailable):
        await goes_on()
    assert await names(database) == set()
    await database.apply([add("still serves")])


async def test_what_is_written_after_a_transaction_was_undone_is_not_there_by_itself(database: Database) -> None:
    async def undone() -> None:
        async with database.transaction() as transaction:
            await transaction.apply([add("first")])
            await transaction.execute(sa.text("ROLLBACK"))  # as SQLite does by itself when a disk fails
            with pytest.raises(StorageUnavailable, match="has undone this"):
                await transaction.apply([add("second")])

    with pytest.raises(StorageUnavailable, match="has undone this"):
        await undone()
    assert await names(database) == set()


async def test_a_burst_during_which_sqlite_undoes_everything_fails_with_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("ROLLBACK")  # as SQLite does by itself when a disk fails
        raise _disk_failure()

    monkeypatch.setattr(sqlite_writer, "write", fails)
    with pytest.raises(StorageUnavailable, match="disk I/O error"):
        await database.apply([add("a")])
    monkeypatch.undo()
    await database.apply([add("b")])
    assert await names(database) == {"b"}


async def test_a_connection_that_cannot_be_made_or_used_is_made_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object) -> sqlite3.Connection:
        raise _disk_failure()

    other = await open_database(f"sqlite+aiosqlite:///{tmp_path}/sixty.db")
    monkeypatch.setattr(sqlite_writer, "connect", fails)
    with pytest.raises(StorageUnavailable, match="disk I/O error"):
        await other.apply([add("a")])
    with pytest.raises(StorageUnavailable, match="disk I/O error"):
        async with other.transaction():
            raise AssertionError
    monkeypatch.undo()
    await other.apply([add("b")])
    monkeypatch.setattr(sqlite_writer.Writer, "_commit", fails)
    with pytest.raises(StorageUnavailable, match="disk I/O error"):
        await other.apply([add("c")])
    monkeypatch.undo()
    await other.apply([add("d")])
    await other.close()
    assert await names(database) == {"b", "d"}


async def test_a_reader_that_cannot_be_opened_is_unavailable_and_the_next_one_may_be(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> sqlite3.Connection:
        raise _disk_failure()

    async with database.snapshot():  # on the one connection that is open
        monkeypatch.setattr(sqlite_reader, "connect", fails)
        with pytest.raises(StorageUnavailable, match="disk I/O error"):
            await names(database)
        monkeypatch.undo()
        assert await names(database) == set()


async def test_a_disk_too_full_for_tidying_ends_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: sqlite3.Connection) -> None:
        raise _disk_failure()

    monkeypatch.setattr(sqlite_writer, "ANALYZE_FIRST", 2)
    monkeypatch.setattr(sqlite_writer, "analyze", fails)
    for name in "abc":
        await database.apply([add(name)])
    assert await names(database) == set("abc")


def _disk_failure() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_WRITE"
    return error
