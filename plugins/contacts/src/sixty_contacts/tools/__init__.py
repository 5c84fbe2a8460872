"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_contacts.tools.contacts import create_contact, update_contact

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (
    create_contact,
    update_contact,
)
