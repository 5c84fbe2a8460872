"""What a caller is told when the line to Postgres is cut, when it is silent, and when somebody else holds a lock."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import asyncpg
import pytest
import sqlalchemy as sa

from sixty.ids import new_id
from sixty.storage import idle, liveness, postgres_connections
from sixty.storage.database import OutcomeUnknown, StorageUnavailable, open_database
from sixty.storage.statements import NEW, Write
from sixty.tables import teams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sixty.storage.database import Database
    from sixty.testing.databases import PostgresTemplates

NAMES = sa.select(teams.c.name)
NUMBERED = sa.text("SELECT name FROM teams WHERE 1 = CAST(:number AS integer)").bindparams(
    sa.bindparam("number", type_=sa.Integer)
)
LOCKS = sa.text(
    "SELECT 1 FROM pg_locks WHERE relation = 'teams'::regclass AND pid <> pg_backend_pid() AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Line:
    """What leads to a Postgres, and can be cut or be silent."""

    def __init__(self, url: sa.URL) -> None:
        self._target = url.host or "127.0.0.1", url.port or 5432
        self._writers: set[asyncio.StreamWriter] = set()
        self._joined: list[asyncio.Task[None]] = []
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Its port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def be_silent(self) -> None:
        self._flows.clear()

    def speak(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.speak()
        self.cut()
        for task in self._joined:
            task.cancel()
        await asyncio.gather(*self._joined, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._joined.append(asyncio.create_task(self._join(reader, writer)))

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        there, back = await asyncio.open_connection(*self._target)
        self._writers.add(back)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._flows.wait()
                writer.write(data)
        writer.close()


@pytest.fixture
def url(postgres_templates: PostgresTemplates, plugins: tuple[tuple[str, object], ...]) -> sa.URL:
    return sa.make_url(postgres_templates.copy(plugins))


@pytest.fixture
async def line(url: sa.URL) -> AsyncIterator[Line]:
    line = Line(url)
    yield line
    await line.close()


@pytest.fixture
async def database(url: sa.URL, line: Line) -> AsyncIterator[Database]:
    through = url.set(host="127.0.0.1", port=await line.open())
    database = await open_database(through.render_as_string(hide_password=False))
    yield database
    await database.close()


def team(name: str) -> Write:
    return Write(sa.insert(teams), {"id": new_id(), "name": name}, row=NEW)


async def test_a_burst_during_which_the_line_is_cut_has_an_outcome_that_is_not_known(
    database: Database, line: Line
) -> None:
    line.be_silent()
    burst = asyncio.create_task(database.apply([team("a")]))
    await asyncio.sleep(0.01)
    line.cut()
    with pytest.raises(OutcomeUnknown, match="not known; send it again with the same idempotency key"):
        await burst
    line.speak()
    assert await database.rows(NAMES) in ([], [{"name": "a"}])


async def test_a_commit_during_which_the_line_is_cut_has_an_outcome_that_is_not_known(
    database: Database, line: Line
) -> None:
    silent = asyncio.Event()

    async def add() -> None:
        async with database.transaction() as transaction:
            await transaction.apply([team("b")])
            line.be_silent()
            silent.set()

    commit = asyncio.create_task(add())
    await silent.wait()
    line.cut()
    with pytest.raises(OutcomeUnknown):
        await commit


async def test_a_transaction_that_cannot_be_rolled_back_raises_what_it_raised(database: Database, line: Line) -> None:
    async def fail() -> None:
        async with database.transaction() as transaction:
            await transaction.rows(NAMES)
            line.cut()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await database.rows(NAMES) == []


async def test_who_waits_on_a_silent_server_is_told_and_who_comes_meanwhile_at_once(
    database: Database, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.gather(*(database.rows(NAMES) for _ in range(3)))
    monkeypatch.setattr(liveness, "LOOK", 0.02)
    monkeypatch.setattr(liveness, "SILENCE", 0.02)
    monkeypatch.setattr(postgres_connections, "CONNECTING", 0.05)
    line.be_silent()
    with pytest.raises(StorageUnavailable, match="try again later"):
        await database.rows(NAMES)
    async with asyncio.timeout(0.02):
        with pytest.raises(StorageUnavailable):
            await database.rows(NAMES)
    monkeypatch.setattr(postgres_connections, "CONNECTING", 3.0)
    line.speak()
    async with asyncio.timeout(20):
        while True:
            with suppress(StorageUnavailable):
                assert await database.rows(NAMES) == []
                return
            await asyncio.sleep(0.01)


async def test_a_server_that_is_slow_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "LOOK", 0.01)
    monkeypatch.setattr(liveness, "SILENCE", 0.01)
    await database.rows(sa.text("SELECT pg_sleep(0.2)"))


async def test_somebody_elses_lock_is_not_waited_for_for_ever(url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres_connections._SETTINGS, "lock_timeout", "20")
    database = await open_database(url.render_as_string(hide_password=False))
    await database.apply([team("a")])
    renamed = Write(sa.update(teams).values(name="b"), {}, expect=1)
    async with database.transaction() as transaction:
        await transaction.apply([renamed])
        with pytest.raises(StorageUnavailable):
            await database.apply([renamed])
    await database.close()


async def test_the_system_is_told_to_notice_what_is_never_received(database: Database) -> None:
    async with database._connections.one() as held:  # type: ignore[attr-defined] # there is no other way to see it
        plug = held.connection._transport.get_extra_info("socket")
        unacknowledged = plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert unacknowledged == postgres_connections.UNACKNOWLEDGED * 1000
        assert plug.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert await held.connection.fetchval("SHOW tcp_user_timeout") == "10000"


async def test_connections_that_nobody_needs_any_more_are_closed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.snapshot(), database.snapshot(), database.snapshot():
        pass
    assert database.connections == {"busy": 0, "idle": 3}
    monkeypatch.setattr(idle, "LONG", 0.0)
    for left in (2, 1, 1):
        await database.rows(NAMES)
        assert database.connections == {"busy": 0, "idle": left}


@pytest.fixture
async def other(url: sa.URL) -> AsyncIterator[Database]:
    database = await open_database(url.render_as_string(hide_password=False))
    yield database
    await database.close()


async def nobody_holds_a_lock(database: Database) -> None:
    async with asyncio.timeout(5):
        while await database.rows(LOCKS):
            pass


async def test_a_statement_that_was_prepared_and_not_executed_leaves_no_lock(
    database: Database, other: Database
) -> None:
    async with database.snapshot(hope="test") as reader:
        with pytest.raises(asyncpg.DataError) as refused:  # by the driver, after the server has prepared it
            await reader.rows(NUMBERED, {"number": 1 << 40})
        assert refused.value.__cause__ is not refused.value
    await nobody_holds_a_lock(other)
    async with database.snapshot() as reader:
        assert await reader.rows(NUMBERED, {"number": 1}) == []


async def test_who_is_cancelled_between_preparing_and_executing_a_statement_leaves_no_lock(
    database: Database, other: Database
) -> None:
    async def prepare() -> None:
        async with database._connections.one() as held:  # type: ignore[attr-defined] # nothing else has that moment
            await held.connection.prepare("SELECT 1 FROM teams")
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await prepare()
    await nobody_holds_a_lock(other)
