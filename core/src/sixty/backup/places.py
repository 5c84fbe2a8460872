"""Where files are kept: a folder here, in `bucket.py` a bucket elsewhere. What the files are, nothing here knows.

A file has its name once it is whole: who lists a place while something is being put there does not see it.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sixty.errors import BackupError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

__all__ = ["SCHEMES", "Folder", "Place", "Stored", "is_address", "place_at", "private", "within", "written"]

SCHEMES = ("file", "s3")
"""Those of the addresses that there are; what has none is a folder."""
WORK = ".sixty-work-"
"""How the names of folders begin in which something is made."""
LEFT_BEHIND = 86_400
"""Seconds after which such a folder is that of a process which was killed."""


class Stored(NamedTuple):
    """A file that is kept."""

    name: str
    size: int


class Place(Protocol):
    """Keeps whole files by name."""

    @property
    def address(self) -> str:
        """How people name it."""

    def workspace(self) -> AbstractContextManager[Path]:
        """A folder with room for what is to be put here, which is gone at the end of the block."""

    def put(self, name: str, path: Path) -> None:
        """The file, from the workspace, is kept under this name, in place of what had it. It is moved, or copied."""

    def list(self, prefix: str) -> list[Stored]:
        """The files whose names begin with this, in order of their names."""

    def read(self, name: str, path: Path) -> None:
        """The file of this name is at `path` too."""

    def remove(self, name: str) -> None:
        """No file has this name."""


def is_address(text: str) -> bool:
    """Whether this names something elsewhere, rather than a path here."""
    return "://" in text


def place_at(address: str) -> Place:
    """The folder or bucket; a `ConfigError` says which addresses there are."""
    scheme, found, rest = address.partition("://")
    if not found:
        return Folder(Path(address))
    if scheme == "file":
        return Folder(Path(rest))
    if scheme == "s3":
        from sixty.backup.bucket import Bucket  # noqa: PLC0415 - only who has a bucket needs its library

        return Bucket.at(address)
    raise ConfigError(f"{address!r} names no place for files: write a folder, or s3://BUCKET/PREFIX")


class Folder:
    """A folder of this machine. It is not made when it is missing: what should be mounted there may not be."""

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser().absolute()

    @property
    def address(self) -> str:
        """The path."""
        return str(self._path)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A hidden folder in it. What killed processes have left in others is cleared away."""
        if not self._path.is_dir():
            raise BackupError(f"there is no folder {self._path}: make it, or mount it")
        with written(self._path):
            for left in self._path.glob(f"{WORK}*"):
                with suppress(OSError):
                    if time.time() - left.stat().st_mtime > LEFT_BEHIND:
                        shutil.rmtree(left)
            with TemporaryDirectory(prefix=WORK, dir=self._path) as folder:
                yield Path(folder)

    def put(self, name: str, path: Path) -> None:
        """Move it here, and to the disk."""
        with written(self._path):
            path.replace(self._path / name)
            if os.name == "posix":  # elsewhere a folder cannot be opened
                folder = os.open(self._path, os.O_RDONLY)
                os.fsync(folder)
                os.close(folder)

    def list(self, prefix: str) -> list[Stored]:
        """Its files."""
        if not self._path.is_dir():
            raise BackupError(f"there is no folder {self._path}: make it, or mount it")
        found = [path for path in self._path.glob(f"{prefix}*") if path.is_file()]
        return sorted(Stored(path.name, path.stat().st_size) for path in found)

    def read(self, name: str, path: Path) -> None:
        """Copy it."""
        source = within(self._path, name)
        if not source.is_file():
            raise BackupError(f"there is no file {source}")
        with written(path):
            shutil.copyfile(source, path)

    def remove(self, name: str) -> None:
        """Remove it."""
        with written(self._path):
            (self._path / name).unlink(missing_ok=True)


def within(folder: Path, name: str) -> Path:
    """The file of that name in the folder; a name that leads out of it is a `BackupError`."""
    if Path(name).name != name:
        raise BackupError(f"{name!r} is no name of a file")
    return folder / name


def private(path: str, flags: int) -> int:
    """Open a file, as `open` asks for it; one that is new can be read by its owner alone."""
    return os.open(path, flags, 0o600)


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Within the block, what the system says against writing is a `BackupError` that names the path."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"cannot write to {path}: {error.strerror or error}; nothing is left of it") from error
