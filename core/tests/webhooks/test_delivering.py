"""What happens reaches who has subscribed: signed, in order, small enough, and as often as it takes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import time_machine
from receiving import hangs, receiving, says
from standardwebhooks import Webhook, WebhookVerificationError

from sixty.errors import Conflict
from sixty.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from receiving import Receiver, Request

    from sixty.testing import Organisation


def verified(request: Request, secret: str, now: datetime) -> Any:
    """What the receiver's own library makes of a request."""
    with time_machine.travel(now, tick=False):
        return Webhook(secret).verify(request.body, request.headers)


async def test_an_event_arrives_with_a_signature_that_holds(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    uma = sixty.as_role("user")
    made = await (await api("user")).post(url=receiver.url, events=["note.added"])
    note = (await uma.call("add_note", text="Budget"))["note"]
    assert receiver.requests == []  # nothing leaves while the call runs
    await sixty.work()
    (request,) = receiver.requests
    assert verified(request, made["secret"], sixty.clock()) == {
        "type": "note.added",
        "timestamp": "2026-03-02T09:30:00Z",
        "data": {"record_id": note["id"], "owner_id": uma.user_id, "text": "Budget"},
    }
    assert b", " not in request.body
    assert request.line == "POST /hook HTTP/1.1"
    assert request.headers["host"] == receiver.url.split("/")[2]
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Sixty/")
    (job,) = await sixty.rows(sa.select(jobs).where(jobs.c.name == "core.deliver"))
    assert request.headers["webhook-id"] == f"msg_{job['id']}"
    assert job["state"] == "done"


async def test_a_signature_that_is_old_or_of_something_else_is_refused(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    secret = (await (await api("user")).post(url=receiver.url, events=["*"]))["secret"]
    await sixty.as_role("user").call("add_note", text="Budget")
    await sixty.work()
    (request,) = receiver.requests
    with pytest.raises(WebhookVerificationError, match="too old"):
        verified(request, secret, sixty.clock() + timedelta(minutes=6))
    for tampered in (
        replace(request, body=request.body.replace(b"Budget", b"Bidget")),
        replace(request, headers={**request.headers, "webhook-id": "msg_another"}),
    ):
        with pytest.raises(WebhookVerificationError, match="No matching"):
            verified(tampered, secret, sixty.clock())


async def test_both_secrets_sign_for_a_day_after_a_rotation(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    uma, writer = await api("user"), sixty.as_role("user")
    made = await uma.post(url=receiver.url, events=["*"])
    rotated = await uma.post(f"/{made['id']}/rotate")
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_until"] == "2026-03-03T09:30:00Z"
    sixty.clock.advance(timedelta(hours=23, minutes=59))
    await writer.call("add_note", text="during")
    await sixty.work()
    during = receiver.requests[0]
    assert verified(during, made["secret"], sixty.clock()) == verified(during, rotated["secret"], sixty.clock())
    sixty.clock.advance(timedelta(minutes=1))
    await writer.call("add_note", text="after")
    await sixty.work()
    after = receiver.requests[1]
    assert verified(after, rotated["secret"], sixty.clock())["data"]["text"] == "after"
    with pytest.raises(WebhookVerificationError, match="No matching"):
        verified(after, made["secret"], sixty.clock())


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (["note.added"], ["note.added"]),
        (["note.*"], ["note.added", "note.shouted"]),
        (["*"], ["note.added", "note.shouted"]),
        (["deal.*", "note.shouted"], ["note.shouted"]),
        (["deal.won"], []),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_who_waits_for_an_event_is_told_of_it_and_of_no_other(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, events: list[str], told: list[str]
) -> None:
    writer = sixty.as_role("user")
    await (await api("user")).post(url=receiver.url, events=events)
    note = (await writer.call("add_note", text="Budget"))["note"]
    await writer.call("shout", note_id=note["id"], text="Budget")
    await sixty.work()
    assert [request.event["type"] for request in receiver.requests] == told


async def test_events_of_one_record_arrive_in_order_although_the_first_try_fails(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    writer = sixty.as_role("user")
    first, other = [(await writer.call("add_note", text=text))["note"]["id"] for text in ("first", "other")]
    await (await api("user")).post(url=receiver.url, events=["*"])
    receiver.answers = [says(500)]
    for text in ("one", "two", "three"):
        await writer.call("shout", note_id=first, text=text)
    await sixty.work()
    assert receiver.texts == ["one"]
    await writer.call("shout", note_id=other, text="of another record")
    await sixty.work()
    assert receiver.texts == ["one", "of another record"]
    sixty.clock.advance(timedelta(seconds=6))
    await sixty.work()
    assert receiver.texts == ["one", "of another record", "one", "two", "three"]
    again, before = receiver.requests[2], receiver.requests[0]
    assert again.headers["webhook-id"] == before.headers["webhook-id"]
    assert again.headers["webhook-timestamp"] > before.headers["webhook-timestamp"]
    assert again.body == before.body


async def test_a_slow_receiver_delays_nobody_elses_events(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    writer = sixty.as_role("user")
    async with receiving() as slow, sixty.host.worker.working():
        slow.answers = [hangs] * 20
        await (await api("admin")).post(url=slow.url, events=["*"])
        await (await api("user")).post(url=receiver.url, events=["*"])
        for number in range(20):
            await writer.call("add_note", text=str(number))
        async with asyncio.timeout(10):
            while len(receiver.requests) < 20:
                receiver.arrived.clear()
                await receiver.arrived.wait()
        assert len(slow.requests) <= 8  # so many wait at once, and they take nobody's place
        slow.ended.set()


async def test_an_event_of_a_call_that_was_rolled_back_is_never_sent(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    writer = sixty.as_role("user")
    note = (await writer.call("add_note", text="Budget"))["note"]
    await (await api("user")).post(url=receiver.url, events=["*"])
    with pytest.raises(Conflict):
        await writer.call("shout", note_id=note["id"], text="never", fails=True)
    await sixty.work()
    assert receiver.requests == []
    assert await sixty.rows(sa.select(jobs.c.id).where(jobs.c.name == "core.deliver")) == []


@pytest.mark.parametrize(
    ("text", "more", "cut"),
    [
        ("é" * 15_000, None, ["text"]),
        ("short", {"deep": ["long " * 5_000, "kept"]}, ["more"]),
        ("é" * 9_000, "x" * 9_000, ["text", "more"]),
        ("short", list(range(10_000)), ["owner_id", "text", "price", "more"]),
    ],
)
async def test_an_event_over_20_kb_is_cut_and_says_where(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver, *, text: str, more: Any, cut: list[str]
) -> None:
    writer = sixty.as_role("user")
    note = (await writer.call("add_note", text="Budget", price=12.5))["note"]
    made = await (await api("user")).post(url=receiver.url, events=["*"])
    await writer.call("shout", note_id=note["id"], text=text, more=more)
    await sixty.work()
    (request,) = receiver.requests
    assert len(request.body) <= 20_000
    data = verified(request, made["secret"], sixty.clock())["data"]
    assert data["record_id"] == note["id"]
    assert set(data["truncated"]) == set(cut) - {"owner_id"}
    if "price" not in cut:
        assert data["price"] == 12.5
        assert text.startswith(data["text"].removesuffix("…"))


async def test_what_no_json_can_say_is_sent_as_text(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    writer = sixty.as_role("user")
    note = (await writer.call("add_note", text="Budget"))["note"]
    await (await api("user")).post(url=receiver.url, events=["*"])
    more = {"set": {1}, "huge": 2**70, "nul": "a\x00b", "half": "\ud800", "now": sixty.clock(), "whole": 2.0}
    await writer.call("shout", note_id=note["id"], text="odd", more=more)
    await sixty.work()
    data = json.loads(receiver.requests[0].body)["data"]
    assert data["more"] == {
        "set": [1],
        "huge": str(2**70),
        "nul": "a\ufffdb",
        "half": "?",
        "now": "2026-03-02T09:30:00+00:00",
        "whole": 2.0,
    }


async def test_whoever_wants_to_see_it_work_sends_an_event_to_themselves(
    sixty: Organisation, api: Callable[..., Any], receiver: Receiver
) -> None:
    uma = await api("user")
    made = await uma.post(url=receiver.url, events=["deal.won"])
    sent = await uma.post(f"/{made['id']}/test")
    await sixty.work()
    (request,) = receiver.requests
    assert request.headers["webhook-id"] == sent["message_id"]
    assert verified(request, made["secret"], sixty.clock())["type"] == "webhook.test"
    await uma.patch(f"/{made['id']}", state="disabled")
    assert (await uma.ask("POST", f"/{made['id']}/test")).status_code == 409
