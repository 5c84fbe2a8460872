"""A backup is restored whole, or not at all, and what was restored works as what was backed up did."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import errands

from sixty import builtin
from sixty.backup.archive import open_archive, write_archive
from sixty.backup.contents import contents_of
from sixty.backup.making import source_at
from sixty.backup.restoring import opened, restore, waiting
from sixty.backup.stopping import Stop, aside
from sixty.errors import BackupError, NotFound
from sixty.jobs.leases import LEASE, Leases
from sixty.lifecycle import load
from sixty.people import add_key
from sixty.storage.alembic import _run
from sixty.storage.engines import connected
from sixty.storage.migrations import status
from sixty.tables import audit, jobs, webhooks
from sixty.testing import open_organisation
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sixty.backup.manifest import Contents, Made
    from sixty.registry import Pack
    from sixty.testing import Clock

Plugins = tuple[tuple[str, object], ...]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "STATE", errands.State())


def core() -> dict[str, Pack]:
    return {"core": load("core", builtin, {})}


def put_back(made: Made, url: str, *, quiet: bool = False) -> Contents:
    source, stop = source_at(url), Stop()
    with opened(f"{made.place}/{made.name}", source, stop) as (manifest, dump):
        return restore(source, manifest, dump, core(), stop=stop, quiet_at=MORNING if quiet else None)


async def test_what_was_restored_works_as_before(
    database_url: str, empty_url: str, plugins: Plugins, clock: Clock, make: Callable[..., Made]
) -> None:
    async with open_organisation(database_url, plugins, clock=clock) as before:
        user = before.as_role("user")
        note = (await user.call("add_note", text="Call Håkon"))["note"]
        moved = await user.call("edit_note", note_id=note["id"], updates={"text": "Call Åse"})
        email = (await user.principal()).email
        _, key = await add_key(before.host.database, email, "n8n", now=clock())
        left = await user.call("leave", label="milk")
        await before.host.audit.flush()
        await Leases(before.host.database, clock).take({"errands.errand": 1}, ["errands.errand"])
        made = await aside(lambda stop: make(stop=stop))
        await user.call("add_note", text="After the backup")

    found = await asyncio.to_thread(put_back, made, empty_url)
    assert found == made.manifest.contents
    async with open_organisation(empty_url, plugins, clock=clock) as after:
        assert (await after.host.authenticator.authenticate(key)).email == email
        user = after.as_role("user")
        assert (await user.call("get_record", id=note["id"]))["record"]["text"] == "Call Åse"
        assert (await user.call("find_notes"))["total"] == 1
        assert (await user.call("search_crm", query="åse"))["results"][0]["id"] == note["id"]
        await user.call("undo_change", change_id=moved["change_id"])
        assert (await user.call("get_record", id=note["id"]))["record"]["text"] == "Call Håkon"
        trail = await after.rows(sa.select(audit.c.tool).order_by(audit.c.seq))
        assert [row["tool"] for row in trail][:2] == ["add_note", "edit_note"]
        clock.advance(LEASE + timedelta(seconds=1))  # whoever ran it is not here
        await after.work()
        assert errands.STATE.done.count("milk") == 1
        assert (await after.rows(sa.select(jobs.c.state).where(jobs.c.id == left["job_id"])))[0]["state"] == "done"


async def test_a_backup_under_load_has_all_that_was_acknowledged_before_it_began(
    database_url: str, empty_url: str, plugins: Plugins, make: Callable[..., Made]
) -> None:
    acknowledged: list[str] = []
    async with open_organisation(database_url, plugins) as before:
        user = before.as_role("user")
        busy, enough = True, asyncio.Event()

        async def write() -> None:
            while busy:
                acknowledged.append((await user.call("add_note", text="x"))["note"]["id"])
                if len(acknowledged) > 40:
                    enough.set()

        writing = [asyncio.create_task(write()) for _ in range(4)]
        await enough.wait()
        certain = set(acknowledged)
        made = await aside(lambda stop: make(stop=stop))
        during = len(acknowledged) - len(certain)
        busy = False
        await asyncio.gather(*writing)
    assert during > 0, "nobody wrote while the backup was made"
    await asyncio.to_thread(put_back, made, empty_url)
    async with open_organisation(empty_url, plugins) as after:
        notes = (await after.rows(sa.text("SELECT count(*) AS n FROM notes")))[0]["n"]
        kept = {row["record_id"] for row in await after.rows(sa.text("SELECT record_id FROM changes"))}
        assert notes == len(kept) == await after.count(audit) >= len(certain)
        for note_id in certain:
            await after.as_role("user").call("get_record", id=note_id)


async def test_what_waited_can_be_called_off(
    database_url: str, empty_url: str, plugins: Plugins, clock: Clock, make: Callable[..., Made]
) -> None:
    hook: dict[str, Any] = {"id": "0199a4c0-6b1e-7d3a-9c55-2f0e8b7d4a10", "url": "https://a.example", "secret": "x"}
    async with open_organisation(database_url, plugins, clock=clock) as before:
        user = before.as_role("user")
        await user.call("leave", label="milk")
        hook |= {
            "user_id": user.user_id,
            "events": ["*"],
            "state": "enabled",
            "created_at": clock(),
            "updated_at": clock(),
        }
        async with before.host.database.transaction() as transaction:
            await transaction.execute(sa.insert(webhooks), hook)
    made = await asyncio.to_thread(make, verify=False)
    await asyncio.to_thread(put_back, made, empty_url, quiet=True)
    assert await asyncio.to_thread(connected, empty_url, waiting) == (0, 0)
    async with open_organisation(empty_url, plugins, clock=clock) as after:
        await after.work()
        assert errands.STATE.done == []
        (told,) = await after.rows(sa.select(webhooks.c.state, webhooks.c.disabled_reason))
        assert told == {"state": "disabled", "disabled_reason": "it was restored quietly"}
    assert await asyncio.to_thread(connected, database_url, waiting) == (1, 1)


def at_the_version(url: str, revision: str) -> None:
    """The core's tables are as an earlier version made them."""
    pack = core()["core"]
    assert pack.tables is not None
    assert pack.tables.migrations is not None
    folder = Path(pack.tables.migrations)
    connected(url, lambda connection: _run(connection, pack, folder, revision))


