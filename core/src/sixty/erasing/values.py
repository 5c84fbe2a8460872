"""The values by which one person is known from all others, and finding them in texts. What many share is left alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ERASED", "Values"]

ERASED = "[erased]"
"""What stands in the place of a value."""

_DIGITS = 7
"""Digits of the shortest number that is somebody's phone."""
_END, _BEFORE = 9, 4
"""So many last digits tell a phone from others; before them stand a country, or a 0, and what belongs to neither."""
_SHORTEST = 6
"""Characters of the shortest name or address that is looked for."""
_PHONE = re.compile(r"\+?[\d\s()./-]+")
_BETWEEN = r"[\s()./-]*"
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?[^\s/:]+(?::\d+)?/[\w/.:?&=%+-]*\w/?", re.IGNORECASE)
"""A page of somebody's; a site alone is everybody's who has a page there."""


class Values:
    """Texts that are taken out of others. An address, a phone however it is written, a name of two words or more."""

    def __init__(self, texts: Iterable[str]) -> None:
        given = {" ".join(text.split()) for text in texts if text.strip()}
        patterns = {text: pattern for text in sorted(given, key=len, reverse=True) if (pattern := _pattern(text))}
        self.texts = tuple(patterns)
        """What is looked for, the longest first."""
        self.ignored = tuple(sorted(given - set(patterns)))
        """What is too common to be looked for."""
        self._pattern = re.compile("|".join(patterns.values()), re.IGNORECASE) if patterns else None

    def are_in(self, value: Any) -> bool:
        """Whether any of them is in a JSON value."""
        if self._pattern is None:
            return False
        if isinstance(value, str):
            return self._pattern.search(value) is not None
        if isinstance(value, Mapping):
            return any(self.are_in(name) or self.are_in(content) for name, content in value.items())
        return isinstance(value, list) and any(self.are_in(item) for item in value)

    def without(self, value: Any) -> Any:
        """The JSON value, in which `ERASED` stands for each of them."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(ERASED, value)
        if isinstance(value, Mapping):
            return {self.without(name): self.without(content) for name, content in value.items()}
        return [self.without(item) for item in value] if isinstance(value, list) else value


def _number(digits: str) -> str:
    """What finds a phone, also where it stands without its country: by its end, and what may stand before that."""
    before = rf"(?:\d{_BETWEEN}){{0,{_BEFORE}}}" if len(digits) > _END else ""
    return rf"(?<!\d)\(?\+?{before}{_BETWEEN.join(digits[-_END:])}(?!\d)"


def _pattern(text: str) -> str | None:
    """What finds a text and nothing that only begins or ends like it; None for one that is too common."""
    if "@" in text:
        return rf"(?<![\w.+-]){re.escape(text)}(?![\w-]|\.\w)" if len(text) >= _SHORTEST else None
    if _PHONE.fullmatch(text):
        digits = re.sub(r"\D", "", text)
        return _number(digits) if len(digits) >= _DIGITS else None
    if len(text) < _SHORTEST or not (" " in text or _URL.fullmatch(text)):
        return None
    words = r"\s+".join(map(re.escape, text.split()))
    return rf"(?<!\w){words}(?!\w)"
