"""The programs that come with Postgres: which of them fit a server, and what they are told besides their arguments.

Passwords and all else of the address go by the environment, as libpq reads it: a command line can be read by everybody.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sixty.backup.stopping import Stop

__all__ = ["environment", "folder_for", "running"]

PROGRAMS = ("pg_dump", "pg_restore", "psql")
SAID = 2_000
"""Characters that are kept of what a program says."""

_DEBIAN = Path("/usr/lib/postgresql")
_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "krbsrvname": "PGKRBSRVNAME",
    "gsslib": "PGGSSLIB",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "database": "PGDATABASE",
    "dbname": "PGDATABASE",
}
"""What an address can say behind its question mark, as the environment says it; all else are settings of a session."""


def environment(url: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which a program of Postgres finds the database of the address."""
    parts = sa.make_url(url)
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in parts.query.items()}
    given = {"host": parts.host, "port": parts.port, "user": parts.username, "database": parts.database}
    given |= {"password": parts.password}
    told = {_OPTIONS[name]: value for name, value in query.items() if name in _OPTIONS}
    told |= {_OPTIONS[name]: str(value) for name, value in given.items() if value is not None}
    settings = " ".join(f"-c {name}={_escaped(value)}" for name, value in query.items() if name not in _OPTIONS)
    if settings:
        told["PGOPTIONS"] = settings
    return {**environ, "PGCONNECT_TIMEOUT": "30", **told, "LC_ALL": "C"}


def _escaped(value: str) -> str:
    return re.sub(r"([\\\s])", r"\\\1", value)


def folder_for(server: int) -> Path:
    """Where the programs are that can dump a server of this major version.

    A `BackupError` says what to install: those of an earlier version refuse a later server.
    """
    paths = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    others = sorted(_DEBIAN.glob("*/bin"), key=lambda path: _number(path.parent.name), reverse=True)
    found: list[int] = []
    for folder in (*paths, *others):
        if not all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
            continue
        version = _version(folder / PROGRAMS[0])
        if version >= server:
            return folder
        found.append(version)
    what = f"pg_dump is of version {max(found)}, and the server of {server}" if found else "pg_dump is not installed"
    raise BackupError(
        f"{what}: install the client programs of Postgres {server} or later (Debian: postgresql-client-{server}), "
        f"which are {', '.join(PROGRAMS)}"
    )


def _version(program: Path) -> int:
    command = (str(program), "--version")
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - it was looked for
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


@contextmanager
def running(
    command: Sequence[str | Path],
    env: Mapping[str, str],
    stop: Stop,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs within the block, and at its end has done what it should.

    What it says against that is a `BackupError`. It is killed if the block is left by an error, or the work is to end.
    """
    program = Path(command[0]).name
    with TemporaryFile() as said:
        process = subprocess.Popen(command, env=dict(env), stdin=stdin, stdout=stdout, stderr=said)  # noqa: S603 - it was looked for
        try:
            with stop.ending(process.kill):
                try:
                    yield process
                except BrokenPipeError:
                    if process.stdin is None:
                        raise  # it is another one that has ended
                process.wait()
        finally:
            if process.poll() is None:
                process.kill()  # before it is told that its input has come to an end
                process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):
                        stream.close()
        stop()
        if process.returncode:
            said.seek(0)
            raise BackupError(f"{program} failed: {_told(said.read(SAID)) or f'it ended with {process.returncode}'}")


def _told(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())
