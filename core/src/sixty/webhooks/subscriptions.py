"""A subscription: who wants to be told of which events, where, and with which secret."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from sixty.tables import webhooks

if TYPE_CHECKING:
    from datetime import datetime

    from sixty.storage.statements import Row

__all__ = ["ALL", "OVERLAP", "State", "Webhook"]

State = Literal["active", "disabled"]

OVERLAP = timedelta(hours=24)
"""How long a secret signs on, beside the one that has taken its place."""
ALL = sa.select(webhooks).order_by(webhooks.c.created_at, webhooks.c.id)
"""Every subscription, oldest first."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One subscription. Nothing that shows it shows its secrets."""

    id: str
    user_id: str
    """Who subscribed: what they may not read is not sent."""
    url: str
    events: tuple[str, ...]
    """Names of events, `deal.*` for all whose names begin so, or `*`."""
    description: str | None
    secret: str = field(repr=False)
    previous_secret: str | None = field(repr=False)
    previous_until: datetime | None
    state: State
    disabled_reason: str | None
    disabled_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> Webhook:
        """The subscription in a row of the table."""
        return cls(**{**row, "events": tuple(row["events"])})

    def wants(self, event: str) -> bool:
        """Whether it is to be told of an event of that name now."""
        return self.state == "active" and any(
            wanted in ("*", event) or (wanted.endswith(".*") and event.startswith(wanted[:-1]))
            for wanted in self.events
        )

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """What signs at this moment: the secret, and for a while the one before it."""
        if self.previous_secret is None or self.previous_until is None or self.previous_until <= now:
            return (self.secret,)
        return (self.secret, self.previous_secret)

    def enabled(self, now: datetime) -> Webhook:
        """The subscription, told of events from now on."""
        return replace(self, state="active", disabled_reason=None, disabled_at=None, updated_at=now)

    def disabled(self, reason: str, now: datetime) -> Webhook:
        """The subscription, told of nothing."""
        return replace(self, state="disabled", disabled_reason=reason, disabled_at=now, updated_at=now)