def test_a_backup_of_an_earlier_version_is_brought_up_to_date(
    database_url: str, empty_url: str, make: Callable[..., Made]
) -> None:
    at_the_version(empty_url, "0006_jobs")
    made = make(empty_url)
    assert made.manifest.contents.versions == {"core": "0006_jobs"}
    assert "webhooks" not in made.manifest.contents.counts
    assert put_back(made, database_url).counts["webhooks"] == 0
    (item,) = asyncio.run(status(database_url, list(core().values())))
    assert item.current == item.head


def test_where_there_are_no_tables_there_is_nothing_to_back_up(
    empty_url: str, make: Callable[..., Made], folder: Path
) -> None:
    if empty_url.startswith("sqlite"):
        with pytest.raises(BackupError, match="there is no database"):
            make(empty_url)
        sqlite3.connect(str(sa.make_url(empty_url).database)).executescript("VACUUM").connection.close()
    with pytest.raises(BackupError, match="nothing to back up"):
        make(empty_url)
    assert list(folder.iterdir()) == []


def test_a_backup_of_a_later_version_is_refused_and_nothing_is_touched(
    database_url: str, empty_url: str, make: Callable[..., Made], tmp_path: Path
) -> None:
    made = make(verify=False)
    later = made.manifest.contents.model_copy(update={"versions": {"core": "0999_hovercraft"}})
    dump, stop = tmp_path / "dump", Stop()
    open_archive(Path(made.place, made.name), dump, stop)
    path = tmp_path / "later.zip"
    manifest = made.manifest.model_copy(update={"contents": later, "packs": {"core": "9.0"}})
    write_archive(path, dump, manifest.database, lambda *_: manifest, stop)
    with pytest.raises(BackupError, match=r"are at 0999_hovercraft, which core .* does not know; .*\(9\.0\)"):
        put_back(made.model_copy(update={"place": str(tmp_path), "name": "later.zip"}), empty_url)
    assert source_at(empty_url).found(stop) is None


def test_what_is_in_use_is_not_replaced(database_url: str, plugins: Plugins, make: Callable[..., Made]) -> None:
    async def serve() -> None:
        async with open_organisation(database_url, plugins) as organisation:
            made = await aside(lambda stop: make(stop=stop, verify=False))
            note = (await organisation.as_role("user").call("add_note", text="x"))["note"]
            with pytest.raises(BackupError, match="in use"):
                await asyncio.to_thread(put_back, made, database_url)
            assert await organisation.as_role("user").call("get_record", id=note["id"])

    asyncio.run(serve())


