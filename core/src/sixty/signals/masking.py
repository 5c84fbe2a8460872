"""Secrets are taken out of what is logged, wherever they stand in it: in a message, its arguments or a traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["masking"]

MASK = "…"
SHORTEST = 8
"""Characters of a secret that is looked for as it is: a shorter one would be found everywhere."""

_HINTS = ("sk60_", "whsec_", "eyJ", "ewo", "eyA", "earer", "EARER", "://")
"""One of these is in everything that is masked by its form. To look for them costs less than to look for that."""
_FORMS = re.compile(
    r"(?P<key>sk60_|whsec_)[A-Za-z0-9+/=_-]+"
    r"|(?P<bearer>[Bb][Ee][Aa][Rr][Ee][Rr]\s+)[^\s,;'\"]+"
    r"|(?:eyJ|ewo|eyA)[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)+"  # a JWT: what its first part decodes to begins with {
    r"|(?P<url>://[^\s/?#:@]*:)[^\s]+(?=@)"
)


def masking(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """What masks a text: by their form keys, webhook secrets, JWTs, bearer tokens and passwords in URLs, and `secrets`.

    A text that is masked stays as it is when it is masked again.
    """
    known = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)

    def masked(text: str) -> str:
        for secret in known:
            if secret in text:
                text = text.replace(secret, MASK)
        if any(hint in text for hint in _HINTS):
            return _FORMS.sub(_short, text)
        return text

    return masked


def _short(found: re.Match[str]) -> str:
    """As much of a secret as says what it is."""
    return (found["key"] or found["bearer"] or found["url"] or "") + MASK
