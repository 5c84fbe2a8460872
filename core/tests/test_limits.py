"""Rate limits: who is refused, when they may try again, and that this is true."""

from __future__ import annotations

import pytest
import time_machine

from sixty import limits
from sixty.config import Settings
from sixty.errors import RateLimited
from sixty.limits import Limits

MONDAY = "2026-03-02T09:30:00Z"


async def refused(counter: Limits, user: str = "ada", tool: str = "create_deal", rate: str = "standard") -> int:
    """The seconds after which to try again, or 0 if the call is allowed."""
    try:
        await counter.check(user, tool, rate)
    except RateLimited as error:
        return error.retry_after
    return 0


@pytest.mark.parametrize("rate", ["3/minute", f"{limits.EXACT * 2}/minute"])
async def test_who_waits_as_long_as_told_is_served(rate: str) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        counter = Limits(Settings())
        while (seconds := await refused(counter, rate=rate)) == 0:
            pass
        clock.shift(seconds)
        assert await refused(counter, rate=rate) == 0


async def test_the_message_names_the_limit_the_tool_and_the_time_to_wait() -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        counter = Limits(Settings(rate_strict="2/minute"))
        await counter.check("ada", "create_deal", "strict")
        clock.shift(20)
        await counter.check("ada", "create_deal", "strict")
        with pytest.raises(RateLimited) as caught:
            await counter.check("ada", "create_deal", "strict")
    assert caught.value.message == "at most 2 calls of create_deal a minute; try again in 41 seconds"
    assert caught.value.to_json()["retry_after"] == 41


async def test_no_minute_sees_more_calls_than_allowed_wherever_it_begins() -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        counter = Limits(Settings(rate_standard="10/minute"))
        served: list[int] = []
        for second in range(300):
            served += [second for _ in range(3) if not await refused(counter)]
            clock.shift(1)
    assert max(sum(begin <= at < begin + 60 for at in served) for begin in range(300)) == 10


async def test_each_user_and_each_tool_is_counted_apart() -> None:
    counter = Limits(Settings(rate_standard="1/minute"))
    assert await refused(counter, "ada", "create_deal") == 0
    assert await refused(counter, "ada", "create_deal") > 0
    assert await refused(counter, "ada", "delete_deal") == 0
    assert await refused(counter, "grace", "create_deal") == 0


async def test_the_settings_say_what_standard_strict_and_bulk_mean() -> None:
    counter = Limits(Settings(rate_standard="3/minute", rate_strict="2/minute", rate_bulk="1/minute"))
    served = {
        rate: sum([not await refused(counter, tool=rate, rate=rate) for _ in range(5)])
        for rate in ("standard", "strict", "bulk")
    }
    assert served == {"standard": 3, "strict": 2, "bulk": 1}


async def test_a_tool_may_have_a_rate_of_its_own() -> None:
    counter = Limits(Settings(rate_standard="1/minute"))
    assert sum([not await refused(counter, rate="4/hour") for _ in range(10)]) == 4


async def test_off_is_no_limit() -> None:
    counter = Limits(Settings(rate_standard="off", rate_auth="off"))
    for _ in range(200):
        await counter.check("ada", "create_deal", "standard")
        await counter.record_failure("203.0.113.7")
        counter.check_address("203.0.113.7")


async def test_an_address_is_refused_after_too_many_failures_and_forgiven_after_a_while() -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        counter = Limits(Settings(rate_auth="2/minute"))
        await counter.record_failure("203.0.113.7")
        counter.check_address("203.0.113.7")
        await counter.record_failure("203.0.113.7")
        with pytest.raises(RateLimited, match="at most 2 refused credentials a minute") as caught:
            counter.check_address("203.0.113.7")
        counter.check_address("203.0.113.8")
        clock.shift(caught.value.retry_after)
        counter.check_address("203.0.113.7")


async def test_one_subscriber_of_ipv6_is_one_address() -> None:
    counter = Limits(Settings(rate_auth="1/minute"))
    await counter.record_failure("2001:db8:1:2:aaaa::1")
    with pytest.raises(RateLimited):
        counter.check_address("2001:db8:1:2:bbbb::2")
    counter.check_address("2001:db8:1:3::1")


async def test_what_is_no_address_is_counted_as_it_is() -> None:
    counter = Limits(Settings(rate_auth="1/minute"))
    await counter.record_failure("testclient")
    with pytest.raises(RateLimited):
        counter.check_address("testclient")


async def test_a_flood_of_addresses_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADDRESSES", 100)
    counter = Limits(Settings(rate_auth="1/day"))
    for number in range(250):
        await counter.record_failure(f"10.0.{number // 250}.{number % 250}")
    assert counter._limit("addresses", "1/day").remembered <= 100


@pytest.mark.parametrize("rate", ["3/minute", f"{limits.EXACT * 2}/minute"])
async def test_a_clock_that_is_set_back_keeps_nobody_waiting_until_it_is_there_again(rate: str) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        counter = Limits(Settings(rate_auth=rate))
        while await refused(counter, rate=rate) == 0:
            await counter.record_failure("192.0.2.1")
        with pytest.raises(RateLimited):
            counter.check_address("192.0.2.1")
        clock.shift(-86_400)
        assert await refused(counter, rate=rate) == 0
        counter.check_address("192.0.2.1")
