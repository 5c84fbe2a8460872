"""Secrets, and the headers by which a receiver knows that an event came from here, and came once."""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING

from sixty.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["PREFIX", "accepted_secret", "new_secret", "signed_headers"]

PREFIX = "whsec_"
"""How every secret begins, so that scanners of source code can find a leaked one."""
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret, as the standard has it."""


def new_secret() -> str:
    """A secret that nobody knows yet."""
    return PREFIX + base64.b64encode(os.urandom(32)).decode()


def accepted_secret(secret: object) -> str:
    """The secret that a subscriber has chosen. `Invalid` names the rule, and never what was given."""
    if isinstance(secret, str) and secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if SHORTEST <= len(key) <= LONGEST:
            return secret
    rule = f"{PREFIX} and the base64 of {SHORTEST} to {LONGEST} random bytes"
    raise Invalid(f"secret must be {rule}; leave it out to be given one", field="secret", allowed=rule)


def signed_headers(message_id: str, now: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The headers of Standard Webhooks for a body that is sent `now`: one signature for each secret."""
    from standardwebhooks import Webhook as Signer  # noqa: PLC0415 - only who sends needs it

    whole = now.replace(microsecond=0)
    text = body.decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(whole.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(message_id, whole, text) for secret in secrets),
    }
