"""The commands about backups, as typed."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sixty.backup.remembering import LAST_BACKUP
from sixty.storage.database import open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from sixty.storage.statements import Row
    from sixty.testing.databases import PostgresTemplates, SqliteTemplates


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


@pytest.fixture
def other(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The setting of an empty database."""
    if database_url.startswith("sqlite"):
        yield {"SIXTY_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"}
        return
    templates: PostgresTemplates = request.getfixturevalue("postgres_templates")
    name = f"sixty_test_other_{secrets.token_hex(6)}"
    templates._clerk.execute(f"CREATE DATABASE {name}").result()
    url = sa.make_url(database_url).set(database=name).render_as_string(hide_password=False)
    yield {"SIXTY_DATABASE_URL": url}
    templates.drop(url)


@pytest.fixture
def sqlite_url(sqlite_templates: SqliteTemplates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database in the folder in which it is typed, where one kind is enough."""
    monkeypatch.chdir(tmp_path)
    return sqlite_templates.copy((), tmp_path / "sixty.db")


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    return result.stderr


def last_backup(url: str) -> list[Row]:
    async def read() -> list[Row]:
        database = await open_database(url)
        try:
            return await database.rows(LAST_BACKUP)
        finally:
            await database.close()

    return asyncio.run(read())


def test_what_is_backed_up_is_restored(
    run: Callable[..., Result], database_url: str, folder: Path, other: dict[str, str]
) -> None:
    done(run("user", "add", "ada@example.com", "--name", "Ada", "--role", "admin"))
    said = done(run("backup", str(folder)))
    (path,) = folder.iterdir()
    assert said.splitlines()[0] == str(path)
    assert "restored once and found the same" in said
    assert last_backup(database_url)
    (line,) = json.loads(done(run("audit", "tail", "-n", "1", "--json")))
    assert (line["tool"], line["outcome"], line["arguments"]["target"]) == ("sixty backup", "ok", str(folder))
    assert path.name in done(run("backups", str(folder)))
    (listed,) = json.loads(done(run("backups", "--json", SIXTY_BACKUP_TO=str(folder))))
    assert (listed["name"], listed["bytes"]) == (path.name, path.stat().st_size)

    restored = done(run("restore", str(path), **other))
    assert "Restored the backup of" in restored
    assert "  users             1\n" in restored
    assert "ada@example.com" in done(run("user", "list", **other))

    done(run("user", "add", "eve@example.com", "--name", "Eve", **other))
    assert "the database has 2 users and no records in it" in refused(run("restore", str(path), **other))
    assert "there is no terminal to ask on" in refused(run("restore", str(path), "--replace", **other))
    found = json.loads(done(run("restore", str(path), "--replace", "--yes", "--quiet", "--json", **other)))
    assert (found["found"]["counts"]["users"], found["jobs"], found["webhooks"]) == (1, 0, 0)
    assert "eve@example.com" not in done(run("user", "list", **other))


def test_what_a_restored_database_will_do_is_said(run: Callable[..., Result], sqlite_url: str, folder: Path) -> None:
    connection = sqlite3.connect("sixty.db")
    columns = "id, name, queue, payload, due_at, attempts, state, created_at"
    values = "x'00', 'a.b', 'a.b', '{}', '2026', 0, 'waiting', '2026'"
    connection.execute(f"INSERT INTO jobs ({columns}) VALUES ({values})")  # noqa: S608 - both are above
    connection.commit()
    connection.close()
    file = folder / "mine.zip"
    done(run("backup", str(file), "--no-verify", SIXTY_DATABASE_URL=sqlite_url))
    said = done(run("restore", str(file), SIXTY_DATABASE_URL="sqlite+aiosqlite:///copy.db"))
    assert "The next server does 1 job that waited, and tells no webhooks." in said
    assert "--replace --quiet" in said


def test_older_backups_go_when_it_is_asked_for(run: Callable[..., Result], sqlite_url: str, folder: Path) -> None:
    settings = {"SIXTY_DATABASE_URL": sqlite_url, "SIXTY_BACKUP_TO": str(folder), "SIXTY_BACKUP_KEEP": "0,0,0"}
    for _ in range(2):
        assert "not verified" in done(run("backup", "--no-verify", **settings))
    assert len(list(folder.iterdir())) == 2
    assert "2 older backups removed." in done(run("backup", "--rotate", SIXTY_BACKUP_VERIFY="false", **settings))
    made = json.loads(done(run("backup", "--json", "--rotate", **settings)))
    assert [path.name for path in folder.iterdir()] == [made["name"]]
    assert len(made["removed"]) == 1


@pytest.mark.parametrize(
    ("typed", "settings", "message"),
    [
        (["backup"], {}, "say where: name a folder or a bucket, or set SIXTY_BACKUP_TO"),
        (["backups"], {}, "say where"),
        (["backup", "/nowhere/at/all"], {}, "there is no folder /nowhere/at"),
        (["backup", "gopher://x"], {}, "names no place for files"),
        (["backup", "there.zip"], {}, "is there already, and a backup takes nothing's place"),
        (["backup", "new.zip", "--rotate"], {}, "--rotate is for a folder or a bucket"),
        (["backup", "."], {"SIXTY_DATABASE_URL": "sqlite+aiosqlite:///missing.db"}, "there is no database"),
        (["restore", "missing.zip"], {}, "there is no file missing.zip"),
        (["restore", "there.zip"], {}, "there.zip is damaged, or no backup of Sixty"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Callable[..., Result], sqlite_url: str, typed: list[str], settings: dict[str, str], message: str
) -> None:
    Path("there.zip").touch()
    result = run(*typed, **{"SIXTY_DATABASE_URL": sqlite_url, **settings})
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["sixty.db", "there.zip"]


def test_one_that_is_told_to_end_leaves_nothing(sqlite_url: str, folder: Path) -> None:
    asyncio.run(end_one(sqlite_url, folder))


async def end_one(url: str, folder: Path) -> None:
    slow = (
        "import sixty.backup.making as making, sys, time\n"
        "def write(*_):\n    print('begun', flush=True)\n    time.sleep(60)\n"
        "making.write_archive = write\n"
        "from sixty.cli import main\nmain()"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("SIXTY_")}
    env |= {"SIXTY_DATABASE_URL": url, "SIXTY_PLUGINS": ""}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", slow, "backup", str(folder)), env=env, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert await process.stdout.readline() == b"begun\n"
        assert os.listdir(folder)  # noqa: PTH208 - likewise
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 128 + signal.SIGTERM
    assert os.listdir(folder) == []  # noqa: PTH208 - a folder here takes no time
