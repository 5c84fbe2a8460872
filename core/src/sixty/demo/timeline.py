"""What packs put into the past of the demo organisation: calls of their tools, run in the order of time.

Each is a real call, with a clock that shows its moment: permissions hold, history and audit are written, and other
packs react, as if it had been made then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.call import call_tool
from sixty.errors import OperatorError
from sixty.request import Request
from sixty.tables import records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from random import Random

    from sixty.demo.organisation import Company
    from sixty.directory import User
    from sixty.host import Host

__all__ = ["Clock", "Demo", "Planned", "Timeline"]

_living = (
    sa.select(records.c.id, records.c.owner_id)
    .where(records.c.kind == sa.bindparam("wanted"), records.c.deleted_at.is_(None))
    .order_by(records.c.id)
)
_OMITTED = object()
"""An argument that there is nothing for, and that may be left out."""


class _Missing(Exception):
    """A call points at something that is not there: it is left out."""


@dataclass(eq=False, slots=True)
class Planned:
    """A call that will have been made. `planned["deal"]["id"]` stands for that part of its answer, in later calls."""

    moment: datetime
    user: User
    tool: str
    arguments: Mapping[str, Any]
    answer: Mapping[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        return _Answered(self, (key,))


@dataclass(frozen=True, slots=True)
class _Answered:
    planned: Planned
    keys: tuple[str, ...]

    def __getitem__(self, key: str) -> _Answered:
        return _Answered(self.planned, (*self.keys, key))


@dataclass(frozen=True, slots=True)
class _OneOf:
    kind: str
    owner: User | None
    company: Company | None
    optional: bool
    random: Random
    timeline: Timeline


@dataclass(slots=True)
class Clock:
    """The time of a host that is led through the past."""

    now: datetime

    def __call__(self) -> datetime:
        """The moment that it is."""
        return self.now


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo organisation, as a pack is given it."""

    today: date
    """In UTC. Everything that is planned must lie before it."""
    random: Random
    """The pack's own and the same each time, so that no pack changes what another one makes."""
    people: tuple[User, ...]
    companies: tuple[Company, ...]
    _timeline: Timeline

    def at(self, moment: datetime, user: User, tool: str, /, **arguments: Any) -> Planned:
        """Plan a call of `tool` by `user` at `moment`. Calls at the same moment keep their order."""
        planned = Planned(moment, user, tool, arguments)
        self._timeline.plan.append(planned)
        return planned

    def leave(self, kind: str, company: Company, record_id: Any) -> None:
        """Let other packs know that a record, which a planned call will make, has to do with a company."""
        self._timeline.left.setdefault((kind, company), []).append(record_id)

    def one_of(
        self, kind: str, owner: User | None = None, *, company: Company | None = None, optional: bool = False
    ) -> Any:
        """Stands for the id of some record that there is when the call is made, be it another pack's.

        Of those that `owner` has then, or that have to do with `company`, where these are given. If there is none, the
        call is left out, or only this argument where it is `optional`.
        """
        return _OneOf(kind, owner, company, optional, self.random, self._timeline)


@dataclass(slots=True)
class Timeline:
    """Every planned call of every pack."""

    plan: list[Planned] = field(default_factory=list)
    left: dict[tuple[str, Company], list[Any]] = field(default_factory=dict)
    """The ids of records that have to do with a company, by kind; what stands for those that are still to be made."""

    async def run(self, host: Host, clock: Clock) -> int:
        """Make the calls, each at its moment; how many there were. `OperatorError` if one is refused."""
        made = 0
        for planned in sorted(self.plan, key=lambda planned: planned.moment):
            clock.now = planned.moment
            try:
                arguments = await _resolved(planned.arguments, host)
            except _Missing:
                continue
            directory = await host.identity.directory()
            request = Request(planned.tool, arguments, directory.principal(planned.user.id), transport="demo")
            outcome = await call_tool(host, request)
            if outcome.is_error:
                raise OperatorError(
                    f"the demo organisation cannot be loaded: {planned.tool} at {planned.moment.isoformat()} by "
                    f"{planned.user.name} failed: {outcome.structured['error']['message']}"
                )
            planned.answer = outcome.structured
            made += 1
        return made


async def _resolved(value: Any, host: Host) -> Any:
    """The value, with what stands for something replaced by it."""
    match value:
        case dict():
            contents = {name: await _resolved(content, host) for name, content in value.items()}
            return {name: content for name, content in contents.items() if content is not _OMITTED}
        case list() | tuple():
            return [await _resolved(item, host) for item in value]
        case _Answered(planned, keys):
            if planned.answer is None:
                raise _Missing
            return reduce(getitem, keys, planned.answer)
        case _OneOf():
            found = await _candidates(value, host)
            if found:
                return value.random.choice(found)
            if value.optional:
                return _OMITTED
            raise _Missing
        case _:
            return value


async def _candidates(wanted: _OneOf, host: Host) -> list[str]:
    rows = await host.database.rows(_living, {"wanted": wanted.kind})
    found = [row["id"] for row in rows if wanted.owner is None or row["owner_id"] == wanted.owner.id]
    if wanted.company is None:
        return found
    left = wanted.timeline.left.get((wanted.kind, wanted.company), ())
    theirs = {await _resolved(record_id, host) for record_id in left if _is_made(record_id)}
    return [record_id for record_id in found if record_id in theirs]


def _is_made(record_id: Any) -> bool:
    return not isinstance(record_id, _Answered) or record_id.planned.answer is not None
