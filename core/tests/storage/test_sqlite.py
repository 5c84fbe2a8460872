"""SQLite: reads stay on the loop unless they take too long, writes share their commits."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sixty.errors import ConfigError
from sixty.storage import sqlite_connection, sqlite_reader, sqlite_writer
from sixty.storage.database import IntegrityViolation, StaleWrite, StorageUnavailable, open_database
from sixty.storage.statements import Write
from sixty.tables import state, teams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sixty.storage.database import Database

COUNT = sa.text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) AS m FROM n"
)
FOREVER = sa.text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n")
ADD = sa.insert(state)
RAISE = sa.update(state).where(state.c.name == sa.bindparam("key")).values(value=state.c.value + 1)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(f"sqlite+aiosqlite:///{tmp_path}/sixty.db")
    async with database.transaction() as transaction:
        for table in ("state (name TEXT PRIMARY KEY, value INTEGER)", "teams (id BLOB PRIMARY KEY, name TEXT UNIQUE)"):
            await transaction.execute(sa.text(f"CREATE TABLE {table}"))
    yield database
    await database.close()


def add(name: str, value: int = 0) -> Write:
    return Write(ADD, {"name": name, "value": value})


async def stored(database: Database) -> dict[str, int]:
    async with database.snapshot() as reader:
        return {row["name"]: row["value"] for row in await reader.rows(sa.select(state))}


async def ticks_during(task: asyncio.Task[object]) -> int:
    """How often the loop came round before a task was done."""
    count = 0
    while not task.done():
        await asyncio.sleep(0)
        count += 1
    return count


async def test_a_read_that_takes_long_moves_to_a_thread_and_the_loop_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> object:
        async with database.snapshot() as reader:
            return await reader.rows(COUNT)

    monkeypatch.setattr(sqlite_reader, "FUSE", 1_000)
    task = asyncio.create_task(read())
    on_the_loop = await ticks_during(task)
    assert task.result() == [{"m": 300_000}]
    monkeypatch.setattr(sqlite_reader, "FUSE", 0)
    task = asyncio.create_task(read())
    in_a_thread = await ticks_during(task)
    assert task.result() == [{"m": 300_000}]
    assert in_a_thread > on_the_loop + 10


async def test_a_read_that_took_long_goes_to_a_thread_at_once_for_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_reader, "SLOW", 2)
    monkeypatch.setattr(sqlite_reader, "FUSE", 0)
    await database.rows(COUNT)
    monkeypatch.setattr(sqlite_reader, "FUSE", 1_000)
    ticks = [await ticks_during(asyncio.create_task(database.rows(COUNT))) for _ in range(3)]
    assert min(ticks[:2]) > ticks[2] + 10  # the third time it is tried on the loop again


async def test_many_short_reads_of_one_snapshot_let_the_loop_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> None:
        async with database.snapshot() as reader:
            for _ in range(20):
                await reader.rows(sa.select(state))

    monkeypatch.setattr(sqlite_reader, "FUSE", 1_000)
    on_the_loop = await ticks_during(asyncio.create_task(read()))
    monkeypatch.setattr(sqlite_reader, "FUSE", 1e-9)
    in_threads = await ticks_during(asyncio.create_task(read()))
    assert in_threads > on_the_loop + 10


async def test_whoever_writes_much_makes_statistics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "ANALYZE_FIRST", 1)
    database = await open_database(f"sqlite+aiosqlite:///{tmp_path}/sixty.db")
    async with database.transaction() as transaction:
        await transaction.execute(sa.text("CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER)"))
        await transaction.apply([add(str(number)) for number in range(50)])
    await database.close()
    database = await open_database(f"sqlite+aiosqlite:///{tmp_path}/sixty.db")
    assert await database.rows(sa.text("SELECT stat FROM sqlite_stat1")) == [{"stat": "50 1"}]
    await database.close()


async def test_a_long_read_ends_when_its_caller_goes_away(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_reader, "FUSE", 0)

    async def read() -> None:
        async with database.snapshot() as reader:
            await reader.rows(FOREVER)

    task = asyncio.create_task(read())
    for _ in range(50):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await stored(database) == {}  # and its connection is as good as new


async def test_a_snapshot_shows_one_moment_however_long_it_lives(database: Database) -> None:
    await database.apply([add("a")])
    async with database.snapshot() as reader:
        assert len(await reader.rows(sa.select(state))) == 1
        await database.apply([add("b")])
        assert len(await reader.rows(sa.select(state))) == 1
    assert set(await stored(database)) == {"a", "b"}


async def test_a_burst_is_written_whole_or_not_at_all_whoever_shares_its_commit(database: Database) -> None:
    await database.apply([add("taken")])
    bursts = [
        [add("a"), Write(RAISE, {"key": "a"}, expect=1)],
        [add("b"), Write(RAISE, {"key": "nobody"}, expect=1)],
        [add("c"), add("taken")],
        [add("d")],
    ]
    outcomes = await asyncio.gather(*(database.apply(burst) for burst in bursts), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), StaleWrite, IntegrityViolation, type(None)]
    assert await stored(database) == {"taken": 0, "a": 1, "d": 0}


async def test_of_inserts_that_go_in_together_only_the_one_that_is_refused_fails(database: Database) -> None:
    await database.apply([add("taken")])
    bursts = [[add("a")], [add("b"), add("taken")], [add("c"), add("d")], [add("a")], [add("e")]]
    outcomes = await asyncio.gather(*(database.apply(burst) for burst in bursts), return_exceptions=True)
    assert [isinstance(outcome, IntegrityViolation) for outcome in outcomes] == [False, True, False, True, False]
    assert set(await stored(database)) == {"taken", "a", "c", "d", "e"}


async def test_as_many_inserts_as_there_are_go_in(database: Database) -> None:
    names = [f"n{number}" for number in range(131)]
    await database.apply([add(name) for name in names])
    await asyncio.gather(*(database.apply([add(f"{name}, too")]) for name in names))
    assert len(await stored(database)) == 2 * len(names)


async def test_many_bursts_share_few_commits_and_all_are_there(database: Database) -> None:
    await database.apply([add("counter")])
    await asyncio.gather(*(database.apply([Write(RAISE, {"key": "counter"}, expect=1)]) for _ in range(300)))
    assert await stored(database) == {"counter": 300}


async def test_a_transaction_sees_its_own_writes_and_is_gone_when_it_fails(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as transaction:
            await transaction.apply([add("a")])
            assert (await transaction.row(sa.select(state)) or {})["name"] == "a"
            assert await transaction.execute(RAISE, {"key": "a"}) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await stored(database) == {}


async def test_transactions_and_bursts_wait_for_one_another(database: Database) -> None:
    await database.apply([add("counter")])

    async def slowly() -> None:
        async with database.transaction() as transaction:
            (row,) = await transaction.rows(sa.select(state))
            await asyncio.sleep(0)
            await transaction.apply([Write(sa.update(state).values(value=row["value"] + 1), {})])

    bursts = (database.apply([Write(RAISE, {"key": "counter"}, expect=1)]) for _ in range(20))
    await asyncio.gather(*(slowly() for _ in range(20)), *bursts)
    assert await stored(database) == {"counter": 40}


async def test_an_error_in_a_transaction_is_told_in_the_kernels_words(database: Database) -> None:
    with pytest.raises(IntegrityViolation):
        async with database.transaction() as transaction:
            await transaction.apply([add("a"), add("a")])
    with pytest.raises(StaleWrite):
        async with database.transaction() as transaction:
            await transaction.apply([Write(RAISE, {"key": "nobody"}, expect=1)])


async def test_a_lock_that_another_process_holds_for_too_long_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY", 0.01)
    database = await open_database(f"sqlite+aiosqlite:///{tmp_path}/sixty.db")
    other = sqlite3.connect(tmp_path / "sixty.db", isolation_level=None)
    other.execute("CREATE TABLE teams (id BLOB, name TEXT)")
    other.execute("BEGIN IMMEDIATE")
    write = Write(sa.insert(teams), {"id": None, "name": "x"})
    with pytest.raises(StorageUnavailable, match="try again later"):
        await database.apply([write])
    with pytest.raises(StorageUnavailable):
        async with database.transaction():
            raise AssertionError
    other.execute("ROLLBACK")
    await database.apply([write])
    other.close()
    await database.close()


def test_a_writer_looks_often_whether_it_is_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY", 0.2)
    one, other = (sqlite_connection.connect(f"{tmp_path}/sixty.db") for _ in range(2))
    sqlite_connection.begin(other)
    seen: list[str] = []
    one.set_trace_callback(seen.append)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite_connection.begin(one)
    assert seen.count("BEGIN IMMEDIATE") > 10
    other.execute("COMMIT")
    sqlite_connection.begin(one)
    assert one.in_transaction
    assert one.execute("PRAGMA busy_timeout").fetchone() == (200,), "all else waits as long as ever"
    one.close()
    other.close()


async def test_more_snapshots_than_connections_wait_for_their_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.apply([add("a")])
    results = await asyncio.gather(*(stored(database) for _ in range(100)))
    assert results == [{"a": 0}] * 100


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
async def test_a_database_is_a_file(url: str) -> None:
    with pytest.raises(ConfigError, match="must name a file"):
        await open_database(url)


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="cannot be opened"):
        await open_database(f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/sixty.db")
    (tmp_path / "text.db").write_text("this is no database, however long it may be")
    with pytest.raises(StorageUnavailable):
        await open_database(f"sqlite+aiosqlite:///{tmp_path}/text.db")
