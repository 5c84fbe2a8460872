"""An event that subscribers send to themselves, to see whether it arrives."""

from __future__ import annotations

from sixty.context import Call
from sixty.errors import Conflict
from sixty.tools import tool
from sixty.values import Result
from sixty.webhooks.delivering import deliver, queue_of
from sixty.webhooks.managing import PERMISSION, OneWebhook, one_of
from sixty.webhooks.names import TEST

__all__ = ["try_webhook"]


class Sent(Result):
    """What is on its way."""

    message_id: str
    """The `webhook-id` that it will have."""


@tool("test_webhook", permission=PERMISSION, effect="create", rate="strict")
async def try_webhook(args: OneWebhook, call: Call) -> Sent:
    """Send the event `webhook.test`, whatever is subscribed to."""
    webhook = await one_of(call, args.id)
    if webhook.state == "disabled":
        raise Conflict("the webhook is disabled; set its state to active first", id=webhook.id)
    data = {"webhook_id": webhook.id}
    payload = {"webhook_id": webhook.id, "event": TEST, "at": call.now, "data": data}
    job_id = call.enqueue(deliver, payload, queue=queue_of(webhook.id))
    return Sent(message=f"{TEST} is on its way", message_id=f"msg_{job_id}")
