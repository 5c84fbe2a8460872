"""Restoring a backup: what can be wrong with it is found out before anything is touched, or undone with the rest."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.backup.archive import open_archive
from sixty.backup.contents import contents_of, differences
from sixty.backup.places import is_address, place_at
from sixty.errors import BackupError
from sixty.storage.engines import connected
from sixty.storage.migrations import head_of, is_known
from sixty.tables import jobs, webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from sixty.backup.making import Source
    from sixty.backup.manifest import Contents, Manifest
    from sixty.backup.stopping import Stop
    from sixty.registry import Pack

__all__ = ["opened", "quieten", "restore", "waiting"]

QUIET = "it was restored quietly"
"""The error of a job that is called off, and the reason of a webhook that is disabled."""

_LIVE = jobs.c.state.in_(("waiting", "running"))


@contextmanager
def opened(address: str, source: Source, stop: Stop) -> Iterator[tuple[Manifest, Path]]:
    """The manifest of the backup at a path or an address, and what it is to restore, found to be as it was made."""
    with source.workspace() as folder:
        path = Path(address).expanduser()
        if is_address(address):
            where, _, name = address.rpartition("/")
            path = folder / "archive"
            place_at(where).read(name, path)
        elif not path.is_file():
            raise BackupError(f"there is no file {path}")
        dump = folder / "dump"
        manifest = open_archive(path, dump, stop)
        if manifest.database != source.kind:
            raise BackupError(
                f"this is a backup of {manifest.database}, and SIXTY_DATABASE_URL names {source.kind}: a backup goes "
                "back into what it was made of; `sixty export` and `sixty import` take records from one to the other"
            )
        yield manifest, dump


def restore(
    source: Source,
    manifest: Manifest,
    dump: Path,
    packs: Mapping[str, Pack],
    *,
    stop: Stop,
    quiet_at: datetime | None = None,
) -> Contents:
    """The database is what the backup has, brought up to date; what it has then.

    Raises `BackupError`, and then it is as it was. With `quiet_at` nothing that waited in it is done or sent.
    """
    behind = _behind(manifest, packs)

    def finish(url: str) -> None:
        found = connected(url, lambda connection: contents_of(connection, stop))
        if problems := differences(manifest.contents, found):
            raise BackupError(f"what was restored is not what the manifest says: {'; '.join(problems)}")
        _migrate(url, behind)
        if quiet_at is not None:
            connected(url, lambda connection: quieten(connection, quiet_at))

    source.restore(dump, finish, stop, rehearse=bool(behind))
    found = source.found(stop)
    if found is None:
        raise BackupError("nothing is there after the restore")
    return found


def waiting(connection: Connection) -> tuple[int, int]:
    """How many jobs will be done, and how many webhooks will be told, once a server serves the database."""
    counts = (
        sa.select(sa.func.count()).where(_LIVE, sa.or_(jobs.c.lane.is_(None), jobs.c.lane.not_like("schedule:%"))),
        sa.select(sa.func.count()).where(webhooks.c.state != "disabled"),
    )
    return int(connection.scalar(counts[0]) or 0), int(connection.scalar(counts[1]) or 0)


def quieten(connection: Connection, now: datetime) -> None:
    """No job waits, and no webhook is told of anything: for a copy that lives beside its original."""
    connection.execute(
        sa.update(jobs)
        .where(_LIVE)
        .values(state="cancelled", finished_at=now, error=QUIET, leased_by=None, leased_until=None)
    )
    connection.execute(
        sa.update(webhooks)
        .where(webhooks.c.state != "disabled")
        .values(state="disabled", disabled_reason=QUIET, disabled_at=now, updated_at=now)
    )


def _behind(manifest: Manifest, packs: Mapping[str, Pack]) -> list[Pack]:
    """The packs whose tables were of an earlier version. A `BackupError` for those of a later one."""
    behind = []
    for name, pack in packs.items():
        version = manifest.contents.versions.get(name)
        if version is None:
            continue  # its tables are made when it is loaded
        if not is_known(pack, version):
            made_by = manifest.packs.get(name) or "a later version"
            raise BackupError(
                f"the backup is of a later version: its tables of {name} are at {version}, which {name} "
                f"{pack.version} does not know; install what made it ({made_by})"
            )
        if version != head_of(pack):
            behind.append(pack)
    return behind


def _migrate(url: str, packs: Sequence[Pack]) -> None:
    if not packs:
        return
    from sixty.storage.alembic import upgrade_packs  # noqa: PLC0415 - half a second, and rarely needed

    try:
        failed = asyncio.run(upgrade_packs(url, packs))
    except Exception as error:
        raise BackupError(f"the migration of core failed: {type(error).__name__}: {error}") from error
    if failed:
        raise BackupError("; ".join(f"{name}: {why}" for name, why in failed.items()))
