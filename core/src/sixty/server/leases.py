"""What stays open for a caller, and ends with the credential that opened it: streams and connections.

A request is over before its caller's rights can change much; a stream is not. Each holds a lease, which ends when
the token expires, when the key is revoked or the account disabled, and when the server stops.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from time import time
from typing import TYPE_CHECKING

from sixty.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sixty.server.caller import Caller

__all__ = ["LIMIT", "Lease", "Leases"]

LIMIT = 10_000
"""Leases of one kind at the most."""
FAREWELL = 1.0
"""Seconds that streams have to end when the server stops."""
DAY = 86_400.0


class Lease:
    """The right of one stream to stay open."""

    def __init__(self, caller: Caller, end: Callable[[], None]) -> None:
        """`end` is called at most once, and has to see to it that the stream ends soon."""
        self.caller = caller
        self._end: Callable[[], None] | None = end
        self._timer: asyncio.TimerHandle | None = None
        self._watch()

    def renew(self, caller: Caller) -> None:
        """The same user has shown another credential: from now on that is the one which counts."""
        if caller.token != self.caller.token:
            self.caller = caller
            self._watch()

    def end(self) -> None:
        """The stream ends soon."""
        end, self._end = self._end, None
        if end is not None:
            end()

    def release(self) -> None:
        """The stream has ended."""
        self._end = None
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.caller.expires_at is not None:
            left = max(0.0, self.caller.expires_at - time())
            then = self.end if left < DAY else self._watch
            self._timer = asyncio.get_running_loop().call_later(min(left, DAY), then)


class Leases:
    """All leases of one kind, such as `listen streams`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._held: set[Lease] = set()
        self.are_given = True
        """False once the server is stopping."""
        self._returned = asyncio.Event()

    def __iter__(self) -> Iterator[Lease]:
        return iter(tuple(self._held))

    @contextmanager
    def hold(self, caller: Caller, end: Callable[[], None]) -> Iterator[Lease]:
        """A lease for the length of the block. `Unavailable` if there are too many, or the server is stopping."""
        if not self.are_given:
            raise Unavailable("the server is stopping; try again")
        if len(self._held) >= LIMIT:
            raise Unavailable(f"this server keeps {LIMIT} {self._kind} open and no more; close one, or try again later")
        lease = Lease(caller, end)
        self._held.add(lease)
        try:
            yield lease
        finally:
            lease.release()
            self._held.discard(lease)
            self._returned.set()

    async def close(self) -> None:
        """All have ended, and no more are given; a stream that has not ended within a second is left to itself."""
        self.are_given = False
        for lease in self:
            lease.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                while self._held:
                    self._returned.clear()
                    await self._returned.wait()
