"""The public keys with which an identity provider signs, fetched from its JWKS address and kept fresh.

Only keys that verify RS256 and ES256 signatures are taken from the set: a symmetric key in it is never used.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from sixty.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx2 import AsyncClient
    from jwt import PyJWK

__all__ = ["ALGORITHMS", "Jwks"]

ALGORITHMS = ("RS256", "ES256")
"""The signatures that a published key may verify."""
FRESH = 300
"""Seconds after which the set is fetched again, so that a withdrawn key is soon refused."""
PATIENCE = 3600
"""Seconds for which keys stay good while their address does not answer."""
REFETCH = 30
"""Seconds between two fetches at the least, whatever key a token names."""
RETRY = 2
"""Seconds between two fetches at the least, after one that failed."""
TIMEOUT = 5.0
"""Seconds that a fetch may take."""

_logger = logging.getLogger(__name__)


class Jwks:
    """The key set at one address. Nothing is fetched before the first token asks for a key."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: tuple[PyJWK, ...] = ()
        self._fetched_at = float("-inf")
        self._next_fetch = float("-inf")
        self._fetching = asyncio.Lock()
        self._client: AsyncClient | None = None

    async def close(self) -> None:
        """Release the connection to the address."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def key(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key of that id for that algorithm, or None if the set has none.

        A token without a key id gets the only key that fits, if there is only one. `Unavailable` while there is
        no key set at all.
        """
        now = time.time()
        found = _find(self._keys, kid, algorithm)
        if found is not None and now < self._fetched_at + FRESH:
            return found
        # whoever has a key that is good enough does not wait for the fetch of somebody else
        if found is None or not self._fetching.locked():
            await self._refresh()
            found = _find(self._keys, kid, algorithm)
        if now >= self._fetched_at + PATIENCE:
            raise Unavailable("the keys of the identity provider cannot be fetched right now; try again later")
        return found

    async def _refresh(self) -> None:
        """Fetch the set, unless it was tried a moment ago."""
        async with self._fetching:
            if time.time() < self._next_fetch:
                return
            try:
                self._keys = _usable(await self._fetch())
            except Exception as error:  # noqa: BLE001 - whatever the address does, the keys at hand stay good for a while
                _logger.warning("the keys at %s cannot be fetched: %r", self._url, error)
                self._next_fetch = time.time() + RETRY
            else:
                self._fetched_at = time.time()
                self._next_fetch = self._fetched_at + REFETCH

    async def _fetch(self) -> Mapping[str, Any]:
        if self._client is None:
            from httpx2 import AsyncClient  # noqa: PLC0415 - only who has such an address needs it

            self._client = AsyncClient(timeout=TIMEOUT)
        response = await self._client.get(self._url)
        document = response.raise_for_status().json()
        if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
            raise TypeError("the answer is not a key set")
        return document


def _usable(document: Mapping[str, Any]) -> tuple[PyJWK, ...]:
    """The keys of the set that may verify tokens. One that is broken or of another sort is left out."""
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415 - as above

    keys = []
    for data in document["keys"]:
        algorithm = _algorithm(data)
        if algorithm is not None:
            try:
                keys.append(PyJWK(data, algorithm))
            except PyJWTError as error:
                _logger.warning("a published key is left out: %s", error)
    return tuple(keys)


def _algorithm(data: Any) -> str | None:
    """The algorithm whose signatures a published key verifies, or None if it is not for us."""
    if not isinstance(data, dict) or data.get("use", "sig") != "sig":
        return None
    sort = (data.get("kty"), data.get("crv"))
    algorithm = "RS256" if sort == ("RSA", None) else "ES256" if sort == ("EC", "P-256") else None
    return algorithm if data.get("alg", algorithm) == algorithm else None


def _find(keys: tuple[PyJWK, ...], kid: str | None, algorithm: str) -> PyJWK | None:
    fitting = [key for key in keys if key.algorithm_name == algorithm and kid in (None, key.key_id)]
    return fitting[0] if len(fitting) == 1 else None
