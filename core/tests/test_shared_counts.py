"""Rate limits that processes count together in a Redis, and what they do without it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from redis_of_ours import Redis

from sixty import limits
from sixty.config import Settings, load_settings
from sixty.errors import ConfigError, RateLimited
from sixty.limits import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECRET = b"the same in every process"
SOON = 5.0


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    server = Redis()
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def process(url: str, *, secret: bytes = SECRET, rate: str = "3/minute") -> AsyncIterator[Limits]:
    """The limits of one process on a database with this secret."""
    counting = Limits(Settings(redis_url=url, rate_standard=rate, rate_auth=rate))
    counting.share(secret)
    try:
        yield counting
    finally:
        await counting.close()


async def served(counting: Limits, calls: int = 5) -> int:
    """How many of so many calls of one tool are let through."""
    count = 0
    for _ in range(calls):
        try:
            await counting.check("ada", "create_deal", "standard")
        except RateLimited:
            continue
        count += 1
    return count


async def until_shared(counting: Limits) -> None:
    async with asyncio.timeout(SOON):
        while not counting.shared:  # noqa: ASYNC110 - nothing says when
            await asyncio.sleep(0)


async def test_processes_of_one_organisation_count_together(redis: Redis) -> None:
    async with process(redis.url) as here, process(redis.url) as there:
        assert await served(here, 2) == 2
        assert await served(there) == 1
        assert await served(here) == 0
        assert here.shared
        with pytest.raises(RateLimited, match="at most 3 calls of create_deal a minute; try again in 61 seconds"):
            await here.check("ada", "create_deal", "standard")


async def test_two_organisations_on_one_redis_do_not(redis: Redis) -> None:
    async with process(redis.url) as ours, process(redis.url, secret=b"another") as theirs:
        assert (await served(ours), await served(theirs)) == (3, 3)


async def test_many_calls_at_once_share_one_connection(redis: Redis) -> None:
    async with process(redis.url, rate="100/minute") as counting:
        await asyncio.gather(*(served(counting, 10) for _ in range(8)))
        assert redis.connections == 1
        assert redis.counts.total() == 80


async def test_an_address_is_counted_everywhere_and_known_after_its_first_refusal_here(redis: Redis) -> None:
    async with process(redis.url) as here, process(redis.url) as there:
        for counting in (here, there, here):
            counting.check_address("203.0.113.7")
            await counting.record_failure("203.0.113.7")
        with pytest.raises(RateLimited):
            here.check_address("203.0.113.7")
        there.check_address("203.0.113.7")  # it has not heard of the last one
        await there.record_failure("203.0.113.7")
        with pytest.raises(RateLimited):
            there.check_address("203.0.113.7")
        there.check_address("203.0.113.8")


async def test_a_flood_of_addresses_does_not_fill_the_memory(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADDRESSES", 3)
    async with process(redis.url, rate="1/minute") as counting:
        for number in range(10):
            await counting.record_failure(f"10.0.0.{number}")
        assert len(counting._barred) <= 3


async def test_without_redis_each_counts_for_itself_says_so_once_and_again_when_it_is_back(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sixty.shared_counts.PAUSE", 0.01)
    await redis.stop()
    async with process(redis.url) as here, process(redis.url) as there:
        assert (await served(here), await served(there)) == (3, 3)
        assert here.shared is False
        assert await here.trouble() == "it cannot be reached"
        await redis.start()
        await until_shared(here)
        await until_shared(there)
        assert await here.trouble() is None
        assert await served(here, 2) + await served(there, 2) == 3
    said = [record.getMessage() for record in caplog.records if record.name == "sixty.shared_counts"]
    assert [sum(word in line for line in said) for word in ("for itself meanwhile", "answers again")] == [2, 2]


async def test_nobody_waits_for_a_redis_that_is_slow(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sixty.shared_counts.PATIENCE", 0.05)
    monkeypatch.setattr("sixty.shared_counts.PAUSE", 3600.0)
    redis.silent = True
    async with process(redis.url) as counting:
        async with asyncio.timeout(1.0):
            assert await asyncio.gather(*(served(counting, 1) for _ in range(5))) == [1, 1, 1, 0, 0]
        asked = redis.connections
        assert await served(counting, 100) == 0
        assert redis.connections == asked == 1
        assert await counting.trouble() == "it does not answer in time"


async def test_a_redis_that_goes_on_being_slow_is_asked_again_and_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.shared_counts.PATIENCE", 0.05)
    monkeypatch.setattr("sixty.shared_counts.PAUSE", 0.01)
    redis.silent = True
    async with process(redis.url) as counting:
        await served(counting, 1)
        async with asyncio.timeout(SOON):
            while redis.connections < 4:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0)
        redis.silent = False
        await until_shared(counting)


async def test_a_connection_that_was_closed_while_nobody_asked_is_made_anew(redis: Redis) -> None:
    async with process(redis.url) as counting:
        assert await served(counting, 1) == 1
        await redis.hang_up()
        assert await served(counting) == 2
        assert (redis.connections, counting.shared) == (2, True)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'", "it does not count: "),
        ("ERR unknown command 'EVALSHA', with args beginning with: 'a' '1' 'ann' ", "it does not count: "),
        ("WRONGPASS invalid username-password pair", "it does not accept the user or the password"),
    ],
)
async def test_a_redis_that_refuses_is_as_good_as_none(redis: Redis, error: str, trouble: str) -> None:
    redis.error = error
    async with process(redis.url) as counting:
        assert await served(counting) == 3
        assert (await counting.trouble() or "").startswith(trouble)
        assert "ann" not in (await counting.trouble() or "")


async def test_who_is_cancelled_while_waiting_disturbs_nobody(redis: Redis) -> None:
    async with process(redis.url) as counting:
        await served(counting, 1)
        gone = asyncio.create_task(served(counting, 1))
        await asyncio.sleep(0)
        gone.cancel()
        assert await served(counting, 1) == 1
        assert counting.shared


async def test_closing_while_it_is_asked_leaves_nobody_waiting(redis: Redis) -> None:
    redis.silent = True
    async with process(redis.url) as counting:
        waiting = asyncio.create_task(served(counting, 1))
        await asyncio.sleep(0)
    assert await waiting == 1


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://localhost:6379",
        "redis://",
        "redis://:hush@host:port/0",
        "redis://:hush@[host/0",
        "unix:",
    ],
)
def test_a_bad_address_is_refused_at_the_start_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="SIXTY_REDIS_URL") as caught:
        load_settings({"SIXTY_REDIS_URL": url})
    assert "hush" not in str(caught.value)


def test_so_is_one_that_only_the_client_finds_bad() -> None:
    counting = Limits(Settings(redis_url="redis://:hush@localhost/0?socket_timeout=soon"))
    with pytest.raises(ConfigError, match="SIXTY_REDIS_URL") as caught:
        counting.share(SECRET)
    assert "hush" not in str(caught.value)


def test_the_password_is_not_shown_with_the_settings() -> None:
    assert "hush" not in repr(load_settings({"SIXTY_REDIS_URL": "rediss://:hush@localhost:6379/0"}))
