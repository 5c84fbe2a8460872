"""Finds the pairs among all contacts: blocked, weighed in chunks, and kept as columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sixty_contacts.duplicates.blocks import candidates
from sixty_contacts.duplicates.evidence import Evidence
from sixty_contacts.duplicates.fields import Fields
from sixty_contacts.duplicates.model import Households, against_neighbours, rareness, similarity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sixty_contacts.duplicates.columns import Numbers, Places, Truths
    from sixty_contacts.duplicates.people import Person

__all__ = ["LOWEST", "Pairs", "find"]

LOWEST = 0.5
"""Pairs that are less probable than this are not kept."""
_CHUNK = 100_000
_Weighed = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of contacts, the most similar first, then by their ids; the smaller id first."""

    ids: list[str]
    """Of all contacts in any pair; the pairs are places in it."""
    first: Places
    second: Places
    similarity: Numbers
    weights: Numbers
    """A row for each pair, a column for each of `evidence.FIELDS`."""
    swapped: Truths
    compared: int
    """How many pairs were compared."""

    def __len__(self) -> int:
        return len(self.first)

    def at_least(self, threshold: float) -> int:
        """How many pairs are as similar as this; they are the first ones."""
        return int(np.searchsorted(-self.similarity, -threshold, side="right"))

    def groups(self, count: int) -> list[int]:
        """For each of the first `count` pairs the number of its group, from 1 in the order of the pairs.

        A group is all contacts that pairs connect.
        """
        leader = list(range(len(self.ids)))

        def led(place: int) -> int:
            while leader[place] != place:
                leader[place] = leader[leader[place]]
                place = leader[place]
            return place

        first, second = self.first[:count].tolist(), self.second[:count].tolist()
        for one, two in zip(first, second, strict=True):
            leader[led(one)] = led(two)
        numbers: dict[int, int] = {}
        return [numbers.setdefault(led(one), len(numbers) + 1) for one in first]


def find(people: Sequence[Person], stopped: Callable[[], bool] = lambda: False) -> Pairs:
    """The pairs that are one person with a probability of `LOWEST` or more, in whatever order `people` are.

    It ends early, with what it has, once `stopped` says so.
    """
    fields = Fields.of(people)
    first, second = candidates(fields)
    evidence, households = Evidence(fields), Households()
    kept: list[_Weighed] = []
    least = rareness(len(fields.ids))
    for start in range(0, len(first), _CHUNK):
        if stopped():
            break
        one, two = first[start : start + _CHUNK], second[start : start + _CHUNK]
        promising, weights, swapped = evidence.of(one, two, least)
        one, two = one[promising], two[promising]
        households.count(fields, one, two, weights)
        strangers = weights.sum(axis=1) - np.float32(least)
        likely = strangers >= 0  # no similarity is above what this one allows
        one, two, weights = one[likely], two[likely], weights[likely]
        near, colleagues = against_neighbours(fields, one, two, weights)
        kept.append((one, two, strangers[likely], near, colleagues, weights, swapped[likely]))
    return _sorted(fields.ids, kept, households, len(first))


def _sorted(
    ids: list[str],
    kept: list[_Weighed],
    households: Households,
    compared: int,
) -> Pairs:
    if not kept:
        nobody, nothing = np.empty(0, np.int64), np.empty(0, np.float32)
        return Pairs([], nobody, nobody, nothing, nothing, np.empty(0, np.bool_), compared)
    first, second, strangers, near, colleagues, weights, swapped = (
        np.concatenate(column) for column in zip(*kept, strict=True)
    )
    alike = np.round(similarity(strangers, near, colleagues, weights, households), 4)
    likely = alike >= LOWEST
    first, second, alike, weights, swapped = (column[likely] for column in (first, second, alike, weights, swapped))
    here = sorted({*first.tolist(), *second.tolist()}, key=ids.__getitem__)
    places = np.zeros(len(ids), np.int64)
    places[here] = np.arange(len(here))
    first, second = places[first], places[second]
    first, second = np.minimum(first, second), np.maximum(first, second)
    order = np.lexsort((second, first, -alike))
    return Pairs(
        [ids[place] for place in here],
        first[order],
        second[order],
        alike[order],
        weights[order],
        swapped[order].astype(np.bool_),
        compared,
    )
