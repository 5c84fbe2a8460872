"""Many whole numbers in little space: as ranges, each a pair of the first and the last."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Ranges", "ranges_of"]


def ranges_of(numbers: Iterable[int]) -> list[list[int]]:
    """The ranges of numbers that are in order."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


class Ranges:
    """A set of numbers, to which whole ranges are added in about their order."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def add(self, first: int, last: int) -> None:
        """Every number from `first` to `last` is in it."""
        begin = bisect_right(self._lasts, first - 2)  # those that touch it become one with it
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first, last = min(first, self._firsts[begin]), max(last, self._lasts[end - 1])
        self._firsts[begin:end], self._lasts[begin:end] = [first], [last]

    def update(self, ranges: Iterable[Sequence[int]]) -> None:
        """Every number of these ranges is in it."""
        for first, last in ranges:
            self.add(first, last)

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._firsts, number) - 1
        return place >= 0 and number <= self._lasts[place]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)

    @property
    def last(self) -> int:
        """The greatest number; 0 if there is none."""
        return self._lasts[-1] if self._lasts else 0
