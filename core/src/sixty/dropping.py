"""Taking a pack's data away for good, for an operator who has said so. Nothing here runs by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.storage.statements import Write
from sixty.tables import records, search

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.registry import Pack

__all__ = ["drop_data"]


async def drop_data(host: Host, pack: Pack) -> None:
    """The pack's tables are gone, by its own downgrades.

    Its records count as deleted, so that what points at them still holds; history and audit trail are kept.
    """
    from sixty.storage.alembic import downgrade_pack  # noqa: PLC0415 - half a second, and rarely needed

    await downgrade_pack(host.settings.database_url, pack)
    kinds = [kind.name for kind in pack.kinds]
    gone = sa.update(records).where(records.c.kind.in_(kinds), records.c.deleted_at.is_(None))
    await host.database.apply(
        [
            # in this order: a DELETE by which SQLite first notices that tables have gone fails on the full-text index
            Write(gone.values(deleted_at=sa.bindparam("now")), {"now": host.clock()}),
            Write(sa.delete(search).where(search.c.kind.in_(kinds)), {}),
        ]
    )