async def test_what_is_there_is_replaced_whole(database_url: str, plugins: Plugins, make: Callable[..., Made]) -> None:
    async with open_organisation(database_url, plugins) as organisation:
        made = await aside(lambda stop: make(stop=stop, verify=False))
        note = (await organisation.as_role("user").call("add_note", text="x"))["note"]

    def and_more(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE of_a_later_pack (id INTEGER PRIMARY KEY)")

    await asyncio.to_thread(connected, database_url, and_more)
    await asyncio.to_thread(put_back, made, database_url)
    async with open_organisation(database_url, plugins) as organisation:
        with pytest.raises(NotFound):
            await organisation.as_role("user").call("get_record", id=note["id"])
        with pytest.raises(Exception, match="of_a_later_pack"):
            await organisation.rows(sa.text("SELECT * FROM of_a_later_pack"))


@pytest.mark.parametrize("fault", ["finish", "cut"])
async def test_a_restore_that_fails_changes_nothing(
    database_url: str, plugins: Plugins, make: Callable[..., Made], fault: str
) -> None:
    async with open_organisation(database_url, plugins) as organisation:
        made = await aside(lambda stop: make(stop=stop, verify=False))
        note = (await organisation.as_role("user").call("add_note", text="x"))["note"]

    def fail() -> None:
        source, stop = source_at(database_url), Stop()
        with opened(f"{made.place}/{made.name}", source, stop) as (_, dump):
            if fault == "cut":
                os.truncate(dump, dump.stat().st_size // 2)
            source.restore(dump, finish, stop, rehearse=fault == "finish")

    def finish(url: str) -> None:
        if fault == "finish":
            raise BackupError("its migration failed")
        connected(url, lambda connection: contents_of(connection, Stop()))

    with pytest.raises((BackupError, sa.exc.DatabaseError)):
        await asyncio.to_thread(fail)
    async with open_organisation(database_url, plugins) as organisation:
        assert await organisation.as_role("user").call("read_note", note_id=note["id"])


def test_a_migration_that_fails_leaves_what_was_there(
    sqlite_templates: Any, plugins: Plugins, tmp_path: Path, make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> dict[str, str]:
        return {"notes": "its migration failed"}

    old, url = f"sqlite+aiosqlite:///{tmp_path / 'old.db'}", sqlite_templates.copy(plugins, tmp_path / "sixty.db")
    at_the_version(old, "0006_jobs")
    made, before = make(old), source_at(url).found(Stop())
    monkeypatch.setattr("sixty.storage.alembic.upgrade_packs", fail)
    with pytest.raises(BackupError, match="notes: its migration failed"):
        put_back(made, url)
    assert source_at(url).found(Stop()) == before


def test_what_is_restored_must_be_what_the_manifest_says(
    sqlite_templates: Any, plugins: Plugins, tmp_path: Path, make: Callable[..., Made]
) -> None:
    url = sqlite_templates.copy(plugins, tmp_path / "sixty.db")
    made, source, stop = make(url), source_at(url), Stop()
    contents = made.manifest.contents.model_copy(update={"counts": {**made.manifest.contents.counts, "users": 9}})
    forged = made.manifest.model_copy(update={"contents": contents})
    with (
        opened(f"file://{made.place}/{made.name}", source, stop) as (_, dump),
        pytest.raises(BackupError, match="not what the manifest says: users had 9 rows, and has 0"),
    ):
        restore(source, forged, dump, core(), stop=stop)


def test_a_file_of_the_other_database_is_refused(tmp_path: Path, make: Callable[..., Made], empty_url: str) -> None:
    made = make(verify=False)
    other = "sqlite+aiosqlite:///x.db" if made.manifest.database == "postgresql" else "postgresql+asyncpg://h/x"
    with pytest.raises(BackupError, match="goes back into what it was made of"):
        put_back(made, other)


def test_the_file_that_replaces_another_may_be_opened_by_the_same(
    sqlite_templates: Any, plugins: Plugins, tmp_path: Path, folder: Path, make: Callable[..., Made]
) -> None:
    path = tmp_path / "shared.db"
    url = sqlite_templates.copy(plugins, path)
    path.chmod(0o660)
    made = make(url)
    put_back(made, url)
    assert path.stat().st_mode & 0o777 == 0o660
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
