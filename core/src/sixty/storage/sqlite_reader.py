"""SQLite's reader: short reads never leave the event loop, long ones go to a thread.

A read that takes longer than `FUSE` is interrupted and run again in a thread on the same snapshot, where that statement
goes at once for a while.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sixty.storage.sqlite_connection import connect, fetch, outcome, translated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from weakref import WeakKeyDictionary

    from sixty.storage.statements import Compiler, Prepared, Row, Statement

__all__ = ["Snapshot"]

FUSE = 0.01
"""Seconds that the reads of one snapshot may hold the event loop, in all."""
SLOW = 200
"""Times that a statement which blew the fuse goes to a thread at once, before it is tried on the loop again."""
FUSE_STEPS = 20_000
"""Steps of SQLite's virtual machine between two looks at the clock."""
THREAD_STEPS = 2_000_000
"""The same in a thread, which waits for Python's lock whenever it looks; it is ended there if nobody waits for it."""

_NOTHING: dict[str, Any] = {}


class Snapshot:
    """One connection, for reading: one state of the database between `begin` and `end`."""

    def __init__(self, path: str, compiler: Compiler, slow: WeakKeyDictionary[Prepared, int]) -> None:
        """`slow` says how often a statement is still to go to a thread at once; it is shared with other snapshots."""
        self._connection = connect(path)
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
        if self._connection.in_transaction:  # a failing disk may have ended it
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
                return fetch(self._connection, prepared, values)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_INTERRUPT":
                    raise translated(error) from error
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
            raise translated(error) from error
        return id(self._connection), version  # SQLite counts for each connection by itself

    async def _in_thread(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        self._connection.set_progress_handler(self.blown, THREAD_STEPS)
        running = asyncio.ensure_future(asyncio.to_thread(fetch, self._connection, prepared, values))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._deadline = float("-inf")  # ends it also if it has not begun yet, which an interrupt would not
            with suppress(sqlite3.Error):
                await outcome(running)
            raise
        except sqlite3.Error as error:
            raise translated(error) from error
        finally:
            self._connection.set_progress_handler(self.blown, FUSE_STEPS)
            self._deadline = float("inf")
