"""A backup has its name once it was restored and compared; whatever goes wrong before leaves nothing."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import time
from typing import TYPE_CHECKING

import asyncpg
import pytest
import sqlalchemy as sa

from sixty.backup import postgres
from sixty.backup.making import kept_at, rotate, source_at
from sixty.backup.places import Folder
from sixty.backup.rotation import Keep
from sixty.backup.sqlite import Sqlite
from sixty.backup.stopping import Stop, Stopped, aside
from sixty.errors import BackupError
from sixty.storage.postgres import driver_address
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sixty.backup.manifest import Contents, Made
    from sixty.testing.databases import SqliteTemplates

    Plugins = tuple[tuple[str, object], ...]


class Counting(Stop):
    """Ends the work at a certain time of asking."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Stopped


async def trials(url: str) -> list[str]:
    """The databases in which something was tried out, as they are on the server."""
    connection = await asyncpg.connect(driver_address(url))
    names = await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'sixty_trial%'")
    await connection.close()
    return [row["datname"] for row in names]


def test_it_says_what_it_has(database_url: str, make: Callable[..., Made], folder: Path) -> None:
    made = make()
    path = folder / made.name
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == made.bytes
    assert [it.name for it in kept_at(Folder(folder), made.manifest.contents.organisation)] == [made.name]
    assert made.manifest.contents == source_at(database_url).found(Stop())
    assert {"core", "notes", "pins"} <= made.manifest.contents.versions.keys()
    assert made.manifest.contents.counts["notes"] == 0
    assert made.verified


