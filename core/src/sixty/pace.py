"""A pace: what is wanted after a rest is done at once, and less and less often while it is wanted on and on."""

from __future__ import annotations

from time import monotonic

__all__ = ["Pace"]

LEAST, MOST = 0.02, 0.25
"""Seconds from one time to the next, at first and at last; after the latter without any, it has rested."""


class Pace:
    """When something was done, and how soon it may be done again. Whatever it is wanted for meanwhile is one time."""

    def __init__(self) -> None:
        self._done = float("-inf")
        self._pause = LEAST

    def wait(self) -> float:
        """Seconds to wait from now on, when it is wanted again."""
        since = monotonic() - self._done
        if since >= MOST:
            self._pause = LEAST
            return 0.0
        wait = max(0.0, self._pause - since)
        self._pause = min(2 * self._pause, MOST)
        return wait

    def done(self) -> None:
        """It was done now."""
        self._done = monotonic()
