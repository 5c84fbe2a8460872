"""Nobody is sent what they may not read: not when it happens, and not any more when it is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from receiving import receiving

from sixty.people import disable_user, set_role, set_team
from sixty.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from receiving import Receiver

    from sixty.testing import Organisation

DELIVERIES = sa.select(jobs.c.state).where(jobs.c.name == "core.deliver")
MAX = "max.manager@example.com"
HOUR = timedelta(hours=1)


async def test_each_subscriber_is_told_of_what_their_scope_reaches(
    sixty: Organisation, api: Callable[..., Any]
) -> None:
    uma = sixty.as_role("user")
    elsewhere = await sixty.user("Eve East", role="manager", team="East")
    colleague = await sixty.user("Noah North", team="North")
    async with receiving() as own, receiving() as team, receiving() as every, receiving() as east, receiving() as noah:
        for who, receiver in (
            ("user", own),
            ("manager", team),
            ("admin", every),
            (elsewhere, east),
            (colleague, noah),
        ):
            await (await api(who)).post(url=receiver.url, events=["*"])
        await uma.call("add_note", text="of Uma")
        await colleague.call("add_note", text="of Noah")
        await elsewhere.call("add_note", text="of Eve")
        await sixty.work()
        assert own.texts == ["of Uma"]
        assert noah.texts == ["of Noah"]
        assert sorted(team.texts) == ["of Noah", "of Uma"]
        assert east.texts == ["of Eve"]
        assert sorted(every.texts) == ["of Eve", "of Noah", "of Uma"]


async def test_what_a_subscriber_may_not_read_is_not_even_kept_for_them(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    await (await api("user")).post(url=receiver.url, events=["*"])
    await sixty.as_role("admin").call("add_note", text="of Ada")
    assert await sixty.rows(DELIVERIES) == []


@pytest.mark.parametrize("what", ["demoted", "moved", "disabled"])
async def test_who_may_read_no_more_when_it_is_sent_is_sent_nothing(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, what: str
) -> None:
    await (await api("manager")).post(url=receiver.url, events=["*"])
    await sixty.as_role("user").call("add_note", text="of Uma")
    database = sixty.host.database
    if what == "demoted":
        await set_role(database, MAX, "user")
    elif what == "moved":
        await set_team(database, MAX, None)
    else:
        await disable_user(database, MAX, now=sixty.clock())
    await sixty.work()
    assert receiver.requests == []
    assert await sixty.rows(DELIVERIES) == [{"state": "done"}]


async def test_a_record_that_was_given_away_meanwhile_is_told_to_who_may_still_read_it(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    ada = sixty.as_role("admin")
    note = (await sixty.as_role("user").call("add_note", text="of Uma"))["note"]
    async with receiving() as every:
        await (await api("user")).post(url=receiver.url, events=["*"])
        await (await api("admin")).post(url=every.url, events=["*"])
        await ada.call("shout", note_id=note["id"], text="still of Uma")
        await ada.call("edit_note", note_id=note["id"], updates={"owner_id": ada.user_id})
        await sixty.work()
        assert receiver.requests == []
        assert every.texts == ["still of Uma"]


async def test_a_disabled_subscriber_is_told_nothing_of_later_events_either(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    made = await (await api("manager")).post(url=receiver.url, events=["*"])
    await disable_user(sixty.host.database, MAX, now=sixty.clock())
    await sixty.as_role("user").call("add_note", text="of Uma")
    await (await api("admin")).post(f"/{made['id']}/test")
    await sixty.work()
    assert receiver.requests == []


async def test_a_subscription_that_was_deleted_meanwhile_is_sent_nothing(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    uma = await api("user")
    made = await uma.post(url=receiver.url, events=["*"])
    await sixty.as_role("user").call("add_note", text="of Uma")
    await uma.ask("DELETE", f"/{made['id']}")
    await sixty.work()
    assert receiver.requests == []
    assert await sixty.rows(DELIVERIES) == [{"state": "done"}]


async def test_while_the_pack_of_a_record_is_away_its_events_wait(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    await (await api("user")).post(url=receiver.url, events=["*"])
    await sixty.as_role("user").call("add_note", text="of Uma")
    await sixty.host.disable("shouts")
    await sixty.host.disable("notes")
    await sixty.work()
    assert (receiver.requests, await sixty.rows(DELIVERIES)) == ([], [{"state": "waiting"}])
    await sixty.host.enable("notes")
    sixty.clock.advance(HOUR)
    await sixty.work()
    assert receiver.texts == ["of Uma"]


async def test_a_pack_that_stays_away_is_no_fault_of_the_receiver(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    made = await (await api("user")).post(url=receiver.url, events=["*"])
    await sixty.as_role("user").call("add_note", text="of Uma")
    await sixty.host.disable("shouts")
    await sixty.host.disable("notes")
    for _ in range(10):
        await sixty.work()
        sixty.clock.advance(30 * HOUR)
    assert await sixty.rows(DELIVERIES) == [{"state": "failed"}]
    assert (await (await api("user")).get(f"/{made['id']}"))["state"] == "active"
    await sixty.host.enable("notes")
    await (await api("user")).post(f"/{made['id']}/replay")
    await sixty.work()
    assert receiver.texts == ["of Uma"]
