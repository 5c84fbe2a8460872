"""Blocking: which two contacts are compared at all.

Two are compared that have one of the keys below in common. Contacts are in the order of their names, so that those
of one key that are most alike are near each other, and each is compared with the next `WINDOW` of them only (the
sorted neighbourhood of Hernández and Stolfo, 1995). So the cost grows with the number of contacts, however many
share a key. What this misses: two that share only keys which more than `WINDOW` others share too, with names that
sort far apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sixty_contacts.duplicates.columns import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sixty_contacts.duplicates.columns import Codes, Places
    from sixty_contacts.duplicates.fields import Fields

__all__ = ["WINDOW", "candidates"]

WINDOW = 8
"""How many contacts that share a key each one is compared with, on either side."""


def candidates(fields: Fields) -> tuple[Places, Places]:
    """The two contacts of each pair that is to be compared, each pair once, the smaller place first."""
    count = len(fields.ids)
    found = np.concatenate([_neighbours(keys, count) for keys in _keys(fields)])
    found.sort()
    found = found[np.append(True, found[1:] != found[:-1])[: len(found)]]
    return found // max(count, 1), found % max(count, 1)


def _neighbours(keys: Places, count: int) -> Places:
    """The pairs that share a key, as one number each. There may be several runs of keys for all contacts."""
    there = np.flatnonzero(keys != NONE)
    contacts, keys = there % max(count, 1), keys[there]
    order = np.lexsort((contacts, keys))
    contacts, keys = contacts[order], keys[order]
    found = [np.empty(0, np.int64)]
    for distance in range(1, min(WINDOW + 1, len(keys))):
        same = np.flatnonzero(keys[distance:] == keys[:-distance])
        if not len(same):
            break
        first, second = contacts[same], contacts[same + distance]
        found.append((first * count + second)[first != second])
    return np.concatenate(found)


def _keys(fields: Fields) -> Iterator[Places]:
    """One kind of key after the other, for each contact: its code, or `NONE`."""
    for column in (fields.email, fields.local, fields.phone):
        yield column.codes.astype(np.int64)
    given, last = fields.sounds
    yield _both(np.minimum(given, last), np.maximum(given, last))
    places = (fields.postal, fields.digits, fields.city, fields.number, fields.street)
    for column in (*places, fields.company, fields.workplace, fields.phone):
        yield np.concatenate([_both(sound, column.codes) for sound in fields.sounds])
    yield np.concatenate([_both(sound, word) for sound in fields.sounds for word in fields.street_sounds])
    for column in (fields.postal, fields.city, fields.number):
        yield np.concatenate([_both(word, column.codes) for word in fields.street_sounds])
    yield _both(fields.postal.codes, fields.number.codes)
    yield _both(fields.city.codes, fields.number.codes)
    yield _both(fields.city.codes, fields.postal.codes)


def _both(first: Codes, second: Codes) -> Places:
    """One code of two; `NONE` where either is missing."""
    keys = first.astype(np.int64) << 32 | second
    keys[(first == NONE) | (second == NONE)] = NONE
    return keys
