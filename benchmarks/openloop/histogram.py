"""How often something took how long: in steps of one percent, from a microsecond to any length, in little memory."""

from __future__ import annotations

from collections import Counter
from math import ceil, exp, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Histogram"]

STEP = log(1.01)
MICROSECOND = 1e-6


class Histogram:
    """Counts durations, in seconds. What it says is at most one percent too much, and never too little."""

    def __init__(self, counts: Iterable[tuple[int, int]] = (), longest: float = 0.0) -> None:
        self._counts: Counter[int] = Counter(dict(counts))
        self.longest = longest

    def add(self, seconds: float) -> None:
        """One more took so long."""
        self._counts[int(log(max(seconds, MICROSECOND) / MICROSECOND) / STEP)] += 1
        self.longest = max(self.longest, seconds)

    @property
    def count(self) -> int:
        """How many were counted."""
        return self._counts.total()

    def percentile(self, percent: float) -> float:
        """What so many of a hundred did not exceed, in seconds; 0 if nothing was counted."""
        missing = max(1, ceil(self.count * percent / 100))
        for step, count in sorted(self._counts.items()):
            missing -= count
            if missing <= 0:
                return min(exp((step + 1) * STEP) * MICROSECOND, self.longest)
        return 0.0

    def at_least(self, seconds: float) -> int:
        """How many may have taken so long or longer."""
        return sum(count for step, count in self._counts.items() if exp((step + 1) * STEP) * MICROSECOND >= seconds)

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram((self._counts + other._counts).items(), max(self.longest, other.longest))

    def to_json(self) -> list[object]:
        """What `from_json` takes."""
        return [self.longest, sorted(self._counts.items())]

    @classmethod
    def from_json(cls, written: tuple[float, list[tuple[int, int]]]) -> Histogram:
        """The histogram that was written."""
        longest, counts = written
        return cls(counts, longest)
