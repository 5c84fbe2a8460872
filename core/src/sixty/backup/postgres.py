"""Postgres: a dump of one snapshot by pg_dump, and one transaction that puts a dump in the place of what is there."""

from __future__ import annotations

import asyncio
import re
import secrets
import subprocess
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import asyncpg
import sqlalchemy as sa

from sixty.backup.contents import contents_of, tables_in
from sixty.backup.places import written
from sixty.backup.programs import environment, folder_for, running
from sixty.errors import BackupError
from sixty.storage.engines import connected
from sixty.storage.postgres import driver_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from sixty.backup.manifest import Contents, Kind
    from sixty.backup.stopping import Stop

__all__ = ["Postgres"]

TRIAL = "sixty_trial"
"""How the names of databases begin in which a dump is tried out."""
LEFT_BEHIND = timedelta(days=1)
"""After how long such a database is that of a process which was killed."""
PATIENCE = "10s"
"""How long a restore waits for whoever uses what it replaces."""
PIECE = 1 << 20
"""Bytes that are on their way from one program to the other."""

NO_TRIAL = (
    "the backup cannot be verified: its role may not make a database to restore it into. "
    "Let it (ALTER ROLE … CREATEDB), or do without: --no-verify, or SIXTY_BACKUP_VERIFY=false"
)

_PROBLEMS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, sa.exc.DBAPIError)
"""What comes of a server that is not there, or does not want to."""
_GUARDED = b"--\n-- PostgreSQL database dump\n--\n\n\\restrict "
"""How a script of pg_restore begins that lets psql run no commands of its own, `\\!` for one, whatever a dump says."""
_UNGUARDED = (
    "psql is too old to restore a dump safely, which could run programs here: install the latest minor release of "
    "Postgres's client programs (one from August 2025 or later)"
)
_PLAIN = ("--no-owner", "--no-privileges")
_TIME = "%Y%m%d%H%M%S"
_T = TypeVar("_T")


class _NoTrial(BackupError):
    """No database can be made beside the other."""


