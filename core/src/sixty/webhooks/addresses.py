"""Where events may be sent: to public addresses, and into networks that the operator has named.

A subscriber chooses the URL, and the server must not be their way into networks that it alone can reach. So a name
is looked up once for each try, every address that it has is judged, and the connection goes to one of these.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from sixty.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LONGEST", "Address", "Network", "Target", "address_of", "target"]

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LONGEST = 2000
"""Characters of a URL."""
_PORTS = {"https": 443, "http": 80}
_GLOBAL = IPv6Network("2000::/3")
"""All of IPv6 that is given out to be reached from everywhere."""
_NAT64 = IPv6Network("64:ff9b::/96")
_lookups = ThreadPoolExecutor(16, "sixty-lookup")
"""Threads of their own: a name server that does not answer keeps nobody waiting who looks nothing up."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart."""

    scheme: Literal["https", "http"]
    host: str
    """A name in ASCII, or an address without brackets."""
    port: int
    path: str
    """With the query, as it goes into a request."""

    @property
    def authority(self) -> str:
        """What the header Host says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: Address) -> str:
        """The URL that leads to `address`, whatever the name means elsewhere or later."""
        host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def target(url: str) -> Target:
    """The parts of a URL to which events could be sent; `Invalid` says what is wrong with it."""
    if len(url) > LONGEST or not url.isprintable() or " " in url:
        raise _wrong(url, f"must have at most {LONGEST} characters, and no spaces or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        host = host if ":" in host else host.encode("idna").decode()
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        path.encode("ascii")
    except (ValueError, UnicodeError):
        raise _wrong(url, "is no URL; write https://HOST/PATH, with %XX in place of what is not ASCII") from None
    if parts.scheme not in _PORTS or not host or "%" in host:
        raise _wrong(url, "must begin with https:// and the name of a host")
    if "@" in parts.netloc:
        raise _wrong(None, "must not have a user or a password: events are signed instead")
    if port == 0:
        raise _wrong(url, "must have a port between 1 and 65535, or none")
    scheme: Literal["https", "http"] = "https" if parts.scheme == "https" else "http"
    return Target(scheme, host, port or _PORTS[scheme], path)


async def address_of(wanted: Target, networks: Iterable[Network]) -> Address:
    """The address to connect to. `Invalid` unless all that the name has are allowed, `Unavailable` if it has none.

    What the addresses are is not said: they may be of names that only this network knows.
    """
    try:
        found = await asyncio.get_running_loop().run_in_executor(_lookups, _look_up, wanted.host, wanted.port)
    except (OSError, UnicodeError):
        raise Unavailable(f"the name {wanted.host} cannot be resolved", field="url") from None
    addresses = [ip_address(text) for text in dict.fromkeys(found)]
    inside = [_is_in(address, networks) for address in addresses]
    if not all(named or _is_public(address) for address, named in zip(addresses, inside, strict=True)):
        raise _wrong(
            wanted.host,
            "does not lead to a public address; the operator can allow its network with SIXTY_WEBHOOK_NETWORKS",
        )
    if wanted.scheme != "https" and not all(inside):
        raise _wrong(wanted.host, "must be reached by https; http is for networks of SIXTY_WEBHOOK_NETWORKS alone")
    return addresses[0]


def _look_up(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _inner(address: Address) -> Address:
    """The IPv4 address that one of IPv6 leads to, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(_inner(address) in network for network in networks)


def _is_public(address: Address) -> bool:
    address = _inner(address)
    if isinstance(address, IPv6Address) and address not in _GLOBAL:
        return False
    return address.is_global and not address.is_multicast


def _wrong(given: str | None, rule: str) -> Invalid:
    shown = f"{given[:80]!r} " if given is not None else ""
    return Invalid(f"url: {shown}{rule}", field="url", given=given[:80] if given is not None else None)
