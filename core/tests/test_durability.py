"""What a killed process has acknowledged is there, and nothing is there by halves."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import sqlalchemy as sa
from fakes import ALL
from fakes.notes import lines, notes
from fakes.pins import pins

from sixty.tables import audit, changes, records
from sixty.testing import open_organisation

HERE = Path(__file__).parent


async def writer(url: str, calls: int) -> asyncio.subprocess.Process:
    """Another process that adds notes to the same database."""
    environ = {**os.environ, "PYTHONPATH": str(HERE)}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fakes.writer", url, str(calls), stdout=asyncio.subprocess.PIPE, env=environ
    )


async def acknowledged(process: asyncio.subprocess.Process, enough: int) -> set[str]:
    """The ids that a process told, until there are enough of them or it has ended."""
    assert process.stdout is not None
    ids: set[str] = set()
    while len(ids) < enough and (line := await process.stdout.readline()):
        ids.add(line.decode().strip())
    return ids


async def check_whole(url: str, told: set[str]) -> int:
    """Every acknowledged note is there, and everything that is there is there with all that belongs to it."""
    async with open_organisation(url, ALL) as sixty:
        there = {row["id"] for row in await sixty.rows(sa.select(notes.c.id))}
        assert told <= there
        spine = Counter(row["kind"] for row in await sixty.rows(sa.select(records.c.kind)))
        assert spine == {"note": len(there), "pin": len(there)}
        assert await sixty.count(pins) == len(there)
        assert await sixty.count(lines) == 2 * len(there)
        history = Counter(row["record_id"] for row in await sixty.rows(sa.select(changes.c.record_id)))
        assert {history[note] for note in there} <= {3}
        trail = [row["records"] for row in await sixty.rows(sa.select(audit).where(audit.c.outcome == "ok"))]
        assert sorted(note for line in trail for note, kind in line.items() if kind == "note") == sorted(there)
        return len(there)


async def test_a_killed_process_loses_nothing_that_it_acknowledged(database_url: str) -> None:
    process = await writer(database_url, 100_000)
    told = await acknowledged(process, 100)
    process.kill()
    rest, _ = await process.communicate()
    told |= {line.decode() for line in rest.splitlines() if len(line) == 36}
    assert process.returncode == -9
    assert len(told) >= 100
    await check_whole(database_url, told)


async def test_two_processes_write_to_one_database(database_url: str) -> None:
    async with open_organisation(database_url, ALL):  # its people are there before the two begin
        pass
    processes = [await writer(database_url, 80) for _ in range(2)]
    told = await asyncio.gather(*(acknowledged(process, 1_000) for process in processes))
    assert [await process.wait() for process in processes] == [0, 0]
    assert await check_whole(database_url, set().union(*told)) == 160
