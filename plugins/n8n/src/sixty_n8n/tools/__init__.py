"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_n8n.tools.listing import list_workflows
from sixty_n8n.tools.running import run_workflow

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (list_workflows, run_workflow)
