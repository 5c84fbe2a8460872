"""Secrets that all processes on one database share, such as the key under which they sign for one another."""

from __future__ import annotations

import secrets as random
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.storage.database import IntegrityViolation
from sixty.storage.statements import Write
from sixty.tables import secrets

if TYPE_CHECKING:
    from sixty.storage.database import Database

__all__ = ["CARRIED", "shared_secret"]

CARRIED = "carried by clients"
"""The name of the secret that seals what clients carry; every database that has served has it, and no two the same."""
SIZE = 32
"""Bytes of a secret."""

_NAMED = sa.select(secrets.c.value).where(secrets.c.name == sa.bindparam("wanted"))
_INSERT = sa.insert(secrets)


async def shared_secret(database: Database, name: str) -> bytes:
    """The secret of that name: 32 random bytes, made by whoever asks first and the same for everybody after."""
    if not (found := await database.rows(_NAMED, {"wanted": name})):
        with suppress(IntegrityViolation):  # another process was faster, and its secret counts
            await database.apply([Write(_INSERT, {"name": name, "value": random.token_bytes(SIZE)})])
        found = await database.rows(_NAMED, {"wanted": name})
    return bytes(found[0]["value"])
