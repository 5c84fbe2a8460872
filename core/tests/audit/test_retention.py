"""What is older than the operator keeps goes, batch by batch, and the rest still verifies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sixty.audit import retention
from sixty.audit.sealing import Sealer
from sixty.audit.verifying import verify
from sixty.storage.statements import Write
from sixty.tables import audit, audit_marks, audit_seals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Organisation

LINES = sa.select(audit).order_by(audit.c.seq)


@pytest.fixture
def environ() -> Mapping[str, str]:
    return {"SIXTY_AUDIT_KEEP_DAYS": "30"}


async def days(sixty: Organisation, count: int) -> None:
    """A note, and a seal, on each of so many days."""
    for number in range(count):
        await sixty.as_role("user").call("add_note", text=f"day {number}")
        await sixty.host.sealer.seal()
        sixty.clock.advance(timedelta(days=1))


async def night(sixty: Organisation) -> None:
    await sixty.host.worker.drain()
    sixty.clock.advance(timedelta(days=1))
    await sixty.host.worker.drain()


async def test_old_batches_go_and_a_line_says_what_has_gone(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    await days(sixty, 5)
    sixty.clock.advance(timedelta(days=27))
    head = (await verify(sixty.host)).head
    await night(sixty)
    lines = await sixty.rows(LINES)
    assert [line["arguments"].get("text") for line in lines][:2] == ["day 3", "day 4"]
    assert [(line["tool"], line["arguments"]["lines"], line["arguments"]["through_seal"]) for line in lines[2:]] == [
        (retention.REMOVED, 2, 2),
        (retention.REMOVED, 1, 3),
    ]
    await sixty.host.sealer.seal()
    report = await verify(sixty.host, head=head)
    assert (report.removed_through, report.lines, report.found) == (3, 4, 0)


async def test_when_everything_is_old_the_chain_goes_on_from_where_it_was(sixty: Organisation) -> None:
    await days(sixty, 3)
    sixty.clock.advance(timedelta(days=100))
    await night(sixty)
    (line,) = await sixty.rows(LINES)
    assert line["tool"] == retention.REMOVED
    assert await Sealer(sixty.host).seal() == 1
    report = await verify(sixty.host)
    assert (report.removed_through, report.lines, report.found) == (3, 1, 0)


async def test_a_beginning_that_somebody_else_has_cut_off_is_found(sixty: Organisation) -> None:
    await days(sixty, 3)
    await sixty.host.database.apply(
        [
            Write(sa.delete(audit).where(audit.c.seq == 1), {}),
            Write(sa.delete(audit_seals).where(audit_seals.c.position == 1), {}),
        ]
    )
    assert [one.what for one in (await verify(sixty.host)).findings] == ["seals"]
    first = (await sixty.rows(sa.select(audit_marks).where(audit_marks.c.name == "head")))[0]
    move = sa.update(audit_marks).where(audit_marks.c.name == "anchor").values(position=1, mac=first["mac"])
    await sixty.host.database.apply([Write(move, {})])
    assert "seals" in {one.what for one in (await verify(sixty.host)).findings}


async def test_lines_from_before_they_were_signed_go_as_well(sixty: Organisation) -> None:
    signer, sixty.host.audit.signer = sixty.host.audit.signer, None
    await sixty.as_role("user").call("add_note", text="of old")
    sixty.host.audit.signer = signer
    sixty.clock.advance(timedelta(days=40))
    await days(sixty, 1)
    await night(sixty)
    assert "of old" not in [line["arguments"].get("text") for line in await sixty.rows(LINES)]
    assert (await verify(sixty.host)).found == 0


class TestForEver:
    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        return {}

    async def test_unless_set_everything_is_kept(self, sixty: Organisation) -> None:
        await days(sixty, 2)
        sixty.clock.advance(timedelta(days=4000))
        await night(sixty)
        assert len(await sixty.rows(LINES)) == 2


class TestWithASink:
    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        return {"SIXTY_AUDIT_KEEP_DAYS": "30", "SIXTY_AUDIT_SINK_URL": "http://127.0.0.1:9/"}

    async def test_what_the_sink_has_not_taken_stays(self, sixty: Organisation) -> None:
        await days(sixty, 2)
        sixty.clock.advance(timedelta(days=40))
        await night(sixty)
        assert len([line for line in await sixty.rows(LINES) if line["tool"] == "add_note"]) == 2
