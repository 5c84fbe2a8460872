"""The erasure itself: what others say of the subject first, then the record or the account, then what came meanwhile.

In this order it can be begun again after whatever has ended it: the values that are looked for stand in what goes last.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.counters import raising
from sixty.erasing.places import Sweep
from sixty.search import forget
from sixty.storage.columns import Id, Instant
from sixty.storage.statements import Write
from sixty.tables import api_keys, changes, claims, grants, imported, records, users, webhooks

if TYPE_CHECKING:
    from sixty.directory import User
    from sixty.erasing.subjects import Subject
    from sixty.host import Host
    from sixty.kinds import Kind

__all__ = ["Erasure", "erase"]

SETTLED = 1.0
"""Seconds after which every server has written the lines that it held."""
PSEUDONYM = "erased.invalid"
"""The domain of the addresses that accounts have then, to which no mail can go."""

_key: sa.BindParameter[str] = sa.bindparam("key", type_=Id)
_now = sa.bindparam("now", type_=Instant)
_GONE = (
    sa.update(records)
    .where(records.c.id == _key)
    .values(version=records.c.version + 1, updated_at=_now, deleted_at=sa.func.coalesce(records.c.deleted_at, _now))
)
_NO_HISTORY = sa.update(changes).where(changes.c.record_id == _key).values(before=None, after=None)
_NOT_IMPORTED = sa.delete(imported).where(imported.c.record_id == _key)
_NO_CLAIMS = sa.delete(claims)
_USER = (
    sa.update(users)
    .where(users.c.id == _key)
    .values(
        email=sa.bindparam("address"),
        name="Erased user",
        subject=None,
        disabled_at=sa.func.coalesce(users.c.disabled_at, _now),
    )
)
_KEYS = (
    sa.update(api_keys)
    .where(api_keys.c.user_id == _key)
    .values(name="erased", revoked_at=sa.func.coalesce(api_keys.c.revoked_at, _now))
)
_NO_GRANTS = sa.delete(grants).where(grants.c.user_id == _key)
_NO_WEBHOOKS = sa.delete(webhooks).where(webhooks.c.user_id == _key)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What has gone, or would go."""

    found: dict[str, int] = field(default_factory=dict)
    """How many rows, by place."""
    unread: tuple[str, ...] = ()
    """Packs that do not serve, whose tables nobody here can read."""
    scrubbed: bool = False
    """Whether the bytes are gone from the database's files as well."""


async def erase(host: Host, subject: Subject, *, rehearsing: bool = False) -> Erasure:
    """Nothing is left of the subject but its id, unless this is only a rehearsal."""
    sweep = Sweep(host, subject, rehearsing=rehearsing)
    await sweep.everywhere()
    if not rehearsing:
        await host.database.apply(_going(host, subject))
        await asyncio.sleep(SETTLED)
        await sweep.everywhere()
    found = {**sweep.found, subject.name: max(1, len(subject.ids))}
    unread = tuple(sorted((*host.registry.absent, *host.registry.quarantined)))
    return Erasure(found, unread, not rehearsing and await host.database.scrub())


def _going(host: Host, subject: Subject) -> list[Write]:
    if subject.user is not None:
        return _account(host, subject.user)
    writes = [Write(_NO_CLAIMS, {})]  # hashes of what was decided on, of which nothing is left where nobody decides
    for record_id in sorted(subject.ids):
        writes += _record(host, subject.kind, record_id)
    return writes


def _record(host: Host, kind: Kind | None, record_id: str) -> list[Write]:
    """The record, its details, its words and its history are gone; its place on the spine stays, so pointers hold."""
    key = {"key": record_id}
    details = [detail for detail in host.registry.details_by_table.values() if detail.kind is kind]
    gone = [Write(sa.delete(detail.table).where(detail.table.c[detail.parent] == _key), key) for detail in details]
    if kind is not None:
        gone.append(Write(sa.delete(kind.table).where(kind.table.c.id == _key), key))
    return [
        *gone,
        forget(record_id),
        Write(_NOT_IMPORTED, key),
        Write(_NO_HISTORY, key),
        Write(_GONE, {**key, "now": host.clock()}, expect=1),
    ]


def _account(host: Host, user: User) -> list[Write]:
    """The user is somebody without a name, who is let in no more; what they own stays theirs."""
    key = {"key": user.id}
    address = f"erased-{user.id}@{PSEUDONYM}"
    return [
        Write(raising("identity"), {}, expect=1),
        Write(_USER, {**key, "address": address, "now": host.clock()}, expect=1),
        Write(_KEYS, {**key, "now": host.clock()}),
        Write(_NO_GRANTS, key),
        Write(_NO_WEBHOOKS, key),
    ]
