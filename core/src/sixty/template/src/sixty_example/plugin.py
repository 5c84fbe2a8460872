"""Items, which agents add and find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Permissions, hookimpl
from sixty_example.tables import SEARCHABLE, TABLES
from sixty_example.tools import TOOLS

if TYPE_CHECKING:
    from sixty import Searchable, Tables, Tool


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    """What agents can do."""
    return TOOLS


@hookimpl
def sixty_tables() -> Tables:
    """What is stored."""
    return TABLES


@hookimpl
def sixty_search() -> tuple[Searchable, ...]:
    """Items are found by title and body."""
    return (SEARCHABLE,)


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """Everybody sees the items of the team; one deletes one's own, a manager those of the team."""
    return (
        Permissions(
            "things",
            actions={
                "read": "See items",
                "create": "Add items",
                "delete": "Delete items",
            },
            grants={
                # both: who has no team reaches nothing by `team`
                "user": ("things:*:own", "things:read:team"),
                # and what a user has; an admin may do everything
                "manager": ("things:*:team",),
            },
        ),
    )
