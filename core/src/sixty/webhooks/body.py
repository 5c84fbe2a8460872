"""What is sent of an event: `{"type", "timestamp", "data"}`, small, and the same at every try."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import orjson

from sixty.values import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sixty.events import Event

__all__ = ["LIMIT", "body_of", "data_of", "fitting"]

LIMIT = 20_000
"""Bytes of a body at the most."""
_CUTS = (8_000, 4_000, 2_000, 1_000, 500, 200, 50)
"""To how many characters the longest texts are cut, one after the other, until a body fits."""
_KEPT = ("record_id", "owner_id")
"""What is left of an event that is nothing but very many small things."""
_DEEPEST = 10


def data_of(event: Event) -> dict[str, Any]:
    """The fields of an event, as JSON values."""
    return {field.name: _plain(getattr(event, field.name)) for field in fields(event)}


def fitting(event: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data, with the longest texts cut if its body would be too large; `truncated` names their fields."""
    for longest in (None, *_CUTS):
        given = dict(data) if longest is None else _shortened(data, longest)
        if len(body_of(event, at, given)) <= LIMIT:
            return given
    kept = {name: value for name, value in data.items() if name in _KEPT}
    return {**kept, "truncated": [name for name in data if name not in _KEPT][:100]}


def body_of(event: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """The body of a request, as compact JSON."""
    return orjson.dumps({"type": event, "timestamp": at, "data": data}, option=orjson.OPT_UTC_Z)


def _shortened(data: Mapping[str, Any], longest: int) -> dict[str, Any]:
    given = {name: _cut(value, longest) for name, value in data.items()}
    return {**given, "truncated": [name for name, value in data.items() if given[name] != value]}


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[:longest]}…"
    if isinstance(value, dict):
        return {name: _cut(content, longest) for name, content in value.items()}
    return [_cut(item, longest) for item in value] if isinstance(value, list) else value


def _plain(value: Any, depth: int = 0) -> Any:
    """A value that every database can keep as JSON. An event of any pack may hold anything."""
    value = shown(value)
    if depth < _DEEPEST and isinstance(value, dict):
        return {_text(str(name)): _plain(content, depth + 1) for name, content in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**53):
        return value
    return _text(str(value))


def _text(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
