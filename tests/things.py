"""What can be killed and started anew: processes, and a Postgres and a Redis of the test's own."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PATIENCE = 60.0
"""Seconds for anything to start."""


class Thing(Protocol):
    """Something that is killed without a warning."""

    def kill(self) -> None:
        """It is gone at once."""

    def start(self) -> None:
        """It is there again."""


class Program:
    """A program that listens on a port."""

    def __init__(self, command: Sequence[str], port: int, env: Mapping[str, str], log: Path) -> None:
        self._command, self._port, self._env, self._log = command, port, env, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """It takes connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=dict(self._env), stdout=log, stderr=log)  # noqa: S603 - ours
        wait_until(lambda: _listens(self._port), f"{self._command[0]} does not listen")

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Postgres:
    """A database server of the test's own, in a folder that goes with it."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(mkdtemp(prefix="sixty-postgres-"))
        self._as: tuple[str, ...] = ()
        if os.geteuid() == 0:  # it refuses to be run by root
            shutil.chown(self._folder, "postgres", "postgres")
            self._as = ("runuser", "-u", "postgres", "--")
        self.port = free_port()
        self.url = f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """It takes connections."""
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c shared_buffers=64MB"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def database(self, template: str = "template1") -> str:
        """The address of a new database, a copy of another one to which nobody is connected."""
        name = f"sixty_{secrets.token_hex(4)}"
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        made = [str(self._binaries / "createdb"), *where, "--maintenance-db", "template1", "-T", template, name]
        subprocess.run(made, check=True, capture_output=True, timeout=PATIENCE)  # noqa: S603 - ours
        return f"{self.url.removesuffix('postgres')}{name}"

    @property
    def pid(self) -> int:
        """Its first process, whose children do the work."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """As when the machine loses power: connections break, and what was not committed is gone."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def restart(self, mode: str) -> None:
        """It is stopped, `fast` or `immediate` as `pg_ctl` has it, and takes connections again."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")
        self.start()

    def remove(self) -> None:
        """Nothing of it is left."""
        self.kill()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._binaries / program), "-D", str(self._folder / "data"), *arguments]
        with (self._folder.parent / f"{self._folder.name}.log").open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, timeout=PATIENCE, cwd="/")  # noqa: S603 - ours
        Path(log.name).unlink()


class Redis(Program):
    """A Redis of the test's own, which keeps nothing."""

    def __init__(self, server: str, log: Path) -> None:
        """`server` is the program."""
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        keeping = ("--save", "", "--appendonly", "no", "--dir", str(log.parent))
        super().__init__([server, "--bind", "127.0.0.1", "--port", str(port), *keeping], port, os.environ, log)


def missing(what: str) -> NoReturn:
    """The test is skipped for want of this, or fails where nothing may be missing."""
    import pytest  # noqa: PLC0415 - benchmarks start these things, too, and have none

    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def postgres_binaries() -> Path | None:
    """Where the programs of the newest Postgres are, if there is one on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@contextmanager
def running(*things: Thing) -> Iterator[None]:
    """All of them run, until the end of the block."""
    try:
        for thing in things:
            thing.start()
        yield
    finally:
        for thing in reversed(things):
            thing.kill()


PORTS = range(10_000, 32_768)
"""Nobody who asks for any port, or connects, is given one of them, before a program listens on it."""


def free_port() -> int:
    """A port of the loopback address that nobody listens on right now."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 - nobody need be unable to guess it
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], bool], otherwise: str, patience: float = PATIENCE) -> None:
    """Return once it holds; `TimeoutError` if it does not in time."""
    until = time.monotonic() + patience
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(otherwise)
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