def test_whenever_it_is_ended_nothing_is_left(
    sqlite_templates: SqliteTemplates, folder: Path, tmp_path: Path, make: Callable[..., Made], plugins: Plugins
) -> None:
    url = sqlite_templates.copy(plugins, tmp_path / "sixty.db")
    asked = Counting(-1)
    made = make(url, asked)
    (folder / made.name).unlink()
    times = -1 - asked.left
    for when in sorted({1, 2, times // 2, times - 1, times}):
        with pytest.raises(Stopped):
            make(url, Counting(when))
        assert list(folder.iterdir()) == [], f"asked for the {when}. time"


async def test_who_is_cancelled_waits_until_nothing_is_left(
    database_url: str, make: Callable[..., Made], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()
    loop, source = asyncio.get_running_loop(), type(source_at(database_url))
    dump = source.dump

    def slow(self: object, target: Path, stop: Stop) -> Contents:
        contents = dump(self, target, stop)  # type: ignore[arg-type]
        loop.call_soon_threadsafe(begun.set)
        while True:
            stop()
            time.sleep(0.001)
        return contents

    monkeypatch.setattr(source, "dump", slow)
    task = asyncio.create_task(aside(lambda stop: make(stop=stop)))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert os.listdir(folder) == []  # noqa: PTH208 - a folder here takes no time


def test_what_restores_something_else_is_no_backup(
    database_url: str, make: Callable[..., Made], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = type(source_at(database_url))
    check = source.check

    def lossy(self: object, dump: Path, stop: Stop) -> Contents:
        found = check(self, dump, stop)  # type: ignore[arg-type]
        return found.model_copy(update={"counts": {**found.counts, "notes": 7}})

    monkeypatch.setattr(source, "check", lossy)
    with pytest.raises(BackupError, match="is not what was there: notes had 0 rows, and has 7"):
        make()
    assert list(folder.iterdir()) == []


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """No file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [10_000, 100_000])
def test_on_a_full_disk_it_fails_and_nothing_is_left(
    database_url: str, make: Callable[..., Made], folder: Path, small_disk: Callable[[int], None], size: int
) -> None:
    if size == 100_000 and database_url.startswith("postgresql"):
        pytest.skip("the dump is smaller")
    small_disk(size)
    with pytest.raises(BackupError):
        make()
    small_disk(resource.RLIM_INFINITY)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_it_may_not_write_it_says_so(make: Callable[..., Made], folder: Path) -> None:
    folder.chmod(0o500)
    with pytest.raises(BackupError, match="cannot write to"):
        make(verify=False)
    folder.chmod(0o700)


def test_where_there_is_no_folder_none_is_made(make: Callable[..., Made], folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(BackupError, match=r"there is no folder .*: make it, or mount it"):
        make(verify=False)
    with pytest.raises(BackupError, match="there is no folder"):
        kept_at(Folder(folder), "0123abcd")


def test_what_a_killed_process_has_left_is_cleared_a_day_later(make: Callable[..., Made], folder: Path) -> None:
    old, new, others = (folder / name for name in (".sixty-work-old", ".sixty-work-new", ".sixty-demo"))
    for left in (old, new, others):
        left.mkdir()
        (left / "dump").touch()
    day = 86_400
    for left in (old, others):
        os.utime(left, (time.time() - day - 1,) * 2)
    make(verify=False)
    assert not old.exists()
    assert new.exists()
    assert others.exists()


def test_only_what_is_superfluous_and_ones_own_is_removed(make: Callable[..., Made], folder: Path) -> None:
    made = make(verify=False)
    organisation = made.manifest.contents.organisation
    older = [f"sixty-{organisation}-2026010{day}T020000000000Z.zip" for day in range(1, 5)]
    others = ["sixty-ffffffff-20250101T020000000000Z.zip", f"sixty-{organisation}-notes.txt", "holiday.jpg"]
    for name in (*older, *others):
        (folder / name).touch()
    assert rotate(Folder(folder), organisation, Keep(2, 0, 0)) == older[:3]
    assert sorted(path.name for path in folder.iterdir()) == sorted([made.name, older[3], *others])


def test_the_log_of_sqlite_is_short_again_and_the_copy_needs_none(
    sqlite_templates: SqliteTemplates, tmp_path: Path, plugins: Plugins
) -> None:
    path = tmp_path / "sixty.db"
    url = sqlite_templates.copy(plugins, path)

    async def fill() -> None:
        async with open_organisation(url, plugins) as organisation:
            for _ in range(20):
                await organisation.as_role("user").call("add_note", text="x" * 200)
            assert path.with_name("sixty.db-wal").stat().st_size > 100_000
            await aside(lambda stop: Sqlite(url).dump(tmp_path / "copy.db", stop))
            assert path.with_name("sixty.db-wal").stat().st_size == 0

    asyncio.run(fill())
    connection = sqlite3.connect(f"file:{tmp_path / 'copy.db'}?mode=ro&immutable=1", uri=True)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert connection.execute("SELECT count(*) FROM notes").fetchone() == (20,)
    connection.close()
    assert sorted(it.name for it in tmp_path.glob("copy.db*")) == ["copy.db"]


def test_a_copy_that_is_not_sound_is_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "dangling.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a REFERENCES a); INSERT INTO b VALUES (1)"
    )
    connection.close()
    with pytest.raises(BackupError, match="is not sound: ok, 1 bad pointers"):
        Sqlite(f"sqlite+aiosqlite:///{path}").check(path, Stop())
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(BackupError, match="file is not a database"):
        Sqlite(f"sqlite+aiosqlite:///{path}").check(path, Stop())


async def test_looking_at_a_copy_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    path, stopped = tmp_path / "large.db", Stop()
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT i, i FROM n"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE t (i INTEGER PRIMARY KEY, j); CREATE INDEX x ON t (j);")
    connection.executescript(f"INSERT INTO t {numbers}")
    connection.close()
    source, begun = Sqlite(f"sqlite+aiosqlite:///{path}"), asyncio.Event()
    loop, ends = asyncio.get_running_loop(), []

    def look(stop: Stop) -> None:
        loop.call_soon_threadsafe(begun.set)
        try:
            source.check(path, stop)
        except (BackupError, Stopped) as error:
            ends.append(error)

    looking = asyncio.create_task(aside(look))
    await begun.wait()
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert len(ends) == 1
    stopped.end()
    with pytest.raises(Stopped):
        source.check(path, stopped)


# of Postgres alone


@pytest.fixture
def postgres_url(database_url: str) -> str:
    if not database_url.startswith("postgresql"):
        pytest.skip("it is about Postgres")
    return database_url


def test_a_role_that_may_not_make_databases_is_told_how_to_do_without(
    postgres_url: str, make: Callable[..., Made], folder: Path
) -> None:
    role = f"care_{os.urandom(4).hex()}"
    own = sa.make_url(postgres_url)

    async def run(*commands: str) -> None:
        connection = await asyncpg.connect(driver_address(postgres_url))
        for command in commands:
            await connection.execute(command)
        await connection.close()

    asyncio.run(run(f"CREATE ROLE {role} LOGIN PASSWORD 'p/w'", f"GRANT pg_read_all_data TO {role}"))
    try:
        url = own.set(username=role, password="p/w").render_as_string(hide_password=False)
        with pytest.raises(
            BackupError, match=r"may not make a database .* CREATEDB.*--no-verify, or SIXTY_BACKUP_VERIFY"
        ):
            make(url)
        assert list(folder.iterdir()) == []
        assert not make(url, verify=False).verified
    finally:
        asyncio.run(run(f"DROP OWNED BY {role}", f"DROP ROLE {role}"))


def test_the_database_in_which_it_was_tried_out_is_gone_also_those_of_the_killed(
    postgres_url: str, make: Callable[..., Made]
) -> None:
    left = f"{postgres.TRIAL}_20250101020000_0000{os.urandom(2).hex()}"
    postgres._run(postgres_url, [f"CREATE DATABASE {left}"])
    make()
    assert left not in set(asyncio.run(trials(postgres_url)))


def test_a_server_that_does_not_answer_is_an_error_that_says_so(make: Callable[..., Made], folder: Path) -> None:
    with pytest.raises(BackupError, match="the database: "):
        make("postgresql+asyncpg://nobody@127.0.0.1:9/nothing")
    assert list(folder.iterdir()) == []
