"""Which Host and Origin headers are accepted, so that no web page can make a browser speak to the server."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from sixty.config import Settings

__all__ = ["Trust", "is_loopback"]

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


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches a server at `address`."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _is_wildcard(address: str) -> bool:
    return address in ("", "0.0.0.0", "::")  # noqa: S104 - it is looked for, not bound


def _without_port(name: str) -> str:
    host, separator, port = name.rpartition(":")
    return host if separator and port.isdigit() else name
