"""The forms in which MCP shows what handlers return: contents of resources, messages of prompts, values to choose."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.resources import Resource

__all__ = ["LONGEST", "completed", "contents", "messages"]

LONGEST = 100
"""Values of a completion at the most, as the protocol has it."""


def contents(resource: Resource, uri: str, value: Any) -> dict[str, Any]:
    """The result of reading `uri`: bytes as they are, a text as it is, a model or anything else as JSON."""
    shown: dict[str, Any] = {"uri": uri, "mimeType": resource.mime_type}
    if isinstance(value, bytes):
        shown["blob"] = b64encode(value).decode()
    elif isinstance(value, str):
        shown["text"] = value
    elif isinstance(value, BaseModel):
        shown["text"] = value.model_dump_json(exclude_none=True)
    else:
        shown["text"] = orjson.dumps(value).decode()
    return {"contents": [shown], "ttlMs": 0, "cacheScope": "private", "resultType": "complete"}


def messages(description: str, value: Any) -> dict[str, Any]:
    """The result of getting a prompt: a text is what the user says, a list may hold texts and messages."""
    parts = value if isinstance(value, list) else [value]
    return {"description": description, "messages": [_message(part) for part in parts], "resultType": "complete"}


def completed(values: Sequence[str]) -> dict[str, Any]:
    """The result of completing an argument: the first hundred values, and how many there are."""
    shown = list(values[:LONGEST])
    completion = {"values": shown, "total": len(values), "hasMore": len(values) > len(shown)}
    return {"completion": completion, "resultType": "complete"}


def _message(part: Any) -> dict[str, Any]:
    if isinstance(part, str):
        return {"role": "user", "content": {"type": "text", "text": part}}
    shown: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_none=True)
    return shown
