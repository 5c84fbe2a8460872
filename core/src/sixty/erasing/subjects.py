"""Whom an erasure is about: a user, or a record of any kind with all that was merged into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.erasing.values import Values
from sixty.errors import Conflict, Invalid, NotFound, nearest
from sixty.storage.columns import Id
from sixty.tables import changes, records
from sixty.values import counted, is_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sixty.directory import User
    from sixty.host import Host
    from sixty.kinds import Kind
    from sixty.storage.statements import Row

__all__ = ["USER", "Subject", "subject_of"]

USER = "user"
"""The word for an employee, who has an account and is no record."""
PAGE = 500
"""Rows of the history that are read at once."""
_HOPS = 20  # merges of merges, as in `records.py`

_key: sa.BindParameter[str] = sa.bindparam("key", type_=Id)
_spine = sa.select(records).where(records.c.id == _key)
_merged = sa.select(records.c.id).where(records.c.merged_into == _key)
_told = sa.select(changes.c.before, changes.c.after).where(changes.c.record_id == _key)
_deleted = (
    sa.select(changes.c.seq, changes.c.record_id, changes.c.before)
    .where(
        changes.c.table_name == sa.bindparam("of_table"),
        changes.c.op == "delete",
        changes.c.seq > sa.bindparam("after", type_=sa.BigInteger),
    )
    .order_by(changes.c.seq)
    .limit(PAGE)
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who it is."""

    id: str
    values: Values
    kind: Kind | None = None
    """None for a user."""
    user: User | None = None
    ids: frozenset[str] = frozenset()
    """The ids of the record and of all that was merged into it."""

    @property
    def name(self) -> str:
        """The word for what it is."""
        return USER if self.kind is None else self.kind.name


async def subject_of(host: Host, what: str, who: str) -> Subject:
    """Whoever has this id, or a value by which one of their kind is known. No error quotes what was given."""
    who = who.strip()
    if what == USER:
        directory = await host.identity.directory()
        user = directory.users_by_email.get(who.lower()) or directory.users.get(who.lower())
        if user is None:
            raise NotFound("there is no such user; `sixty user list` shows who there is")
        texts = [user.email, user.name, *([user.subject] if user.subject else [])]
        return Subject(user.id, Values(texts), user=user)
    kind = host.registry.kinds.get(what)
    if kind is None:
        known = (USER, *sorted(host.registry.kinds))
        raise Invalid(f"there is nothing like {what!r} to erase{nearest(what, known)}", allowed=list(known))
    record_id = await _final(host, who.lower()) if is_id(who) else await _known_by(host, kind, who)
    spine = await host.database.rows(_spine, {"key": record_id}) if record_id is not None else []
    if record_id is None or not spine or spine[0]["kind"] != kind.name:
        raise NotFound(f"there is no such {kind.name}, nor was there one; give its id or what tells it from others")
    ids = await _with_merged(host, record_id)
    return Subject(record_id, Values([text async for text in _texts(host, kind, ids)]), kind=kind, ids=frozenset(ids))


async def _final(host: Host, record_id: str) -> str:
    """Where merges have led a record."""
    for _ in range(_HOPS):
        found = await host.database.rows(_spine, {"key": record_id})
        if not found or found[0]["merged_into"] is None:
            break
        record_id = found[0]["merged_into"]
    return record_id


async def _known_by(host: Host, kind: Kind, who: str) -> str | None:
    """The id of the one record that has this value in an identifying column, or had it when it was deleted."""
    wanted = who.lower()
    columns = [kind.table.c[name] for name in kind.identifying]
    found: set[str] = set()
    if columns:
        equal = sa.or_(*(sa.func.lower(column) == sa.bindparam("wanted") for column in columns))
        rows = await host.database.rows(sa.select(kind.table.c.id).where(equal), {"wanted": wanted})
        found = {row["id"] for row in rows}
    if not found:
        async for row in _pages(host, kind):
            if any(str((row["before"] or {}).get(name)).lower() == wanted for name in kind.identifying):
                found.add(await _final(host, row["record_id"]))
    if len(found) > 1:
        raise Conflict(f"{counted(len(found), kind.name)} are known by this: say by its id which one")
    return found.pop() if found else None


async def _pages(host: Host, kind: Kind) -> AsyncIterator[Row]:
    after = 0
    while rows := await host.database.rows(_deleted, {"of_table": kind.table.name, "after": after}):
        for row in rows:
            yield row
        after = rows[-1]["seq"]


async def _with_merged(host: Host, record_id: str) -> list[str]:
    ids = [record_id]
    for one in ids:  # grows while merges of merges are found
        ids += [row["id"] for row in await host.database.rows(_merged, {"key": one})]
    return ids


async def _texts(host: Host, kind: Kind, ids: list[str]) -> AsyncIterator[str]:
    """Every value that the records have, or ever had, in an identifying column."""
    row_of = sa.select(kind.table).where(kind.table.c.id == _key)
    for record_id in ids:
        rows: list[dict[str, Any]] = list(await host.database.rows(row_of, {"key": record_id}))
        for change in await host.database.rows(_told, {"key": record_id}):
            rows += [change["before"] or {}, change["after"] or {}]
        for row in rows:
            for name in kind.identifying:
                if isinstance(row.get(name), str):
                    yield row[name]
