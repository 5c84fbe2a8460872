"""From evidence to the probability that two contacts are one person.

Two contacts are one person (P), two strangers (S), or two who live or work at one place (H), as father and son do. With the
weights of `evidence` in bits,

    against strangers   s = given + last + all others - log2(people / 0.1)        one other contact in ten has a double
    against households  h = log2(P / H) + given + min(last, 0) + email - crowd    for a place and a surname are shared there
    similarity          1 / (1 + 2**-s + 2**-h)

`crowd` is log2 of how many others have the very address, beyond the few of a household, and is large for colleagues.
How many of those at one address are households, nobody says; `Households.estimated` reads it from the data. What general
knowledge says at first, P / H = 8 and one given name in 33 replaced by another, is outweighed as there are more pairs to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sixty_contacts.duplicates.columns import NONE
from sixty_contacts.duplicates.evidence import OTHER_GIVEN

if TYPE_CHECKING:
    from sixty_contacts.duplicates.columns import Numbers, Places, Truths
    from sixty_contacts.duplicates.fields import Fields

__all__ = ["Households", "against_strangers", "crowd", "similarity"]

GIVEN, LAST, EMAIL, PHONE, COMPANY, STREET, NUMBER, CITY = range(8)
_UNSHARED = (LAST, NUMBER, CITY)  # what a family shares, so that it explains no other
_DOUBLES = 0.1  # of another contact of the same person, for each contact
_FEW = 3000  # people that an organisation knows at least
_AT_HOME = 5  # others of a household, at the most
_HERE = 12.0  # bits of address that no two strangers have in common
_COLLEAGUES = 6.0  # bits: so much less likely is it that two who share employer and address are one
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


def against_strangers(weights: Numbers, people: int) -> Numbers:
    """How many bits speak for one person rather than two strangers."""
    bits: Numbers = weights.sum(axis=1) - np.float32(np.log2(max(people, _FEW) / _DOUBLES))
    return bits


def crowd(fields: Fields, first: Places, second: Places, weights: Numbers) -> Numbers:
    """How many bits it takes off what speaks against a household that this is no place of a few."""
    ours = fields.address.codes[first]
    shared = (ours == fields.address.codes[second]) & (ours != NONE)
    others = np.where(shared, fields.address.counts[np.maximum(ours, 0)] - 1, 1)
    known = (fields.company.codes[first] != NONE) & (fields.company.codes[second] != NONE)
    colleagues = known & (weights[:, COMPANY] > _AGREES)
    bits: Numbers = np.log2(np.maximum(others / _AT_HOME, 1)) + np.where(colleagues, _COLLEAGUES, 0)
    return bits.astype(np.float32)


def similarity(strangers: Numbers, weights: Numbers, crowds: Numbers, households: Households) -> Numbers:
    """The probability that two are one person, by the formula above."""
    one_person, other_given = households.estimated()
    given, last, email = weights[:, GIVEN], weights[:, LAST], weights[:, EMAIL]
    given = np.where(given <= OTHER_GIVEN + 1, given - OTHER_GIVEN + other_given, given)
    alike = one_person + given + np.minimum(last, 0) + np.where(email > _AGREES, email / 4, 0) - crowds
    odds: Numbers = np.exp2(np.clip(-strangers, -60, 60)) + np.exp2(np.clip(-alike, -60, 60))
    probability: Numbers = (1 / (1 + odds)).astype(np.float32)
    return probability
