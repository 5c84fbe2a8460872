"""What a backup says of itself: when it was made, of what, and what is in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from sixty.errors import BackupError

__all__ = ["Contents", "Kind", "Made", "Manifest", "Name"]

FORMAT = 1
"""Of files that this version writes, and reads up to."""

Kind = Literal["sqlite", "postgresql"]

_NAME = re.compile(r"sixty-([0-9a-f]{8})-(\d{8}T\d{12}Z)\.zip")
_TIME = "%Y%m%dT%H%M%S%fZ"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Contents(_Value):
    """What is in a database, as one look has seen it."""

    organisation: str
    """Tells the database's own backups from others'; a copy of it has the same."""
    versions: dict[str, str]
    """The migration at which each pack's tables are, also of packs that are not loaded."""
    counts: dict[str, int]
    """The rows of each table."""
    audit: dict[str, Any]
    """The number of the last line of the audit trail; and its head, as `sixty audit verify` prints it."""


class Manifest(_Value):
    """All that is known of a backup before it is restored."""

    format: int = FORMAT
    made_at: datetime
    database: Kind
    packs: dict[str, str]
    """The version of each pack that was loaded, by name; that of `core` is Sixty's own."""
    contents: Contents
    size: int
    """Bytes of the database's own file, or of what Postgres has dumped."""
    sha256: str

    def to_json(self) -> bytes:
        """As it stands in the file."""
        return self.model_dump_json(indent=2).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """The manifest; `BackupError` if this is none, or one of a later format."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            if (found := re.search(rb'"format": *(\d+)', text)) is not None and int(found[1]) > FORMAT:
                raise BackupError(
                    f"the backup has the format {int(found[1])}, and this version of Sixty reads up to {FORMAT}"
                ) from error
            raise BackupError("the backup has no manifest that can be read: it is damaged, or none of Sixty") from error


class Made(_Value):
    """A backup that is where it was to be."""

    name: str
    place: str
    manifest: Manifest
    bytes: int
    """Of the file that is kept."""
    seconds: float
    verified: bool


class Name(_Value):
    """The name under which a backup is kept in a folder or bucket, where others may have theirs."""

    name: str
    organisation: str
    made_at: datetime

    @classmethod
    def new(cls, organisation: str, made_at: datetime) -> Name:
        """The name of the backup that was made at this moment."""
        time = made_at.astimezone(UTC)
        return cls(name=f"sixty-{organisation}-{time:{_TIME}}.zip", organisation=organisation, made_at=time)

    @classmethod
    def parse(cls, name: str) -> Name | None:
        """What a name says, or None for that of anything else."""
        if (found := _NAME.fullmatch(name)) is None:
            return None
        try:
            made_at = datetime.strptime(found[2], _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(name=name, organisation=found[1], made_at=made_at)
