"""The file of a backup: a zip with what the database has given, and the manifest after it. No database here.

A file that was cut off or altered is found out before anything is done with it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from sixty.backup.manifest import Manifest
from sixty.backup.places import private
from sixty.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from sixty.backup.manifest import Kind
    from sixty.backup.stopping import Stop

__all__ = ["open_archive", "write_archive"]

PIECE = 1 << 20
"""Bytes that are in memory at once."""
LONGEST = 10 << 20
"""Bytes of a manifest that are read."""

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(KeyError, NotImplementedError, OverflowError, RuntimeError, ValueError),
)
"""What reading a zip that is none raises."""
_MANIFEST = "manifest.json"
_PAYLOADS: dict[Kind, tuple[str, int]] = {
    "sqlite": ("sixty.db", zipfile.ZIP_DEFLATED),
    "postgresql": ("sixty.dump", zipfile.ZIP_STORED),  # which pg_dump has compressed
}


def write_archive(
    path: Path, payload: Path, kind: Kind, manifest: Callable[[int, str], Manifest], stop: Stop
) -> Manifest:
    """The payload and its manifest are in one new file at `path`, which is on the disk and only its owner's.

    `manifest` is told the size and the hash of the payload.
    """
    name, compression = _PAYLOADS[kind]
    with open(path, "xb", opener=private) as file:
        with zipfile.ZipFile(file, "w", compression) as archive:
            with payload.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
                size, digest = _copy(source, target, stop)
            written = manifest(size, digest)
            archive.writestr(_MANIFEST, written.to_json(), zipfile.ZIP_DEFLATED)
        file.flush()
        os.fsync(file.fileno())
    return written


def open_archive(path: Path, payload: Path, stop: Stop) -> Manifest:
    """The manifest, once the whole payload is at `payload` and is what the manifest says.

    Raises `BackupError` for a file that is no backup, or not as it was made.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest_in(archive)
            with (
                archive.open(_PAYLOADS[manifest.database][0]) as source,
                open(payload, "xb", opener=private) as target,
            ):
                found = _copy(source, target, stop, manifest.size)
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # as which it shows that a file says to look where nothing can be
            raise
        raise _damaged(path, error) from error
    if found != (manifest.size, manifest.sha256):
        raise BackupError(
            f"{path.name} is not as it was made: its hash differs from its manifest's; nothing was touched"
        )
    return manifest


def _damaged(path: Path, error: Exception) -> BackupError:
    return BackupError(f"{path.name} is damaged, or no backup of Sixty: {error}; nothing was touched")


def _manifest_in(archive: zipfile.ZipFile) -> Manifest:
    if (size := archive.getinfo(_MANIFEST).file_size) > LONGEST:
        raise BackupError(f"the manifest of the backup has {size} bytes: it is damaged, or none of Sixty")
    return Manifest.from_json(archive.read(_MANIFEST))


def _copy(source: IO[bytes], target: IO[bytes], stop: Stop, most: int | None = None) -> tuple[int, str]:
    """The size and the hash of what was copied; what is more than `most` is not, but for a piece of it."""
    size, digest = 0, hashlib.sha256()
    while (most is None or size <= most) and (piece := source.read(PIECE)):
        stop()
        digest.update(piece)
        target.write(piece)
        size += len(piece)
    return size, digest.hexdigest()
