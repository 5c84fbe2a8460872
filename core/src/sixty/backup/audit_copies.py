"""Copies of the audit trail elsewhere: each line once, in order, in files that say which they are and what came before.

A copy is a file of lines and, after it, a manifest with its hash and the hash of the manifest before it: what has no
manifest counts as not copied. Where the next copy begins, the place says, so that nothing is left out or done twice
after a crash; a database that was restored from a backup continues behind the last line that it still has.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from sixty.audit.lines import line_shown
from sixty.audit.report import Head
from sixty.backup.places import private
from sixty.errors import BackupError
from sixty.tables import audit, audit_seals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sixty.backup.places import Place
    from sixty.backup.stopping import Stop
    from sixty.storage.database import Database
    from sixty.storage.statements import Row, Statement

    Read = Callable[[Statement, dict[str, Any]], list[Row]]

__all__ = ["Copied", "copy_lines", "settled"]

FORMAT = 1
PAGE = 1_000
"""Lines that are read at once."""
LINES = 100_000
"""Lines of one file at the most."""

_FOLLOWING = sa.select(audit).where(audit.c.seq > sa.bindparam("after"), audit.c.seq <= sa.bindparam("until"))
_FOLLOWING = _FOLLOWING.order_by(audit.c.seq).limit(PAGE)
_LINE = sa.select(audit.c.call_id).where(audit.c.seq == sa.bindparam("wanted"))
_FIRST = sa.select(sa.func.min(audit.c.seq).label("seq"))
_LAST = sa.select(sa.func.max(audit.c.seq).label("seq"))
_HEAD = sa.select(audit_seals.c.position, audit_seals.c.hash).order_by(audit_seals.c.position.desc()).limit(1)
_PATIENCE = sa.text("SET LOCAL lock_timeout = '200ms'")  # for which whoever writes may wait, too
_LOCK = sa.text("LOCK TABLE audit IN SHARE MODE")

_logger = logging.getLogger(__name__)


class Copied(BaseModel):
    """The manifest of one copy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    position: int
    """Of the copy among all of the organisation's."""
    file: str
    sha256: str
    """Of the file."""
    lines: int
    first: int
    last: int
    """The `seq` of its first line, and of its last."""
    last_call: str
    """The call of the last line: by it, a line of a restored database is told from another with the same `seq`."""
    after: int
    """The last `seq` that was copied before."""
    begins_at: datetime
    ends_at: datetime
    previous: str | None
    """The SHA-256 of the manifest of the copy that this one continues."""
    head: str | None
    """Where the chain of seals was then, as `sixty audit verify --head` takes it; None before the first seal."""

    def to_json(self) -> bytes:
        """As it is kept."""
        return self.model_dump_json(indent=2).encode()


async def settled(database: Database) -> int:
    """The `seq` up to which no line can come any more; 0 where there is none."""
    async with database.transaction() as transaction:
        if database.dialect_name == "postgresql":
            # lines are committed in another order than they are numbered: for a moment nobody is between the two
            await transaction.execute(_PATIENCE)
            await transaction.execute(_LOCK)
        return (await transaction.rows(_LAST))[0]["seq"] or 0


def copy_lines(place: Place, organisation: str, read: Read, until: int, stop: Stop) -> list[Copied]:
    """The lines up to `until` that were not in the place are there; the copies that were made for it."""
    prefix = f"audit-{organisation}-"
    names = [stored.name for stored in place.list(prefix)]
    manifests = [name for name in names if name.endswith(".json")]
    position = int(manifests[-1].removeprefix(prefix).removesuffix(".json")) + 1 if manifests else 1
    for name in names:  # of a process that was killed before it wrote the manifest
        if name.startswith(f"{prefix}{position:08d}-"):
            with suppress(BackupError):  # of a bucket from which nothing may be removed
                place.remove(name)
    after, previous = _continued(place, manifests, read)
    made: list[Copied] = []
    while after < until:
        with place.workspace() as folder:
            lines, manifest = folder / "lines", folder / "manifest"
            name, found = f"{prefix}{position:08d}", _lines(read, after, until, stop)
            copy = _written(lines, found, name, position=position, after=after, previous=previous, head=_head(read))
            if copy is None:
                break
            place.put(copy.file, lines)
            with open(manifest, "xb", opener=private) as file:
                file.write(copy.to_json())
            place.put(f"{name}.json", manifest)
        made.append(copy)
        position, after, previous = position + 1, copy.last, hashlib.sha256(copy.to_json()).hexdigest()
    return made


def _continued(place: Place, manifests: list[str], read: Read) -> tuple[int, str | None]:
    """The last line that was copied and is still of this database's past, and the hash of that copy's manifest."""
    for name in reversed(manifests):
        with place.workspace() as folder:
            path = folder / "manifest"
            place.read(name, path)
            text = path.read_bytes()
        copy = Copied.model_validate_json(text)
        found = read(_LINE, {"wanted": copy.last})
        first = read(_FIRST, {})[0]["seq"]
        if found[0]["call_id"] == copy.last_call if found else first is not None and first > copy.last:
            return copy.last, hashlib.sha256(text).hexdigest()
        _logger.warning(
            "the database is older than %s/%s: it was restored, and its lines are copied anew", place.address, name
        )
    return 0, None


def _lines(read: Read, after: int, until: int, stop: Stop) -> Iterator[Row]:
    """The lines in between, in order, as many as one file has."""
    for _ in range(LINES // PAGE):
        stop()
        page = read(_FOLLOWING, {"after": after, "until": until})
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["seq"]


def _written(
    path: Path, lines: Iterator[Row], name: str, *, position: int, after: int, previous: str | None, head: str | None
) -> Copied | None:
    """The lines are in a file; what its manifest says, or None if there were none."""
    first = last = None
    count = 0
    with open(path, "xb", opener=private) as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
        for line in lines:
            file.write(orjson.dumps(line_shown(line), option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))
            first, last, count = first or line, line, count + 1
    if first is None or last is None:
        return None
    with path.open("rb") as written:
        sha256 = hashlib.file_digest(written, "sha256").hexdigest()
    return Copied(
        position=position,
        file=f"{name}-{first['seq']}-{last['seq']}-{last['at']:%Y%m%d}.jsonl.gz",
        sha256=sha256,
        lines=count,
        first=first["seq"],
        last=last["seq"],
        last_call=last["call_id"],
        after=after,
        begins_at=first["at"],
        ends_at=last["at"],
        previous=previous,
        head=head,
    )


def _head(read: Read) -> str | None:
    for seal in read(_HEAD, {}):
        return str(Head(seal["position"], bytes(seal["hash"]).hex()))
    return None
