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
from sixty.backup.programs import environment, folder_for, running, stopping
from sixty.errors import BackupError
from sixty.storage.engines import connected, driver_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection

    from sixty.backup.manifest import Contents
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
_TIME = "%Y%m%d%H%M%S"
_T = TypeVar("_T")


class _NoTrial(BackupError):
    """No database can be made beside the other."""


class Postgres:
    """One database of a server, whoever is connected to it."""

    kind = "postgresql"

    def __init__(self, url: str) -> None:
        self.url = url

    def dump(self, target: Path, stop: Stop) -> Contents:
        """One snapshot is dumped, and counted as it is dumped; nobody waits for it."""

        def work(connection: Connection) -> Contents:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            programs = folder_for(_major(connection))
            snapshot = connection.scalar(sa.select(sa.func.pg_export_snapshot()))
            contents = contents_of(connection, stop)
            options = ["--format=custom", "--no-owner", "--no-privileges", "--no-password"]
            command = [programs / "pg_dump", *options, f"--snapshot={snapshot}", f"--file={target}"]
            with running(command, environment(self.url)) as process:
                stopping(process, stop)
            return contents

        return self._ask(work)

    def check(self, dump: Path, stop: Stop) -> Contents:
        """What is in a dump once it is restored, into a database that is made for this on the same server."""
        with self._trial() as trial:
            trial._put(dump, [], stop)
            return trial._ask(lambda connection: contents_of(connection, stop))

    def found(self) -> Contents | None:
        """What is in the database that is to be replaced; None where there are no tables."""
        return self._ask(lambda connection: contents_of(connection, lambda: None) if tables_in(connection) else None)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder where the system has its temporary ones."""
        with TemporaryDirectory(prefix="sixty-") as folder, written(Path(folder)):
            yield Path(folder)

    def restore(self, dump: Path, finish: Callable[[str], None], stop: Stop, *, rehearse: bool) -> None:
        """What is in the dump is the database, in one transaction, or the database is as it was; then `finish` is at it.

        What may fail afterwards is tried out beside it before, where a database can be made for that.
        """
        tables = self._ask(self._alone)
        if rehearse:
            with suppress(_NoTrial), self._trial() as trial:
                trial._put(dump, [], stop)
                finish(trial.url)
        self._put(dump, tables, stop)
        finish(self.url)

    def _put(self, dump: Path, tables: list[str], stop: Stop) -> None:
        """What is in the dump is in the place of these tables, in one transaction."""
        programs = self._ask(lambda connection: folder_for(_major(connection)))
        env = environment(self.url)
        psql = [programs / "psql", "--no-psqlrc", "--quiet", "--no-password", "--single-transaction"]
        script = [programs / "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-", dump]
        with (
            running([*psql, "--set=ON_ERROR_STOP=1", "--file=-"], env, stdin=subprocess.PIPE) as taking,
            running(script, env, stdout=subprocess.PIPE) as giving,
        ):
            assert taking.stdin is not None and giving.stdout is not None  # noqa: PT018, S101 - both are pipes
            taking.stdin.write(f"SET lock_timeout = '{PATIENCE}';\n".encode())
            taking.stdin.writelines(f"DROP TABLE IF EXISTS {name} CASCADE;\n".encode() for name in tables)
            while piece := giving.stdout.read(PIECE):
                stop()
                taking.stdin.write(piece)
            if giving.wait() == 0:  # else whoever reads the script must not come to its end, where it commits
                taking.stdin.close()
            else:
                taking.kill()

    def _alone(self, connection: Connection) -> list[str]:
        """The tables that are there, quoted; `BackupError` if somebody else is connected."""
        activity = sa.table("pg_stat_activity", sa.column("datname"), sa.column("pid"), sa.column("backend_type"))
        others = sa.select(sa.func.count()).where(
            activity.c.datname == sa.func.current_database(),
            activity.c.pid != sa.func.pg_backend_pid(),
            sa.func.coalesce(activity.c.backend_type, "client backend") == "client backend",
        )
        if count := connection.scalar(others):
            raise BackupError(
                f"{count} others are connected to the database: stop every server on it first; nothing was touched"
            )
        quote = connection.dialect.identifier_preparer.quote
        schema = quote(connection.scalar(sa.select(sa.func.current_schema())) or "public")
        return [f"{schema}.{quote(name)}" for name in tables_in(connection)]

    @contextmanager
    def _trial(self) -> Iterator[Postgres]:
        """An empty database beside this one, which is gone at the end of the block."""
        name = f"{TRIAL}_{datetime.now(UTC):{_TIME}}_{secrets.token_hex(4)}"
        self._outside([*(f"DROP DATABASE IF EXISTS {left} WITH (FORCE)" for left in self._left_behind()), f"CREATE DATABASE {name} TEMPLATE template0"])
        try:
            url = sa.make_url(self.url)
            query = {key: value for key, value in url.query.items() if key not in ("database", "dbname")}
            yield Postgres(url.set(database=name, query=query).render_as_string(hide_password=False))
        finally:
            self._outside([f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"])

    def _left_behind(self) -> list[str]:
        databases = sa.table("pg_database", sa.column("datname"))
        names = self._ask(lambda it: it.scalars(sa.select(databases.c.datname).where(databases.c.datname.like(f"{TRIAL}%"))).all())
        before = datetime.now(UTC) - LEFT_BEHIND
        found = ((name, re.fullmatch(rf"{TRIAL}_(\d{{14}})_[0-9a-f]{{8}}", name)) for name in names)
        return [name for name, it in found if it and datetime.strptime(it[1], _TIME).replace(tzinfo=UTC) < before]

    def _outside(self, commands: list[str]) -> None:
        """Run commands that take no transaction."""

        async def run() -> None:
            connection = await asyncpg.connect(driver_address(self.url))
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

    def _ask(self, work: Callable[[Connection], _T]) -> _T:
        """What `work` returns; what the server says against it is a `BackupError`."""
        try:
            return connected(self.url, work)
        except _PROBLEMS as error:
            raise BackupError(_said(error)) from error


def _said(error: Exception) -> str:
    return f"the database: {getattr(error, 'orig', None) or error}"


def _major(connection: Connection) -> int:
    return int(connection.scalar(sa.text("SELECT current_setting('server_version_num')::int / 10000")) or 0)
