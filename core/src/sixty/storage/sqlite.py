"""SQLite: snapshots read on the event loop, and one thread that writes and commits for whoever is waiting.

Short reads never leave the loop; one that takes longer than `FUSE` is interrupted and run again in a thread on
the same snapshot, where that statement goes at once for a while.
Writes queue at a single thread, which commits up to `GROUP` of them at once, each in its own
savepoint. Several processes may share a file: the thread waits for its turn with SQLite's busy handler.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from sixty.errors import ConfigError
from sixty.storage.database import IntegrityViolation, StaleWrite, StorageUnavailable
from sixty.storage.statements import JSON, Compiler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from sixty.storage.statements import Prepared, Row, Statement, Write

__all__ = ["SqliteDatabase"]

BUSY = 10.0
"""Seconds that a writer waits for another process's lock."""
CHECKPOINT_EVERY = 256
"""Commits between two checkpoints, which run after the answers are out."""
FUSE = 0.01
"""Seconds that the reads of one snapshot may hold the event loop, in all."""
SLOW = 200
"""Times that a statement which blew the fuse goes to a thread at once, before it is tried on the loop again."""
FUSE_STEPS = 20_000
"""Steps of SQLite's virtual machine between two looks at the clock."""
THREAD_STEPS = 2_000_000
"""The same in a thread, which waits for Python's lock whenever it looks; it is ended there if nobody waits for it."""
GROUP = 64
"""Bursts that share one commit at the most."""
ROWS_AT_ONCE = (64, 16, 8, 4, 2, 1)
"""Rows that one statement inserts, the largest number that fits first."""
CACHE = 8_192
"""KiB of pages that a connection keeps by itself."""
ANALYZE_FIRST, ANALYZE_EVERY = 1_000, 10_000
"""Commits of a process after which the planner's statistics are made for the first time, and then again and again."""
LOOKED_AT = 100_000
"""Rows of each index that the planner's statistics are made from: with a tenth of it, plans go wrong."""
MAPPED = 8 << 30
"""Bytes of the file that are read where the system has cached them, without a copy for each connection."""
READERS = 32
"""Snapshots open at once at the most; further ones wait."""

_logger = logging.getLogger(__name__)
_Ready = tuple[str, tuple[Any, ...], int | None]
"""A write for the driver: SQL, values, and how many rows it must touch."""
_T = TypeVar("_T")
_NOTHING: dict[str, Any] = {}


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    lasting = ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "wal_autocheckpoint=0")
    for pragma in (*lasting, f"cache_size=-{CACHE}", f"mmap_size={MAPPED}"):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


def _fetch(connection: sqlite3.Connection, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
    cursor = connection.execute(prepared.sql, prepared.arguments(values))
    raw = cursor.fetchall()
    if prepared.names is None and cursor.description:
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in raw]
    return prepared.rows(raw)


def _burst(connection: sqlite3.Connection, writes: Sequence[_Ready]) -> None:
    for (sql, expect), same in groupby(writes, itemgetter(0, 2)):
        if expect is None:
            _run_all(connection, sql, [arguments for _, arguments, _ in same])
            continue
        for _, arguments, _ in same:
            if connection.execute(sql, arguments).rowcount != expect:
                raise StaleWrite(sql)


@lru_cache(maxsize=512)
def _halves(sql: str) -> tuple[str, str] | None:
    """An insert of one row, before and after its `VALUES`; None for any other statement."""
    head, values, row = sql.partition(" VALUES ")
    return (head, row) if values and head.startswith("INSERT INTO ") and row.endswith(")") else None


def _run_all(connection: sqlite3.Connection, sql: str, rows: list[tuple[Any, ...]]) -> None:
    """Run a write for every row of values; inserts many rows at a time.

    Each step of a statement lets go of Python's lock, for which the event loop's thread waits as well.
    """
    halves = _halves(sql)
    if halves is None:
        connection.executemany(sql, rows)
        return
    head, row = halves
    done = 0
    for size in ROWS_AT_ONCE:
        many = f"{head} VALUES {', '.join([row] * size)}"
        while len(rows) - done >= size:
            connection.execute(many, list(chain.from_iterable(rows[done : done + size])))
            done += size


