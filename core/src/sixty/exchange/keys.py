"""Which record each line of a source became: so that running an import again changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.storage.columns import Id, Json
from sixty.storage.functions import each
from sixty.storage.statements import NEW, Write
from sixty.tables import imported, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sixty.storage.statements import Row
    from sixty.unit import UnitOfWork

__all__ = ["BY_ID", "Keys", "digest", "keep", "known"]

BY_ID = ""
"""The source of lines that have an id of ours, wherever they come from."""
LONGEST = 255
"""Characters of a key; of a longer one there is a hash."""

_known = (
    sa.select(imported.c.key, imported.c.record_id, imported.c.digest, records.c.deleted_at, records.c.merged_into)
    .join(records, records.c.id == imported.c.record_id)
    .where(
        imported.c.form == sa.bindparam("form"),
        imported.c.source == sa.bindparam("source"),
        imported.c.key.in_(each(sa.bindparam("keys", type_=Json)).texts()),
    )
)
_first = sa.insert(imported)
_again = (
    sa.update(imported)
    .where(
        imported.c.form == sa.bindparam("of_form"),
        imported.c.source == sa.bindparam("of_source"),
        imported.c.key == sa.bindparam("of_key"),
    )
    .values(digest=sa.bindparam("new_digest"), record_id=sa.bindparam("new_record", type_=Id))
)


async def known(unit: UnitOfWork, form: str, source: str, keys: Iterable[str]) -> dict[str, Row]:
    """What these keys of a source became, by key."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return {}
    found = await unit.before(_known, {"keys": wanted, "form": form, "source": source})
    return {row["key"]: row for row in found}


def keep(unit: UnitOfWork, form: str, source: str, key: str, *, record_id: str, said: str, new: bool) -> None:
    """The key stands for the record, which is as the line said."""
    if new:
        row = {"form": form, "source": source, "key": key, "record_id": record_id, "digest": said}
        unit.write(Write(_first, row, row=NEW))
    else:
        values = {"of_form": form, "of_source": source, "of_key": key, "new_digest": said, "new_record": record_id}
        unit.write(Write(_again, values, expect=1))


def digest(text: str) -> str:
    """A hash of a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(slots=True)
class Keys:
    """The keys of one file as it is read, each once."""

    _lines: dict[int, int] = field(default_factory=dict)
    """In which line a key was, by a hash of it: a million lines are a hundred megabytes less than the keys."""
    _alike: Counter[int] = field(default_factory=Counter)

    def of_cells(self, cells: Sequence[Any]) -> str:
        """The key of a row that has none: what is in it, and how many rows before were just the same."""
        said = digest("\x1f".join(map(str, cells)))
        short = int(said[:16], 16)
        self._alike[short] += 1
        return f"{said}#{self._alike[short]}"

    @staticmethod
    def of_text(text: str) -> str:
        """A key as it is kept."""
        return text if len(text) <= LONGEST else digest(text)

    def first(self, key: str, line: int) -> int:
        """In which line the key was first: in this one, if it is new."""
        return self._lines.setdefault(hash(key), line)
