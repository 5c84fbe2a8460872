"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = ()
