"""Where somebody may be named beside their own record, and what becomes of it there. Each place is read page by page.

A value that tells another record from all others, such as a phone that two people share, is that one's own and stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import search
from sixty.audit.entry import Entry
from sixty.audit.ranges import ranges_of
from sixty.audit.signing import CONTENT
from sixty.audit.verifying import ERASED, OURS
from sixty.errors import Conflict
from sixty.ids import new_id
from sixty.operator import operator
from sixty.storage.columns import Id, Json
from sixty.storage.database import StaleWrite
from sixty.storage.statements import Write
from sixty.tables import audit, changes, idempotency, jobs, records, webhooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from sixty.erasing.subjects import Subject
    from sixty.host import Host
    from sixty.kinds import Kind
    from sixty.storage.statements import Row

__all__ = ["COMMAND", "Sweep"]

COMMAND = "sixty erase"
"""The command whose own lines stay: they say who has erased, and name nobody."""
PAGE = 200
"""Rows that are read and changed at once; the numbers of so many lines fit into one line of the trail."""
LATE = 10_000
"""Lines before the last that were looked at, among which one may have been committed since."""
TRIES = 5
"""How often a row that somebody else writes at the same time is tried."""

_DELIVERY = "core.deliver"
_OF_ERASING = sa.or_(
    sa.and_(audit.c.tool == ERASED, audit.c.transport == OURS),
    sa.and_(audit.c.tool == COMMAND, audit.c.transport == "cli"),
)
"""Lines that name nobody. By any other transport a caller can call a tool so."""
_key: sa.BindParameter[str] = sa.bindparam("key", type_=Id)
_seen: sa.BindParameter[int] = sa.bindparam("seen", type_=sa.Integer)
_NEXT = sa.update(records).where(records.c.id == _key, records.c.version == _seen).values(version=records.c.version + 1)
_seq: sa.BindParameter[int] = sa.bindparam("seq_", type_=sa.BigInteger)
_EMPTY = sa.update(audit).where(audit.c.seq == _seq).values(dict.fromkeys((*CONTENT, "salt")))
_CHANGE = (
    sa.update(changes)
    .where(changes.c.seq == _seq)
    .values(before=sa.bindparam("was", type_=Json), after=sa.bindparam("is_now", type_=Json))
)
_JOB = (
    sa.update(jobs)
    .where(jobs.c.seq == _seq)
    .values(payload=sa.bindparam("said", type_=Json), error=sa.bindparam("why", type_=sa.Text))
)
_CALL_OFF = (
    sa.update(jobs)
    .where(jobs.c.seq == _seq, jobs.c.state == "waiting")
    .values(state="cancelled", finished_at=sa.bindparam("now"))
)
_FORGET = sa.delete(idempotency).where(
    idempotency.c.user_id == _key, idempotency.c.key == sa.bindparam("of_key", type_=sa.String)
)


@dataclass
class Sweep:
    """One look through every place, which changes what it finds unless it is only a rehearsal."""

    host: Host
    subject: Subject
    rehearsing: bool = False
    found: dict[str, int] = field(default_factory=dict)
    """How many rows, by place."""
    audit_after: int = 0
    """Lines up to this number were looked at."""

    async def everywhere(self) -> None:
        """Every place is looked through."""
        await self.audit()
        await self.history()
        await self.answers()
        await self.jobs()
        for pack in self.host.registry.packs.values():
            tables = pack.tables.metadata.sorted_tables if pack.tables is not None and pack.name != "core" else ()
            for table in tables:
                await self.texts(table)
        await self.texts(webhooks)

    async def audit(self) -> None:
        """Lines about the subject have no content any more, and a line says which."""
        others = sa.select(audit).where(sa.not_(_OF_ERASING), audit.c.seq > self.audit_after - LATE)
        async for page in self._pages(audit, others):
            self.audit_after = page[-1]["seq"]
            about = [row["seq"] for row in page if self._is_about(row)]
            if about and not self.rehearsing:
                line = self.host.audit.write(self._line(about))
                await self.host.database.apply([*(Write(_EMPTY, {"seq_": seq}, expect=1) for seq in about), line])
            self._count("audit trail", len(about))

    async def history(self) -> None:
        """Changes of other records do not have the values any more; those of the record itself go with it."""
        async for page in self._pages(changes, sa.select(changes)):
            for row in page:
                if row["record_id"] in self.subject.ids:
                    continue
                kind = self.host.registry.kinds_by_table.get(row["table_name"])
                own = kind.identifying if kind is not None else ()
                was, is_now = self._without_but(own, row["before"]), self._without_but(own, row["after"])
                if (was, is_now) != (row["before"], row["after"]):
                    await self._write("history", Write(_CHANGE, {"seq_": row["seq"], "was": was, "is_now": is_now}))

    async def answers(self) -> None:
        """Answers that are kept for repeated calls, and name the subject, are forgotten."""
        async for page in self._pages(idempotency, sa.select(idempotency)):
            for row in page:
                if self._named(row["result"], row["key"]) or self._has_id(row["result"]):
                    forget = Write(_FORGET, {"key": row["user_id"], "of_key": row["key"]})
                    await self._write("answers kept for repeated calls", forget)

    async def jobs(self) -> None:
        """Jobs do not have the values any more, and what was to be sent about the record is called off."""
        async for page in self._pages(jobs, sa.select(jobs)):
            for row in page:
                own = row["name"] == _DELIVERY and row["payload"].get("record_id") in self.subject.ids
                if own or self._named(row["payload"], row["error"]):
                    said = {} if own else self._without(row["payload"])
                    writes = [Write(_JOB, {"seq_": row["seq"], "said": said, "why": self._without(row["error"])})]
                    if own:
                        writes.append(Write(_CALL_OFF, {"seq_": row["seq"], "now": self.host.clock()}))
                    await self._write("jobs", *writes)

    async def texts(self, table: sa.Table) -> None:
        """No text of a table has the values."""
        kind = self.host.registry.kinds_by_table.get(table.name)
        own = self.host.registry.details_by_table.get(table.name)
        parent = "id" if kind is not None else own.parent if own is not None else None
        kept = {*(column.name for column in table.primary_key), *(kind.identifying if kind is not None else ())}
        names = [c.name for c in table.columns if isinstance(c.type, sa.String | Json) and c.name not in kept]
        if not names:
            return
        async for page in self._pages(table, sa.select(table)):
            for row in page:
                if parent is not None and row[parent] in self.subject.ids:
                    continue  # it goes as a whole
                if self._named(*(row[name] for name in names)):
                    await self._rewrite(table, kind, row, names)

    async def _rewrite(self, table: sa.Table, kind: Kind | None, row: Row, names: list[str]) -> None:
        """A row is without the values, also if somebody writes it at this moment."""
        for _ in range(TRIES):
            values = {name: self._fitting(table.c[name], self._without(row[name])) for name in names}
            changed = {name: value for name, value in values.items() if value != row[name]}
            if not changed:
                return
            try:
                await self._write(table.name, *_rewriting(self.host, table, kind, row, changed))
            except StaleWrite:
                found = await self.host.database.rows(sa.select(table).where(_same(table)), _key_of(table, row))
                if not found:
                    return
                row = found[0]
            else:
                return
        raise Conflict("somebody is writing the same records all the time; erase again in a moment")

    # -- how

    async def _pages(self, table: sa.Table, rows: sa.Select[Any]) -> AsyncIterator[list[Row]]:
        key = list(table.primary_key)
        after = sa.tuple_(*key) > sa.tuple_(*(sa.bindparam(f"after_{one.name}", type_=one.type) for one in key))
        first, further = rows.order_by(*key).limit(PAGE), rows.where(after).order_by(*key).limit(PAGE)
        page = await self.host.database.rows(first)
        while page:
            yield page
            page = await self.host.database.rows(further, {f"after_{one.name}": page[-1][one.name] for one in key})

    async def _write(self, place: str, *writes: Write) -> None:
        if not self.rehearsing:
            await self.host.database.apply(writes)
        self._count(place, 1)

    def _count(self, place: str, rows: int) -> None:
        if rows:
            self.found[place] = self.found.get(place, 0) + rows

    def _named(self, *values: Any) -> bool:
        return any(self.subject.values.are_in(value) for value in values)

    def _without(self, value: Any) -> Any:
        return self.subject.values.without(value)

    def _without_but(self, own: Collection[str], values: dict[str, Any] | None) -> dict[str, Any] | None:
        """The fields of a change without the values, but for those by which the other record itself is known."""
        if values is None:
            return None
        return {name: value if name in own else self._without(value) for name, value in values.items()}

    def _fitting(self, column: sa.Column[Any], value: Any) -> Any:
        longest = getattr(column.type, "length", None)
        return value[:longest] if isinstance(value, str) and longest else value

    def _has_id(self, value: Any) -> bool:
        """Whether a JSON value has the record's id anywhere."""
        if isinstance(value, str):
            return value in self.subject.ids
        if isinstance(value, dict):
            return any(self._has_id(name) or self._has_id(content) for name, content in value.items())
        return isinstance(value, list) and any(self._has_id(item) for item in value)

    def _is_about(self, row: Row) -> bool:
        content = [row[name] for name in CONTENT]
        return self._named(*content) or any(self._has_id(value) for value in content)

    def _line(self, about: list[int]) -> Entry:
        subject = self.subject
        return Entry(
            call_id=new_id(),
            at=self.host.clock(),
            tool=ERASED,
            effect="destroy",
            outcome="ok",
            message=f"{len(about)} lines were erased",
            arguments={"kind": subject.name, "id": subject.id, "lines": ranges_of(about)},
            transport=OURS,
            client=operator(),
        )


def _same(table: sa.Table) -> Any:
    return sa.and_(*(one == sa.bindparam(f"key_{one.name}", type_=one.type) for one in table.primary_key))


def _key_of(table: sa.Table, row: Row) -> dict[str, Any]:
    return {f"key_{one.name}": row[one.name] for one in table.primary_key}


def _rewriting(host: Host, table: sa.Table, kind: Kind | None, row: Row, changed: dict[str, Any]) -> list[Write]:
    """The writes by which a row has other texts; a record is at its next version then, and found by its new words."""
    bound: dict[str, Any] = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in changed}
    values = {**_key_of(table, row), **{f"new_{name}": value for name, value in changed.items()}}
    if kind is None:
        return [Write(sa.update(table).where(_same(table)).values(bound), values, expect=1)]
    at_version = table.c.version == _seen
    rewritten = sa.update(table).where(_same(table), at_version).values({**bound, "version": table.c.version + 1})
    writes = [
        Write(rewritten, {**values, "seen": row["version"]}, expect=1),
        Write(_NEXT, {"key": row["id"], "seen": row["version"]}, expect=1),
    ]
    if (searchable := host.registry.searchables.get(kind.name)) is not None:
        writes += search.reindex(searchable, row, {**row, **changed})
    return writes
