"""Backups and copies of the audit trail by themselves: at their time, once, tried again, and told of."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from receiving import receiving, says
from standardwebhooks import Webhook

from sixty import GiveUp
from sixty.backup import scheduled
from sixty.backup.places import Folder
from sixty.backup.remembering import LAST_BACKUP
from sixty.errors import BackupError
from sixty.tables import jobs
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from receiving import Receiver

    from sixty.testing import Clock
    from sixty.testing.databases import SqliteTemplates

SECRET = "whsec_" + "c2l4dHkgc2l4dHkgc2l4dHkgc2l4dHkh"
HALF_PAST_TWO = datetime(2026, 3, 3, 2, 30, tzinfo=UTC)
Plugins = tuple[tuple[str, object], ...]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def sqlite_url(sqlite_templates: SqliteTemplates, plugins: Plugins, tmp_path: Path) -> str:
    """A database of the test's own, where one kind is enough."""
    return sqlite_templates.copy(plugins, tmp_path / "sixty.db")


@pytest.fixture
def told(receiver: Receiver, folder: Path) -> Mapping[str, str]:
    """The settings of a server that makes backups and tells of them."""
    return {
        "SIXTY_BACKUP_TO": str(folder),
        "SIXTY_BACKUP_KEEP": "2,0,0",
        "SIXTY_BACKUP_NOTICE_URL": receiver.url,
        "SIXTY_BACKUP_NOTICE_SECRET": SECRET,
    }


async def test_each_night_a_backup_is_made_verified_told_of_and_older_ones_go(
    database_url: str, plugins: Plugins, clock: Clock, told: Mapping[str, str], receiver: Receiver
) -> None:
    folder = Path(told["SIXTY_BACKUP_TO"])
    async with open_organisation(database_url, plugins, clock=clock, environ=told) as organisation:
        assert await organisation.rows(LAST_BACKUP) == []
        await organisation.work()
        assert names_in(folder) == []
        for night in range(3):
            clock.advance(HALF_PAST_TWO + timedelta(days=night) - clock())
            assert "core.make_backup" in await organisation.work()
        (last,) = await organisation.rows(LAST_BACKUP)
        assert datetime.fromtimestamp(last["value"], UTC) == HALF_PAST_TWO + timedelta(days=2)
    kept = names_in(folder)
    assert [name[15:30] for name in kept] == ["20260304T023000", "20260305T023000"]
    notice = receiver.requests[-1]
    assert (
        Webhook(SECRET).sign(notice.headers["webhook-id"], clock(), notice.body.decode())
        == (notice.headers["webhook-signature"])
    )
    assert notice.event["type"] == "backup.made"
    data = notice.event["data"]
    assert (data["place"], data["name"], data["verified"]) == (str(folder), kept[-1], True)
    assert data["bytes"] == Folder(folder).list("")[-1].size
    assert len(data["removed"]) == 1


async def test_one_that_fails_is_tried_again_and_then_told_of(
    database_url: str, plugins: Plugins, clock: Clock, told: Mapping[str, str], receiver: Receiver
) -> None:
    folder = Path(told["SIXTY_BACKUP_TO"])
    os.rmdir(folder)  # noqa: PTH106 - it takes no time
    receiver.answers.append(says(500))
    async with open_organisation(database_url, plugins, clock=clock, environ=told) as organisation:
        await organisation.work()
        clock.advance(HALF_PAST_TWO - clock())
        for pause in (0, 330, 1980, 7920):
            clock.advance(timedelta(seconds=pause))
            await organisation.work()
        (row,) = await organisation.rows(sa.select(jobs).where(jobs.c.state == "failed"))
        assert (row["name"], row["attempts"]) == ("core.make_backup", 4)
        assert "there is no folder" in row["error"]
        assert await organisation.rows(LAST_BACKUP) == []
        clock.advance(timedelta(minutes=1))
        await organisation.work()  # the receiver was not there at first
        assert [request.event["type"] for request in receiver.requests] == ["backup.failed"] * 2
        assert receiver.requests[0].headers["webhook-id"] == receiver.requests[1].headers["webhook-id"]
        assert receiver.requests[1].event["data"] == {"place": str(folder), "error": row["error"], "tries": 4}
        os.mkdir(folder)  # noqa: PTH102 - likewise
        clock.advance(timedelta(days=1))
        await organisation.work()
        assert len(names_in(folder)) == 1


async def test_a_backup_of_which_older_ones_cannot_be_removed_is_one_all_the_same(
    plugins: Plugins, sqlite_url: str, told: Mapping[str, str], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BackupError("read-only")

    monkeypatch.setattr("sixty.backup.making.rotate", refuse)
    unsigned = {name: value for name, value in told.items() if not name.endswith("SECRET")}
    async with open_organisation(sqlite_url, plugins, environ=unsigned) as organisation:
        await organisation.work()
        organisation.clock.advance(timedelta(days=1))
        await organisation.work()
    (notice,) = receiver.requests
    assert (notice.event["type"], notice.event["data"]["error"]) == ("backup.made", "read-only")
    assert "webhook-signature" not in notice.headers


async def test_a_server_that_has_no_place_for_backups_leaves_them_to_one_that_has(
    database_url: str, plugins: Plugins, clock: Clock, folder: Path
) -> None:
    there = {"SIXTY_BACKUP_TO": str(folder), "SIXTY_BACKUP_CRON": "0 12 * * *", "SIXTY_BACKUP_VERIFY": "false"}
    waiting = sa.select(jobs.c.due_at, jobs.c.attempts).where(jobs.c.name == "core.make_backup")
    async with (
        open_organisation(database_url, plugins, clock=clock) as without,
        open_organisation(database_url, plugins, clock=clock, environ=there) as having,
    ):
        await without.work()
        assert await having.rows(waiting) == []
        await having.work()
        await without.work()
        noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
        assert await having.rows(waiting) == [{"due_at": noon, "attempts": 0}]
        clock.advance(timedelta(hours=3))
        assert "core.make_backup" not in await without.work()
        assert "core.make_backup" in await having.work()
    assert len(names_in(folder)) == 1


@pytest.mark.parametrize("name", ["make_backup", "copy_audit"])
async def test_a_job_that_comes_to_a_server_without_the_setting_gives_up(
    sqlite_url: str, plugins: Plugins, name: str
) -> None:
    async with open_organisation(sqlite_url, plugins) as organisation:
        work = type("Work", (), {"host": organisation.host, "now": organisation.clock()})()
        with pytest.raises(GiveUp, match="is not set here"):
            await getattr(scheduled, name).handler(None, work)


async def test_the_audit_trail_is_copied_by_itself(
    database_url: str, plugins: Plugins, clock: Clock, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sixty.backup.scheduled")
    environ = {"SIXTY_BACKUP_AUDIT_TO": str(folder), "SIXTY_BACKUP_AUDIT_CRON": "0 * * * *"}
    async with open_organisation(database_url, plugins, clock=clock, environ=environ) as organisation:
        await organisation.work()
        for text in ("a", "b"):
            await organisation.as_role("user").call("add_note", text=text)
            clock.advance(timedelta(hours=1))
            assert "core.copy_audit" in await organisation.work()
        clock.advance(timedelta(hours=1))
        await organisation.work()
    assert [record.args[0] for record in caplog.records if record.args] == [1, 1]  # type: ignore[index]
    assert [name.rpartition(".")[2] for name in names_in(folder)] == ["gz", "json"] * 2
