"""How resources look at a moment: for each of them, a value that is another one when it shows something else.

What is read is read once for all who listen, and shown to each as far as they may see it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from mcp.shared.subscriptions import ResourceUpdated, ServerEvent

from sixty.permissions import reaches
from sixty.storage.several import chunks, several
from sixty.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sixty.directory import Principal
    from sixty.host import Host
    from sixty.kinds import Kind
    from sixty.resources import Resource
    from sixty.storage.statements import Row

__all__ = ["Looks", "Sight"]

Looks = Mapping[ServerEvent, Hashable]
"""How what may change looks to somebody, by the event that would tell of a change."""


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """The records of one kind and owner that point at a record by one field, summed up: any change shows in it."""

    kind: Kind
    owner_id: str | None
    figures: Hashable


@dataclass(frozen=True, slots=True)
class Sight:
    """What was read at one moment of everything that some resources show."""

    host: Host
    watched: Mapping[str, tuple[Resource, str | None]]
    """The resource at each address, and the id of the record that it names."""
    spines: Mapping[str, Row]
    neighbours: Mapping[str, Sequence[_Neighbours]]

    @classmethod
    async def of(cls, host: Host, uris: Iterable[str]) -> Sight:
        """Look at these addresses."""
        watched: dict[str, tuple[Resource, str | None]] = {}
        for uri in uris:
            if (found := host.registry.resource_at(uri)) is not None:
                offer, arguments = found
                watched[uri] = offer, str(arguments[offer.record]).lower() if offer.record is not None else None
        ids = {record_id for _, record_id in watched.values() if record_id is not None}
        centres = {record_id for offer, record_id in watched.values() if record_id is not None and offer.around}
        return cls(host, watched, await _spines(host, ids), await _neighbours(host, centres))

    def looks(self, principal: Principal, uris: Iterable[str]) -> Looks:
        """How these addresses look to somebody."""
        return {ResourceUpdated(uri): self._look(principal, uri) for uri in uris}

    def _look(self, principal: Principal, uri: str) -> Hashable:
        if uri not in self.watched:
            return None
        offer, record_id = self.watched[uri]
        look: list[Hashable] = []
        if offer.about is not None:
            look.append(principal)
        if offer.about == "people":
            look.append(tuple(self.host.identity.latest.users.values()))
        if record_id is not None:
            look.append(self._version(principal, record_id))
            if offer.around:
                look.append(frozenset(self._around(principal, record_id)))
        return tuple(look)

    def _version(self, principal: Principal, record_id: str) -> int | None:
        """The version of a record as `principal` sees it; None: not at all."""
        spine = self.spines.get(record_id)
        kind = self.host.registry.kinds.get(spine["kind"]) if spine is not None else None
        if spine is None or kind is None or spine["deleted_at"] is not None:
            return None
        return spine["version"] if self._sees(principal, kind, spine["owner_id"]) else None

    def _around(self, principal: Principal, record_id: str) -> Iterator[Hashable]:
        for group in self.neighbours.get(record_id, ()):
            if self._sees(principal, group.kind, group.owner_id):
                yield group

    def _sees(self, principal: Principal, kind: Kind, owner_id: str | None) -> bool:
        scope, team = principal.scope(f"{kind.resource}:read"), self.host.identity.latest.team_of(owner_id)
        return reaches(scope, principal.user_id, principal.team_id, owner_id, team)


async def _spines(host: Host, ids: Iterable[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for size, values in chunks(ids):
        found.update((row["id"], row) for row in await host.database.rows(_spines_of(size), values))
    return found


async def _neighbours(host: Host, ids: Iterable[str]) -> dict[str, list[_Neighbours]]:
    found: dict[str, list[_Neighbours]] = {}
    for size, values in chunks(ids):
        for kind in host.registry.kinds.values():
            for field in kind.pointers:
                for row in await host.database.rows(_pointing(kind, field, size), values):
                    figures = field, row["count"], row["versions"], row["latest"]
                    found.setdefault(row["target"], []).append(_Neighbours(kind, row["owner_id"], figures))
    return found


@lru_cache
def _spines_of(size: int) -> sa.Select[Any]:
    spine = (records.c.id, records.c.kind, records.c.owner_id, records.c.version, records.c.deleted_at)
    return sa.select(*spine).where(records.c.id.in_(several(size)))


@lru_cache
def _pointing(kind: Kind, field: str, size: int) -> sa.Select[Any]:
    table = kind.table
    target = table.c[field]
    figures = (
        sa.func.count().label("count"),
        sa.func.sum(table.c.version).label("versions"),
        sa.func.max(table.c.updated_at).label("latest"),
    )
    selected = sa.select(target.label("target"), table.c.owner_id, *figures).where(target.in_(several(size)))
    return selected.group_by(target, table.c.owner_id)
