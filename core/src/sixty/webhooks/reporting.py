"""What is sent to the operator: to a URL that only settings say, and which may lead into any network.

It is signed as the events of webhooks are, if there is a secret.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

from sixty.errors import Unavailable
from sixty.webhooks.signing import signed_headers

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["report"]

_ANYWHERE = ip_network("0.0.0.0/0"), ip_network("::/0")


async def report(url: str, message_id: str, body: bytes, *, secret: str | None, now: datetime) -> None:
    """The receiver has taken the body. Raises `Unavailable`, with what went wrong, if it has not."""
    from sixty.webhooks.sending import post  # noqa: PLC0415 - only who sends needs an HTTP client

    signed = signed_headers(message_id, now, body, [] if secret is None else [secret])
    answer = await post(
        url, body, {name: value for name, value in signed.items() if value}, networks=_ANYWHERE, now=now
    )
    if not answer.is_received:
        raise Unavailable(answer.words)
