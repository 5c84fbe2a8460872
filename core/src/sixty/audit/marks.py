"""The two places in the chain that are marked: `head`, with which it ends, and `anchor`, after which it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sixty.storage.columns import Instant
from sixty.storage.statements import Write
from sixty.tables import audit_marks

if TYPE_CHECKING:
    from datetime import datetime

    from sixty.audit.signing import Signer
    from sixty.storage.database import Database, Transaction
    from sixty.storage.statements import Row

__all__ = ["Mark", "marks", "moving"]

Mark = Literal["head", "anchor"]

_MARKS = sa.select(audit_marks)
_MOVE = (
    sa.update(audit_marks)
    .where(audit_marks.c.name == sa.bindparam("mark"), audit_marks.c.position == sa.bindparam("seen"))
    .values(
        position=sa.bindparam("next_position", type_=sa.BigInteger),
        hash=sa.bindparam("next_hash", type_=sa.LargeBinary),
        mac=sa.bindparam("next_mac", type_=sa.LargeBinary),
        at=sa.bindparam("now", type_=Instant),
    )
)


async def marks(database: Database | Transaction) -> dict[Mark, Row]:
    """Both, by name."""
    return {row["name"]: row for row in await database.rows(_MARKS)}


def moving(mark: Mark, seen: int, position: int, digest: bytes, *, signer: Signer, now: datetime) -> Write:
    """The write that moves a mark from the position where it was seen, and fails if it is there no more."""
    values: dict[str, Any] = {
        "mark": mark,
        "seen": seen,
        "next_position": position,
        "next_hash": digest,
        "next_mac": signer.mark(mark, position, digest),
        "now": now,
    }
    return Write(_MOVE, values, expect=1, row=("audit_marks", mark))
