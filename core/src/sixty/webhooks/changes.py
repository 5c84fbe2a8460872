"""What is written when a subscription changes. Each change is noticed by every process on its next call."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.counters import raising
from sixty.storage.columns import Id, Instant
from sixty.storage.statements import Write
from sixty.tables import webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sixty.webhooks.subscriptions import Webhook

__all__ = ["added", "changed", "removed"]

_CHANGING = [column for column in webhooks.columns if column.name not in ("id", "user_id", "created_at")]

_insert = sa.insert(webhooks)
_update = (
    sa.update(webhooks)
    .where(
        webhooks.c.id == sa.bindparam("key", type_=Id),
        webhooks.c.updated_at == sa.bindparam("seen", type_=Instant),
    )
    .values({column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in _CHANGING})
)
_delete = sa.delete(webhooks).where(webhooks.c.id == sa.bindparam("key", type_=Id))
_noticed = Write(raising("identity"), {}, expect=1)
"""Comes first, so that on Postgres too one change waits for the other."""


def added(webhook: Webhook) -> Iterator[Write]:
    """The subscription is there."""
    yield _noticed
    yield Write(_insert, _row(webhook))


def changed(before: Webhook, after: Webhook) -> Iterator[Write]:
    """The subscription is as it is `after`. It must still be as it was `before`."""
    values = {f"new_{name}": value for name, value in _row(after).items()}
    yield _noticed
    yield Write(_update, {**values, "key": before.id, "seen": before.updated_at}, expect=1)


def removed(webhook: Webhook) -> Iterator[Write]:
    """The subscription is gone."""
    yield _noticed
    yield Write(_delete, {"key": webhook.id}, expect=1)


def _row(webhook: Webhook) -> dict[str, Any]:
    return {**asdict(webhook), "events": list(webhook.events)}
