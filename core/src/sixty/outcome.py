"""The answer to a call: JSON, made once, from which every transport takes what it needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson
from pydantic_core import PydanticSerializationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.values import Result

__all__ = ["Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What a call has come to, as compact JSON: a result's content, or `{"success": false, "error": …}`."""

    text: str = ""
    """Empty where a handler has attached blocks and given no result, and for everything that is no tool."""
    message: str | None = None
    """One sentence of what came of it, for the audit trail."""
    is_error: bool = False
    blocks: tuple[Mapping[str, Any], ...] = ()
    """Content blocks of MCP that go with it."""
    value: Any = None
    """What the handler of a resource, a prompt or a completion has returned."""

    @property
    def content(self) -> list[Mapping[str, Any]]:
        """The content blocks of a tool's result."""
        return [{"type": "text", "text": self.text}, *self.blocks] if self.text else [*self.blocks]

    @cached_property
    def structured(self) -> dict[str, Any]:
        """The answer as an object; empty where there is no text."""
        content: dict[str, Any] = json.loads(self.text or "{}")  # not orjson, which rounds very large numbers
        return content

    @classmethod
    def of(
        cls, content: Mapping[str, Any], blocks: tuple[Mapping[str, Any], ...] = (), *, is_error: bool = False
    ) -> Outcome:
        """The outcome with this content. Half a surrogate pair, which JSON can spell and UTF-8 cannot, becomes `?`."""
        try:
            text = orjson.dumps(content).decode()
        except TypeError:  # that, or a number of more than 64 bits
            text = json.dumps(_encodable(content), ensure_ascii=False, separators=(",", ":"))
        return cls(text, content.get("message"), is_error, blocks)

    @classmethod
    def of_result(cls, result: Result, change_id: str | None, blocks: tuple[Mapping[str, Any], ...] = ()) -> Outcome:
        """The outcome of a handler that returned a model. What is None is left out."""
        try:
            text = result.model_dump_json(exclude_none=True)
        except PydanticSerializationError:
            text = cls.of(result.model_dump(mode="json", exclude_none=True)).text
        if change_id is not None:
            text = f'{text[:-1]},"change_id":"{change_id}"}}'
        return cls(text, result.message, blocks=blocks)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_encodable(name): _encodable(content) for name, content in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value
