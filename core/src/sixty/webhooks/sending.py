"""One try to send one event: what is connected to, for how long, and what is read of the answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

import httpx2

from sixty.webhooks.addresses import address_of, target

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from sixty.webhooks.addresses import Network

__all__ = ["Answer", "post", "trusted"]

CONNECTING = 5.0
"""Seconds to connect."""
WHOLE = 15.0
"""Seconds for everything, up to the head of the answer."""
WORDS = 1.0
"""Seconds more for the words of a refusal."""
READ = 1_000
"""Bytes of these that are read."""
LONGEST_WAIT = 86_400
"""Seconds that a receiver can ask us to wait at the most."""

_PATIENT = httpx2.codes.TOO_MANY_REQUESTS, httpx2.codes.SERVICE_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try."""

    status: int | None
    """None if there was no answer."""
    words: str
    """What went wrong, for people; the beginning of what the receiver says."""
    retry_after: int | None = None
    """Seconds after which the receiver wants to be asked again."""

    @property
    def is_received(self) -> bool:
        """Whether the receiver has taken the event."""
        return self.status is not None and httpx2.codes.is_success(self.status)

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no event any more."""
        return self.status == httpx2.codes.GONE


async def post(
    url: str, body: bytes, headers: Mapping[str, str], *, networks: Iterable[Network], now: datetime
) -> Answer:
    """Send a body, and wait for the head of the answer. Redirects are not followed, no proxy is asked.

    Raises what `target` and `address_of` do.
    """
    try:
        async with asyncio.timeout(WHOLE):
            wanted = target(url)
            address = await address_of(wanted, networks)
            async with (
                httpx2.AsyncClient(
                    verify=trusted(), trust_env=False, timeout=httpx2.Timeout(WHOLE, connect=CONNECTING)
                ) as client,
                client.stream(
                    "POST",
                    wanted.at(address),
                    content=body,
                    headers={**headers, **_HEADERS, "host": wanted.authority},
                    extensions={"sni_hostname": wanted.host},
                ) as response,
            ):
                return await _answer(response, now)
    except TimeoutError:
        return Answer(None, f"no answer within {WHOLE:g} seconds")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Answer(None, f"no answer: {str(error) or type(error).__name__}")


_HEADERS = {
    "content-type": "application/json",
    "user-agent": f"Sixty/{version('sixty-core')}",
    "accept-encoding": "identity",
    "connection": "close",
}


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed: the system's, or those of SSL_CERT_FILE."""
    return httpx2.create_ssl_context()


async def _answer(response: httpx2.Response, now: datetime) -> Answer:
    status = response.status_code
    if httpx2.codes.is_success(status):
        return Answer(status, "")
    beginning = bytearray()
    with suppress(httpx2.HTTPError, TimeoutError):
        async with asyncio.timeout(WORDS):
            async for piece in response.aiter_raw():
                beginning += piece[:READ]
                if len(beginning) >= READ:
                    break
    text = "".join(char if char.isprintable() else " " for char in beginning[:READ].decode("utf-8", "replace"))
    said = " ".join(text.split())
    words = f"the receiver answered {status}" + (f": {said}" if said else "")
    wait = _retry_after(response.headers.get("retry-after", ""), now) if status in _PATIENT else None
    return Answer(status, words, wait)


def _retry_after(text: str, now: datetime) -> int | None:
    """The seconds that the header Retry-After asks for, as a number or as a date; None for what is neither."""
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = (date if date.tzinfo is not None else date.replace(tzinfo=UTC)) - now
    return max(0, min(round(seconds.total_seconds()), LONGEST_WAIT))
