"""One request to n8n, bounded in time and size, with what may go wrong told so that somebody can mend it.

Nothing here knows what is asked. Redirects are not followed, and no proxy of the environment is used: the key goes to
the address that was configured and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sixty import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OK", "Answer", "Silence", "ask"]

OK = range(200, 300)
_CONNECTING = 5.0
"""Seconds to connect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The body is None if it was larger than it may be."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None

    def json(self) -> Any:
        """The body as JSON, its texts valid Unicode; `ValueError` if it is none."""
        body = self.body or b""
        try:
            content = json.loads(body)
            return _valid(content) if b"\\ud" in body.lower() else content
        except RecursionError:
            raise ValueError("nested too deeply") from None


def _valid(value: Any) -> Any:
    """The value with a replacement for each half of a character."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_valid(name): _valid(content) for name, content in value.items()}
    return [_valid(item) for item in value] if isinstance(value, list) else value


class Silence(Exception):
    """The request went out, and no whole answer came back: whether n8n has acted on it is not known."""


async def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    patience: float,
    largest: int,
) -> Answer:
    """The answer. `Unavailable` if nobody is there; `Silence` if it does not come whole within `patience` seconds."""
    from httpx2 import (  # noqa: PLC0415 - only who asks n8n needs it
        AsyncClient,
        ConnectError,
        ConnectTimeout,
        HTTPError,
        InvalidURL,
        Timeout,
        UnsupportedProtocol,
    )

    try:
        async with (
            asyncio.timeout(patience),
            AsyncClient(timeout=Timeout(None, connect=_CONNECTING), follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, headers=dict(headers), content=content) as response,
        ):
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > largest:
                    return Answer(response.status_code, response.headers, None)
            return Answer(response.status_code, response.headers, bytes(body))
    except (ConnectError, ConnectTimeout, UnsupportedProtocol, InvalidURL) as error:
        msg = f"n8n cannot be reached ({type(error).__name__}): check that it runs, and that SIXTY_N8N_URL is right"
        raise Unavailable(msg) from error
    except (HTTPError, TimeoutError) as error:
        raise Silence(type(error).__name__) from error
