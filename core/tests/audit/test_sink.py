"""Sealed batches reach the sink in order, signed, and however long it is away."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from receiving import Receiver, receiving, says
from standardwebhooks import Webhook as Signer

from sixty.config import load_settings
from sixty.errors import ConfigError
from sixty.tables import audit, audit_seals, jobs
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sixty.testing import Organisation

SECRET = "whsec_" + "c2lnbmVk" * 4


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as it:
        yield it


@pytest.fixture
async def sent_on(database_url: str, plugins: Any, receiver: Receiver, clock: Any) -> AsyncIterator[Organisation]:
    environ = {"SIXTY_AUDIT_SINK_URL": receiver.url, "SIXTY_AUDIT_SINK_SECRET": SECRET}
    async with open_organisation(database_url, plugins, clock=clock, environ=environ) as sixty:
        yield sixty


async def sealed(sixty: Organisation, text: str) -> None:
    await sixty.as_role("user").call("add_note", text=text)
    await sixty.host.sealer.seal()


async def test_each_batch_is_sent_whole_signed_and_in_order(sent_on: Organisation, receiver: Receiver) -> None:
    for text in ("one", "two"):
        await sealed(sent_on, text)
    await sent_on.work()
    bodies = [json.loads(request.body) for request in receiver.requests]
    seals = await sent_on.rows(sa.select(audit_seals).order_by(audit_seals.c.position))
    assert [body["position"] for body in bodies] == [1, 2]
    assert [body["hash"] for body in bodies] == [bytes(seal["hash"]).hex() for seal in seals]
    assert bodies[1]["previous_hash"] == bodies[0]["hash"]
    (line,) = bodies[1]["lines"]
    (kept,) = await sent_on.rows(sa.select(audit).where(audit.c.seq == line["seq"]))
    assert (line["arguments"], line["mac"]) == ({"text": "two"}, bytes(kept["mac"]).hex())
    request = receiver.requests[0]
    expected = Signer(SECRET).sign("seal_1", sent_on.clock().replace(microsecond=0), request.body.decode())
    assert request.headers["webhook-signature"] == expected


async def test_a_sink_that_is_down_gets_everything_later_and_costs_one_small_row_for_each_seal(
    sent_on: Organisation, receiver: Receiver
) -> None:
    receiver.answers = [says(503), says(302, location="http://127.0.0.1/elsewhere")]
    for text in ("one", "two", "three"):
        await sealed(sent_on, text)
    await sent_on.work()
    waiting = await sent_on.rows(sa.select(jobs).where(jobs.c.name == "core.send_seal"))
    assert [row["payload"] for row in waiting] == [{"position": 1}, {"position": 2}, {"position": 3}]
    for _ in range(2):
        sent_on.clock.advance(timedelta(hours=2))
        await sent_on.work()
    assert [json.loads(request.body)["position"] for request in receiver.requests] == [1, 1, 1, 2, 3]
    left = await sent_on.rows(sa.select(jobs).where(jobs.c.name == "core.send_seal"))
    assert [row["payload"] for row in left] == [{"position": 3}]  # of what was sent, one is enough


async def test_without_a_sink_nothing_is_left_to_be_sent_and_what_was_left_is_let_go(
    sent_on: Organisation, receiver: Receiver, plugins: Any
) -> None:
    await sealed(sent_on, "one")
    settings = sent_on.host.settings
    async with open_organisation(settings.database_url, plugins, clock=sent_on.clock) as sixty:
        await sealed(sixty, "two")
        await sixty.work()
        states = [row["state"] for row in await sixty.rows(sa.select(jobs).where(jobs.c.name == "core.send_seal"))]
    assert (states, receiver.requests) == (["done"], [])


@pytest.mark.parametrize("url", ["ftp://files.example.com", "https://ann:hunter2@audit.example.com", "audit"])
def test_an_address_to_which_nothing_can_be_sent_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="SIXTY_AUDIT_SINK_URL is bad") as refused:
        load_settings({"SIXTY_AUDIT_SINK_URL": url})
    assert "hunter2" not in str(refused.value)


def test_a_secret_that_cannot_sign_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="SIXTY_AUDIT_SINK_SECRET is bad: write whsec_") as refused:
        load_settings({"SIXTY_AUDIT_SINK_SECRET": "hunter2"})
    assert "hunter2" not in str(refused.value)
