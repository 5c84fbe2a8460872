"""How a real Redis counts what the servers have it count."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from things import Redis, running

from sixty.shared_counts import SharedCounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.services


@dataclass(frozen=True)
class Rate:
    """Three a second."""

    is_exact: bool
    count: int = 3
    seconds: int = 1


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    program = shutil.which("redis-server")
    if program is None:
        reason = "redis-server cannot be found: this test starts one of its own"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("counts")
    server = Redis(program, folder / "redis.log")
    with running(server):
        yield server


@pytest.fixture
async def counts(redis: Redis, request: pytest.FixtureRequest) -> AsyncIterator[SharedCounts]:
    counts = SharedCounts(redis.url, request.node.name)
    yield counts
    await counts.close()


@pytest.mark.parametrize("rate", [Rate(is_exact=True), Rate(is_exact=False)], ids=["exactly", "windows"])
async def test_the_last_one_says_how_long_to_wait_and_after_that_there_is_room(
    counts: SharedCounts, rate: Rate
) -> None:
    hits = [await counts.hit("calls", rate) for _ in range(5)]
    assert [hit and hit.counted for hit in hits] == [True, True, True, False, False]
    waits = [hit.wait for hit in hits if hit is not None]
    assert waits[:2] == [0, 0]
    assert 0 < waits[4] <= waits[3] <= waits[2] <= 1
    assert (await counts.hit("others", rate)) == (True, 0)
    await asyncio.sleep(waits[2])  # Redis has a clock of its own
    again = await counts.hit("calls", rate)
    assert again is not None
    assert again.counted


async def test_no_second_sees_more_than_are_allowed_wherever_it_begins(counts: SharedCounts) -> None:
    counted: list[tuple[float, float]] = []
    loop = asyncio.get_running_loop()
    until = loop.time() + 2.2
    while loop.time() < until:
        asked = loop.time()
        hit = await counts.hit("calls", Rate(is_exact=True))
        assert hit is not None
        if hit.counted:
            counted.append((asked, loop.time()))
        await asyncio.sleep(0.003)
    assert len(counted) >= 6
    # a millisecond, because Redis's clock is read in whole ones
    assert all(answered - asked > 0.998 for (asked, _), (_, answered) in zip(counted, counted[3:], strict=False))


async def test_what_is_counted_is_forgotten_when_it_no_longer_counts(redis: Redis) -> None:
    counts = SharedCounts(redis.url, "forgotten")
    await counts.hit("exactly", Rate(is_exact=True))
    await counts.hit("windows", Rate(is_exact=False))
    keys = ("forgotten:exactly", "forgotten:windows")
    assert await counts._answer(("EXISTS", *keys)) == 2
    await asyncio.sleep(1.05)
    assert await counts._answer(("EXISTS", *keys)) == 0
    await counts.close()
