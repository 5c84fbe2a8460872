"""The history of a record of any kind, as a resource."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sixty.completions import find_ids
from sixty.context import Call
from sixty.errors import NotFound
from sixty.prompts import Completing, completion
from sixty.resources import resource
from sixty.values import Arguments, RecordId, ShownId

__all__ = ["HISTORY_COMPLETION", "record_history"]

_ADDRESS = "crm://records/{id}/history"


class OneRecord(Arguments):
    """The variable of the address."""

    id: RecordId


class RecordHistory(BaseModel):
    """How a record came to be what it is, oldest change first."""

    kind: str
    id: ShownId
    title: str
    history: list[dict[str, Any]]


@resource(_ADDRESS, name="History of a record", permission=None, record="id")
async def record_history(args: OneRecord, call: Call) -> RecordHistory:
    """Each change of a record of any kind: when, by whom, which field, from what to what, and in which call."""
    found = await call.records.locate(args.id)
    if found is None:
        msg = f"there is no record {args.id} that you can see; search_crm finds the right id"
        raise NotFound(msg, id=args.id)
    kind, row = found
    history = await call.records.history(kind, row["id"])
    return RecordHistory(kind=kind.name, id=row["id"], title=kind.name_of(row), history=history)


@completion("id", permission=None, of=_ADDRESS)
async def _complete(args: Completing, call: Call) -> list[str]:
    """The ids of records of every kind, by words of their titles or the beginning of the id."""
    readable = [kind for kind in call.registry.kinds.values() if any(call.scopes(f"{kind.resource}:read"))]
    return [record_id for kind in readable for record_id in await find_ids(call, kind, args.value)]


HISTORY_COMPLETION = _complete
