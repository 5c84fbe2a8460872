"""The counters that every process watches, and the one statement that reads them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from sixty.errors import Unavailable
from sixty.tables import state

if TYPE_CHECKING:
    from sixty.storage.statements import Row, Statement

__all__ = ["COUNTERS", "Counters", "counters_in", "raising"]


class Counters(NamedTuple):
    """How often each of them has changed."""

    identity: int
    """Users, teams, grants, keys and webhooks."""
    packs: int
    """Which packs are wanted, and what was accepted of each."""


def _counter(name: str) -> sa.Label[int]:
    return sa.select(state.c.value).where(state.c.name == name).scalar_subquery().label(name)


COUNTERS = sa.select(*(_counter(name) for name in Counters._fields))
"""All counters in one row, whose values are found by their key."""


def counters_in(found: list[Row]) -> Counters:
    """The counters that `COUNTERS` has found. `Unavailable` before the core's migrations have run."""
    counters = Counters(**found[0])
    if None in counters:
        raise Unavailable("the database lacks tables of the core; run `sixty db upgrade`")
    return counters


def raising(name: str) -> Statement:
    """The write that raises one counter; it must touch one row, and be in the transaction of what it tells of."""
    return sa.update(state).where(state.c.name == name).values(value=state.c.value + 1)
