"""One field of all contacts: each value once, and for each contact the number of its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Codes = NDArray[np.int32]
    Places = NDArray[np.int64]
    Numbers = NDArray[np.float32]
    Truths = NDArray[np.bool_]

__all__ = ["NONE", "Column", "codes_of", "similarities", "surprise"]

NONE = -1
"""The code of a contact that has no value."""


class Column:
    """The values of a field, the code of each contact (its value's place there, or `NONE`), and how many share it."""

    def __init__(self, values: list[str], codes: Codes) -> None:
        self.values = values
        self.codes = codes
        self.counts = np.bincount(codes[codes != NONE], minlength=max(len(values), 1))

    @classmethod
    def of(cls, texts: Iterable[str]) -> Column:
        """The column of these texts, one for each contact; an empty one is no value."""
        values, codes = codes_of(texts)
        return cls(values, codes)

    @property
    def squeezed(self) -> list[str]:
        """The values without spaces: one that is put in or left out is no difference."""
        return [value.replace(" ", "") for value in self.values]


def codes_of(texts: Iterable[str]) -> tuple[list[str], Codes]:
    """Each text once, and the place of each among them; `NONE` for an empty one."""
    places: dict[str, int] = {"": NONE}
    codes = np.fromiter((places.setdefault(text, len(places) - 1) for text in texts), np.int32)
    del places[""]
    return list(places), codes


def similarities(values: Sequence[str], first: Codes, second: Codes, scorer: Callable[..., float]) -> Numbers:
    """How alike values are, by their codes, as `scorer` says. Two values are compared once, however often they come."""
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second)
    every = low * len(values) + high
    order = np.argsort(every)  # by hand: numpy's unique is slower by far
    new = np.append(True, np.diff(every[order]) != 0)[: len(every)]
    pairs = every[order][new]
    places = np.empty(len(every), np.int64)
    places[order] = np.cumsum(new) - 1
    left = [values[place] for place in (pairs // max(len(values), 1)).tolist()]
    right = [values[place] for place in (pairs % max(len(values), 1)).tolist()]
    scores: Numbers = process.cpdist(left, right, scorer=scorer, dtype=np.float32)
    return scores[places]


def surprise(counts: NDArray[np.int64], people: int, usual: float, seen: int) -> Numbers:
    """How many bits it tells that two people share a value that `counts` of all `people` have: -log2 of its frequency.

    The frequency is that among the others, and among `seen` people of general knowledge, of whom the share `usual`
    agree by chance; so in a small organisation nothing seems rarer than it is.
    """
    frequency = (np.maximum(counts - 1, 0) + seen * usual) / (people + seen)
    bits: Numbers = -np.log2(frequency).astype(np.float32)
    return bits
