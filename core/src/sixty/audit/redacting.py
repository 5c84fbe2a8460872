"""What of a call may be kept: no secrets, nothing that the operator has named, nothing that a database cannot store.

What is kept comes back from both databases as it went in, so that it can be signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HIDDEN", "Redactor", "clean", "without_credentials"]

HIDDEN = "[redacted]"
"""What stands in the place of a secret."""
LONGEST = 2_000
"""Characters of a text that are kept."""

_SECRET = (
    *("password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "authorization", "credential"),
)
"""Words in the names of what is hidden, however a name's parts are put together: `api_key`, `X-API-Key`, `apiKey`."""
_CREDENTIAL = re.compile(r"sk60_[\w-]{8,}|whsec_[\w+/=]{8,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+")
"""Credentials of ours and tokens, wherever somebody has pasted them."""
_DEEPEST = 20
_WIDEST = 200
_SHORTEST = 3
"""Characters of a hidden value that are looked for in the message: fewer stand in many a word."""
_QUOTED = (80, 64)
"""Characters after which messages cut what they quote."""


def clean(text: str, longest: int = LONGEST) -> str:
    """The text as every database can store it, at most `longest` characters of it."""
    return text[:longest].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def without_credentials(text: str, longest: int = LONGEST) -> str:
    """The text without credentials, as every database can store it."""
    return clean(_CREDENTIAL.sub(HIDDEN, text), longest)


class Redactor:
    """Makes what is kept of arguments and messages. `names` are arguments that are hidden as well, at any depth."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        named = frozenset(map(_plain, names))

        @lru_cache(maxsize=4096)
        def hides(name: str) -> bool:
            plain = _plain(name)
            return plain in named or any(word in plain for word in _SECRET)

        self._hides = hides

    def kept(self, arguments: Any, message: str | None) -> tuple[Any, str | None]:
        """What is kept of a call's arguments, and of the message about it, which may quote what is hidden in them."""
        hidden: list[str] = []
        shown = self._kept(arguments, 0, hidden)
        if message is not None:
            message = _without(message, hidden) if hidden else message
            message = without_credentials(message)
        return shown, message

    def _kept(self, value: Any, depth: int, hidden: list[str]) -> Any:
        if isinstance(value, str):
            value = self._inside(value, depth, hidden)
            text = _CREDENTIAL.sub(HIDDEN, clean(value))
            return text if len(value) <= LONGEST else f"{text}… ({len(value)} characters)"
        if isinstance(value, Mapping):
            return "…" if depth == _DEEPEST else self._kept_items(value, depth + 1, hidden)
        if isinstance(value, list | tuple):
            return "…" if depth == _DEEPEST else [self._kept(item, depth + 1, hidden) for item in value[:_WIDEST]]
        if value is None or isinstance(value, int):
            return value if value is None or abs(value) < 2**63 else "a very large number"
        return _number(value) if isinstance(value, float) else clean(str(value))

    def _inside(self, text: str, depth: int, hidden: list[str]) -> str:
        """The text, without what is to be hidden if it is JSON."""
        if not text.lstrip().startswith(("{", "[")) or depth == _DEEPEST:
            return text
        found: list[str] = []
        try:
            kept = self._kept(orjson.loads(text), depth + 1, found)
        except ValueError:
            return text
        hidden.extend(found)
        return orjson.dumps(kept).decode() if found else text

    def _kept_items(self, value: Mapping[Any, Any], depth: int, hidden: list[str]) -> dict[str, Any]:
        kept = {}
        for name, content in list(value.items())[:_WIDEST]:
            name = clean(str(name), 200)  # noqa: PLW2901 - the name as it is kept
            if self._hides(name):
                kept[name] = HIDDEN
                hidden.extend(_texts(content))
            else:
                kept[name] = self._kept(content, depth, hidden)
        return kept


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def _number(value: float) -> float | int | str:
    """A number as every database gives it back: JSON of Postgres does not know 1.0 from 1, and no -0.0."""
    if not isfinite(value):
        return str(value)
    if not value.is_integer():
        return value
    whole = int(Decimal(repr(value)))
    return whole if abs(whole) < 2**63 else repr(value)


def _texts(value: Any, depth: int = 0) -> list[str]:
    """Every value in what is hidden, as a text."""
    if depth == _DEEPEST:
        return []
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [text for item in value[:_WIDEST] for text in _texts(item, depth + 1)]
    return [str(value)] if value is not None and not isinstance(value, bool) else []


def _without(message: str, hidden: list[str]) -> str:
    """The message without the values that are hidden, however much of them it quotes."""
    for value in sorted(hidden, key=len, reverse=True):
        for quoted in (value, *(value[:length] for length in _QUOTED if len(value) > length)):
            if len(quoted) >= _SHORTEST:
                message = message.replace(repr(quoted)[1:-1], HIDDEN).replace(quoted, HIDDEN)
    return message