class Postgres:
    """One database of a server, whoever is connected to it."""

    kind: Kind = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url

    def dump(self, target: Path, stop: Stop) -> Contents:
        """One snapshot is dumped, and counted as it is dumped; nobody waits for it."""

        def work(connection: Connection) -> Contents:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            program = folder_for(_major(connection)) / "pg_dump"
            snapshot = connection.scalar(sa.select(sa.func.pg_export_snapshot()))
            contents = contents_of(connection, stop)
            options = (*_PLAIN, "--format=custom", "--no-password", f"--snapshot={snapshot}", f"--file={target}")
            with running((program, *options), environment(self._url), stop):
                pass
            return contents

        return _ask(self._url, work)

    def check(self, dump: Path, stop: Stop) -> Contents:
        """What is in a dump once it is restored, into a database that is made for this on the same server."""
        with _trial(self._url) as trial:
            _put(trial, dump, (), stop)
            return _ask(trial, lambda connection: contents_of(connection, stop))

    def found(self, stop: Stop) -> Contents | None:
        """What is in the database that is to be replaced; None where there are no tables."""
        return _ask(self._url, lambda connection: contents_of(connection, stop) if tables_in(connection) else None)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder where the system has its temporary ones."""
        with TemporaryDirectory(prefix="sixty-") as folder, written(Path(folder)):
            yield Path(folder)

    def restore(self, dump: Path, finish: Callable[[str], None], stop: Stop, *, rehearse: bool) -> None:
        """The database is what the dump has, in one transaction, or as it was; then `finish` is at it.

        What may fail afterwards is tried out beside it before, where a database can be made for that.
        """
        tables = _ask(self._url, _alone)
        if rehearse:
            with suppress(_NoTrial), _trial(self._url) as trial:
                _put(trial, dump, (), stop)
                finish(trial)
        _put(self._url, dump, tables, stop)
        finish(self._url)


def _put(url: str, dump: Path, tables: Sequence[str], stop: Stop) -> None:
    """What is in the dump is in the place of these tables, in one transaction."""
    programs, env = _ask(url, lambda connection: folder_for(_major(connection))), environment(url)
    try:
        _piped(programs, env, dump, tables, stop)
    except BackupError as error:
        raise BackupError(_UNGUARDED) if r"\restrict" in str(error) else error from error


def _piped(programs: Path, env: Mapping[str, str], dump: Path, tables: Sequence[str], stop: Stop) -> None:
    # a dump may have been made by anybody who can write where backups are kept
    guard = f"\\restrict {secrets.token_hex(16)}\n".encode()
    psql = (programs / "psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-")
    script = (programs / "pg_restore", *_PLAIN, "--clean", "--if-exists", "--file=-", dump)
    with (
        running(psql, env, stop, stdin=subprocess.PIPE) as taking,
        running(script, env, stop, stdout=subprocess.PIPE) as giving,
    ):
        assert taking.stdin is not None  # noqa: S101 - it is a pipe
        assert giving.stdout is not None  # noqa: S101 - likewise
        taking.stdin.write(f"BEGIN; SET LOCAL lock_timeout = '{PATIENCE}';\n".encode())
        taking.stdin.writelines(f"DROP TABLE IF EXISTS {name} CASCADE;\n".encode() for name in tables)
        piece = giving.stdout.read(PIECE)
        if not piece.startswith(_GUARDED):
            taking.stdin.write(guard)
        while piece:
            taking.stdin.write(piece)
            piece = giving.stdout.read(PIECE)
        if giving.wait() == 0:  # an input that ends without this, for whatever reason, changes nothing
            taking.stdin.write(b"COMMIT;\n")
            taking.stdin.close()


def _alone(connection: Connection) -> list[str]:
    """The tables that are there, quoted; `BackupError` if somebody else is connected."""
    activity = sa.table("pg_stat_activity", sa.column("datname"), sa.column("pid"), sa.column("backend_type"))
    others = sa.select(sa.func.count()).where(
        activity.c.datname == sa.func.current_database(),
        activity.c.pid != sa.func.pg_backend_pid(),
        sa.func.coalesce(activity.c.backend_type, "client backend") == "client backend",
    )
    if count := connection.scalar(others):
        raise BackupError(f"the database is in use by {count} others: stop every server on it; nothing was touched")
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(connection.scalar(sa.select(sa.func.current_schema())) or "public")
    return [f"{schema}.{quote(name)}" for name in tables_in(connection)]


@contextmanager
def _trial(url: str) -> Iterator[str]:
    """The URL of an empty database beside this one, which is gone at the end of the block."""
    name = f"{TRIAL}_{datetime.now(UTC):{_TIME}}_{secrets.token_hex(4)}"
    gone = [f"DROP DATABASE IF EXISTS {left} WITH (FORCE)" for left in _left_behind(url)]
    _run(url, [*gone, f"CREATE DATABASE {name} TEMPLATE template0"])
    try:
        parts = sa.make_url(url)
        query = {key: value for key, value in parts.query.items() if key not in ("database", "dbname")}
        yield parts.set(database=name, query=query).render_as_string(hide_password=False)
    finally:
        _run(url, [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"])


def _left_behind(url: str) -> list[str]:
    """Such databases of processes that were killed."""
    databases = sa.table("pg_database", sa.column("datname"))
    wanted = sa.select(databases.c.datname).where(databases.c.datname.like(f"{TRIAL}%"))
    names = _ask(url, lambda connection: connection.scalars(wanted).all())
    before = datetime.now(UTC) - LEFT_BEHIND
    found = ((name, re.fullmatch(rf"{TRIAL}_(\d{{14}})_[0-9a-f]{{8}}", name)) for name in names)
    return [name for name, it in found if it and datetime.strptime(it[1], _TIME).replace(tzinfo=UTC) < before]


def _run(url: str, commands: Sequence[str]) -> None:
    """Run commands that take no transaction."""

    async def run() -> None:
        connection = await asyncpg.connect(driver_address(url))
        try:
            for command in commands:
                await connection.execute(command)
        finally:
            await connection.close()

    try:
        asyncio.run(run())
    except asyncpg.InsufficientPrivilegeError as error:
        raise _NoTrial(NO_TRIAL) from error
    except _PROBLEMS as error:
        raise BackupError(_said(error)) from error


def _ask(url: str, work: Callable[[Connection], _T]) -> _T:
    """What `work` returns; what the server says against it is a `BackupError`."""
    try:
        return connected(url, work)
    except _PROBLEMS as error:
        raise BackupError(_said(error)) from error


def _said(error: Exception) -> str:
    return f"the database: {getattr(error, 'orig', None) or error}"


def _major(connection: Connection) -> int:
    return int(connection.scalar(sa.text("SELECT current_setting('server_version_num')::int / 10000")) or 0)
