"""n8n: the organisation's workflows, found and started, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Permissions, hookimpl
from sixty_n8n.settings import N8nSettings
from sixty_n8n.tools import TOOLS

if TYPE_CHECKING:
    from sixty import Tool


@hookimpl
def sixty_settings() -> type[N8nSettings]:
    """Where n8n is, and the keys to it."""
    return N8nSettings


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    """Both."""
    return TOOLS


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """A workflow may do anything anywhere, so that starting one is a manager's."""
    return (
        Permissions(
            "workflows",
            actions={"read": "See the workflows of n8n", "run": "Start workflows of n8n, and see what came of them"},
            grants={"manager": ("workflows:*",)},
        ),
    )
