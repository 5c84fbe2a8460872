"""Claims: calls that decide on the same thing at the same time do so one after the other.

A claim is a row that each of them writes. The database lets one of them win; the others run anew.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.storage.statements import Write
from sixty.tables import claims

if TYPE_CHECKING:
    from sixty.unit import UnitOfWork

__all__ = ["claim"]

_KEY: sa.BindParameter[str] = sa.bindparam("claimed")
_standing = sa.select(claims.c.count).where(claims.c.key == _KEY)
_first = sa.insert(claims)
_again = (
    sa.update(claims)
    .where(claims.c.key == _KEY, claims.c.count == sa.bindparam("seen"))
    .values(count=sa.bindparam("next_count"))
)


async def claim(unit: UnitOfWork, name: str, value: str) -> None:
    """Of two units that claim the same at the same time, one commits and the other has to begin again."""
    key = hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()  # what is claimed may be private
    if ("claims", key) in unit.known:
        return
    found = await unit.before(_standing, {"claimed": key})
    if found:
        seen = found[0]["count"]
        values = {"claimed": key, "seen": seen, "next_count": seen + 1}
        unit.write(Write(_again, values, expect=1, row=("claims", key)))
    else:
        unit.write(Write(_first, {"key": key, "count": 1}, row=("claims", key)))
    unit.known["claims", key] = None
