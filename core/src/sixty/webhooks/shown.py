"""How a subscription is shown: without its secrets."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from sixty.values import Result, ShownId
from sixty.webhooks.subscriptions import State

if TYPE_CHECKING:
    from sixty.webhooks.subscriptions import Webhook

__all__ = ["WebhookResult", "WebhookShown"]


class WebhookShown(BaseModel):
    """A subscription."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: ShownId
    user_id: ShownId
    url: str
    events: list[str]
    description: str | None = None
    state: State
    disabled_reason: str | None = None
    disabled_at: datetime | None = None
    previous_until: datetime | None = None
    """Until when the secret before this one signs, too."""
    created_at: datetime
    updated_at: datetime


class WebhookResult(WebhookShown, Result):
    """A subscription, and what was done with it."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    @classmethod
    def of(cls, webhook: Webhook, message: str) -> WebhookResult:
        """The subscription with a sentence."""
        return cls(message=message, **WebhookShown.model_validate(webhook).model_dump())
