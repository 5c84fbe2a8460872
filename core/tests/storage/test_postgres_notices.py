"""Notices: processes on one Postgres hear of each other's commits, and hear again after they could not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import sqlalchemy as sa

from sixty.counters import raising
from sixty.storage.database import Database, Ear, StaleWrite, open_database
from sixty.storage.statements import Write
from sixty.tables import state, teams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from sixty.testing.databases import PostgresTemplates

SOON = 5.0
LISTENING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
INSERT = sa.insert(teams)
NOTHING = Write(sa.update(state).where(sa.false()).values(value=0), {}, expect=1)


class Heard:
    """Counts how often it was woken."""

    ear: Ear

    def __init__(self) -> None:
        self.count = 0
        self._woken = asyncio.Condition()

    def wake(self) -> None:
        self.count += 1
        self._telling = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self._woken:
            self._woken.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON), self._woken:
            await self._woken.wait_for(condition)

    async def more_than(self, count: int) -> None:
        await self.until(lambda: self.count > count)


@pytest.fixture
def database_url(postgres_templates: PostgresTemplates) -> Iterator[str]:
    url = postgres_templates.copy(())
    yield url
    postgres_templates.drop(url)


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url)
    yield database
    await database.close()


@asynccontextmanager
async def hearing(database: Database) -> AsyncIterator[Heard]:
    """Somebody who listens, from the first moment on at which that counts."""
    heard = Heard()
    async with database.listening(heard.wake) as heard.ear:
        await heard.until(lambda: heard.ear.hears)
        yield heard


@asynccontextmanager
async def plain(database_url: str) -> AsyncIterator[Any]:
    """A connection of somebody who knows nothing of notices, such as older code."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


def a_team(number: int) -> list[Write]:
    return [Write(INSERT, {"id": f"{number:032x}", "name": f"Team {number}"})]


async def test_what_one_process_commits_another_hears(database: Database, other: Database) -> None:
    async with hearing(other) as heard:
        before = heard.count
        await database.apply(a_team(1))
        await heard.more_than(before)
        before = heard.count
        async with database.transaction() as transaction:
            await transaction.apply(a_team(2))
        await heard.more_than(before)


async def test_the_same_process_hears_at_once_and_once(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEAST", "MOST"):
        monkeypatch.setattr(f"sixty.pace.{name}", 3600.0)
    async with hearing(database) as heard, hearing(other) as elsewhere:
        first, count = elsewhere.count, heard.count
        await database.apply(a_team(1))
        assert heard.count == count + 1
        await elsewhere.more_than(first)
        await database.apply(a_team(2))
        assert heard.count == count + 2  # and others wait, because one that says much says it seldom
        await other.apply(a_team(3))  # whatever the first has said would have been heard before this
        await heard.more_than(count + 2)
        assert heard.count == count + 3
        assert elsewhere.count == first + 2


async def test_what_was_not_committed_tells_nobody(database: Database, other: Database) -> None:
    async with hearing(other) as heard:
        before = heard.count
        with pytest.raises(StaleWrite):
            await database.apply([NOTHING])
        with pytest.raises(StaleWrite):
            async with database.transaction() as transaction:
                await transaction.apply([*a_team(1), NOTHING])
        assert heard.count == before
        await database.apply(a_team(2))
        await heard.more_than(before)
        assert heard.count == before + 1


async def test_many_commits_at_once_are_few_notices(database: Database, other: Database) -> None:
    async with hearing(other) as heard:
        before = heard.count
        await asyncio.gather(*(database.apply(a_team(number)) for number in range(100)))
        await database.close()  # everything is said by then
        await heard.more_than(before)
        assert heard.count - before < 50


async def test_who_closes_has_said_what_there_was_to_say(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEAST", "MOST"):
        monkeypatch.setattr(f"sixty.pace.{name}", 3600.0)
    async with hearing(other) as heard:
        before = heard.count
        await database.apply(a_team(1))
        await heard.more_than(before)
        await database.apply(a_team(2))  # waits for company
        await database.close()
        await heard.more_than(before + 1)


async def test_a_raised_counter_is_told_of_whoever_raises_it(database_url: str, other: Database) -> None:
    async with hearing(other) as heard, plain(database_url) as connection:
        before = heard.count
        await connection.execute("UPDATE state SET value = value + 1 WHERE name = 'packs'")
        await heard.more_than(before)
        await connection.execute("UPDATE state SET value = value + 1 WHERE name = 'jobs'")
        await connection.execute("UPDATE state SET value = value WHERE name = 'identity'")
        await other.apply([Write(raising("identity"), {})])
        await heard.more_than(before + 1)


async def test_who_was_cut_off_knows_that_it_hears_nothing_and_then_hears_again(
    database: Database, other: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.storage.notices.AWAY", 0.05)
    async with hearing(other) as heard, plain(database_url) as connection:
        before = heard.count
        for row in await connection.fetch(LISTENING):
            await connection.execute("SELECT pg_terminate_backend($1)", row["pid"])
        await heard.more_than(before)  # for what was missed from here on
        await heard.until(lambda: heard.ear.hears)
        before = heard.count
        await database.apply(a_team(1))
        await heard.more_than(before)


async def test_nobody_is_left_listening(database_url: str, other: Database) -> None:
    before = asyncio.all_tasks()
    async with plain(database_url) as connection:
        async with hearing(other):
            assert len(await connection.fetch(LISTENING)) == 1
        async with asyncio.timeout(SOON):
            while await connection.fetch(LISTENING):
                pass
    assert {task for task in asyncio.all_tasks() if not task.done()} == before
