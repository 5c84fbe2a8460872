"""A bucket at a service that speaks S3, as a place for files.

Who may use it, where it is and in which region are said by the environment, as with every client of S3
(AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION, …), or by the machine's own role.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sixty.backup.places import Stored, written
from sixty.errors import BackupError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import ClientConfig, RetryConfig

__all__ = ["Bucket"]

PART = 8 << 20
"""Bytes of a large file that are sent at once, and are in memory."""
AT_ONCE = 2
"""Parts on their way at the same time."""
PIECE = 1 << 20
"""Bytes that are read at once."""
RETRIES: RetryConfig = {"max_retries": 5}


class Bucket:
    """What is under a prefix of a bucket. Large files go there in parts, and are there once all of them are."""

    def __init__(self, address: str, store: Any) -> None:
        """`store` is one of obstore's. Its blocking calls are used: who calls them is in a thread of its own."""
        self.address = address
        self._store = store

    @classmethod
    def at(cls, address: str) -> Bucket:
        """The bucket of `s3://BUCKET/PREFIX`; nothing is asked of it yet."""
        parts = urlsplit(address)
        if not parts.netloc:
            raise ConfigError(f"{address!r} names no bucket: write s3://BUCKET/PREFIX")
        try:
            from obstore.store import S3Store  # noqa: PLC0415 - only who has a bucket needs it
        except ImportError as error:
            raise ConfigError(f"{address} needs one more library: pip install 'sixty-core[bucket]'") from error
        options: ClientConfig = {"allow_http": os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")}
        prefix = parts.path.strip("/") or None
        with _told(address):
            return cls(address, S3Store(parts.netloc, prefix=prefix, client_options=options, retry_config=RETRIES))

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder where the system has its temporary ones."""
        with TemporaryDirectory(prefix="sixty-") as folder, written(Path(folder)):
            yield Path(folder)

    def put(self, name: str, path: Path) -> None:
        """Send it."""
        with _told(self.address):
            self._store.put(name, path, chunk_size=PART, max_concurrency=AT_ONCE)

    def list(self, prefix: str) -> list[Stored]:
        """What is directly under the prefix of the address."""
        with _told(self.address):
            found = self._store.list_with_delimiter()["objects"]
        return sorted(Stored(item["path"], item["size"]) for item in found if item["path"].startswith(prefix))

    def read(self, name: str, path: Path) -> None:
        """Fetch it."""
        with _told(self.address):
            pieces = self._store.get(name).stream(min_chunk_size=PIECE)
            with written(path), path.open("wb") as file:
                for piece in pieces:
                    file.write(piece)

    def remove(self, name: str) -> None:
        """Remove it."""
        with _told(self.address):
            self._store.delete(name)


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Within the block, what the service says is a `BackupError` that names the address."""
    from obstore.exceptions import BaseError  # noqa: PLC0415 - as above

    try:
        yield
    except (BaseError, FileNotFoundError) as error:
        why = " ".join(str(error).partition("\n\nDebug source")[0].split())
        raise BackupError(f"{address}: {why[:500]}") from error
