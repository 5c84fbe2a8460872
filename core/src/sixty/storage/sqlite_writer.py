"""SQLite's writer: the one thread of a process that writes, and commits for whoever is waiting.

It commits up to `GROUP` bursts at once, each in its own savepoint. Several processes may share a file: the thread waits
for its turn. Whatever goes wrong is an answer to who waits for it; the thread goes on.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sixty.storage.sqlite_bursts import ROWS_AT_ONCE, insert_together, write
from sixty.storage.sqlite_connection import begin, connect, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sixty.storage.sqlite_bursts import Ready

__all__ = ["Writer", "analyze"]

CHECKPOINT_EVERY = 256
"""Commits between two checkpoints, which run after the answers are out."""
GROUP = 64
"""Bursts that share one commit at the most."""
ANALYZE_FIRST, ANALYZE_EVERY = 1_000, 10_000
"""Commits of a process after which the planner's statistics are made for the first time, and then again and again."""
LOOKED_AT = 100_000
"""Rows of each index that the planner's statistics are made from: with a tenth of it, plans go wrong."""

_logger = logging.getLogger(__name__)


def analyze(connection: sqlite3.Connection) -> None:
    """The planner's statistics are made anew."""
    connection.execute(f"PRAGMA analysis_limit={LOOKED_AT}")
    connection.execute("ANALYZE")


@dataclass(slots=True)
class _Job:
    """Something for the writer thread: a burst, or `alone`, which manages a transaction of its own."""

    burst: Sequence[Ready]
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


class Writer:
    """The one thread of this process that writes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._held: _Job | None = None
        self._thread: threading.Thread | None = None
        self._commits = 0

    def submit(
        self, burst: Sequence[Ready] = (), *, alone: Callable[[sqlite3.Connection], None] | None = None
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
        connection: sqlite3.Connection | None = None
        while batch := self._batch():
            try:
                connection = connection or connect(self._path)
                self._commit(connection, batch)
            except BaseException as error:  # noqa: BLE001 - it is handed to whoever waits
                for job in batch:
                    job.error = job.error or translated(error)
                _close(connection)
                connection = None
            for loop in {job.loop for job in batch}:
                with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
                    loop.call_soon_threadsafe(_settle, [job for job in batch if job.loop is loop])
            if connection is not None:
                self._tidy(connection)
        _close(connection)

    def _tidy(self, connection: sqlite3.Connection) -> None:
        """Now and then, after the answers are out: move what was written into the file, and make statistics."""
        self._commits += 1
        try:
            if self._commits % CHECKPOINT_EVERY == 0:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").close()
            if self._commits % ANALYZE_EVERY == ANALYZE_FIRST:
                analyze(connection)
        except sqlite3.Error as error:  # another process is at it, or there is no room
            _logger.info("tidying the database is put off: %s", error)

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
        """Each job is done and committed, or has its error. Raises if the connection is not good any more."""
        try:
            if batch[0].alone is not None:
                batch[0].alone(connection)
                return
            begin(connection)
            if not _many(batch) or not insert_together(connection, [job.burst for job in batch]):
                for job in batch:
                    self._write(connection, job)
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - it is handed to whoever waits
            for job in batch:
                job.error = translated(error)
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _write(self, connection: sqlite3.Connection, job: _Job) -> None:
        """Write one burst whole, or not at all. Raises if SQLite has undone the others as well."""
        connection.execute("SAVEPOINT burst")
        try:
            write(connection, job.burst)
        except BaseException as error:
            if not connection.in_transaction:  # the disk is full, or fails
                raise
            job.error = translated(error)
            connection.execute("ROLLBACK TO burst")
        connection.execute("RELEASE burst")


def _many(jobs: list[_Job]) -> bool:
    """Whether there is so much to write that it is worth the while to sort it by table."""
    return len(jobs) > 1 or len(jobs[0].burst) >= ROWS_AT_ONCE[0]


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()


def _close(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()
