"""What each field of two contacts says about their being one person, in bits.

After Fellegi and Sunter (1969): a field that agrees in some degree weighs log2(m / u), where m is how often it does
so in two contacts of one person, u how often in those of two. The u of agreement is the frequency of the very
value, so that a rare surname says much and a domain that everybody has says nothing (Winkler 2000); the other
weights are general knowledge about typing errors, nicknames and moves. What is missing weighs nothing. Nothing here
is learned from labelled pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from sixty_contacts.duplicates.columns import NONE, similarities, surprise
from sixty_contacts.duplicates.words import NICKNAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sixty_contacts.duplicates.columns import Codes, Column, Numbers, Places, Truths
    from sixty_contacts.duplicates.fields import Fields

__all__ = ["FIELDS", "OTHER_GIVEN", "OTHER_LAST", "Evidence"]

FIELDS = (
    "first_name",
    "last_name",
    "email",
    "phone",
    "company_name",
    "street",
    "number",
    "city",
    "postal_code",
    "region",
)
"""What evidence there is, in the order of the weights."""
OTHER_GIVEN, OTHER_LAST = -5.0, -4.0
"""What it weighs that names are altogether different: surnames change more often."""
_MOVED = -6.0
"""No more than this speaks against two whose addresses differ: people move."""
_SWAPPED = -4.0


@dataclass(frozen=True, slots=True)
class Rule:
    """What one field weighs: the same value as rare as it is, a similar one at most `near`, another one `other`."""

    usual: float
    """How many agree by chance, by general knowledge that counts like `seen` people."""
    seen: int
    often: float
    """How often the field agrees in two contacts of one person."""
    near: float
    other: float
    measure: Callable[..., float] | None = None
    enough: float = 1.0
    """What `measure` says of similar ones."""


_RULES = {
    "phone": Rule(usual=0.0001, seen=10_000, often=0.7, near=0.0, other=-1.0),
    "workplace": Rule(usual=0.05, seen=50, often=0.9, near=0.0, other=-1.0),
    "company": Rule(
        usual=0.02, seen=50, often=0.8, near=4.0, other=-4.0, measure=JaroWinkler.normalized_similarity, enough=0.9
    ),
    "street": Rule(usual=0.001, seen=1000, often=0.75, near=8.0, other=-2.5),
    "number": Rule(
        usual=0.015, seen=200, often=0.85, near=0.0, other=-2.0, measure=OSA.normalized_similarity, enough=0.5
    ),
    "city": Rule(
        usual=0.02, seen=50, often=0.85, near=4.0, other=-2.5, measure=JaroWinkler.normalized_similarity, enough=0.88
    ),
    "postal": Rule(
        usual=0.01, seen=100, often=0.8, near=3.0, other=-2.5, measure=OSA.normalized_similarity, enough=0.7
    ),
    "region": Rule(
        usual=0.15, seen=30, often=0.95, near=0.0, other=-2.0, measure=JaroWinkler.normalized_similarity, enough=0.9
    ),
}
_FAMILIES = 5  # of given names, at most, that one belongs to
_SAME = 0.995


class Evidence:
    """Weighs pairs of contacts by their places in `fields`."""

    def __init__(self, fields: Fields) -> None:
        self._fields, self._people = fields, len(fields.ids)
        self._names = [name.replace(" ", "") for name in fields.names]
        self._streets = fields.street.squeezed
        given, last = fields.given.counts, fields.last.counts
        self._rare_given = self._surprise(given, 0.006, 1000)
        self._rare_last = self._surprise(last, 0.001, 1000)
        self._rare_either = self._surprise(np.maximum(given, last), 0.004, 1000)
        self._families = _families(fields.names)
        often = np.maximum(5, self._people / 1000)
        self._established = np.append((self._families[:-1, 0] != NONE) | (given[: len(fields.names)] >= often), False)
        self._initials = np.array([ord(name[0]) if len(name) == 1 else 0 for name in self._names] + [0])
        self._firsts = np.array([ord(name[0]) for name in self._names] + [0])
        self._compound = np.array([" " in name for name in fields.names] + [False])
        self._bits = {
            name: self._surprise(getattr(fields, name).counts, rule.usual, rule.seen) + np.float32(np.log2(rule.often))
            for name, rule in _RULES.items()
        }

    def _surprise(self, counts: Places, usual: float, seen: int) -> Numbers:
        return surprise(counts, self._people, usual, seen)

    def of(self, first: Places, second: Places, least: float) -> tuple[Places, Numbers, Truths]:
        """Which of the pairs may weigh `least`; their weights; and where names stand in each other's place.

        The weights have a row for each pair that may, and a column for each of `FIELDS`.
        """
        given, last, swapped = self._name_weights(first, second)
        kept = np.flatnonzero(given + last + self._at_best(first, second) >= least)
        first, second = first[kept], second[kept]
        weights = np.stack(
            [
                given[kept],
                last[kept],
                self._email(first, second),
                self._compared("phone", first, second),
                self._employer(first, second),
                *self._street(first, second),
                *self._locality(first, second),
            ],
            axis=1,
        ).astype(np.float32)
        _at_most_moved(weights[:, 5:])
        return kept, weights, swapped[kept]

    def _at_best(self, first: Places, second: Places) -> Numbers:
        """No less than all but the names can weigh, found without comparing any texts."""
        best = np.maximum(self._email(first, second), 0)
        for name, rule in _RULES.items():
            codes = getattr(self._fields, name).codes
            ours, theirs = codes[first], codes[second]
            bits = np.where(ours == theirs, np.maximum(self._same(name, ours, theirs), rule.near), rule.near)
            best += np.where((ours == NONE) | (theirs == NONE), 0.0, bits)
        return best

    # -- names

    def _name_weights(self, first: Places, second: Places) -> tuple[Numbers, Numbers, Truths]:
        """Of the given names and the surnames; each with the other's where that fits better."""
        one, two = self._fields.given.codes, self._fields.last.codes
        given = self._given(one[first], one[second])
        last = self._last(two[first], two[second], self._rare_last)
        crossed, back = np.full((2, len(first)), OTHER_LAST)
        heard, said = self._fields.sounds
        turned = np.flatnonzero((heard[first] == said[second]) | (said[first] == heard[second]))
        ours, theirs = first[turned], second[turned]
        crossed[turned] = self._last(one[ours], two[theirs], self._rare_either)
        back[turned] = self._last(two[ours], one[theirs], self._rare_either)
        swapped = crossed + back + _SWAPPED > given + last
        given = np.where(swapped, crossed + _SWAPPED / 2, given)
        last = np.where(swapped, back + _SWAPPED / 2, last)
        return given, last, swapped

    def _given(self, first: Codes, second: Codes) -> Numbers:
        near, alike = self._nearness(first, second)
        rare = np.minimum(self._rare(self._rare_given, first), self._rare(self._rare_given, second))
        weights = np.where(near, np.minimum(4.0, rare - 1), np.where(alike, 0.0, OTHER_GIVEN))
        related = self._related(first, second)
        # two names that are both common are two names, however alike: Maria and Mario
        two = self._established[first] & self._established[second] & ~related
        weights = np.where(two, np.where(alike, -2.0, OTHER_GIVEN), weights)
        weights = np.where(related, 4.0, weights)
        return self._settled(weights, first, second, rare)

    def _last(self, first: Codes, second: Codes, surprises: Numbers) -> Numbers:
        near, alike = self._nearness(first, second)
        rare = np.minimum(self._rare(surprises, first), self._rare(surprises, second))
        weights = np.where(near, np.minimum(6.0, rare - 1), np.where(alike, 1.0, OTHER_LAST))
        return self._settled(weights, first, second, rare)

    def _settled(self, weights: Numbers, first: Codes, second: Codes, rare: Numbers) -> Numbers:
        """The weights, with those of names that are the same, one part of the other, an initial, or missing."""
        parts = np.flatnonzero((self._compound[first] | self._compound[second]) & (first != second) & (weights < 4))  # noqa: PLR2004
        parts = parts[(first[parts] != NONE) & (second[parts] != NONE)]
        within = similarities(self._fields.names, first[parts], second[parts], fuzz.token_set_ratio) >= 100 * _SAME
        weights[parts[within]] = np.minimum(4.0, rare[parts[within]] - 2)
        initial = (self._initials[first] > 0) | (self._initials[second] > 0)
        weights = np.where(initial, np.where(self._firsts[first] == self._firsts[second], 3.0, -3.0), weights)
        weights = np.where(first == second, rare - 0.25, weights)
        return np.where((first == NONE) | (second == NONE), 0.0, weights)

    def _nearness(self, first: Codes, second: Codes) -> tuple[Truths, Truths]:
        """Which names are one but for a typing error, and which are at least alike."""
        jaro = _alike(self._names, first, second, JaroWinkler.normalized_similarity)
        edits = np.zeros(len(first), np.float32)
        some = np.flatnonzero(jaro > 0.7)  # noqa: PLR2004 - below there is no typing error
        edits[some] = _alike(self._names, first[some], second[some], OSA.normalized_similarity)
        return (jaro >= 0.92) | (edits >= 0.8), (jaro >= 0.84) | (edits >= 0.65)  # noqa: PLR2004

    def _related(self, first: Codes, second: Codes) -> Truths:
        related = np.zeros(len(first), np.bool_)
        known = np.flatnonzero((self._families[first, 0] != NONE) & (self._families[second, 0] != NONE))
        ours, theirs = self._families[first[known]], self._families[second[known]]
        for one in range(_FAMILIES):
            for two in range(_FAMILIES):
                related[known] |= (ours[:, one] == theirs[:, two]) & (ours[:, one] != NONE)
        return related

    @staticmethod
    def _rare(surprises: Numbers, codes: Codes) -> Numbers:
        return surprises[np.maximum(codes, 0)]

    # -- addresses

    def _street(self, first: Places, second: Places) -> tuple[Numbers, Numbers]:
        column = self._fields.street
        ours, theirs = column.codes[first], column.codes[second]
        words = _alike(column.values, ours, theirs, fuzz.token_sort_ratio, 100)
        part = _alike(column.values, ours, theirs, fuzz.token_set_ratio, 100) * 0.95
        letters = _alike(self._streets, ours, theirs, OSA.normalized_similarity)
        alike = np.maximum(np.maximum(words, part), letters)
        same, rule = self._same("street", ours, theirs), _RULES["street"]
        same = np.where(ours == theirs, same, np.minimum(same, rule.near))
        steps = [alike >= 0.99, alike >= 0.85, alike >= 0.7, alike >= 0.6]  # noqa: PLR2004
        weights = np.select(steps, [same, np.minimum(same - 1, rule.near), 3.0, 0.0], rule.other)
        street = np.where((ours == NONE) | (theirs == NONE), 0.0, weights)
        number = self._compared("number", first, second)
        elsewhere = street < 0  # where another number is no wonder, and the same one little
        return street, np.where(elsewhere, np.maximum(number, 0) / 2, number)

    def _locality(self, first: Places, second: Places) -> tuple[Numbers, Numbers, Numbers]:
        fields = self._fields
        city, postal, region = (self._compared(name, first, second) for name in ("city", "postal", "region"))
        turned = (fields.digits.codes[first] == fields.digits.codes[second]) & (postal < 0)
        postal = np.where(turned, 3.0, postal)
        # each follows from the others more or less: the one that says most counts, and half of what the others say
        most = np.maximum(np.maximum(city, postal), region)
        city, postal, region = (np.where((each > 0) & (each < most), each / 2, each) for each in (city, postal, region))
        return city, postal, region

    # -- ways to reach them

    def _email(self, first: Places, second: Places) -> Numbers:
        """The same address says much. Others say little: people have several, and parts follow from the name."""
        email, local, domain = (each.codes for each in (self._fields.email, self._fields.local, self._fields.domain))
        personal = local[first] != NONE
        same = email[first] == email[second]
        same_local = (local[first] == local[second]) & personal
        weights = np.select(
            [same & personal, same, same_local & (domain[first] == domain[second]), same_local],
            [12.0, 2.0, 6.0, 1.5],
            -0.3,
        )
        return np.where((email[first] == NONE) | (email[second] == NONE), 0.0, weights)

    def _employer(self, first: Places, second: Places) -> Numbers:
        """The company, or for want of it the domain of the email."""
        fields = self._fields
        company, domain = self._compared("company", first, second), self._compared("workplace", first, second)
        known = (fields.company.codes[first] != NONE) & (fields.company.codes[second] != NONE)
        return np.where(known, np.where((company < 0) & (domain > 0), 0.0, company), domain)

    # -- any field

    def _same(self, name: str, ours: Codes, theirs: Codes) -> Numbers:
        """What it weighs that both are the same."""
        bits = self._bits[name]
        same: Numbers = np.minimum(bits[np.maximum(ours, 0)], bits[np.maximum(theirs, 0)])
        return same

    def _compared(self, name: str, first: Places, second: Places) -> Numbers:
        """What the field weighs by its rule."""
        column: Column = getattr(self._fields, name)
        rule, ours, theirs = _RULES[name], column.codes[first], column.codes[second]
        same = self._same(name, ours, theirs)
        weights = np.where(ours == theirs, same, rule.other)
        if rule.measure is not None:
            alike = _alike(column.values, ours, theirs, rule.measure)
            weights = np.where((ours != theirs) & (alike >= rule.enough), np.minimum(same - 1, rule.near), weights)
        return np.where((ours == NONE) | (theirs == NONE), 0.0, weights)


def _alike(values: Sequence[str], ours: Codes, theirs: Codes, scorer: Callable[..., float], full: float = 1) -> Numbers:
    """From 0 to 1; 0 where either is missing."""
    alike = np.zeros(len(ours), np.float32)
    alike[ours == theirs] = 1
    differ = np.flatnonzero((ours != theirs) & (ours != NONE) & (theirs != NONE))
    alike[differ] = similarities(values, ours[differ], theirs[differ], scorer) / full
    return alike


def _at_most_moved(weights: Numbers) -> None:
    """What speaks against the address in all is no more than a move."""
    against = np.minimum(weights, 0).sum(axis=1)
    scale = np.where(weights.sum(axis=1) < _MOVED, _MOVED / np.minimum(against, _MOVED), 1.0)
    weights *= scale[:, None]


def _families(names: Sequence[str]) -> Codes:
    """The families of each given name, and behind them those of a missing one: none."""
    families = np.full((len(names) + 1, _FAMILIES), NONE, np.int32)
    for place, name in enumerate(names):
        if name in NICKNAMES:
            own = NICKNAMES[name][:_FAMILIES]
            families[place, : len(own)] = own
    return families
