"""What is kept elsewhere by itself: backups, and copies of the audit trail. Of all servers one sees to it.

What the jobs need is imported when they run: most servers never come to it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from sixty.backup.notices import notify
from sixty.errors import BackupError
from sixty.jobs.job import GiveUp, Nothing, job
from sixty.jobs.schedule import Schedule
from sixty.jobs.work import Work

if TYPE_CHECKING:
    from sixty.backup.manifest import Made
    from sixty.backup.stopping import Stop
    from sixty.storage.statements import Row, Statement

__all__ = ["AUDIT_COPIES", "BACKUPS", "copy_audit", "make_backup"]

TIMEOUT = 12 * 3600
"""Seconds that one of them may take."""

_logger = logging.getLogger(__name__)


async def say_that_there_is_none(args: Nothing, work: Work) -> None:  # noqa: ARG001 - every job has arguments
    """Whoever looks after backups is told that one could not be made."""
    data = {"place": work.host.settings.backup_to, "error": work.error, "tries": work.attempt}
    await notify(work.host, "backup.failed", work.now, data, work.id)


@job(
    "make_backup",
    retry=(300.0, 1800.0, 7200.0),
    timeout=TIMEOUT,
    failed=say_that_there_is_none,
    here=lambda host: host.settings.backup_to is not None,
)
async def make_backup(args: Nothing, work: Work) -> None:  # noqa: ARG001 - every job has arguments
    """Back everything up where SIXTY_BACKUP_TO says, and remove the backups that are superfluous then."""
    from sixty.backup.making import back_up, rotate, source_at  # noqa: PLC0415 - see the top of this file
    from sixty.backup.places import place_at  # noqa: PLC0415 - likewise
    from sixty.backup.remembering import note  # noqa: PLC0415 - likewise
    from sixty.backup.stopping import aside  # noqa: PLC0415 - likewise

    host, settings, now = work.host, work.host.settings, work.now
    if settings.backup_to is None:
        raise GiveUp("SIXTY_BACKUP_TO is not set here")
    source, place = source_at(settings.database_url), place_at(settings.backup_to)
    packs = {pack.name: pack.version for pack in host.registry.packs.values()}

    def make(stop: Stop) -> Made:
        return back_up(source, place, packs=packs, now=now, stop=stop, verify=settings.backup_verify)

    made = await aside(make)
    await note(host.database, now)
    _logger.info("backed up to %s/%s: %d bytes in %s seconds", made.place, made.name, made.bytes, made.seconds)
    organisation = made.manifest.contents.organisation
    data: dict[str, Any] = made.model_dump(mode="json", exclude={"manifest"})
    try:
        data["removed"] = await aside(lambda _: rotate(place, organisation, settings.backup_keep))
    except BackupError as error:  # then there is one more than there need be
        _logger.warning("older backups could not be removed: %s", error)
        data["error"] = str(error)
    await notify(host, "backup.made", now, data, work.id)


@job(
    "copy_audit",
    retry=(60.0, 600.0),
    timeout=TIMEOUT,
    here=lambda host: host.settings.backup_audit_to is not None,
)
async def copy_audit(args: Nothing, work: Work) -> None:  # noqa: ARG001 - every job has arguments
    """Copy the lines of the audit trail that are new to where SIXTY_BACKUP_AUDIT_TO says."""
    from sixty.backup.audit_copies import copy_lines, settled  # noqa: PLC0415 - see the top of this file
    from sixty.backup.contents import mark_of  # noqa: PLC0415 - likewise
    from sixty.backup.places import place_at  # noqa: PLC0415 - likewise
    from sixty.backup.stopping import aside  # noqa: PLC0415 - likewise

    host, loop = work.host, asyncio.get_running_loop()
    if host.settings.backup_audit_to is None:
        raise GiveUp("SIXTY_BACKUP_AUDIT_TO is not set here")
    place, until = place_at(host.settings.backup_audit_to), await settled(host.database)

    def read(statement: Statement, values: dict[str, Any]) -> list[Row]:
        return asyncio.run_coroutine_threadsafe(host.database.rows(statement, values), loop).result()

    for copy in await aside(lambda stop: copy_lines(place, mark_of(host.secret), read, until, stop)):
        _logger.info("copied %d lines of the audit trail to %s/%s", copy.lines, place.address, copy.file)


BACKUPS = Schedule("backups", cron=lambda host: host.settings.backup_cron, job=make_backup)
AUDIT_COPIES = Schedule("audit_copies", cron=lambda host: host.settings.backup_audit_cron, job=copy_audit)
