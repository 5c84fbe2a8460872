"""What the kernel asks of a database, and the errors it can answer with. No dialect here.

A call reads from a snapshot and hands in its writes as one burst. Whoever must read what it has written pins a
transaction instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sixty.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from sixty.storage.statements import Row, Statement, Write

__all__ = [
    "Database",
    "Ear",
    "IntegrityViolation",
    "OutcomeUnknown",
    "Reader",
    "StaleWrite",
    "StorageUnavailable",
    "Transaction",
    "open_database",
]


class StaleWrite(Exception):
    """Somebody else was faster: a write touched another number of rows than it had to, or what was read has moved.

    Nothing was written.
    """


class IntegrityViolation(Exception):
    """The database refused a burst: a duplicate key or a dangling pointer. Nothing was written."""


class StorageUnavailable(Unavailable):
    """The database cannot be reached or is locked for too long. Nothing was written."""


class OutcomeUnknown(StorageUnavailable):
    """The database went away before it said whether a burst was written. It was, whole, or not at all."""

    def __init__(self) -> None:
        super().__init__(
            "the database went away, and whether this was written is not known; "
            "send it again with the same idempotency key, or look before you try again",
            outcome="unknown",
        )


class Reader(Protocol):
    """Reads one state of the database, however long it lives."""

    async def rows(self, statement: Statement, values: Mapping[str, Any] = ...) -> list[Row]:
        """All rows of a statement, as dicts by column name."""

    async def row(self, statement: Statement, values: Mapping[str, Any] = ...) -> Row | None:
        """The first row, or None."""

    async def state(self) -> Hashable:
        """A value that is the same only as long as nobody writes anything."""


class Transaction(Reader, Protocol):
    """Reads and writes that see each other; committed at the end of its block, rolled back if that raises."""

    async def execute(self, statement: Statement, values: Mapping[str, Any] = ...) -> int:
        """Run a write; the number of rows it touched."""

    async def apply(self, writes: Sequence[Write]) -> None:
        """Run a burst inside this transaction. `StaleWrite` if an expectation fails."""


class Ear(Protocol):
    """Who listens for what others write."""

    hears: bool
    """Whether it would be heard right now; if not, it is only seen by who looks."""


class Database(Protocol):
    """One organisation's data, on SQLite or on Postgres."""

    dialect_name: str

    @property
    def connections(self) -> Mapping[str, int]:
        """How many connections to a server are `busy` and `idle`; nothing where there is no server."""

    def sql(self, statement: Statement) -> str:
        """The text of a statement as the database gets it, with placeholders for its values."""

    async def rows(self, statement: Statement, values: Mapping[str, Any] = ...) -> list[Row]:
        """All rows of a single statement, as the database is at this moment."""

    async def shared(self, statement: Statement) -> list[Row]:
        """All rows of a statement without values, read after this was called; who asks meanwhile may share the read."""

    def snapshot(self, *, hope: str | None = None) -> AbstractAsyncContextManager[Reader]:
        """A consistent view for reading. Holds no lock that a writer would wait for.

        One with a `hope`, which is the name of what reads, may cost less, and raise `StaleWrite` at its end if it turns
        out not to have been consistent: for who can begin again. Of names whose hope was vain, little is read twice.
        """

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction of one's own. On SQLite nobody else writes until it ends: keep it short."""

    async def look(self, statement: Statement, since: Hashable) -> tuple[Hashable, list[Row] | None]:
        """The state of the database, and the rows of a statement without values, if it is another state than `since`.

        A state is the same only as long as nobody, in whatever process, writes anything. It is cheap to look often.
        """

    def listening(self, wake: Callable[[], None]) -> AbstractAsyncContextManager[Ear]:
        """Within the block, `wake` is called when some process has written, or may have; nothing says what it was.

        A call may be missing, so look from time to time all the same. On SQLite nobody can be heard.
        """

    async def apply(self, writes: Sequence[Write]) -> None:
        """Write a burst, all or nothing; on return it is committed.

        Raises `StaleWrite`, `IntegrityViolation`, `StorageUnavailable` or `OutcomeUnknown`. A caller that is
        cancelled meanwhile waits until the outcome is known.
        """

    async def analyze(self) -> None:
        """The planner knows how many rows there are of what: for after a great many were written."""

    async def scrub(self) -> bool:
        """Nothing that was deleted can be read from the database's files; False where that is not for us to do."""

    async def close(self) -> None:
        """Release every connection and thread."""


async def open_database(url: str) -> Database:
    """The database at `url`, connected. Migrations are not run."""
    if url.startswith("sqlite"):
        from sixty.storage.sqlite import SqliteDatabase  # noqa: PLC0415 - one driver is imported, not both

        return SqliteDatabase(url)
    from sixty.storage.postgres import PostgresDatabase  # noqa: PLC0415 - as above

    return await PostgresDatabase.open(url)
