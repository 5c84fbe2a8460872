"""Making a backup: dumped, put into a file, restored from that file, compared; then it has its name, and not before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from sixty.backup.archive import open_archive, write_archive
from sixty.backup.contents import differences
from sixty.backup.manifest import Contents, Kind, Made, Manifest, Name
from sixty.backup.rotation import superfluous
from sixty.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from sixty.backup.places import Place
    from sixty.backup.rotation import Keep
    from sixty.backup.stopping import Stop

__all__ = ["Source", "back_up", "kept_at", "rotate", "source_at"]


class Source(Protocol):
    """A database that is backed up, and into which backups are restored."""

    kind: Kind

    def dump(self, target: Path, stop: Stop) -> Contents:
        """One state of it is at `target`; what that state has."""

    def check(self, dump: Path, stop: Stop) -> Contents:
        """What a dump has once it is restored. `BackupError` if it cannot be, or is not sound."""

    def found(self, stop: Stop) -> Contents | None:
        """What is in it; None where there are no tables."""

    def workspace(self) -> AbstractContextManager[Path]:
        """A folder for what is to be restored, which is gone at the end of the block."""

    def restore(self, dump: Path, finish: Callable[[str], None], stop: Stop, *, rehearse: bool) -> None:
        """What is in the dump is in it, whole or not at all; `finish` is given the URL of what is to be finished.

        With `rehearse`, `finish` may fail.
        """


def source_at(url: str) -> Source:
    """The database at `url`."""
    if url.startswith("sqlite"):
        from sixty.backup.sqlite import Sqlite  # noqa: PLC0415 - one of them is needed, not both

        return Sqlite(url)
    from sixty.backup.postgres import Postgres  # noqa: PLC0415 - as above

    return Postgres(url)


def back_up(
    source: Source,
    place: Place,
    *,
    packs: Mapping[str, str],
    now: datetime,
    stop: Stop,
    name: str | None = None,
    verify: bool = True,
) -> Made:
    """The backup is in the place, under `name` or one that tells when it was made; `packs` are the versions of them.

    Raises `BackupError`, and then nothing of it is left.
    """
    began = time.monotonic()
    with place.workspace() as folder:
        dump, archive, again = folder / "dump", folder / "archive", folder / "again"
        contents = source.dump(dump, stop)
        if not contents.counts:
            raise BackupError("there is nothing to back up: the database has no tables")

        def manifest(size: int, sha256: str) -> Manifest:
            return Manifest(
                made_at=now,
                database=source.kind,
                packs=dict(packs),
                contents=contents,
                size=size,
                sha256=sha256,
            )

        written = write_archive(archive, dump, source.kind, manifest, stop)
        dump.unlink()
        if verify:
            open_archive(archive, again, stop)
            if problems := differences(contents, source.check(again, stop)):
                raise BackupError(f"what the backup restores is not what was there: {'; '.join(problems)}")
            again.unlink()
        stop()
        size = archive.stat().st_size
        name = name or Name.new(contents.organisation, now).name
        place.put(name, archive)
    return Made(
        name=name,
        place=place.address,
        manifest=written,
        bytes=size,
        seconds=round(time.monotonic() - began, 3),
        verified=verify,
    )


def kept_at(place: Place, organisation: str) -> list[Name]:
    """The backups of an organisation in a place, the oldest first; whatever else is there is not among them."""
    found = (Name.parse(stored.name) for stored in place.list(f"sixty-{organisation}-"))
    return sorted((it for it in found if it is not None), key=lambda it: it.made_at)


def rotate(place: Place, organisation: str, keep: Keep) -> list[str]:
    """The names of the backups of an organisation that were superfluous, and are gone."""
    gone = [it.name for it in superfluous(kept_at(place, organisation), keep)]
    for name in gone:
        place.remove(name)
    return gone
