"""What is committed is sealed once, in the order of its numbers, by however many processes."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.audit import sealing
from sixty.audit.sealing import Sealer
from sixty.audit.verifying import verify
from sixty.errors import Conflict
from sixty.host import Host
from sixty.storage.database import StorageUnavailable, open_database
from sixty.storage.statements import Write
from sixty.tables import audit, audit_seals
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from sixty.testing import Organisation

SEALS = sa.select(audit_seals).order_by(audit_seals.c.position)


async def lines(sixty: Organisation, count: int) -> None:
    for _ in range(count):
        await sixty.as_role("user").call("find_notes")
    await sixty.host.audit.flush()


async def sealed(sixty: Organisation) -> list[list[list[int]]]:
    return [row["seqs"] for row in await sixty.rows(SEALS)]


async def test_a_great_many_lines_are_sealed_in_bounded_batches(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 4)
    await lines(sixty, 10)
    assert await sixty.host.sealer.seal(1) == 4
    assert sixty.host.sealer.unsealed == 6
    assert await sixty.host.sealer.seal() == 6
    assert sixty.host.sealer.unsealed == 0
    assert [row["lines"] for row in await sixty.rows(SEALS)] == [4, 4, 2]


async def test_of_two_that_make_the_same_seal_one_is_faster_and_no_line_is_sealed_twice(sixty: Organisation) -> None:
    one, other = sixty.host.sealer, Sealer(sixty.host)
    await lines(sixty, 1)
    assert (await one.seal(), await other.seal()) == (1, 0)
    for _ in range(5):
        await lines(sixty, 3)
        assert sum(await asyncio.gather(one.seal(), other.seal())) == 3
    report = await verify(sixty.host)
    assert (report.lines, report.seals, report.found) == (16, 6, 0)


async def test_whoever_has_sealed_last_goes_on_and_another_takes_over_once_it_does_not(sixty: Organisation) -> None:
    one, other = sixty.host.sealer, Sealer(sixty.host)
    await lines(sixty, 1)
    assert (await one.seal(may_stand_by=True), await other.seal(may_stand_by=True)) == (1, 0)
    for _ in range(2):
        await lines(sixty, 1)
        assert await one.seal(may_stand_by=True) == 1
        await lines(sixty, 2)
        assert await other.seal(may_stand_by=True) == 0
        assert other.unsealed == 2
        assert await other.seal(may_stand_by=True) == 2
        one, other = other, one
        await lines(sixty, 1)
        assert (await one.seal(may_stand_by=True), await other.seal(may_stand_by=True)) == (1, 0)
    assert (await verify(sixty.host)).found == 0


async def test_a_line_that_is_committed_late_is_sealed_later(sixty: Organisation) -> None:
    await lines(sixty, 3)
    (late,) = await sixty.rows(sa.select(audit).order_by(audit.c.seq).limit(1).offset(1))
    await sixty.host.database.apply([Write(sa.delete(audit).where(audit.c.seq == late["seq"]), {})])
    assert await sixty.host.sealer.seal() == 2
    values = {name: sa.bindparam(f"v_{name}", type_=audit.c[name].type) for name in late}
    back = {f"v_{name}": value for name, value in late.items()}
    await sixty.host.database.apply([Write(sa.insert(audit).values(values), back)])
    assert await Sealer(sixty.host).seal() == 1  # also by one that has only just begun
    seq = late["seq"]
    assert await sealed(sixty) == [[[seq - 1, seq - 1], [seq + 1, seq + 1]], [[seq, seq]]]
    assert (await verify(sixty.host)).found == 0


async def test_a_first_line_that_is_committed_late_is_sealed_later(sixty: Organisation) -> None:
    await lines(sixty, 2)
    (late,) = await sixty.rows(sa.select(audit).order_by(audit.c.seq).limit(1))
    await sixty.host.database.apply([Write(sa.delete(audit).where(audit.c.seq == late["seq"]), {})])
    assert await sixty.host.sealer.seal() == 1
    values = {name: sa.bindparam(f"v_{name}", type_=audit.c[name].type) for name in late}
    back = {f"v_{name}": value for name, value in late.items()}
    await sixty.host.database.apply([Write(sa.insert(audit).values(values), back)])
    assert await sixty.host.sealer.seal() == 1
    assert (await verify(sixty.host)).lines == 2


async def test_a_number_that_never_comes_is_given_up(sixty: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    await lines(sixty, 3)
    await sixty.host.database.apply([Write(sa.delete(audit).where(audit.c.seq == 2), {})])
    await sixty.host.sealer.seal()
    assert 2 in sixty.host.sealer._missing
    monkeypatch.setattr(sealing, "LATE", -1.0)
    await sixty.host.sealer.seal()
    assert not sixty.host.sealer._missing


async def test_one_that_begins_late_looks_only_at_the_newest_seals(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "KNOWN", 2)
    for _ in range(5):
        await lines(sixty, 2)
        await sixty.host.sealer.seal()
    await lines(sixty, 1)
    assert await Sealer(sixty.host).seal() == 1
    assert (await verify(sixty.host)).found == 0


def told_of_seals(sixty: Organisation, monkeypatch: pytest.MonkeyPatch, failing: int = 0) -> asyncio.Event:
    """Set once something was sealed, after so many tries that fail."""
    done, seal, tries = asyncio.Event(), sixty.host.sealer.seal, iter(range(failing))

    async def told(most: int | None = None, **how: bool) -> int:
        if next(tries, None) is not None:
            raise StorageUnavailable("the database is not available; try again later")
        if count := await seal(most, **how):
            asyncio.get_running_loop().call_soon(done.set)
        return count

    monkeypatch.setattr(sixty.host.sealer, "seal", told)
    return done


async def test_whoever_serves_seals_what_others_have_left(
    database_url: str, plugins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_organisation(database_url, plugins) as sixty:
        await lines(sixty, 2)
        done = told_of_seals(sixty, monkeypatch)
        async with sixty.host.working(), asyncio.timeout(5):
            await done.wait()
        await sixty.as_role("user").call("add_note", text="and one more at the end")
    database = await open_database(database_url)
    assert sum(row["lines"] for row in await database.rows(SEALS)) == 3
    await database.close()


async def test_a_process_that_stood_by_seals_what_the_other_has_left(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 1)
    await lines(sixty, 1)
    await sixty.host.sealer.seal()
    await lines(sixty, 2)
    assert await Sealer(sixty.host).seal(1) == 1
    done = told_of_seals(sixty, monkeypatch)
    async with sixty.host.sealer.sealing(), asyncio.timeout(5):
        await done.wait()
    assert [row["lines"] for row in await sixty.rows(SEALS)] == [1, 1, 1]


async def test_a_database_that_is_away_is_asked_again(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sealing, "AWAY", 0.01)
    done = told_of_seals(sixty, monkeypatch, failing=2)
    await lines(sixty, 1)
    with caplog.at_level(logging.WARNING, "sixty.audit"):
        async with sixty.host.sealer.sealing(), asyncio.timeout(5):
            await done.wait()
    assert [record.message for record in caplog.records] == [
        "the audit trail cannot be sealed; it is tried again: the database is not available; try again later",
        "the audit trail can be sealed again",
    ]


async def test_a_chain_whose_newest_seals_are_gone_is_not_continued(sixty: Organisation) -> None:
    await lines(sixty, 1)
    await sixty.host.sealer.seal()
    await sixty.host.database.apply([Write(sa.delete(audit_seals), {})])
    await lines(sixty, 1)
    with pytest.raises(Conflict, match="audit verify"):
        await Sealer(sixty.host).seal()


async def test_who_lacks_the_key_is_warned(database_url: str, plugins: Any, caplog: pytest.LogCaptureFixture) -> None:
    environ = {"SIXTY_AUDIT_KEY": "a key that not everybody has been given"}
    async with open_organisation(database_url, plugins, environ=environ) as sixty:
        await lines(sixty, 1)
        await sixty.host.sealer.seal()
    with caplog.at_level(logging.WARNING, "sixty.audit"):
        async with open_organisation(database_url, plugins, environ=environ):
            assert not caplog.records
        async with open_organisation(database_url, plugins):
            assert "SIXTY_AUDIT_KEY" in caplog.text


async def test_a_host_without_a_place_for_seals_signs_and_seals_nothing(sixty: Organisation, clock: Any) -> None:
    settings = sixty.host.settings
    async with Host.open(settings, environ={}, plugins=[], migrate=False, clock=clock) as host:
        host.sealer.to_the_end = True
        await host.sealer.close()
    assert await sealed(sixty) == []
