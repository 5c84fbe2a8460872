"""`/metrics`, and who may read it: what the pipeline is worth is not for everybody who reaches the server."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from mcp_types import INVALID_REQUEST

from sixty.server.refusals import UNAUTHENTICATED
from sixty.server.replies import refuse
from sixty.server.trust import Trusted, is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from sixty.config import Settings
    from sixty.server.trust import Trust
    from sixty.signals.exposition import Metrics

__all__ = ["PATH", "Scraping"]

PATH = "/metrics"

_FORWARDED = (b"forwarded", b"via", b"x-forwarded-", b"x-real-ip")
"""How headers begin by which a proxy says that the request is somebody else's."""


class Scraping:
    """The page: for whoever has the token, or, where there is none, for this machine alone."""

    def __init__(self, metrics: Metrics, settings: Settings, trust: Trust) -> None:
        self._metrics = metrics
        self._token = settings.metrics_token
        # without a token, a web page on this machine must not read it under a name of its own
        self._local = Trusted(self._show, trust)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the metrics, or why not."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self._token is not None:
            if _has(headers, self._token):
                await self._show(scope, receive, send)
            else:
                challenge = [(b"www-authenticate", b"Bearer")]
                wanted = "send the value of SIXTY_METRICS_TOKEN as `Authorization: Bearer …`"
                await refuse(send, 401, UNAUTHENTICATED, wanted, challenge)
        elif _is_local(scope, headers):
            await self._local(scope, receive, send)
        else:
            message = (
                "metrics are for this machine alone; to read them from elsewhere, set SIXTY_METRICS_TOKEN and send it "
                "as `Authorization: Bearer …`"
            )
            await refuse(send, 403, INVALID_REQUEST, message)

    async def _show(self, scope: Scope, _receive: Receive, send: Send) -> None:
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        content_type, body = await self._metrics.shown(accept)
        head = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": [*head, (b"cache-control", b"no-store")]})
        await send({"type": "http.response.body", "body": body})


def _has(headers: Mapping[bytes, bytes], token: str) -> bool:
    scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
    return scheme.lower() == b"bearer" and compare_digest(given.strip(), token.encode())


def _is_local(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    client = scope.get("client")
    is_near = client is not None and is_loopback(client[0])
    return is_near and not any(name.startswith(_FORWARDED) for name in headers)
