"""Contacts as they are compared: each field folded to what two spellings of it have in common."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from sixty.search import fold
from sixty_contacts.duplicates.words import NOTHING, ROLES, STREETS, USUAL
from sixty_contacts.emails import company_domain
from sixty_contacts.names import name_key

__all__ = [
    "Person",
    "company_key",
    "folded_street",
    "known",
    "local_part",
    "phone_key",
    "postal_key",
    "sound",
    "workplace",
]

_LONGEST = 100  # characters of a field that are compared
_PHONE = 8  # digits that tell a number from others, whichever prefix it is given with
_SHORTEST_PHONE = 6
_EXTENSION = re.compile(r"(?:ext|x|#|durchwahl).*$", re.IGNORECASE)
_WORDS = re.compile(r"[a-z0-9]+")
_SOUNDS = {
    letter: sound
    for sound, letters in {"1": "bfpv", "2": "cgjkqsxz", "3": "dt", "4": "l", "5": "mn", "6": "r"}.items()
    for letter in letters
}


class Person(NamedTuple):
    """A contact, as people have written it."""

    id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    street: str | None = None
    city: str | None = None
    postal_code: str | None = None
    region: str | None = None


def known(text: str | None) -> str:
    """The words, in lower case and without accents; nothing where they only stand for something unknown."""
    words = folded(text[:_LONGEST]) if text else ""
    return "" if words in NOTHING else words


def folded(text: str) -> str:
    """As `fold` says, and at once where there is no accent."""
    return " ".join(_WORDS.findall(text.lower())) if text.isascii() else fold(text)


def company_key(name: str | None) -> str:
    """The company without its legal form."""
    return name_key(name[:_LONGEST]) if name and known(name) else ""


def folded_street(street: str | None) -> tuple[str, str]:
    """The house number, which is the first of all numbers, and the words that tell streets apart."""
    number, words = "", []
    for word in known(street).split():
        if not number and word[0].isdigit():
            number = word
        else:
            words.append(_street_word(word))
    return number, " ".join([word for word in words if word not in USUAL] or words)


@lru_cache(maxsize=20_000)
def _street_word(word: str) -> str:
    stem = word.removesuffix("strasse").removesuffix("str")
    return stem if len(stem) > 2 else STREETS.get(word, word)  # noqa: PLR2004 - so that "str" stays a word


def phone_key(phone: str | None) -> str:
    """The last digits, which stay the same with and without the prefix of the country."""
    digits = "".join(character for character in _EXTENSION.sub("", phone or "") if character.isdecimal())
    return digits[-_PHONE:] if len(digits) >= _SHORTEST_PHONE else ""


def postal_key(code: str | None) -> str:
    """The code without spaces."""
    return known(code).replace(" ", "")


def local_part(email: str | None) -> str:
    """What stands before the @, without a tag and without punctuation; nothing for the mailbox of a department."""
    local = (email or "").rpartition("@")[0].partition("+")[0]
    squeezed = folded(local[:_LONGEST]).replace(" ", "")
    return "" if squeezed in ROLES else squeezed


def workplace(email: str | None) -> str:
    """The domain, unless anybody may have an address there."""
    return (email and company_domain(email.strip().lower())) or ""


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """The word as Soundex (Russell 1918) codes it: its first letter and three consonants, alike ones alike."""
    code, last = word[:1], _SOUNDS.get(word[:1], "")
    for letter in word[1:]:
        value = _SOUNDS.get(letter, "") if letter.isascii() else letter
        if value and value != last:
            code += value
            if len(code) == 4:  # noqa: PLR2004 - the length of the code
                break
        if letter not in "hw":
            last = value
    return code