def _inserted_together(connection: sqlite3.Connection, bursts: Sequence[Sequence[_Ready]]) -> bool:
    """Whether all bursts are written, table by table: only if they are nothing but inserts, and none is refused."""
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for burst in bursts:
        for sql, arguments, expect in burst:
            if expect is not None or _halves(sql) is None:
                return False
            tables.setdefault(sql, []).append(arguments)
    connection.execute("SAVEPOINT bursts")
    try:
        for sql, rows in tables.items():
            _run_all(connection, sql, rows)
    except sqlite3.IntegrityError:  # somebody's; each by itself will show whose
        connection.execute("ROLLBACK TO bursts")
        return False
    finally:
        connection.execute("RELEASE bursts")
    return True


def _translated(error: sqlite3.Error) -> Exception:
    if isinstance(error, sqlite3.IntegrityError):
        return IntegrityViolation(str(error))
    if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname.startswith(
        ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")
    ):
        return StorageUnavailable(f"the database is not available ({error}); try again later")
    return error


@dataclass(slots=True)
class _Job:
    """Something for the writer thread: a burst, or `alone`, which manages a transaction of its own."""

    burst: Sequence[_Ready]
    alone: Callable[[sqlite3.Connection], None] | None
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]
    error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(self.error)


class _Writer:
    """The one thread of this process that writes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._held: _Job | None = None
        self._thread: threading.Thread | None = None

    def submit(
        self, burst: Sequence[_Ready] = (), *, alone: Callable[[sqlite3.Connection], None] | None = None
    ) -> asyncio.Future[None]:
        """Queue a burst, which is done when it is committed, or a transaction of its own."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sixty-writer", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        job = _Job(burst, alone, loop, loop.create_future())
        self._jobs.put(job)
        return job.future

    async def close(self) -> None:
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection = _connect(self._path)
        commits = 0
        while batch := self._batch():
            self._commit(connection, batch)
            for loop in {job.loop for job in batch}:
                with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
                    loop.call_soon_threadsafe(_settle, [job for job in batch if job.loop is loop])
            commits += 1
            if commits % CHECKPOINT_EVERY == 0:
                with suppress(sqlite3.OperationalError):  # another process is at it
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").close()
            if commits % ANALYZE_EVERY == ANALYZE_FIRST:
                with suppress(sqlite3.OperationalError):  # as above
                    _analyze(connection)
        connection.close()

    def _batch(self) -> list[_Job]:
        """The jobs that are committed together next; none once the writer is closed."""
        batch: list[_Job] = []
        job = self._held or self._jobs.get()
        self._held = None
        while job is not None:
            if job.alone is not None and batch:
                self._held = job
                break
            batch.append(job)
            if job.alone is not None or len(batch) == GROUP or self._jobs.empty():
                break
            job = self._jobs.get()
        if job is None and batch:
            self._jobs.put(None)
        return batch

    def _commit(self, connection: sqlite3.Connection, batch: list[_Job]) -> None:
        try:
            if batch[0].alone is not None:
                batch[0].alone(connection)
                return
            connection.execute("BEGIN IMMEDIATE")
            if not _many(batch) or not _inserted_together(connection, [job.burst for job in batch]):
                for job in batch:
                    self._write(connection, job)
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - it is handed to whoever waits
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for job in batch:
                job.error = _translated(error) if isinstance(error, sqlite3.Error) else error

    def _write(self, connection: sqlite3.Connection, job: _Job) -> None:
        """Write one burst whole, or not at all."""
        connection.execute("SAVEPOINT burst")
        try:
            _burst(connection, job.burst)
        except BaseException as error:  # noqa: BLE001 - it is handed to whoever waits
            connection.execute("ROLLBACK TO burst")
            job.error = _translated(error) if isinstance(error, sqlite3.Error) else error
        connection.execute("RELEASE burst")


def _many(jobs: list[_Job]) -> bool:
    """Whether there is so much to write that it is worth the while to sort it by table."""
    return len(jobs) > 1 or len(jobs[0].burst) >= ROWS_AT_ONCE[0]


