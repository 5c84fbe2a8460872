"""What an intruder would try who can write the database, or a caller who can call anything, and has no key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty.audit import retention
from sixty.audit.signing import CONTENT, OWN_KEY, Signer, chained
from sixty.audit.verifying import ERASED, verify
from sixty.errors import ConfigError, UnknownTool
from sixty.shared_secrets import shared_secret
from sixty.storage.statements import Write
from sixty.tables import audit, audit_marks, audit_seals
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from sixty.testing import Organisation

KEY = "a key that whoever writes the database has not"


async def sealed(sixty: Organisation, count: int = 2) -> None:
    """So many lines, in a seal."""
    for number in range(count):
        await sixty.as_role("user").call("add_note", text=f"note {number}")
    assert await sixty.host.sealer.seal() == count


async def tamper(sixty: Organisation, statement: Any, **values: Any) -> None:
    await sixty.host.database.apply([Write(statement, values)])


async def found(sixty: Organisation) -> list[tuple[str, int | None]]:
    return [(one.what, one.seq) for one in (await verify(sixty.host)).findings]


async def test_no_caller_can_say_that_lines_were_erased(sixty: Organisation) -> None:
    await sealed(sixty)
    for arguments in ({"lines": [[1, 1000]]}, {}):
        with pytest.raises(UnknownTool):
            await sixty.as_role("user").call(ERASED, **arguments)
    await sixty.host.audit.flush()
    assert await found(sixty) == []
    await tamper(sixty, sa.update(audit).where(audit.c.seq == 1).values(dict.fromkeys((*CONTENT, "salt"))))
    assert await found(sixty) == [("erased", 1)]
    await sixty.host.sealer.seal()
    assert await found(sixty) == [("erased", 1)]


async def rewrite(sixty: Organisation, signer: Signer) -> None:
    """Everything is as if whoever has this key had written it; one line says something else."""
    database = sixty.host.database
    seal = (await sixty.rows(sa.select(audit_seals)))[0]
    lines = []
    for row in await sixty.rows(sa.select(audit).order_by(audit.c.seq)):
        line = {**row, "message": "somebody else did it"}
        line |= signer.signed(line)
        lines.append((line["seq"], line["mac"]))
        values = {name: sa.bindparam(f"v_{name}", type_=audit.c[name].type) for name in line}
        change = sa.update(audit).where(audit.c.seq == row["seq"]).values(values)
        await database.apply([Write(change, {f"v_{name}": value for name, value in line.items()})])
    digest = chained(bytes(32), 1, seal["at"], lines)
    await tamper(sixty, sa.update(audit_seals).values(hash=digest, mac=signer.mark("seal", 1, digest)))
    mark = sa.update(audit_marks).where(audit_marks.c.name == "head")
    await tamper(sixty, mark.values(hash=digest, mac=signer.mark("head", 1, digest)))


async def test_a_trail_that_is_rewritten_with_the_databases_own_key_is_found_where_another_was_set(
    database_url: str, plugins: Any
) -> None:
    async with open_organisation(database_url, plugins, environ={"SIXTY_AUDIT_KEY": KEY}) as sixty:
        await sealed(sixty)
        assert await found(sixty) == []
        await rewrite(sixty, Signer([await shared_secret(sixty.host.database, OWN_KEY)]))
        assert await found(sixty) == [("seals", None), ("inserted", 1), ("inserted", 2)]


async def test_what_was_signed_before_there_was_a_key_counts_if_the_setting_says_so(
    database_url: str, plugins: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_organisation(database_url, plugins) as sixty:
        await sealed(sixty)
    async with open_organisation(database_url, plugins, environ={"SIXTY_AUDIT_KEY": KEY}) as sixty:
        assert "put `,database` behind it" in caplog.text
        assert await found(sixty) == [("seals", None), ("inserted", 1), ("inserted", 2)]
    async with open_organisation(database_url, plugins, environ={"SIXTY_AUDIT_KEY": f"{KEY},database"}) as sixty:
        assert await found(sixty) == []
        await sealed(sixty)
        assert await found(sixty) == []


async def test_the_databases_own_key_cannot_be_the_first(database_url: str, plugins: Any) -> None:
    with pytest.raises(ConfigError, match="SIXTY_AUDIT_KEY"):
        async with open_organisation(database_url, plugins, environ={"SIXTY_AUDIT_KEY": f"database,{KEY}"}):
            pass


async def unsigned(sixty: Organisation, seq: int) -> None:
    """A line that nobody has signed."""
    line = {**(await sixty.rows(sa.select(audit)))[0], "seq": seq, "salt": None, "digest": None, "mac": None}
    insert = sa.insert(audit).values({name: sa.bindparam(f"v_{name}", type_=audit.c[name].type) for name in line})
    await tamper(sixty, insert, **{f"v_{name}": value for name, value in line.items()})


@pytest.mark.parametrize("seq", [0, -1, -(2**63)])
async def test_a_line_before_the_first_is_found(sixty: Organisation, seq: int) -> None:
    await sealed(sixty)
    await unsigned(sixty, seq)
    assert await found(sixty) == [("inserted", seq)]


@pytest.fixture
async def kept_for_a_month(database_url: str, plugins: Any) -> Any:
    async with open_organisation(database_url, plugins, environ={"SIXTY_AUDIT_KEEP_DAYS": "30"}) as sixty:
        yield sixty


async def test_an_unsigned_line_in_the_place_of_what_retention_has_removed_is_found(
    kept_for_a_month: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sixty = kept_for_a_month
    monkeypatch.setattr(retention, "UNSIGNED", 1)
    signer, sixty.host.audit.signer = sixty.host.audit.signer, None
    for number in range(2):
        await sixty.as_role("user").call("add_note", text=f"of old {number}")
    sixty.host.audit.signer = signer
    await sealed(sixty)
    sixty.clock.advance(timedelta(days=40))
    await sealed(sixty)
    await sixty.host.worker.drain()
    sixty.clock.advance(timedelta(days=1))
    await sixty.host.worker.drain()
    report = await verify(sixty.host)
    assert (report.removed_through, report.before, report.found) == (1, 0, 0)
    await unsigned(sixty, 2)
    assert await found(sixty) == [("inserted", 2)]


ODD_LINES = {
    "arguments": "'no JSON'",
    "at": "'yesterday'",
    "call_id": "7",
    "mac": "99999999999999",
    "salt": "'salt'",
    "tool": "x'00'",
    "digest": "'digest'",
}


async def test_lines_of_odd_values_are_found_and_keep_nothing_else_from_being_found(sixty: Organisation) -> None:
    if sixty.host.database.dialect_name != "sqlite":
        pytest.skip("Postgres has types")
    await sealed(sixty, 3)
    await sixty.as_role("user").call("find_notes")
    await sixty.host.audit.flush()
    await tamper(sixty, sa.delete(audit).where(audit.c.seq == 2))
    await tamper(sixty, sa.text("CREATE TABLE kept AS SELECT * FROM audit"))
    for column, odd in ODD_LINES.items():
        await tamper(sixty, sa.text(f"UPDATE audit SET {column} = {odd} WHERE seq IN (1, 4)"))  # noqa: S608 - of ours
        assert {seq: what for what, seq in await found(sixty) if what != "seals"}.keys() == {1, 2, 4}, column
        old = f"(SELECT {column} FROM kept WHERE kept.seq = audit.seq)"  # noqa: S608 - as above
        await tamper(sixty, sa.text(f"UPDATE audit SET {column} = {old}"))  # noqa: S608 - as above
    assert await found(sixty) == [("removed", 2)]


ODD_SEALS = {
    "seqs": ("'no JSON'", "'7'", "'[[1, 1000000000000000]]'", "'[[1]]'", "'[[\"1\", 2]]'", "'[[2, 1]]'", "'[[0, 2]]'"),
    "hash": ("'text'", "7"),
    "mac": ("7",),
    "at": ("'yesterday'", "'2026-03-02T09:30:00.000000'"),
    "lines": ("3",),
    "last_seq": ("9000",),
}


async def test_seals_of_odd_values_are_found(sixty: Organisation) -> None:
    if sixty.host.database.dialect_name != "sqlite":
        pytest.skip("Postgres has types, and what it takes is among these")
    await sealed(sixty)
    await sealed(sixty)
    await tamper(sixty, sa.text("CREATE TABLE kept AS SELECT * FROM audit_seals"))
    for column, values in ODD_SEALS.items():
        for odd in values:
            await tamper(sixty, sa.text(f"UPDATE audit_seals SET {column} = {odd} WHERE position = 1"))  # noqa: S608 - of ours
            report = await verify(sixty.host)
            assert (report.findings[0].what, report.seals) == ("seals", 2), odd
        old = f"(SELECT {column} FROM kept WHERE kept.position = audit_seals.position)"  # noqa: S608 - as above
        await tamper(sixty, sa.text(f"UPDATE audit_seals SET {column} = {old}"))  # noqa: S608 - as above
    assert await found(sixty) == []


async def test_marks_that_are_gone_or_odd_are_found(sixty: Organisation) -> None:
    await sealed(sixty)
    await tamper(sixty, sa.update(audit_marks).where(audit_marks.c.name == "anchor").values(position=-1))
    assert ("seals", None) in await found(sixty)
    await tamper(sixty, sa.delete(audit_marks))
    await sixty.host.sealer.check_key()
    assert ("seals", None) in await found(sixty)


async def test_a_trail_that_is_made_to_look_unsigned_is_known_by_a_head_that_was_kept(sixty: Organisation) -> None:
    await sealed(sixty)
    head = (await verify(sixty.host)).head
    await tamper(sixty, sa.update(audit).values(salt=None, digest=None, mac=None, message="nothing happened"))
    await tamper(sixty, sa.delete(audit_seals))
    await tamper(sixty, sa.update(audit_marks).values(position=0, hash=bytes(32), mac=None))
    report = await verify(sixty.host)
    assert (report.lines, report.before, report.found) == (0, 2, 0)
    assert [one.what for one in (await verify(sixty.host, head=head)).findings] == ["head"]
