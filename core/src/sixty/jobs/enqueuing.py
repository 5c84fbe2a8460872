"""Putting a job into the table: one row, in the transaction of whatever causes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert

from sixty.errors import Invalid
from sixty.ids import new_id
from sixty.storage.statements import NEW, Write
from sixty.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import BaseModel

__all__ = ["enqueued"]

LENGTHS = {"queue": 160, "lane": 255, "key": 255}
"""Characters that each of these may have."""
KEYS = UUID("0199a4c0-6b1e-7d3a-9c55-2f0e8b7d4a10")
"""The namespace of the ids of jobs that have a key."""

_ADD = jobs.insert()
_ADD_ONCE = insert(jobs).on_conflict_do_nothing()


def enqueued(
    name: str,
    payload: BaseModel,
    *,
    now: datetime,
    due_at: datetime | None,
    queue: str | None,
    lane: str | None,
    key: str | None,
    user_id: str | None = None,
    call_id: str | None = None,
    traceparent: str | None = None,
) -> Write:
    """The write that makes the row of a job. Its `values` have the id.

    The id of a job with a key is made of its name and key, so that a second one finds its place taken.
    """
    for field, text in (("queue", queue), ("lane", lane), ("key", key)):
        if text is not None and not 0 < len(text) <= LENGTHS[field]:
            raise Invalid(f"{field} has 1 to {LENGTHS[field]} characters, got {len(text)}", field=field)
    row: Mapping[str, Any] = {
        "id": new_id() if key is None else str(uuid5(KEYS, f"{name}\0{key}")),
        "name": name,
        "queue": queue or name,
        "lane": lane,
        "key": key,
        "payload": payload.model_dump(mode="json", exclude_unset=True),
        "user_id": user_id,
        "call_id": call_id,
        "due_at": due_at or now,
        "attempts": 0,
        "state": "waiting",
        "created_at": now,
        "traceparent": traceparent,
    }
    return Write(_ADD if key is None else _ADD_ONCE, row, row=NEW)
