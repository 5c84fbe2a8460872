"""From evidence to the probability that two contacts are one person.

Two contacts are one person, or two strangers, or two of one household, as father and son are, or two colleagues.
With the weights of `evidence` in bits, what speaks for one person is

    against strangers     s = all weights - log2(people / 0.1)  one contact in ten is there once more
    against a household   h = P / H + given + min(last, 0) + email  which shares surname, address and phone
    against colleagues    c = given + last + email - log2(colleagues / 0.1)  those who share all that the two do
    similarity            1 / (1 + 2**-s + 2**-h + 2**-c)

h counts where two have an address or a phone in common, c where they have an employer too, or an address with many
others. How many of those at one address are households, nobody says; `Households.estimated` reads P / H from the
data. What general knowledge says at first, 8 to 1 and one given name in 20 replaced by another, is outweighed as
there are more pairs to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sixty_contacts.duplicates.columns import NONE
from sixty_contacts.duplicates.evidence import OTHER_GIVEN

if TYPE_CHECKING:
    from sixty_contacts.duplicates.columns import Column, Numbers, Places, Truths
    from sixty_contacts.duplicates.fields import Fields

__all__ = ["Households", "against_neighbours", "rareness", "similarity"]

GIVEN, LAST, EMAIL, PHONE, COMPANY, STREET, NUMBER, CITY = range(8)
_UNSHARED = (LAST, NUMBER, CITY)  # what a family shares, so that it explains no other
_DOUBLES = 0.1  # of another contact of the same person, for each contact
_FEW = 2000  # people that an organisation knows at least
_HOUSEHOLD = 6  # people, at the most
_NEAR = 8.0  # bits of address or phone that those of one place have in common
_HERE = 12.0  # bits of address that no two strangers have in common
_NEVER = 60.0  # bits
_AGREES = 2.0  # bits from which on names agree


@dataclass(slots=True)
class Tally:
    """How often a field was replaced by another, and how often it was not."""

    other: int = 0
    same: int = 0

    def add(self, where: Truths, weights: Numbers) -> None:
        """Count the pairs `where` all else agrees."""
        self.other += int((where & (weights <= -_AGREES)).sum())
        self.same += int((where & (weights > 0)).sum())

    @property
    def rate(self) -> float:
        """The rate, as if once in thirty times had been seen before."""
        return (self.other + 1) / (self.other + self.same + 30)


class Households:
    """Pairs at one address, counted by which of their names agree; and what follows for those whose given names do not.

    A family cannot explain another surname, house number or city where all else agrees: how often these are replaced
    says how often given names are, half as often again since people have several. Whoever else has the address
    and the surname with another given name is of a household.
    """

    def __init__(self) -> None:
        self._both = 0
        self._only_last = 0
        self._replaced = (Tally(), Tally(), Tally())

    def count(self, fields: Fields, first: Places, second: Places, weights: Numbers) -> None:
        """Count these pairs too."""
        named = np.ones(len(first), np.bool_)
        for codes in (fields.given.codes, fields.last.codes):
            named &= (codes[first] != NONE) & (codes[second] != NONE)
        here = named & (weights[:, STREET:].sum(axis=1) > _HERE)
        given, last = weights[:, GIVEN], weights[:, LAST]
        both = here & (given >= _AGREES) & (last >= _AGREES)
        self._both += int(both.sum())
        self._only_last += int((here & (given <= OTHER_GIVEN + 1) & (last >= _AGREES)).sum())
        for tally, where, field in zip(self._replaced, (here & (given >= _AGREES), both, both), _UNSHARED, strict=True):
            tally.add(where, weights[:, field])

    def estimated(self) -> tuple[float, float]:
        """How many bits speak for one person rather than a household, and what another given name weighs there."""
        replaced = 1.5 * sum(tally.rate for tally in self._replaced) / len(self._replaced)
        households = max(self._only_last - self._both * replaced / (1 - replaced), 0) + 1
        return min(float(np.log2((self._both + 8) / households)), 8.0), float(np.log2(replaced))


def rareness(people: int) -> float:
    """How many bits must speak for one person so that it is as probable as two strangers."""
    return float(np.log2(max(people, _FEW) / _DOUBLES))


def against_neighbours(fields: Fields, first: Places, second: Places, weights: Numbers) -> tuple[Truths, Numbers]:
    """Which pairs may be a household; and how many bits speak for one person rather than two colleagues."""
    shared = np.maximum(weights[:, STREET:].sum(axis=1), weights[:, PHONE])
    near = shared > _NEAR
    columns = (fields.address, fields.company, fields.phone)
    sharing = [_sharing(column, first, second) for column in columns]
    colleagues = near & ((sharing[1] > 0) | (sharing[0] > _HOUSEHOLD))
    others = np.minimum.reduce([np.where(each > 0, each, len(fields.ids)) for each in sharing])
    bits = (
        weights[:, GIVEN]
        + weights[:, LAST]
        + np.maximum(weights[:, EMAIL], 0)
        - np.log2(np.maximum(others, 2) / _DOUBLES)
    )
    return near, np.where(colleagues, bits, _NEVER).astype(np.float32)


def _sharing(column: Column, first: Places, second: Places) -> Places:
    """How many have the value that both have; 0 where they do not both have it."""
    ours = column.codes[first]
    shared: Places = np.where((ours == column.codes[second]) & (ours != NONE), column.counts[np.maximum(ours, 0)], 0)
    return shared


def similarity(
    strangers: Numbers, near: Truths, colleagues: Numbers, weights: Numbers, households: Households
) -> Numbers:
    """The probability that two are one person, by the formula above."""
    one_person, other_given = households.estimated()
    given, last, email = weights[:, GIVEN], weights[:, LAST], np.maximum(weights[:, EMAIL], 0)
    given = np.where(given <= OTHER_GIVEN + 1, given - OTHER_GIVEN + other_given, given)
    household = np.where(near, one_person + given + np.minimum(last, 0) + email / 4, _NEVER)
    odds: Numbers = np.exp2(-strangers) + np.exp2(-household) + np.exp2(-colleagues)
    probability: Numbers = (1 / (1 + odds)).astype(np.float32)
    return probability
