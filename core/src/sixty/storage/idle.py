"""What is open and nobody uses: whoever was used last is used next, and what is not needed any more is let go."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Idle"]

LONG = 60.0
"""Seconds after which something that nobody has used is let go: each keeps its own copy of what it was asked."""

_T = TypeVar("_T")


class Idle(Generic[_T]):
    """Connections that wait for somebody."""

    def __init__(self, let_go: Callable[[_T], None]) -> None:
        self._let_go = let_go
        self._waiting: deque[tuple[_T, float]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, one: _T) -> None:
        """It waits from now on. The one that has waited longest is let go, if that is long."""
        now = monotonic()
        self._waiting.append((one, now))
        if self._waiting[0][1] < now - LONG:
            self._let_go(self._waiting.popleft()[0])

    def take(self) -> _T | None:
        """The one that has waited for the shortest time, if any waits."""
        return self._waiting.pop()[0] if self._waiting else None

    def take_all(self) -> list[_T]:
        """Everything that waits."""
        taken = [one for one, _ in self._waiting]
        self._waiting.clear()
        return taken
