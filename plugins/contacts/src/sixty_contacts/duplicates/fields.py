"""All that is compared of all contacts, column by column, in an order that does not depend on how they were given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sixty_contacts.duplicates.columns import NONE, Column, codes_of
from sixty_contacts.duplicates.people import (
    company_key,
    folded_street,
    known,
    local_part,
    phone_key,
    postal_key,
    sound,
    workplace,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty_contacts.duplicates.columns import Codes
    from sixty_contacts.duplicates.people import Person

__all__ = ["Fields"]

_WORDS = 3  # of a street


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns. A contact is its place in each of them; those with similar names are near each other."""

    ids: list[str]
    names: list[str]
    """Every given name and every surname; the codes of both point here, since people mistake one for the other."""
    given: Column
    last: Column
    sounds: tuple[Codes, Codes]
    """What the given name and the surname sound like."""
    email: Column
    local: Column
    domain: Column
    workplace: Column
    phone: Column
    company: Column
    number: Column
    street: Column
    street_sounds: tuple[Codes, ...]
    address: Column
    """Street and number, where both are known."""
    city: Column
    postal: Column
    digits: Column
    """What the postal code consists of, in whatever order."""
    region: Column

    @classmethod
    def of(cls, people: Sequence[Person]) -> Fields:
        """The columns of these contacts."""
        once = lru_cache(maxsize=None)(known)
        named = [
            (once(each.last_name), once(each.first_name), once(each.company), once(each.city), each.id)
            for each in people
        ]
        order = sorted(range(len(named)), key=named.__getitem__)
        ordered = [people[place] for place in order]
        count, keyed = len(ordered), lru_cache(maxsize=None)(company_key)
        names, codes = codes_of([named[place][1] for place in order] + [named[place][0] for place in order])
        sounding = _spread(codes_of(sound(name.replace(" ", "")) for name in names)[1], codes)
        streets = [folded_street(each.street) for each in ordered]
        words = [street.split() for _, street in streets]
        heard = codes_of(sound(each[place]) if place < len(each) else "" for place in range(_WORDS) for each in words)[
            1
        ]
        postal = Column.of(postal_key(each.postal_code) for each in ordered)
        digits, of_digits = codes_of("".join(sorted(code)) for code in postal.values)
        return cls(
            ids=[each.id for each in ordered],
            names=names,
            given=Column(names, codes[:count]),
            last=Column(names, codes[count:]),
            sounds=(sounding[:count], sounding[count:]),
            email=Column.of((each.email or "").strip().lower() for each in ordered),
            local=Column.of(local_part(each.email) for each in ordered),
            domain=Column.of((each.email or "").strip().lower().rpartition("@")[2] for each in ordered),
            workplace=Column.of(workplace(each.email) for each in ordered),
            phone=Column.of(phone_key(each.phone) for each in ordered),
            company=Column.of(keyed(each.company) for each in ordered),
            number=Column.of(number for number, _ in streets),
            street=Column.of(street for _, street in streets),
            street_sounds=tuple(heard[count * place : count * (place + 1)] for place in range(_WORDS)),
            address=Column.of(f"{number} {street}" if number and street else "" for number, street in streets),
            city=Column.of(once(each.city) for each in ordered),
            postal=postal,
            digits=Column(digits, _spread(of_digits, postal.codes)),
            region=Column.of(once(each.region) for each in ordered),
        )


def _spread(of_values: Codes, codes: Codes) -> Codes:
    """The codes of what stands for each value."""
    return np.append(of_values, np.int32(NONE))[codes]
