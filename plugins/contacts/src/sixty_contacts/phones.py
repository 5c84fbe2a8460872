"""Phones: kept as they were given, and compared in E.164."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

from sixty import Text

__all__ = ["Phone", "comparable"]


def _with_digits(text: str) -> str:
    if not any(character.isdecimal() for character in text):
        msg = "must have digits, as in +49 30 901820"
        raise ValueError(msg)
    return text


Phone = Annotated[Text, Field(max_length=50), AfterValidator(_with_digits)]
"""A phone as people write it."""


def comparable(phone: str | None, country: str | None, default_region: str | None) -> str | None:
    """The phone in E.164, or None where it cannot be told: without a `+` it takes the country it is in."""
    if phone is None:
        return None
    import phonenumbers  # noqa: PLC0415 - a tenth of a second, and not every contact has a phone

    region = _region(country) or default_region if country else default_region
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None  # also of a number that is one only within its town
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _region(country: str) -> str | None:
    """The two letters of a country that is given by them, or by its name in some language."""
    word = country.strip().casefold()
    return word.upper() if len(word) == 2 else _regions().get(word)  # noqa: PLR2004 - ISO 3166-1 alpha-2


@lru_cache(maxsize=1)
def _regions() -> dict[str, str]:
    from phonenumbers.geodata.locale import LOCALE_DATA  # noqa: PLC0415 - as above

    return {name.casefold(): region for region, names in LOCALE_DATA.items() for name in names.values()}
