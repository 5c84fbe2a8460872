"""Rate limits: calls per user and tool, failed credentials per address.

They are counted in the memory of this process or, where there is a Redis, for all processes together. While Redis is
away each process counts for itself.
"""

from __future__ import annotations

import time
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from sixty.errors import RateLimited

if TYPE_CHECKING:
    from sixty.config import Settings
    from sixty.shared_counts import SharedCounts

__all__ = ["Limits"]

EXACT = 10_000
"""The largest limit that is counted call by call. A larger one is counted in windows, in constant memory."""
LEAP = 1.0
"""Seconds that a clock goes back only when it is set."""
ADDRESSES = 65_536
"""Addresses that are remembered at the most; one more, and all are forgiven."""


class Limits:
    """Counts and refuses. Nothing of the library is imported before the first call is counted."""

    def __init__(self, settings: Settings) -> None:
        self._rates = {
            "standard": settings.rate_standard,
            "strict": settings.rate_strict,
            "bulk": settings.rate_bulk,
        }
        self._rate_auth = settings.rate_auth
        self._redis_url = settings.redis_url
        self._limits: dict[str, _Limit] = {}
        self._counts: SharedCounts | None = None
        self._barred: dict[str, float] = {}

    def share(self, secret: bytes) -> None:
        """Count with every other process on the same database, whose `secret` is the same, if there is a Redis.

        Raises `ConfigError` for a bad address of Redis. One that does not answer is no error.
        """
        if self._redis_url is not None:
            from sixty.shared_counts import SharedCounts  # noqa: PLC0415 - its import takes a third of a second

            organisation = sha256(b"counts " + secret).hexdigest()[:16]
            self._counts = SharedCounts(self._redis_url, f"sixty:{organisation}")

    @property
    def shared(self) -> bool | None:
        """Whether they are counted for all processes together right now; None where there is no Redis."""
        return self._counts.trouble is None if self._counts is not None else None

    async def trouble(self) -> str | None:
        """Why they are not counted for all processes together, asked at this moment; None if all is as it should be."""
        return await self._counts.look() if self._counts is not None else None

    async def close(self) -> None:
        """Nothing is counted elsewhere any more."""
        if self._counts is not None:
            await self._counts.close()

    async def check(self, principal_id: str, tool_name: str, rate: str) -> None:
        """Count one call of a tool. `RateLimited` if it is one too many; it then counts for nothing.

        `rate` is `standard`, `strict` or `bulk`, as the settings have them, or a rate such as `30/minute`.
        """
        rate = self._rates.get(rate, rate)
        if rate == "off":
            return
        limit = self._limit("calls", rate)
        if self._counts is not None:
            hit = await self._counts.hit(f"calls:{rate}:{principal_id}:{tool_name}", limit)
            if hit is not None:
                if not hit.counted:
                    raise limit.refusal(f"calls of {tool_name}", hit.wait)
                return
        if not limit.hit(principal_id, tool_name):
            raise limit.refusal(f"calls of {tool_name}", limit.wait(principal_id, tool_name))

    def check_address(self, address: str) -> None:
        """`RateLimited` if too many credentials from `address` were refused lately. Counts nothing, and asks nobody.

        What other processes have refused is known here from the first refusal here on.
        """
        limit = self._limits.get(f"addresses {self._rate_auth}")
        if limit is None:  # nobody's credential was ever refused
            return
        network = _network(address)
        wait = self._barred.get(network, 0.0) - time.time()
        if not 0 < wait <= limit.seconds and not limit.test(network):
            wait = limit.wait(network)
        if 0 < wait <= limit.seconds:  # more would be left of what was counted before the clock was set back
            raise limit.refusal("refused credentials", wait)

    async def record_failure(self, address: str) -> None:
        """Count one refused credential from `address`."""
        if self._rate_auth == "off":
            return
        limit, network = self._limit("addresses", self._rate_auth), _network(address)
        if self._counts is not None:
            hit = await self._counts.hit(f"addresses:{self._rate_auth}:{network}", limit)
            if hit is not None:
                if hit.wait:
                    self._bar(network, time.time() + hit.wait)
                return
        if limit.remembered >= ADDRESSES:
            limit.forget()
        limit.hit(network)

    def _bar(self, network: str, until: float) -> None:
        if len(self._barred) >= ADDRESSES:
            self._barred.clear()
        self._barred[network] = until

    def _limit(self, what: str, rate: str) -> _Limit:
        key = f"{what} {rate}"
        limit = self._limits.get(key)
        if limit is None:
            limit = self._limits[key] = _Limit(rate)
        return limit


class _Resting:
    """In the place of the storage's timer, which would start a thread for each hundredth of a second.

    All that it does is to forget early what is over; what is over is forgotten anyway when it is asked about.
    """

    def is_alive(self) -> bool:
        return True


class _Limit:
    """One rate, counted for whoever it is asked about."""

    def __init__(self, rate: str) -> None:
        from limits import parse  # noqa: PLC0415 - its import takes a tenth of a second
        from limits.storage import MemoryStorage  # noqa: PLC0415 - as above
        from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter  # noqa: PLC0415 - as above

        count, self._period = rate.split("/")
        self.count = int(count)
        """How many are allowed."""
        self._item = parse(rate)
        self.seconds: int = self._item.get_expiry()
        """The length of the period."""
        self._storage = MemoryStorage()
        self._storage.timer.cancel()
        self._storage.timer = _Resting()  # type: ignore[assignment]
        self.is_exact = self.count <= EXACT
        """Whether no period at all, wherever it begins, sees more than that."""
        strategy = MovingWindowRateLimiter if self.is_exact else FixedWindowRateLimiter
        self._counter = strategy(self._storage)
        self._latest = 0.0

    def hit(self, *who: str) -> bool:
        """Whether one more is allowed; if so, it is counted."""
        self._look_at_clock()
        return self._counter.hit(self._item, *who)

    def test(self, *who: str) -> bool:
        """Whether one more would be allowed."""
        self._look_at_clock()
        return self._counter.test(self._item, *who)

    def _look_at_clock(self) -> None:
        """Once the clock is set back, what was counted would be held against everybody until it is there again."""
        now = time.time()
        if now < self._latest - LEAP:
            self.forget()
        self._latest = now

    def wait(self, *who: str) -> float:
        """Seconds until one more will be allowed."""
        return self._counter.get_window_stats(self._item, *who).reset_time - time.time()

    def refusal(self, what: str, wait: float) -> RateLimited:
        """What to tell somebody who was not allowed one more, and has to wait so many seconds."""
        # one more than the whole seconds that are left: at the very end of the window it is still refused
        retry_after = max(1, int(wait) + 1)
        return RateLimited(
            f"at most {self.count} {what} a {self._period}; try again in {retry_after} seconds", retry_after
        )

    @property
    def remembered(self) -> int:
        """How many are counted right now."""
        return max(len(self._storage.events), len(self._storage.storage))

    def forget(self) -> None:
        """Begin again with nobody."""
        self._storage.reset()


def _network(address: str) -> str:
    """Whom an address stands for: of IPv6, the /64 that one subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
