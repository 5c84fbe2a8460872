"""Several processes write and seal one audit trail, and one of them is killed: nothing is sealed twice or left out."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Self

import pytest
import sqlalchemy as sa

from sixty.audit.verifying import verify
from sixty.tables import audit
from sixty.testing import open_organisation
from sixty_deals import plugin as deals

if TYPE_CHECKING:
    from asyncio.subprocess import Process

pytestmark = pytest.mark.services

PLUGINS = (("deals", deals),)
WRITER = """
import asyncio, sys
from sixty.testing import open_organisation
from sixty_deals import plugin as deals

async def main():
    async with open_organisation(sys.argv[1], [("deals", deals)]) as sixty, sixty.host.working():
        admin, number = sixty.as_role("admin"), 0
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while not ended.done():
            number += 1
            created = await admin.call("create_deal", title=f"Deal {number}", company_name="Acme")
            await admin.outcome("update_deal", deal_id=created["deal_id"], updates={"stage": "nowhere"})
            await admin.call("get_record", id=created["deal_id"])
            print(number, flush=True)

asyncio.run(main())
"""
ROUNDS = 25


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return PLUGINS


class Processes:
    """Writers, none of which outlives the test."""

    def __init__(self) -> None:
        self.all: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.all:
            if process.returncode is None:
                process.kill()

    async def start(self, url: str) -> None:
        pipe = asyncio.subprocess.PIPE
        self.all.append(
            await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, url, stdin=pipe, stdout=pipe)
        )


async def written(process: Process, rounds: int) -> None:
    """Until so many rounds are done."""
    assert process.stdout is not None
    for _ in range(rounds):
        assert await process.stdout.readline(), "a writer has ended by itself"


async def test_a_trail_that_three_processes_write_and_seal_is_whole_when_one_is_killed(database_url: str) -> None:
    async with open_organisation(database_url, PLUGINS):
        pass  # the three find their users there
    with Processes() as processes:
        for _ in range(3):
            await processes.start(database_url)
        first, *others = processes.all
        await asyncio.gather(*(written(process, ROUNDS) for process in processes.all))
        first.kill()
        await asyncio.gather(*(written(process, ROUNDS) for process in others))
        await asyncio.gather(first.wait(), *(process.communicate(b"") for process in others))
        assert [process.returncode for process in others] == [0, 0]
    async with open_organisation(database_url, PLUGINS) as sixty:
        await sixty.host.sealer.seal()
        report = await verify(sixty.host)
        assert report.findings == []
        assert report.unsealed == 0
        assert (
            report.lines == await sixty.count(audit) >= 5 * ROUNDS * 2
        )  # what was read and refused at the end may lack
        outcomes = {row["outcome"] for row in await sixty.rows(sa.select(audit.c.outcome))}
        assert outcomes == {"ok", "invalid"}
