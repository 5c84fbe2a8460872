"""From an event to those who are told of it: one job for each subscription that wants it, in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty.context import Call
from sixty.events import Event, on
from sixty.webhooks.body import data_of, fitting
from sixty.webhooks.delivering import deliver, queue_of
from sixty.webhooks.reading import may_read

if TYPE_CHECKING:
    from sixty.kinds import Kind

__all__ = ["tell_subscribers"]


@on("*")
async def tell_subscribers(event: Event, call: Call) -> None:
    """Tell each webhook that waits for the event, if its subscriber may read the record that it happened to."""
    waiting = call.directory.waiting_for(event.name)
    if not waiting or (kind := await _kind(event.record_id, call)) is None:
        return
    told = [it for it in waiting if may_read(call.directory, it.user_id, kind, event.owner_id)]
    data = fitting(event.name, call.now, data_of(event)) if told else {}
    for webhook in told:
        payload = {
            "webhook_id": webhook.id,
            "event": event.name,
            "at": call.now,
            "record_id": event.record_id,
            "kind": kind.name,
            "data": data,
        }
        call.enqueue(deliver, payload, queue=queue_of(webhook.id), lane=f"{webhook.id}:{event.record_id}")


async def _kind(record_id: str, call: Call) -> Kind | None:
    """What kind of record it is. It was mostly written by this very call."""
    name = call.touched.get(record_id)
    if name is None and (spine := await call.records.spine(record_id)) is not None:
        name = spine["kind"]
    return None if name is None else call.registry.kinds.get(name)
