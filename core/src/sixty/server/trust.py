"""Which Host and Origin headers are accepted, so that no web page can make a browser speak to the server."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mcp_types import INVALID_REQUEST

from sixty.server.replies import Refuse, refuse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from sixty.config import Settings

__all__ = ["Trust", "Trusted", "is_loopback"]

_ONCE = (b"host", b"origin", b"authorization", b"idempotency-key")
"""Headers that decide something: sent twice, they could be read one way here and another way by a proxy."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Trust:
    """Accepts loopback names, the address that is served, the public address, and what the settings add.

    A host that is accepted without a port is accepted with any.
    """

    def __init__(self, settings: Settings, address: str) -> None:
        hosts = {*_LOOPBACK, *settings.allowed_hosts}
        origins = {*settings.allowed_origins}
        if not _is_wildcard(address):
            hosts.add(f"[{address}]" if ":" in address else address)
        if settings.public_url is not None:
            public = urlsplit(settings.public_url)
            hosts.add(public.netloc)
            origins.add(f"{public.scheme}://{public.netloc}")
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)
        self.accepts_host = lru_cache(256)(self._accepts_host)
        self.accepts_origin = lru_cache(256)(self._accepts_origin)

    def _accepts_host(self, host: bytes) -> bool:
        """Whether a request may name this host."""
        name = host.decode("latin-1").lower()
        return name in self._hosts or _without_port(name) in self._hosts

    def _accepts_origin(self, origin: bytes) -> bool:
        """Whether a web page of this origin may send requests."""
        value = origin.decode("latin-1").lower()
        if value in self._origins:
            return True
        scheme, separator, name = value.partition("://")
        return bool(separator) and scheme in ("http", "https") and _without_port(name) in _LOOPBACK


class Trusted:
    """Lets requests through that come by a trusted name."""

    def __init__(self, app: ASGIApp, trust: Trust, refuse: Refuse = refuse) -> None:
        self._app = app
        self._trust = trust
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        raw = scope["headers"]
        headers: dict[bytes, bytes] = dict(raw)
        if len(headers) != len(raw) and (twice := _sent_twice(raw)) is not None:
            await self._refuse(send, 400, INVALID_REQUEST, f"the header {twice} was sent more than once")
        elif not self._trust.accepts_host(headers.get(b"host", b"")):
            message = "the Host header is not one of this server's; its operator can add it to SIXTY_ALLOWED_HOSTS"
            await self._refuse(send, 421, INVALID_REQUEST, message)
        elif (origin := headers.get(b"origin")) is not None and not self._trust.accepts_origin(origin):
            message = "requests from this Origin are refused; the operator can add it to SIXTY_ALLOWED_ORIGINS"
            await self._refuse(send, 403, INVALID_REQUEST, message)
        else:
            await self._app(scope, receive, send)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches a server at `address`."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _sent_twice(headers: list[tuple[bytes, bytes]]) -> str | None:
    names = [name for name, _ in headers]
    return next((name.decode() for name in _ONCE if names.count(name) > 1), None)


def _is_wildcard(address: str) -> bool:
    return address in ("", "0.0.0.0", "::")  # noqa: S104 - it is looked for, not bound


def _without_port(name: str) -> str:
    host, separator, port = name.rpartition(":")
    return host if separator and port.isdigit() else name
