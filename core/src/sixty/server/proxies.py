"""What a proxy in front says of a request: who sent it, by which scheme, and which id a new session is to have.

It is believed if the connection comes from one of `SIXTY_TRUSTED_PROXIES`. From anybody else these headers are words.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

if TYPE_CHECKING:
    from collections.abc import Collection, Container

    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Proxied", "new_session_id"]

_PROXY, _SESSION = "sixty.proxy", "sixty.session_id"
_ID = re.compile(rb"[0-9a-f]{32}")


class Proxied:
    """An application that sees its clients as if the proxies that are trusted were not there.

    A client is the right-most address of `X-Forwarded-For` that is none of them: whatever stands before it was
    written by the client.
    """

    def __init__(self, app: ASGIApp, networks: Collection[object]) -> None:
        self._app = app
        uvicorns: Any = ProxyHeadersMiddleware  # which has types of its own for what ASGI is
        self._rewriting = uvicorns(self._rewritten, [str(network) for network in networks])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        peer = scope.get("client")
        if peer is None or peer[0] not in self._rewriting.trusted_hosts:
            await self._app(scope, receive, send)
            return
        scope = {**scope, _PROXY: peer}
        chosen = [value for name, value in scope["headers"] if name == b"x-request-id"]
        if len(chosen) == 1 and _ID.fullmatch(chosen[0]):
            scope[_SESSION] = chosen[0].decode()
        await self._rewriting(scope, receive, send)

    async def _rewritten(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_address(scope["client"][0]):
            scope["client"] = scope[_PROXY]
        await self._app(scope, receive, send)


def new_session_id(scope: Scope, taken: Container[str]) -> str:
    """The id for a session that this request opens: the one by which its proxy leads later requests here, if any."""
    chosen: str | None = scope.get(_SESSION)
    return chosen if chosen is not None and chosen not in taken else uuid4().hex


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
