"""Whoever changes, removes or inserts lines of the trail behind Sixty's back is found out."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.audit.report import Head
from sixty.audit.verifying import verify
from sixty.storage.statements import Write
from sixty.tables import audit, audit_marks, audit_seals
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from sixty.audit.report import Report
    from sixty.testing import Organisation

SEQ = sa.select(audit.c.seq).order_by(audit.c.seq)


async def some_lines(sixty: Organisation, seals: int = 2) -> list[int]:
    """Three lines in each of so many seals; the numbers of all."""
    for number in range(seals):
        await sixty.as_role("user").call("add_note", text=f"note {number}", body="Für Ähnliches")
        await sixty.as_role("user").outcome("add_note", text=3)
        await sixty.as_role("admin").call("find_notes")
        await sixty.host.audit.flush()
        assert await sixty.host.sealer.seal() == 3
    return [row["seq"] for row in await sixty.rows(SEQ)]


async def tamper(sixty: Organisation, statement: Any, **values: Any) -> None:
    await sixty.host.database.apply([Write(statement, values)])


async def found(sixty: Organisation, head: Head | None = None) -> list[tuple[str, int | None]]:
    return [(one.what, one.seq) for one in (await verify(sixty.host, head=head)).findings]


async def report_of(sixty: Organisation) -> Report:
    return await verify(sixty.host)


async def test_a_trail_that_nobody_has_touched_verifies(sixty: Organisation) -> None:
    await some_lines(sixty)
    report = await report_of(sixty)
    assert (report.lines, report.seals, report.unsealed, report.findings) == (6, 2, 0, [])
    assert report.head is not None
    assert Head.parse(str(report.head)) == report.head


async def test_lines_that_are_still_to_be_sealed_are_counted(sixty: Organisation) -> None:
    await some_lines(sixty)
    since = sixty.clock()
    await sixty.as_role("user").call("find_notes")
    await sixty.host.audit.flush()
    report = await report_of(sixty)
    assert (report.unsealed, report.unsealed_since, report.found) == (1, since, 0)


CHANGES = {
    "user_id": "0199a4c0-6b1e-7d3a-9c55-2f0e8b7d4a10",
    "outcome": "forbidden",
    "message": "nothing happened",
    "arguments": {"text": "another"},
    "records": {},
    "client": "somebody",
    "address": "10.0.0.1",
    "microseconds": 0,
    "tool": "find_notes",
    "effect": "read",
    "transport": "stdio",
    "digest": os.urandom(32),
    "salt": os.urandom(16),
    "mac": os.urandom(32),
}


async def test_a_line_with_any_value_changed_is_found(sixty: Organisation) -> None:
    seq = (await some_lines(sixty, 1))[0]
    (before,) = await sixty.rows(sa.select(audit).where(audit.c.seq == seq))
    for name, value in {**CHANGES, "at": before["at"] + timedelta(seconds=1)}.items():
        change = (
            sa.update(audit).where(audit.c.seq == seq).values({name: sa.bindparam("new", type_=audit.c[name].type)})
        )
        await tamper(sixty, change, new=value)
        assert ("changed", seq) in await found(sixty), name
        await tamper(sixty, change, new=before[name])
    assert await found(sixty) == []


async def test_lines_that_are_removed_are_found(sixty: Organisation) -> None:
    seqs = await some_lines(sixty)
    await tamper(sixty, sa.delete(audit).where(audit.c.seq.in_([seqs[1], seqs[2], seqs[4]])))
    assert await found(sixty) == [("removed", seqs[1]), ("removed", seqs[4])]


async def test_lines_that_are_inserted_are_found_sealed_or_not(sixty: Organisation) -> None:
    seqs = await some_lines(sixty, 1)
    (row,) = await sixty.rows(sa.select(audit).where(audit.c.seq == seqs[0]))
    forged = {**row, "message": "somebody else did it", "seq": seqs[-1] + 1}
    unsigned = {**row, "mac": None, "digest": None, "salt": None, "seq": seqs[-1] + 2}
    insert = sa.insert(audit).values({name: sa.bindparam(f"v_{name}", type_=audit.c[name].type) for name in row})
    for line in (forged, unsigned):
        await tamper(sixty, insert, **{f"v_{name}": value for name, value in line.items()})
    assert await found(sixty) == [("inserted", forged["seq"]), ("inserted", unsigned["seq"])]
    await sixty.host.sealer.seal()
    assert sorted(await found(sixty)) == [("changed", forged["seq"]), ("inserted", unsigned["seq"])]


async def test_a_line_of_ours_that_is_put_in_again_is_found(sixty: Organisation) -> None:
    seqs = await some_lines(sixty)
    line = (await sixty.rows(sa.select(audit)))[0]
    copy = {f"v_{name}": value for name, value in line.items()}
    insert = sa.insert(audit).values({name: sa.bindparam(f"v_{name}", type_=audit.c[name].type) for name in line})
    await tamper(sixty, sa.delete(audit).where(audit.c.seq == seqs[4]))
    await tamper(sixty, insert, **{**copy, "v_seq": seqs[4]})
    assert await found(sixty) == [("seals", None), ("inserted", seqs[4])]


async def test_a_copy_of_a_line_is_found_sealed_or_not(sixty: Organisation) -> None:
    seqs = await some_lines(sixty)
    line = (await sixty.rows(sa.select(audit)))[0]
    insert = sa.insert(audit).values({name: sa.bindparam(f"v_{name}", type_=audit.c[name].type) for name in line})
    copy = {f"v_{name}": value for name, value in line.items()}
    await tamper(sixty, insert, **{**copy, "v_seq": seqs[-1] + 1})
    assert await found(sixty) == [("inserted", seqs[-1] + 1)]
    assert await sixty.host.sealer.seal() == 1
    assert await found(sixty) == [("inserted", seqs[-1] + 1)]


async def test_a_line_with_a_number_that_seals_have_passed_is_found_once_it_is_too_late_for_a_commit(
    sixty: Organisation,
) -> None:
    seqs = await some_lines(sixty)
    line = (await sixty.rows(sa.select(audit).where(audit.c.seq == seqs[1])))[0]
    insert = sa.insert(audit).values({name: sa.bindparam(f"v_{name}", type_=audit.c[name].type) for name in line})
    sixty.clock.advance(timedelta(hours=1))
    await tamper(sixty, insert, **{f"v_{name}": value for name, value in {**line, "seq": -1}.items()})
    assert await found(sixty) == [("inserted", -1)]


@pytest.mark.parametrize("position", [1, 2, 3])
async def test_a_seal_that_is_removed_is_found_also_the_newest_with_its_lines(
    sixty: Organisation, position: int
) -> None:
    seqs = await some_lines(sixty, 3)
    await tamper(sixty, sa.delete(audit_seals).where(audit_seals.c.position == position))
    assert ("seals", None) in await found(sixty)
    await tamper(sixty, sa.delete(audit).where(audit.c.seq.in_(seqs[3 * position - 3 : 3 * position])))
    assert ("seals", None) in await found(sixty)


async def test_seals_that_are_rewritten_are_found(sixty: Organisation) -> None:
    await some_lines(sixty)
    first, second = await sixty.rows(sa.select(audit_seals).order_by(audit_seals.c.position))
    of_first = sa.update(audit_seals).where(audit_seals.c.position == 1)
    of_second = sa.update(audit_seals).where(audit_seals.c.position == 2)
    what = ("seqs", "first_seq", "last_seq")
    await tamper(sixty, of_first.values({name: second[name] for name in what}))
    await tamper(sixty, of_second.values({name: first[name] for name in what}))
    assert {kind for kind, _ in await found(sixty)} == {"seals"}
    await tamper(sixty, of_first.values({name: first[name] for name in what}))
    await tamper(sixty, of_second.values({name: second[name] for name in what}))
    assert await found(sixty) == []
    await tamper(sixty, of_second.values(at=second["at"] + timedelta(days=1)))
    assert await found(sixty) == [("seals", None)]


async def test_an_end_of_the_chain_that_is_set_back_is_found_unless_one_knows_how(sixty: Organisation) -> None:
    await some_lines(sixty, 1)
    old = (await sixty.rows(sa.select(audit_marks).where(audit_marks.c.name == "head")))[0]
    seqs = await some_lines(sixty, 1)
    head = (await report_of(sixty)).head
    assert head is not None
    await tamper(sixty, sa.delete(audit_seals).where(audit_seals.c.position == 2))
    await tamper(sixty, sa.delete(audit).where(audit.c.seq > seqs[2]))
    mark = sa.update(audit_marks).where(audit_marks.c.name == "head")
    await tamper(sixty, mark.values(position=1))
    assert await found(sixty) == [("seals", None)]
    await tamper(sixty, mark.values(hash=old["hash"], mac=old["mac"]))
    assert await found(sixty) == []  # as if it had never been: only who has kept the head knows better
    assert await found(sixty, head) == [("head", None)]


async def test_a_head_that_was_kept_is_held_by_the_chain_that_has_grown(sixty: Organisation) -> None:
    await some_lines(sixty, 1)
    head = (await report_of(sixty)).head
    await some_lines(sixty, 1)
    assert await found(sixty, head) == []
    assert await found(sixty, Head(1, "00" * 32)) == [("head", None)]


async def test_lines_from_before_lines_were_signed_are_counted_and_no_finding(sixty: Organisation) -> None:
    signer, sixty.host.audit.signer = sixty.host.audit.signer, None
    await sixty.as_role("user").call("add_note", text="of old")
    sixty.host.audit.signer = signer
    await some_lines(sixty, 1)
    report = await report_of(sixty)
    assert (report.before, report.lines, report.found) == (1, 3, 0)


async def test_an_unsigned_line_among_signed_ones_is_a_finding(sixty: Organisation) -> None:
    await some_lines(sixty, 1)
    signer, sixty.host.audit.signer = sixty.host.audit.signer, None
    await sixty.as_role("user").call("add_note", text="by stealth")
    sixty.host.audit.signer = signer
    await some_lines(sixty, 0)
    assert [what for what, _ in await found(sixty)] == ["inserted"]
    await sixty.host.sealer.seal()
    assert [what for what, _ in await found(sixty)] == ["inserted"]


async def test_a_line_that_is_emptied_without_a_word_is_found(sixty: Organisation) -> None:
    seq = (await some_lines(sixty, 1))[0]
    emptied = dict.fromkeys(("message", "arguments", "records", "client", "address", "salt"))
    await tamper(sixty, sa.update(audit).where(audit.c.seq == seq).values(emptied))
    assert await found(sixty) == [("erased", seq)]


OLD, NEW = "the key that signed until yesterday", "the key that signs from this day onwards"


async def test_after_a_change_of_keys_what_the_old_one_signed_still_verifies(database_url: str, plugins: Any) -> None:
    async with open_organisation(database_url, plugins, environ={"SIXTY_AUDIT_KEY": OLD}) as sixty:
        await some_lines(sixty, 1)
    async with open_organisation(database_url, plugins, environ={"SIXTY_AUDIT_KEY": f"{NEW},{OLD}"}) as sixty:
        await some_lines(sixty, 1)
        assert await found(sixty) == []
    async with open_organisation(database_url, plugins, environ={"SIXTY_AUDIT_KEY": NEW}) as sixty:
        assert [what for what, _ in await found(sixty)] == ["seals", *["changed"] * 3]


async def test_once_a_key_is_set_the_one_in_the_database_signs_no_more(database_url: str, plugins: Any) -> None:
    environ = {"SIXTY_AUDIT_KEY": f"{NEW},database"}
    async with open_organisation(database_url, plugins) as sixty:
        await some_lines(sixty, 1)
    async with open_organisation(database_url, plugins, environ=environ) as sixty:
        await some_lines(sixty, 1)
        assert await found(sixty) == []
        clock = sixty.clock
    clock.advance(timedelta(hours=2))
    async with open_organisation(database_url, plugins, clock=clock) as sixty:
        await some_lines(sixty, 1)
    async with open_organisation(database_url, plugins, clock=clock, environ=environ) as sixty:
        assert [what for what, _ in await found(sixty)] == ["seals", *["inserted"] * 3]
