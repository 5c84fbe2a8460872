"""The programs of Postgres: which one is taken, and what it is told."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from sixty.backup import programs
from sixty.backup.programs import environment, folder_for, running
from sixty.backup.stopping import Stop, Stopped
from sixty.errors import BackupError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where programs are installed; nothing else is found."""
    monkeypatch.setattr(programs, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def install(folder: Path, version: int) -> Path:
    folder.mkdir(parents=True)
    for name in ("pg_dump", "pg_restore", "psql"):
        path = folder / name
        path.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}.4 (Debian)'\n")
        path.chmod(0o755)
    return folder


def test_where_there_is_none_it_is_said_what_to_install(installed: Path) -> None:
    with pytest.raises(
        BackupError, match=r"pg_dump is not installed: install .* Postgres 16 or later .*postgresql-client-16"
    ):
        folder_for(16)


def test_one_that_is_older_than_the_server_does_not_do(installed: Path) -> None:
    install(installed / "bin", 14)
    with pytest.raises(BackupError, match="pg_dump is of version 14, and the server of 16"):
        folder_for(16)


def test_one_that_is_as_new_is_found_where_debian_has_several(installed: Path) -> None:
    first = install(installed / "bin", 14)
    install(installed / "debian/15/bin", 15)
    install(installed / "debian/9/bin", 9)
    newest = install(installed / "debian/17/bin", 17)
    assert folder_for(14) == first
    assert folder_for(16) == newest


def test_all_of_an_address_goes_by_the_environment() -> None:
    options = "sslmode=verify-full&sslrootcert=/ca.pem&search_path=a b"
    url = f"postgresql+asyncpg://ada:s3cret%2F@db.example:6432/sixty?{options}"
    told = environment(url, {"HOME": "/root", "PGPASSWORD": "another"})
    assert told == {
        "HOME": "/root",
        "LC_ALL": "C",
        "PGCONNECT_TIMEOUT": "30",
        "PGHOST": "db.example",
        "PGPORT": "6432",
        "PGUSER": "ada",
        "PGPASSWORD": "s3cret/",
        "PGDATABASE": "sixty",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/ca.pem",
        "PGOPTIONS": "-c search_path=a\\ b",
    }


def test_what_an_address_does_not_say_is_left_to_the_environment() -> None:
    told = environment("postgresql+asyncpg:///sixty?host=/run/postgresql", {"PGPASSFILE": "/pass", "PGUSER": "ada"})
    assert told == {
        "PGPASSFILE": "/pass",
        "PGUSER": "ada",
        "LC_ALL": "C",
        "PGCONNECT_TIMEOUT": "30",
        "PGHOST": "/run/postgresql",
        "PGDATABASE": "sixty",
    }


def test_what_a_program_says_against_it_is_the_error() -> None:
    with (
        pytest.raises(BackupError, match="sh failed: no such thing"),
        running(("/bin/sh", "-c", "echo no such thing >&2; exit 3"), os.environ, Stop()),
    ):
        pass
    with (
        pytest.raises(BackupError, match="sh failed: it ended with 3"),
        running(("/bin/sh", "-c", "exit 3"), os.environ, Stop()),
    ):
        pass


def test_a_program_that_nobody_waits_for_any_more_is_killed() -> None:
    stop = Stop()
    with pytest.raises(Stopped), running(("/bin/sleep", "60"), os.environ, stop) as process:
        stop.end()
    assert process.returncode == -9
    with pytest.raises(Stopped), running(("/bin/sleep", "60"), os.environ, stop) as process:
        pytest.fail("it had ended before")


def test_one_that_ends_before_it_has_read_everything_says_why() -> None:
    command = ("/bin/sh", "-c", "echo enough >&2; exit 1")

    def feed() -> None:
        with (
            running(command, os.environ, Stop(), stdin=subprocess.PIPE) as taking,
            running(("/bin/cat", "/dev/zero"), os.environ, Stop(), stdout=subprocess.PIPE) as giving,
        ):
            assert taking.stdin is not None
            assert giving.stdout is not None
            while True:
                taking.stdin.write(giving.stdout.read(1_000_000))

    with pytest.raises(BackupError, match="sh failed: enough"):
        feed()
