"""When the last backup was made that can be restored: one row of the database, which each process can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.storage.statements import Write
from sixty.tables import state

if TYPE_CHECKING:
    from datetime import datetime

    from sixty.storage.database import Database

__all__ = ["LAST_BACKUP", "note"]

_NAME = "last backup"

LAST_BACKUP = sa.select(state.c.value).where(state.c.name == _NAME)
"""The seconds from 1970 to the moment of the newest good backup, as `value`."""


async def note(database: Database, made_at: datetime) -> None:
    """A backup of this moment is where it was to be."""
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - a tenth of a second; SQLite reads the same

    anew = insert(state)
    statement = anew.on_conflict_do_update(index_elements=[state.c.name], set_={"value": anew.excluded.value})
    await database.apply([Write(statement, {"name": _NAME, "value": int(made_at.timestamp())})])
