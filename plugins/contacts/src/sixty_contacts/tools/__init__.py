"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_contacts.tools.enriching import enrich_contact
from sixty_contacts.tools.timeline import get_contact_timeline

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (enrich_contact, get_contact_timeline)
