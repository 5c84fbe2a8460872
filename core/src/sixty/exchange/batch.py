"""A part of an import, as one call: its lines become records together, in one transaction that undo can take back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from sixty.crm import CONTACTS
from sixty.errors import Forbidden, Invalid, NotFound, SixtyError
from sixty.exchange.forms import FORMS
from sixty.exchange.keys import BY_ID, digest, keep, known
from sixty.storage.columns import Json
from sixty.storage.functions import each
from sixty.tables import imported
from sixty.tools import Tool
from sixty.values import Arguments, Result, counted, is_id, one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sixty.context import Call
    from sixty.exchange.forms import Form, Line
    from sixty.storage.statements import Row

__all__ = ["Batch", "Item", "Settled"]

Fate = Literal["made", "updated", "unchanged", "skipped", "rejected"]

_of_source = sa.select(imported.c.form, imported.c.key, imported.c.record_id).where(
    imported.c.form.in_(each(sa.bindparam("forms", type_=Json)).texts()),
    imported.c.source == sa.bindparam("source"),
    imported.c.key.in_(each(sa.bindparam("keys", type_=Json)).texts()),
)
_by_address = sa.select(CONTACTS.c.id, CONTACTS.c.email).where(
    CONTACTS.c.email.in_(each(sa.bindparam("addresses", type_=Json)).texts())
)
_flushed = sa.select(sa.literal(1, sa.Integer).label("one"))


class Part(Arguments):
    """What the audit trail keeps of a part: not the lines themselves."""

    file: str
    source: str
    first_line: int
    last_line: int
    lines: int
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A line that has been read."""

    number: int
    """Where it is in the file."""
    cells: Sequence[Any]
    """As it is there."""
    key: str
    line: Line


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a line."""

    item: Item
    fate: Fate
    reason: str | None = None
    row: Row | None = None
    """The record, where it was made or updated."""


class _Rehearsed(Exception):
    """Ends what was only tried."""


@dataclass
class Batch:
    """Lines that become records in one call; `settled` is what became of them."""

    form: Form
    source: str
    items: Sequence[Item]
    rehearsing: bool = False
    settled: list[Settled] = field(default_factory=list)

    def offer(self) -> Tool:
        """What is called."""
        return Tool(
            name=f"import_{self.form.name}",
            description=f"Import {self.form.name} from a file.",
            handler=self._run,
            permission=None,  # each record is made under `create` and changed under `update`, within their scopes
            effect="update",
            arguments=Part,
            result=Result,
            rate="off",
        )

    async def _run(self, args: Part, call: Call) -> Result:
        self.settled = []  # the call may run anew
        resource = self.form.kind.resource
        if not call.principal.may(f"{resource}:create"):
            msg = f"you may not import {self.form.name}: it needs the permission {resource}:create; ask an admin"
            raise Forbidden(msg, permission=f"{resource}:create")
        if self.rehearsing:
            with suppress(_Rehearsed):
                async with call.savepoint():
                    await self._put_all(call)
                    await call.unit.rows(_flushed)  # the database has its say on what was written
                    raise _Rehearsed
        else:
            await self._put_all(call)
        counts = {fate: sum(one.fate == fate for one in self.settled) for fate in ("made", "updated", "rejected")}
        shown = ", ".join(f"{count} {fate}" for fate, count in counts.items() if count) or "nothing new"
        return Result(message=f"{args.file}: {counted(args.lines, 'line')} of {self.form.name}, {shown}")

    async def _put_all(self, call: Call) -> None:
        sources = {BY_ID if item.line.id is not None else self.source for item in self.items}
        before = {
            (source, key): row
            for source in sources
            for key, row in (await known(call.unit, self.form.name, source, [item.key for item in self.items])).items()
        }
        links = await _Links.of(self.form, self.source, [item.line for item in self.items], call)
        owner = call.within(self.form.kind)
        for item in self.items:
            source = BY_ID if item.line.id is not None else self.source
            try:
                async with call.savepoint():
                    settled = await self._put(item, source, before.get((source, item.key)), links, owner)
            except SixtyError as error:
                settled = Settled(item, "rejected", error.message)
            self.settled.append(settled)

    async def _put(self, item: Item, source: str, before: Row | None, links: _Links, call: Call) -> Settled:
        form, line = self.form, item.line
        said = digest(line.model_dump_json(exclude_none=True))
        if before is not None and before["deleted_at"] is not None and before["merged_into"] is None:
            return Settled(item, "skipped", f"its {form.kind.name} was deleted; --source with a new name makes it anew")
        if before is not None and before["digest"] == said:
            return Settled(item, "unchanged")
        record_id = line.id if before is None else before["record_id"]
        row = await self._present(record_id, call)
        if before is not None and row is None:
            raise NotFound(f"the {form.kind.name} that it became, {record_id}, is none that you can see")
        position = call.records.ledger.position
        after = await form.put(links.led(line), row, call)
        keep(call.unit, form.name, source, item.key, record_id=after["id"], said=said, new=before is None)
        if row is None:
            return Settled(item, "made", row=after)
        return Settled(item, "unchanged" if call.records.ledger.position == position else "updated", row=after)

    async def _present(self, record_id: str | None, call: Call) -> Row | None:
        """The record, if it is there."""
        return None if record_id is None else await call.records.find(self.form.kind, record_id)


@dataclass(frozen=True, slots=True)
class _Links:
    """Where the pointers of lines lead."""

    form: Form
    source: str
    by_key: Mapping[tuple[str, str], str]
    by_address: Mapping[str, str]

    @classmethod
    async def of(cls, form: Form, source: str, lines: Sequence[Line], call: Call) -> _Links:
        """All that these lines point at."""
        texts = list(dict.fromkeys(chain.from_iterable(_pointing(form, line).values() for line in lines)))
        if not texts:
            return cls(form, source, {}, {})
        kinds = {extended.value.name: extended.value.kind.name for extended in call.extensions(FORMS)}
        found = await call.unit.before(_of_source, {"forms": list(kinds), "keys": texts, "source": source})
        by_key = {(kinds.get(row["form"], ""), row["key"]): row["record_id"] for row in found}
        addresses = [text.lower() for text in texts if "@" in text]
        by_address = {}
        if addresses and CONTACTS in call.views:
            rows = await call.within(form.kind).rows(_by_address, {"addresses": addresses})
            by_address = {row["email"].lower(): row["id"] for row in rows}
        return cls(form, source, by_key, by_address)

    def led(self, line: Line) -> Line:
        """The line, whose pointers are ids."""
        pointing = _pointing(self.form, line)
        if not pointing:
            return line
        return line.model_copy(update={name: self._id(name, text) for name, text in pointing.items()})

    def _id(self, name: str, text: str) -> str:
        kind = self.form.pointers[name]
        found = self.by_key.get((kind, text))
        if found is None and kind == "contact":
            found = self.by_address.get(text.lower())
        if found is not None:
            return found
        if is_id(text):
            return text.lower()
        msg = (
            f"{name}: {self.source!r} has no {kind} with the key {text[:80]!r}; import those first, and give "
            "both the same --source"
        )
        raise Invalid(msg, field=name, given=text[:80], allowed=f"the id or the key of {one(kind)}")


def _pointing(form: Form, line: Line) -> dict[str, str]:
    return {name: text for name in form.pointers if (text := getattr(line, name)) is not None}
