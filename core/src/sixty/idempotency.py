"""Idempotency keys: a call that is repeated with its key is answered again and done once."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.errors import Conflict, Invalid
from sixty.storage.columns import Id
from sixty.storage.statements import NEW, Write
from sixty.tables import idempotency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.context import Call

__all__ = ["keep", "repeated"]

KEY_LENGTH = 255
"""Characters of an idempotency key at the most."""
MEMORY = timedelta(hours=49)
"""How long an idempotency key is remembered. A day is promised, also where a clock is set by a day meanwhile."""

_remembered = sa.select(idempotency).where(
    idempotency.c.user_id == sa.bindparam("user", type_=Id), idempotency.c.key == sa.bindparam("key")
)
_remember = sa.insert(idempotency)
_forget = sa.delete(idempotency).where(
    idempotency.c.user_id == sa.bindparam("user", type_=Id), idempotency.c.key == sa.bindparam("key")
)


def _fingerprint(arguments: Mapping[str, Any]) -> str:
    # not orjson, which refuses large numbers and half characters
    return hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).hexdigest()


async def repeated(call: Call, key: str) -> dict[str, Any] | None:
    """The first answer to a call with this key, or None if this is the first."""
    if not 0 < len(key) <= KEY_LENGTH or not key.isprintable():
        msg = f"an idempotency key has 1 to {KEY_LENGTH} printable characters"
        raise Invalid(msg, field="idempotency_key", given=key[:80])
    found = await call.unit.rows(_remembered, {"user": call.principal.user_id, "key": key})
    if not found:
        return None
    first = found[0]
    if first["at"] <= call.now - MEMORY:
        call.unit.write(Write(_forget, {"user": call.principal.user_id, "key": key}, expect=1))
        return None
    if (first["tool"], first["arguments"]) != (call.tool.name, _fingerprint(call.request.arguments)):
        msg = f"the idempotency key {key!r} was used for another call ({first['tool']}); use a new key for a new call"
        raise Conflict(msg, key=key, tool=first["tool"])
    result: dict[str, Any] = first["result"]
    return result


def keep(call: Call, key: str, structured: dict[str, Any]) -> None:
    """The answer is remembered under `key`, in the call's own transaction."""
    row = {
        "user_id": call.principal.user_id,
        "key": key,
        "tool": call.tool.name,
        "arguments": _fingerprint(call.request.arguments),
        "result": structured,
        "at": call.now,
    }
    call.unit.write(Write(_remember, row, row=NEW))
