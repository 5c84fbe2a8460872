"""What nobody can use any more is gone after a night."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import clearing
from sixty.tables import idempotency, webhooks

if TYPE_CHECKING:
    import pytest

    from sixty.testing import Organisation

_DAY = timedelta(days=1)


async def night(sixty: Organisation) -> None:
    sixty.clock.advance(_DAY)
    assert "core.clear_expired" in await sixty.work()


async def test_idempotency_keys_are_removed_once_they_are_forgotten(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing, "AT_ONCE", 2)
    await sixty.work()
    user = sixty.as_role("user")
    for key in "abcde":
        await user.keyed(key).call("add_note", text=key)
    sixty.clock.advance(timedelta(hours=40))
    await user.keyed("f").call("add_note", text="f")
    await night(sixty)
    assert {row["key"] for row in await sixty.rows(sa.select(idempotency.c.key))} == {"f"}


async def test_a_secret_that_a_webhook_had_before_goes_when_it_is_not_used_any_more(sixty: Organisation) -> None:
    await sixty.work()
    now = sixty.clock()
    row: dict[str, Any] = {"user_id": sixty.as_role("user").user_id, "url": "https://a.example", "events": ["*"]}
    row |= {"secret": "new", "previous_secret": "old", "state": "enabled", "created_at": now, "updated_at": now}
    ids = {hours: f"0199a4c0-6b1e-7d3a-9c55-0000000000{hours}" for hours in (12, 36)}
    async with sixty.host.database.transaction() as transaction:
        for hours, webhook_id in ids.items():
            until = now + timedelta(hours=hours)
            await transaction.execute(sa.insert(webhooks), {**row, "id": webhook_id, "previous_until": until})
    await night(sixty)
    kept = {row["id"]: row["previous_secret"] for row in await sixty.rows(sa.select(webhooks))}
    assert kept == {ids[12]: None, ids[36]: "old"}
