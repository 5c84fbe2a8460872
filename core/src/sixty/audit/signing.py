"""How a line is known again: whoever writes it signs it, and what may be erased of it is signed by a digest of its own.

`digest` is of the content with a random salt, `mac` of the fixed part and the digest. Take content and salt away, and
the line can still be verified, while nobody can guess what it said.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sixty.storage.statements import Row

__all__ = ["CONTENT", "NOTHING", "OWN_KEY", "Signer", "chained", "is_erased", "is_moment"]

OWN_KEY = "audit"
"""The name of the secret in the database that signs where no key is set."""
CONTENT = ("message", "arguments", "records", "client", "address")
"""What may hold personal data, and is erased as one."""
NOTHING = bytes(32)
"""The hash before the first seal."""

_SALT = 16
_KEYS_IN_ORDER = orjson.OPT_SORT_KEYS
What = Literal["seal", "head", "anchor"]


class Signer:
    """Signs with the first key, and knows what any of them has signed."""

    def __init__(self, keys: Sequence[bytes], own: bytes | None = None, *, takes_own: bool = False) -> None:
        """`own` is the key that stands in the database itself: it signs where there is no other."""
        self._keys = (*keys, *(() if own is None else (own,)))
        self._given = len(keys)
        self.takes_own = takes_own
        """Whether what the database's own key has signed before there were others counts."""

    def is_own(self, key: int) -> bool:
        """Whether this one is the database's own, although others were given: anybody who writes there may use it."""
        return 0 < self._given <= key

    def signed(self, values: Mapping[str, Any]) -> dict[str, bytes]:
        """The columns that sign a line with these values."""
        salt, key = os.urandom(_SALT), self._keys[0]
        digest = _digest(key, salt, values)
        return {"salt": salt, "digest": digest, "mac": _mac(key, values, digest)}

    def signer_of(self, row: Row) -> int | None:
        """Which key has signed the line, as it is; None if none of them has, or it is of no form that lines have."""
        mac, digest, salt = row["mac"], row["digest"], row["salt"]
        are_bytes = isinstance(mac, bytes) and isinstance(digest, bytes) and isinstance(salt, bytes | None)
        if not are_bytes or not is_moment(row["at"]):
            return None
        try:
            for number, key in enumerate(self._keys):
                if hmac.compare_digest(_mac(key, row, digest), mac):
                    fits = is_erased(row) if salt is None else hmac.compare_digest(_digest(key, salt, row), digest)
                    return number if fits else None
        except TypeError:  # what stands in one of its columns is nothing that JSON has
            return None
        return None

    def mark(self, what: What, position: int, digest: bytes) -> bytes:
        """The signature of a place in the chain."""
        return _placed(self._keys[0], what, position, digest)

    def marker_of(self, what: What, position: int, digest: bytes, mac: bytes | None) -> int | None:
        """Which key has signed a place in the chain; None if none of them has."""
        for number, key in enumerate(self._keys):
            if mac is not None and hmac.compare_digest(_placed(key, what, position, digest), bytes(mac)):
                return number
        return None


def is_erased(row: Row) -> bool:
    """Whether nothing is left of the line's content."""
    return row["salt"] is None and row["digest"] is not None and all(row[name] is None for name in CONTENT)


def is_moment(value: Any) -> bool:
    """Whether this is a time that Sixty may have written."""
    return isinstance(value, datetime) and value.tzinfo is not None and 1970 <= value.year < 9999  # noqa: PLR2004 - far from what a year can be


def chained(previous: bytes, position: int, at: datetime, lines: Sequence[tuple[int, bytes | None]]) -> bytes:
    """The hash of a seal: of the one before it, its position and time, and the number and signature of each line."""
    parts = [previous, position.to_bytes(8, "big"), _moment(at)]
    parts += [seq.to_bytes(8, "big") + (mac or NOTHING) for seq, mac in lines]
    return hashlib.sha256(b"".join(parts)).digest()


def _digest(key: bytes, salt: bytes, values: Mapping[str, Any]) -> bytes:
    content = orjson.dumps([values[name] for name in CONTENT], option=_KEYS_IN_ORDER)
    return hmac.digest(key, b"content\0" + salt + content, "sha256")


def _mac(key: bytes, values: Mapping[str, Any], digest: bytes) -> bytes:
    fixed = orjson.dumps(
        (
            values["call_id"],
            values["user_id"],
            values["tool"],
            values["effect"],
            values["outcome"],
            values["transport"],
            values["microseconds"],
        )
    )
    return hmac.digest(key, b"line\0" + digest + _moment(values["at"]) + fixed, "sha256")


def _placed(key: bytes, what: What, position: int, digest: bytes) -> bytes:
    return hmac.digest(key, what.encode() + b"\0" + position.to_bytes(8, "big") + digest, "sha256")


def _moment(at: datetime) -> bytes:
    return at.astimezone(UTC).isoformat(timespec="microseconds").encode()
