"""Records go out page by page, as calls: each reads what the caller may read, and is in the audit trail."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import notes
from fakes.notes import NOTE

from sixty import Extension, hookimpl
from sixty.errors import OperatorError
from sixty.exchange import FORMS, Form, Line
from sixty.exchange.exporting import columns_of, pages
from sixty.tables import audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty import Call, Row
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client


class NoteLine(Line):
    text: str
    rank: int | None = None
    hint: str | None = None


async def _put(line: NoteLine, before: Row | None, call: Call) -> Row:
    raise NotImplementedError


async def _take(rows: Sequence[Row], call: Call) -> list[NoteLine]:
    return [NoteLine(text=row["text"], rank=row["rank"]) for row in rows]


FORM = Form(name="notes", kind=NOTE, line=NoteLine, put=_put, take=_take, written=("text", "rank"))


class Filing:
    """A pack that says how notes go out."""

    @hookimpl
    def sixty_extensions(self) -> tuple[Extension, ...]:
        return (Extension(FORMS, FORM),)


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("notes", notes), ("filing", Filing()))


async def lines_of(client: Client) -> list[Any]:
    found = []
    async for page in pages(client.organisation.host, FORM, await client.principal()):
        found.extend(page)
    return found


def test_a_line_has_the_columns_that_are_written_after_those_of_every_line() -> None:
    assert columns_of(FORM) == ("id", "owner", "created_at", "text", "rank")


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7])
async def test_all_pages_together_have_each_record_once_in_the_order_of_their_ids(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("sixty.exchange.exporting.PAGE", 3)
    admin = sixty.as_role("admin")
    made = [(await admin.call("add_note", text=f"note {place}", rank=place))["note"] for place in range(count)]
    lines = await lines_of(admin)
    assert [(line.id, line.text, line.rank) for line in lines] == [
        (note["id"], note["text"], note["rank"]) for note in sorted(made, key=lambda note: note["id"])
    ]
    assert {line.owner for line in lines} <= {"ada.admin@example.com"}
    assert all(line.created_at == sixty.clock() for line in lines)
    await sixty.host.audit.flush()
    calls = await sixty.rows(sa.select(audit.c.effect, audit.c.outcome).where(audit.c.tool == "export_notes"))
    assert [tuple(call.values()) for call in calls] == [("read", "ok")] * (count // 3 + 1)


async def test_nobody_is_given_what_they_may_not_read(sixty: Organisation) -> None:
    user, outside = sixty.as_role("user"), await sixty.user("Olga Outside", team="South")
    for client in (user, outside):
        await client.call("add_note", text=client.user_id)
    texts = {
        client.user_id: {line.text for line in await lines_of(client)}
        for client in (user, outside, sixty.as_role("manager"), sixty.as_role("admin"))
    }
    assert list(texts.values()) == [
        {user.user_id},
        {outside.user_id},
        {user.user_id},
        {user.user_id, outside.user_id},
    ]


async def test_who_may_not_read_any_is_told_so(sixty: Organisation) -> None:
    nobody = replace(await sixty.as_role("user").principal(), grants=())
    with pytest.raises(OperatorError, match="you may not call export_notes: it needs the permission notes:read"):
        _ = [page async for page in pages(sixty.host, FORM, nobody)]
