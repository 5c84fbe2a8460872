"""What did not arrive in any try: the plan of tries, the end of a subscription, and sending it all again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from receiving import says

from sixty.tables import audit, jobs
from sixty.webhooks.delivering import PLAN

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from receiving import Receiver

    from sixty.testing import Organisation

DELIVERY = sa.select(jobs).where(jobs.c.name == "core.deliver").order_by(jobs.c.seq)
UNKNOWN = "0198f2a0-5a10-7c11-8f00-00000000d001"


async def fail_for_good(sixty: Organisation, receiver: Receiver) -> None:
    """Every try of what is due has failed."""
    receiver.answers = [says(500, b"Out of order")] * 10
    for seconds in (0, *PLAN):
        sixty.clock.advance(timedelta(seconds=seconds * 1.1))
        await sixty.work()
    assert receiver.answers == []


async def test_after_ten_tries_in_three_days_the_subscription_ends_and_that_is_reported(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    minute, hour = 60, 3600
    plan = (5, 5 * minute, 30 * minute, *(hours * hour for hours in (2, 5, 10, 14, 20, 24)))
    uma = await api("user")
    made = await uma.post(url=receiver.url, events=["*"])
    await sixty.as_role("user").call("add_note", text="Budget")
    receiver.answers = [says(500, b"Out of order")] * 10
    for attempt, seconds in enumerate(plan, start=1):
        await sixty.work()
        (job,) = await sixty.rows(DELIVERY)
        pause = (job["due_at"] - sixty.clock()).total_seconds()
        assert (job["state"], job["attempts"], len(receiver.requests)) == ("waiting", attempt, attempt)
        assert seconds <= pause <= seconds * 1.1
        sixty.clock.advance(timedelta(seconds=pause))
    assert (await uma.get(f"/{made['id']}"))["state"] == "active"
    await sixty.work()
    assert len(receiver.requests) == 10
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    ended = await uma.get(f"/{made['id']}")
    reason = "note.added was not received in 10 tries: the receiver answered 500: Out of order"
    assert (ended["state"], ended["disabled_reason"]) == ("disabled", reason)
    assert f"the webhook {made['id']} is disabled: {reason}" in caplog.text
    assert made["secret"] not in caplog.text
    (failure,) = (await uma.get(f"/{made['id']}/failures"))["failures"]
    assert failure.pop("failed_at")
    assert failure == {
        "job_id": job["id"],
        "message_id": receiver.requests[0].headers["webhook-id"],
        "event": "note.added",
        "at": "2026-03-02T09:30:00Z",
        "tries": 10,
        "error": "the receiver answered 500: Out of order",
    }


async def test_what_failed_is_sent_again_with_the_same_id_once_the_subscription_is_enabled(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    uma = await api("user")
    made = await uma.post(url=receiver.url, events=["*"])
    path = f"/{made['id']}"
    await sixty.as_role("user").call("add_note", text="Budget")
    await fail_for_good(sixty, receiver)
    refused = await uma.ask("POST", f"{path}/replay", {})
    assert (refused.status_code, "disabled" in refused.text) == (409, True)
    await uma.patch(path, state="active")
    assert (await uma.post(f"{path}/replay"))["replayed"] == 1
    assert (await uma.get(f"{path}/failures"))["failures"] == []
    await sixty.work()
    *before, again = receiver.requests
    assert again.headers["webhook-id"] == before[0].headers["webhook-id"]
    assert again.body == before[0].body
    assert [job["state"] for job in await sixty.rows(DELIVERY)] == ["done"]
    assert (await uma.post(f"{path}/replay"))["replayed"] == 0


async def test_some_of_what_failed_is_sent_again(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    uma, writer = await api("user"), sixty.as_role("user")
    made = await uma.post(url=receiver.url, events=["*"])
    path = f"/{made['id']}"
    receiver.answers = [says(410)] * 3
    for text in ("one", "two", "three"):
        await writer.call("add_note", text=text)
        await sixty.work()
        await uma.patch(path, state="active")
        sixty.clock.advance(timedelta(minutes=1))
    three, two, one = (await uma.get(f"{path}/failures"))["failures"]
    unknown = await uma.ask("POST", f"{path}/replay", {"job_ids": [one["job_id"], UNKNOWN]})
    assert (unknown.status_code, unknown.json()["error"]["id"]) == (404, UNKNOWN)
    assert (await uma.ask("POST", f"{path}/replay", {"job_ids": []})).status_code == 400
    assert (await uma.post(f"{path}/replay", job_ids=[one["job_id"]]))["replayed"] == 1
    await sixty.work()
    assert receiver.texts[3:] == ["one"]
    assert (await uma.post(f"{path}/replay", since=three["at"]))["replayed"] == 1
    await sixty.work()
    assert receiver.texts[4:] == ["three"]
    assert [left["job_id"] for left in (await uma.get(f"{path}/failures"))["failures"]] == [two["job_id"]]


async def test_what_waited_when_the_subscription_was_disabled_can_be_sent_later(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    uma = await api("user")
    made = await uma.post(url=receiver.url, events=["*"])
    path = f"/{made['id']}"
    await sixty.as_role("user").call("add_note", text="before")
    await uma.patch(path, state="disabled")
    await sixty.as_role("user").call("add_note", text="meanwhile")
    await sixty.work()
    assert receiver.requests == []
    (failure,) = (await uma.get(f"{path}/failures"))["failures"]
    assert failure["error"] == "the webhook was disabled before this was sent"
    await uma.patch(path, state="active")
    await uma.post(f"{path}/replay")
    await sixty.work()
    assert receiver.texts == ["before"]


async def test_nothing_that_is_kept_has_the_secret(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    uma = await api("user")
    made = await uma.post(url=receiver.url, events=["*"])
    rotated = await uma.post(f"/{made['id']}/rotate")
    await sixty.as_role("user").call("add_note", text="Budget")
    await fail_for_good(sixty, receiver)
    await sixty.host.audit.flush()
    kept = str([await sixty.rows(sa.select(table)) for table in (audit, jobs)])
    assert "rotate_webhook" in kept
    for secret in (made["secret"], rotated["secret"]):
        assert secret not in kept
        assert secret.removeprefix("whsec_") not in kept
