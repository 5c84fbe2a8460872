"""The trail on its way out of the house, page by page, with what is needed to check a copy."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.audit.lines import line_shown
from sixty.tables import audit, audit_seals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from sixty.host import Host

__all__ = ["COLUMNS", "Wanted", "pages"]

PAGE = 1_000
"""Lines that are read at once."""
COLUMNS = (
    *("seq", "call_id", "at", "user_id", "user", "tool", "effect", "outcome", "message", "arguments", "records"),
    *("transport", "client", "address", "microseconds", "seal", "salt", "digest", "mac"),
)
"""What is told of a line; `seal` is the position of the seal that it is in."""

_SEALS = sa.select(audit_seals.c.position, audit_seals.c.seqs).where(
    audit_seals.c.last_seq >= sa.bindparam("first", type_=sa.BigInteger),
    audit_seals.c.first_seq <= sa.bindparam("last", type_=sa.BigInteger),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; None: whatever it is."""

    since: datetime | None = None
    until: datetime | None = None
    user_id: str | None = None
    tool: str | None = None
    outcome: str | None = None

    def select(self) -> sa.Select[Any]:
        """The lines after a number, the oldest first."""
        lines = sa.select(audit).where(audit.c.seq > sa.bindparam("after", type_=sa.BigInteger))
        if self.since is not None:
            lines = lines.where(audit.c.at >= self.since)
        if self.until is not None:
            lines = lines.where(audit.c.at < self.until)
        equal = ((audit.c.user_id, self.user_id), (audit.c.tool, self.tool), (audit.c.outcome, self.outcome))
        for column, value in equal:
            if value is not None:
                lines = lines.where(column == sa.literal(value, column.type))
        return lines.order_by(audit.c.seq).limit(PAGE)


async def pages(host: Host, wanted: Wanted) -> AsyncIterator[list[Any]]:
    """The lines, as objects that have `COLUMNS`."""
    directory, statement = await host.identity.directory(), wanted.select()
    after = -(2**62)
    while rows := await host.database.rows(statement, {"after": after}):
        first, after = rows[0]["seq"], rows[-1]["seq"]
        seals = await host.database.rows(_SEALS, {"first": first, "last": after})
        position = {
            seq: seal["position"]
            for seal in seals
            for begin, end in seal["seqs"]
            for seq in range(max(begin, first), min(end, after) + 1)
        }
        page = []
        for row in rows:
            user = directory.users.get(row["user_id"])
            beside = {"user": user.email if user is not None else None, "seal": position.get(row["seq"])}
            page.append(SimpleNamespace(**line_shown(row), **beside))
        yield page
