"""The lines of a seal, and a line as it leaves the house: with what signs it, so that a copy can be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.audit.ranges import Ranges
from sixty.tables import audit

if TYPE_CHECKING:
    from sixty.host import Host
    from sixty.storage.statements import Row

__all__ = ["SIGNED", "line_shown", "lines_of"]

SIGNED = ("salt", "digest", "mac")
"""The columns that sign a line."""

_BETWEEN = (
    sa.select(audit)
    .where(audit.c.seq.between(sa.bindparam("first", type_=sa.BigInteger), sa.bindparam("last", type_=sa.BigInteger)))
    .order_by(audit.c.seq)
)


def line_shown(row: Row) -> dict[str, Any]:
    """The line as JSON has it: what signs it is in hexadecimal."""
    return {name: value.hex() if name in SIGNED and value is not None else value for name, value in row.items()}


async def lines_of(host: Host, seal: Row) -> list[dict[str, Any]]:
    """The lines of a seal that are there, in order."""
    first, last = seal["first_seq"], seal["last_seq"]
    if last - first < 4 * seal["lines"]:
        wanted = Ranges()
        wanted.update(seal["seqs"])
        rows = await host.database.rows(_BETWEEN, {"first": first, "last": last})
        return [row for row in rows if row["seq"] in wanted]
    rows = []
    for begin, end in seal["seqs"]:
        rows += await host.database.rows(_BETWEEN, {"first": begin, "last": end})
    return rows
