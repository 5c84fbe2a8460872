"""Whoever is at the client of a test: they accept every question, their model says little, and no folder is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Person"]


class Person:
    """A client that can be asked everything. What it is told of progress, and of logs, is kept."""

    def __init__(self, content: Mapping[str, Any] | None = None) -> None:
        """Without `content` for their forms they give the plainest that fits."""
        self._content = content
        self.told: list[tuple[Any, ...]] = []
        """`("progress", done, total, message)` and `("log", level, data, logger)`."""

    def can(self, _capability: str) -> bool:
        """Whether the client has declared it: always."""
        return True

    async def progress(self, done: float, total: float | None, message: str | None) -> None:
        """Keep how far the call is."""
        self.told.append(("progress", done, total, message))

    async def log(self, level: str, data: Any, logger: str) -> None:
        """Keep a line of a log."""
        self.told.append(("log", level, data, logger))

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The result of an MCP request to the client."""
        if request["method"] == "elicitation/create":
            return {"action": "accept", "content": self._filled(request["params"]["requestedSchema"])}
        if request["method"] == "sampling/createMessage":
            return {"role": "assistant", "content": {"type": "text", "text": "Hello"}, "model": "test"}
        return {"roots": []}

    def _filled(self, form: Mapping[str, Any]) -> dict[str, Any]:
        if self._content is not None:
            return dict(self._content)
        from sixty.testing.strategies import minimal  # noqa: PLC0415 - hypothesis is a second to import

        content: dict[str, Any] = minimal(form, ())
        return content
