"""Hopes: whose reads have seen one state of the database without a transaction, so that they may again."""

from __future__ import annotations

from collections import Counter

__all__ = ["Hopes"]

LEAST, MOST = 2, 32
"""Reads of a name without hope, after the first one whose hope was vain, and after many in a row: the more often it is
vain, the less is read twice."""


class Hopes:
    """By the name of what reads."""

    def __init__(self) -> None:
        self._doubts = Counter[str]()
        self._wary = Counter[str]()

    def allow(self, name: str) -> bool:
        """Whether the next read of this name may hope."""
        if self._wary[name]:
            self._wary[name] -= 1
            return False
        return True

    def came_true(self, name: str) -> None:
        """What it saw was one state: it has half the doubts."""
        self._doubts[name] //= 2

    def was_vain(self, name: str) -> None:
        """It was not: it has twice the doubts."""
        self._doubts[name] = self._wary[name] = min(max(LEAST, 2 * self._doubts[name]), MOST)
