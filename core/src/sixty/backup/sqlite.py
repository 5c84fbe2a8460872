"""SQLite: a copy of one state of the file while others write to it, and a file that takes its place whole."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.backup.contents import contents_of, tables_in
from sixty.backup.places import WORK, written
from sixty.errors import BackupError
from sixty.storage.engines import connected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sixty.backup.manifest import Contents, Kind
    from sixty.backup.stopping import Stop

__all__ = ["Sqlite"]

PAGES = 1_024
"""Pages that are copied between two looks at whether to stop."""
BUSY = 10.0
"""Seconds for which somebody else's lock is waited for."""
CHECKPOINT = 0.5
"""Seconds for which a checkpoint waits for others: for the rest of what it does, writers wait for it."""


class Sqlite:
    """One file, whoever has it open."""

    kind: Kind = "sqlite"

    def __init__(self, url: str) -> None:
        self.path = Path(sa.make_url(url).database or "").absolute()

    def dump(self, target: Path, stop: Stop) -> Contents:
        """One state of the database is in a file of its own, without a log beside it; writers did not wait for it."""
        if not self.path.is_file():
            raise BackupError(f"there is no database {self.path}")
        with _told(self.path), closing(_open(self.path)) as source, closing(sqlite3.connect(target)) as copy:
            # as long as this reads, all steps copy one state; else each one begins anew after somebody has written
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(copy, pages=PAGES, progress=lambda *_: stop())
            source.execute("ROLLBACK")
            copy.execute("PRAGMA journal_mode=DELETE")
        self._checkpoint()
        return connected(_url(target), lambda connection: contents_of(connection, stop))

    def check(self, dump: Path, stop: Stop) -> Contents:
        """What is in a dump that was found to be sound."""
        with _told(dump), closing(_open(dump)) as connection, stop.ending(connection.interrupt):
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
            dangling = connection.execute("PRAGMA foreign_key_check").fetchmany(5)
        if problems != ["ok"] or dangling:
            raise BackupError(
                f"the copy of the database is not sound: {'; '.join(problems)}, {len(dangling)} bad pointers"
            )
        return connected(_url(dump), lambda connection: contents_of(connection, stop))

    def found(self, stop: Stop) -> Contents | None:
        """What is in the database that is to be replaced; None where there are no tables."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return None
        with _told(self.path):
            tables = connected(_url(self.path), tables_in)
            return connected(_url(self.path), lambda connection: contents_of(connection, stop)) if tables else None

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder beside the database, from where a file can take its place."""
        if not self.path.parent.is_dir():
            raise BackupError(f"there is no folder {self.path.parent}")
        with written(self.path.parent), TemporaryDirectory(prefix=WORK, dir=self.path.parent) as folder:
            yield Path(folder)

    def restore(self, dump: Path, finish: Callable[[str], None], stop: Stop, *, rehearse: bool) -> None:  # noqa: ARG002 - it is finished beside the database
        """What is in the dump, once `finish` has been at it, is the database; or the database is as it was."""
        self._be_alone()
        finish(_url(dump))
        stop()
        with written(self.path):
            self._be_alone()
            _as_before(self.path if self.path.exists() else self.path.parent, dump)
            with dump.open("rb") as file:
                os.fsync(file.fileno())
            dump.replace(self.path)

    def _be_alone(self) -> None:
        """Raise `BackupError` if somebody has the file open; if not, its log is in it and gone."""
        if not self.path.exists():
            return
        with _told(self.path), closing(_open(self.path, patience=0.5)) as connection:
            try:
                connection.execute("PRAGMA journal_mode=DELETE").close()  # which needs the file for itself
            except sqlite3.OperationalError as error:
                raise BackupError(f"{self.path} is in use: stop every server on it; nothing was touched") from error

    def _checkpoint(self) -> None:
        """The log, which had to grow while one state was read, is short again, if nobody reads or writes just now."""
        with suppress(sqlite3.Error), closing(_open(self.path, patience=CHECKPOINT)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def _open(path: Path, patience: float = BUSY) -> sqlite3.Connection:
    """A connection to a file that is there."""
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=patience, isolation_level=None)


def _as_before(like: Path, path: Path) -> None:
    """A file may be opened by whom the one before could be, and belongs to the same if root restores it."""
    status = like.stat()
    if like.is_file():
        path.chmod(status.st_mode & 0o777)
    if os.name == "posix" and os.geteuid() == 0:
        os.chown(path, status.st_uid, status.st_gid)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Within the block, what SQLite says is a `BackupError` that names the file."""
    try:
        yield
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        raise BackupError(f"{path}: {getattr(error, 'orig', None) or error}") from error
