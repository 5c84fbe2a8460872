"""The activities of the demo organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sixty.demo import Demo

__all__ = ["plan"]


def plan(demo: Demo) -> None:
    """Nothing yet."""
