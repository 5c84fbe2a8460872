"""Records go out to a file, page by page: each page is a call that reads, audited and limited as any other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.call import call_tool
from sixty.errors import OperatorError
from sixty.operator import operator
from sixty.request import Request
from sixty.storage.columns import Id
from sixty.tools import Tool
from sixty.values import Arguments, RecordId, Result, counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sixty.context import Call
    from sixty.directory import Principal
    from sixty.exchange.forms import Form, Line
    from sixty.host import Host
    from sixty.storage.statements import Row

__all__ = ["BESIDE", "PAGE", "columns_of", "pages"]

PAGE = 1_000
"""Records of a page."""
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
BESIDE = ("id", "owner", "created_at")
"""What every line begins with."""


class Wanted(Arguments):
    """Which page: the records whose ids come after this one."""

    after: RecordId


def columns_of(form: Form) -> tuple[str, ...]:
    """The fields of an exported line, in order."""
    return (*BESIDE, *(name for name in form.written or form.line.model_fields if name not in BESIDE))


async def pages(host: Host, form: Form, principal: Principal) -> AsyncIterator[Sequence[Line]]:
    """The lines of all records that the caller may read, in the order of their ids.

    `OperatorError` says why a page was refused. What is made meanwhile may be among them or not.
    """
    after = _BEFORE_ALL
    while True:
        page = _Page(form)
        request = Request(
            f"export_{form.name}", {"after": after}, principal, transport="cli", client=operator(), offer=page.offer()
        )
        outcome = await call_tool(host, request)
        if outcome.is_error:
            raise OperatorError(outcome.structured["error"]["message"])
        if page.lines:
            yield page.lines
        if page.last is None:
            return
        after = page.last


@dataclass
class _Page:
    """What one call reads."""

    form: Form
    lines: Sequence[Line] = field(default=())
    last: str | None = None
    """The id after which the next page begins; None after the last one."""

    def offer(self) -> Tool:
        """What is called."""
        name = self.form.name
        return Tool(
            name=f"export_{name}",
            description=f"Export {name} to a file.",
            handler=self._run,
            permission=f"{self.form.kind.resource}:read",
            effect="read",
            arguments=Wanted,
            result=Result,
            rate="off",
        )

    async def _run(self, args: Wanted, call: Call) -> Result:
        owner = call.within(self.form.kind)
        rows = await owner.rows(_page_of(self.form.kind.table), {"after": args.after, "most": PAGE})
        lines = await self.form.take(rows, owner)
        self.lines = [_completed(line, row, call) for line, row in zip(lines, rows, strict=True)]
        self.last = rows[-1]["id"] if len(rows) == PAGE else None
        return Result(message=f"{counted(len(rows), self.form.kind.name)} exported")


def _completed(line: Line, row: Row, call: Call) -> Line:
    """The line, with what every line has."""
    owner = call.directory.users.get(row["owner_id"])
    known: dict[str, Any] = {"id": row["id"], "owner": owner and owner.email, "created_at": row["created_at"]}
    return line.model_copy(update=known)


@lru_cache(maxsize=64)
def _page_of(table: sa.Table) -> sa.Select[Any]:
    after, most = sa.bindparam("after", type_=Id), sa.bindparam("most", type_=sa.Integer)
    return sa.select(table).where(table.c.id > after).order_by(table.c.id).limit(most)