def _analyze(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA analysis_limit={LOOKED_AT}")
    connection.execute("ANALYZE")


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()


class _Snapshot:
    """One connection, for reading: one state of the database between `begin` and `end`."""

    def __init__(self, path: str, compiler: Compiler, slow: WeakKeyDictionary[Prepared, int]) -> None:
        """`slow` says how often a statement is still to go to a thread at once; it is shared with other snapshots."""
        self._connection = _connect(path)
        self._connection.set_progress_handler(self.blown, FUSE_STEPS)
        self._compiler = compiler
        self._slow = slow
        self._lock = asyncio.Lock()
        self._deadline = float("inf")
        self._left = FUSE

    def begin(self) -> None:
        """From now on it reads one state of the database."""
        self._connection.execute("BEGIN")

    def end(self) -> None:
        """It lets go of that state."""
        self._connection.execute("ROLLBACK")

    def take(self) -> None:
        """Whoever has it now may hold the loop for a while."""
        self._left = FUSE

    def close(self) -> None:
        """It is not used any more."""
        self._connection.set_progress_handler(None, 0)
        self._connection.close()

    def blown(self) -> bool:
        """Whether the running statement has held the loop for too long."""
        return time.perf_counter() > self._deadline

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        prepared = self._compiler.prepare(statement)
        async with self._lock:
            if turns := self._slow.pop(prepared, 0):
                if turns > 1:
                    self._slow[prepared] = turns - 1
                return await self._in_thread(prepared, values)
            if self._left < 0:  # it has held the loop for its time: others are waiting
                return await self._in_thread(prepared, values)
            began = time.perf_counter()
            self._deadline = began + self._left
            try:
                return _fetch(self._connection, prepared, values)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_INTERRUPT":
                    raise _translated(error) from error
            finally:
                self._deadline = float("inf")
                self._left -= time.perf_counter() - began
            self._slow[prepared] = SLOW
            return await self._in_thread(prepared, values)

    async def row(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def state(self) -> tuple[int, int]:
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as error:
            raise _translated(error) from error
        return id(self._connection), version  # SQLite counts for each connection by itself

    async def _in_thread(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        self._connection.set_progress_handler(self.blown, THREAD_STEPS)
        running = asyncio.ensure_future(asyncio.to_thread(_fetch, self._connection, prepared, values))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._deadline = float("-inf")  # ends it also if it has not begun yet, which an interrupt would not
            with suppress(sqlite3.Error):
                await _outcome(running)
            raise
        except sqlite3.Error as error:
            raise _translated(error) from error
        finally:
            self._connection.set_progress_handler(self.blown, FUSE_STEPS)
            self._deadline = float("inf")


class _Pinned:
    """A transaction of one call: the writer thread serves it alone until it ends."""

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._commands: queue.SimpleQueue[Callable[[sqlite3.Connection], Any] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = self._loop.create_future()
        self.commit = False

    def serve(self, connection: sqlite3.Connection) -> None:
        """Run commands until the transaction ends; called on the writer thread."""
        connection.execute("BEGIN IMMEDIATE")
        self._loop.call_soon_threadsafe(self._begin)
        while (command := self._commands.get()) is not None:
            command(connection)
        connection.execute("COMMIT" if self.commit else "ROLLBACK")

    def _begin(self) -> None:
        if not self.begun.done():
            self.begun.set_result(None)

    def end(self) -> None:
        """Let the writer thread go on."""
        self._commands.put(None)

    async def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        future: asyncio.Future[_T] = self._loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if not future.done():
                future.set_exception(error) if error is not None else future.set_result(result)

        def command(connection: sqlite3.Connection) -> None:
            try:
                self._loop.call_soon_threadsafe(settle, work(connection), None)
            except sqlite3.Error as error:
                self._loop.call_soon_threadsafe(settle, None, _translated(error))
            except BaseException as error:  # noqa: BLE001 - it is handed to whoever waits
                self._loop.call_soon_threadsafe(settle, None, error)

        self._commands.put(command)
        return await future

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        prepared = self._compiler.prepare(statement)
        return await self._run(lambda connection: _fetch(connection, prepared, values))

    async def row(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        found = await self.rows(statement, values)
        return found[0] if found else None

    async def state(self) -> object:
        return object()  # it writes

    async def execute(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> int:
        prepared = self._compiler.prepare(statement)
        arguments = prepared.arguments(values)
        return await self._run(lambda connection: connection.execute(prepared.sql, arguments).rowcount)

    async def apply(self, writes: Sequence[Write]) -> None:
        ready = _ready(self._compiler, writes)
        await self._run(lambda connection: _burst(connection, ready))


def _ready(compiler: Compiler, writes: Sequence[Write]) -> list[_Ready]:
    prepared = [(compiler.prepare(write.statement), write) for write in writes]
    return [(ready.sql, ready.arguments(write.values), write.expect) for ready, write in prepared]


class SqliteDatabase:
    """One SQLite file. The file is made when missing; its folder must exist."""

    dialect_name = "sqlite"

    def __init__(self, url: str) -> None:
        path = sa.make_url(url).database
        if not path or path == ":memory:":
            msg = "SIXTY_DATABASE_URL must name a file, for example sqlite+aiosqlite:///sixty.db"
            raise ConfigError(msg)
        self._path = path
        self._compiler = Compiler(sqlite_dialect(paramstyle="qmark", **JSON))
        self._slow: WeakKeyDictionary[Prepared, int] = WeakKeyDictionary()
        try:
            self._free: list[_Snapshot] = [_Snapshot(path, self._compiler, self._slow)]
        except sqlite3.Error as error:
            msg = f"the database file {path} cannot be opened: {error}"
            raise StorageUnavailable(msg) from error
        self._readers = asyncio.Semaphore(READERS)
        self._writer = _Writer(path)
        self._onlooker: _Snapshot | None = None

    @property
    def connections(self) -> Mapping[str, int]:
        return {}

    def sql(self, statement: Statement) -> str:
        return self._compiler.prepare(statement).sql

    async def rows(self, statement: Statement, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        reader = await self._take()
        try:
            return await reader.rows(statement, values)
        finally:
            self._give_back(reader)

    async def shared(self, statement: Statement) -> list[Row]:
        return await self.rows(statement)  # it never waits, so there is nobody to share with

    @asynccontextmanager
    async def snapshot(self, *, hopeful: bool = False) -> AsyncIterator[_Snapshot]:  # noqa: ARG002 - it costs nothing
        reader = await self._take()
        try:
            reader.begin()
            try:
                yield reader
            finally:
                reader.end()
        finally:
            self._give_back(reader)

    async def _take(self) -> _Snapshot:
        await self._readers.acquire()
        try:
            reader = self._free.pop() if self._free else _Snapshot(self._path, self._compiler, self._slow)
        except BaseException:
            self._readers.release()
            raise
        reader.take()
        return reader

    def _give_back(self, reader: _Snapshot) -> None:
        self._free.append(reader)
        self._readers.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[_Pinned]:
        pinned = _Pinned(self._compiler)
        turn = self._writer.submit(alone=pinned.serve)
        try:
            await asyncio.wait((turn, pinned.begun), return_when=asyncio.FIRST_COMPLETED)
            if turn.done():
                await turn
            yield pinned
            pinned.commit = True
        finally:
            pinned.end()
            await _outcome(turn)

    async def state(self) -> tuple[int, int]:
        if self._onlooker is None:  # always the same one, because each connection counts by itself
            self._onlooker = _Snapshot(self._path, self._compiler, self._slow)
        return await self._onlooker.state()

    async def apply(self, writes: Sequence[Write]) -> None:
        await _outcome(self._writer.submit(_ready(self._compiler, writes)))

    async def analyze(self) -> None:
        await _outcome(self._writer.submit(alone=_analyze))

    async def close(self) -> None:
        await self._writer.close()
        if self._onlooker is not None:
            self._onlooker.close()
        while self._free:
            self._free.pop().close()


async def _outcome(future: asyncio.Future[_T]) -> _T:
    """The result of what can no longer be called back: a cancellation is raised only once it is known."""
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        with suppress(Exception):
            future.result()
        raise cancelled
    return future.result()
