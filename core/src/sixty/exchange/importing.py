"""An import from beginning to end: the lines of a file, read in parts, each of which is a call."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from sixty.call import call_tool
from sixty.errors import Invalid, OperatorError, SixtyError
from sixty.exchange.batch import Batch, Item, Settled
from sixty.exchange.keys import Keys
from sixty.exchange.mapping import BESIDE, Mapper, Wanted
from sixty.exchange.owners import Owners, Said
from sixty.operator import operator
from sixty.request import Request
from sixty.schemas import invalid
from sixty.values import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sixty.directory import Principal
    from sixty.exchange.cells import Reading
    from sixty.exchange.forms import Form
    from sixty.exchange.rejects import Rejects
    from sixty.exchange.rows import Row, Table
    from sixty.host import Host

__all__ = ["Import", "Report"]

TOGETHER = 500
"""Lines of one call."""
SHOWN = 20
"""Lines that did not go in, of which the report says why."""
_MISSING = re.compile(r"the argument '([\w.]+)' is missing")
_PASSES = ("conflict", "internal")
"""What may be the fault of a single line."""


@dataclass(slots=True)
class Report:
    """What came of an import, or would."""

    lines: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    totals: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    """How many records were made or updated, and their amounts, by what the form sums up by."""
    problems: list[tuple[int, str]] = field(default_factory=list)
    """The first lines that did not go in, and why."""
    unowned: int = 0
    """Lines that name no owner."""

    def settle(self, settled: Settled, sums: tuple[str, str] | None) -> None:
        """Count a line."""
        self.lines += 1
        self.fates[settled.fate] += 1
        if settled.row is not None and sums is not None and settled.fate in ("made", "updated"):
            amount, group = settled.row[sums[0]], str(settled.row[sums[1]])
            count, total = self.totals.get(group, (0, Decimal(0)))
            self.totals[group] = count + 1, total + (amount or 0)

    def reject(self) -> None:
        """Count a line that is none."""
        self.lines += 1
        self.fates["rejected"] += 1

    def problem(self, line: int, reason: str) -> None:
        """Remember what is wrong with a line, if there is room."""
        if len(self.problems) < SHOWN:
            self.problems.append((line, reason))

    def to_json(self) -> dict[str, Any]:
        """The report for scripts."""
        return {
            "lines": self.lines,
            **{fate: self.fates[fate] for fate in ("made", "updated", "unchanged", "skipped", "rejected")},
            "without_owner": self.unowned,
            "totals": {
                group: {"count": count, "amount": shown(total)} for group, (count, total) in sorted(self.totals.items())
            },
            "problems": [{"line": line, "reason": reason} for line, reason in self.problems],
        }


class _Part(NamedTuple):
    """Lines that are going in."""

    last: int
    """The number of the last one."""
    putting: asyncio.Task[None]


@dataclass
class Import:
    """Puts the lines of a table in, as whoever does it may."""

    host: Host
    principal: Principal
    form: Form
    table: Table
    wanted: Wanted
    reading: Reading
    owners: Owners
    rejects: Rejects
    file: str
    source: str
    rehearsing: bool = False
    report: Report = field(default_factory=Report)

    def __post_init__(self) -> None:
        self.mapper = Mapper.of(self.form, self.table, self.wanted)
        self._keys = Keys()
        self._left: list[tuple[int, Any, str]] = []
        """The lines that did not go in and are not told yet: where each is, as it is there, and why."""

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> Report:
        """Every line has gone in, or is among the rejected ones. `progress` is told how many bytes have been read."""
        rows = iter(self.table.rows)
        going: deque[_Part] = deque()
        try:
            while lines := list(islice(rows, TOGETHER)):
                items = await self._items(lines)
                going.append(_Part(lines[-1].line, asyncio.create_task(self._put(items))))
                # a part is committed while the next one is read and called, unless that may point at what is in it
                while len(going) > 1 or (going and self._points_at_itself):
                    await self._end(going[0])
                    going.popleft()
                progress(self.table.lines.bytes_read)
            for part in going:
                await self._end(part)
        finally:
            for part in going:
                part.putting.cancel()
            await asyncio.gather(*(part.putting for part in going), return_exceptions=True)
        return self.report

    @property
    def _points_at_itself(self) -> bool:
        return self.form.kind.name in self.form.pointers.values()

    async def _items(self, rows: list[Row]) -> list[Item]:
        """The lines of a part that can go in, with their owners."""
        read = list(self._read(rows))
        await self.owners.ready(said for _, said in read)
        return list(self._owned(read))

    async def _end(self, part: _Part) -> None:
        """A part has gone in, and what of it did not is told, in the order of the file."""
        await part.putting
        told = sorted((left for left in self._left if left[0] <= part.last), key=itemgetter(0))
        self._left = [left for left in self._left if left[0] > part.last]
        for line, cells, reason in told:
            self.report.problem(line, reason)
            self.rejects.add(cells, reason)

    def _read(self, rows: list[Row]) -> Iterator[tuple[Item, Said]]:
        """The lines that can be read, each with what it says of its owner."""
        context = {"reading": self.reading}
        for row in rows:
            if row.problem is not None:
                self._reject(row.line, row.cells, row.problem)
                continue
            fields = self.mapper.fields(row.cells)
            email, team = (fields.pop(name, None) for name in BESIDE)
            try:
                line = self.form.line.model_validate(self._filled(fields), context=context)
                key = self._key(row, line.id)
            except ValidationError as error:
                self._reject(row.line, row.cells, self._told(error))
            except SixtyError as error:
                self._reject(row.line, row.cells, error.message)
            else:
                yield Item(row.line, row.cells, key, line), Said.of(line.owner, email, team)

    def _filled(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Without what is empty and must not be: what is missing is said more plainly of a field that is not there."""
        model = self.form.line.model_fields
        return {name: value for name, value in fields.items() if value is not None or not model[name].is_required()}

    def _key(self, row: Row, record_id: str | None) -> str:
        """What tells the line from all others. Raises `SixtyError` where nothing does."""
        if record_id is not None:
            key = record_id
        elif (text := self.mapper.key_of(row.cells)) is not None:
            key = self._keys.of_text(text)
        elif self.mapper.key is None or not self.mapper.keyed:
            return self._keys.of_cells(row.cells)
        else:
            raise Invalid(f"its key is missing: the column {self.table.columns[self.mapper.key]!r} is empty")
        if (first := self._keys.first(key, row.line)) != row.line:
            raise Invalid(f"its key {key[:80]!r} is that of line {first} as well")
        return key

    def _told(self, error: ValidationError) -> str:
        """What is wrong with a line, and of a value that means nothing here how to say what it means."""
        problem = error.errors(include_url=False)[0]
        told = invalid(error, self.form.line.model_fields).message
        told = _MISSING.sub(r"\1 is missing", told)
        if problem["type"] == "literal_error":
            name, given = problem["loc"][0], str(problem["input"])[:80]
            told += f'; say what it means with --value "{name}.{given}=…"'
        return told

    def _owned(self, read: list[tuple[Item, Said]]) -> Iterator[Item]:
        """The lines whose owners are known."""
        for item, said in read:
            self.report.unowned += not said.shown
            if not said.shown and self.owners.default is None and item.line.owner is None:
                yield item  # whoever imports it owns it; of a record that is there the owner stays
                continue
            try:
                owner = self.owners.id_of(said)
            except SixtyError as error:
                self._reject(item.number, item.cells, error.message)
            else:
                yield Item(item.number, item.cells, item.key, item.line.model_copy(update={"owner": owner}))

    async def _put(self, items: list[Item]) -> None:
        """Each of these has gone in, or is rejected: what the database refuses as a whole is tried in halves."""
        if not items:
            return
        batch = Batch(self.form, self.source, items, rehearsing=self.rehearsing)
        arguments = {
            "file": self.file,
            "source": self.source,
            "first_line": items[0].number,
            "last_line": items[-1].number,
            "lines": len(items),
            "dry_run": self.rehearsing,
        }
        offer = batch.offer()
        request = Request(
            offer.name, arguments, principal=self.principal, transport="cli", client=operator(), offer=offer
        )
        outcome = await call_tool(self.host, request)
        if not outcome.is_error:
            for settled in batch.settled:
                self.report.settle(settled, self.form.sums)
                if settled.reason is not None:
                    self._left.append((settled.item.number, settled.item.cells, settled.reason))
            return
        error = outcome.structured["error"]
        if error["code"] not in _PASSES:
            raise OperatorError(f"lines {items[0].number} to {items[-1].number}: {error['message']}")
        if len(items) == 1:
            self._reject(items[0].number, items[0].cells, error["message"])
            return
        half = len(items) // 2
        await self._put(items[:half])
        await self._put(items[half:])

    def _reject(self, line: int, cells: Any, reason: str) -> None:
        self.report.reject()
        self._left.append((line, cells, reason))
