"""The roster: which packs an operator wants, and what was accepted of each, in the table `packs`.

Each change is one transaction that also raises the counter `packs`, so that every process follows.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.counters import COUNTERS, counters_in, raising
from sixty.errors import Unavailable
from sixty.tables import packs
from sixty.terms import Terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from sixty.storage.database import Database, Reader, Transaction
    from sixty.storage.statements import Row

__all__ = ["Decision", "Roster", "disable", "enable", "forget", "load_roster", "remember"]

_RAISE = raising("packs")
_ALL = sa.select(packs).order_by(packs.c.at, packs.c.name)
_NAMED = sa.select(packs).where(packs.c.name == sa.bindparam("wanted"))
_INSERT = sa.insert(packs)
_DECIDE = (
    sa.update(packs)
    .where(packs.c.name == sa.bindparam("wanted"))
    .values(
        enabled=sa.bindparam("on"), accepted=sa.bindparam("terms", type_=packs.c.accepted.type), at=sa.bindparam("now")
    )
)
_FORGET = sa.delete(packs).where(packs.c.name == sa.bindparam("wanted"))


@dataclass(frozen=True)
class Decision:
    """What was decided about one pack. `at` is when it was enabled, disabled or first seen."""

    name: str
    enabled: bool
    accepted: Terms | None
    """None for a pack that was disabled before it was ever loaded."""
    at: datetime


@dataclass(frozen=True)
class Roster:
    """All decisions as they were at `version`."""

    version: int
    packs: Mapping[str, Decision]
    """By name, in the order in which they were made."""


async def load_roster(reader: Reader) -> Roster:
    """The roster as `reader` sees it. `Unavailable` before the core's migrations have run."""
    version = counters_in(await reader.rows(COUNTERS)).packs
    return Roster(version, {row["name"]: _decision(row) for row in await reader.rows(_ALL)})


def _decision(row: Row) -> Decision:
    return Decision(**{**row, "accepted": None if row["accepted"] is None else Terms.from_json(row["accepted"])})


@asynccontextmanager
async def _change(database: Database) -> AsyncIterator[Transaction]:
    """A transaction that every process will notice."""
    async with database.transaction() as transaction:
        # first, so that on Postgres too one change waits for the other
        if await transaction.execute(_RAISE) != 1:
            raise Unavailable("the database lacks tables of the core; run `sixty db upgrade`")
        yield transaction


async def enable(database: Database, name: str, terms: Terms, now: datetime) -> None:
    """The pack is wanted everywhere, with these terms."""
    async with _change(database) as transaction:
        await _decide(transaction, Decision(name, enabled=True, accepted=terms, at=now))


async def disable(database: Database, name: str, now: datetime) -> None:
    """The pack is wanted nowhere. What was accepted of it is kept."""
    async with _change(database) as transaction:
        known = await transaction.row(_NAMED, {"wanted": name})
        accepted = _decision(known).accepted if known is not None else None
        await _decide(transaction, Decision(name, enabled=False, accepted=accepted, at=now))


async def remember(database: Database, seen: Mapping[str, Terms], now: datetime) -> int:
    """The terms of packs that were just loaded are known; whether a known pack is wanted, and since when, stays.

    Returns the version that the roster has now.
    """
    async with _change(database) as transaction:
        for name, terms in seen.items():
            known = await transaction.row(_NAMED, {"wanted": name})
            before = _decision(known) if known is not None else Decision(name, enabled=True, accepted=None, at=now)
            await _decide(transaction, Decision(name, before.enabled, terms, before.at))
        return counters_in(await transaction.rows(COUNTERS)).packs


async def forget(database: Database, name: str) -> None:
    """Nothing is known of the pack."""
    async with _change(database) as transaction:
        await transaction.execute(_FORGET, {"wanted": name})


async def _decide(transaction: Transaction, decision: Decision) -> None:
    accepted = None if decision.accepted is None else decision.accepted.to_json()
    changed = {"wanted": decision.name, "on": decision.enabled, "terms": accepted, "now": decision.at}
    if await transaction.execute(_DECIDE, changed) == 0:
        row = {"name": decision.name, "enabled": decision.enabled, "accepted": accepted, "at": decision.at}
        await transaction.execute(_INSERT, row)
