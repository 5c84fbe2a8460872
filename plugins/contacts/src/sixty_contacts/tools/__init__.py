"""The tools of the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty_contacts.tools.contacts import create_contact, update_contact
from sixty_contacts.tools.duplicates import find_duplicate_contacts
from sixty_contacts.tools.enriching import enrich_contact
from sixty_contacts.tools.merging import merge_contacts
from sixty_contacts.tools.organisations import update_company
from sixty_contacts.tools.searching import search_contacts
from sixty_contacts.tools.timeline import get_contact_timeline

if TYPE_CHECKING:
    from sixty import Tool

__all__ = ["TOOLS"]

TOOLS: tuple[Tool, ...] = (
    create_contact,
    update_contact,
    update_company,
    search_contacts,
    enrich_contact,
    find_duplicate_contacts,
    merge_contacts,
    get_contact_timeline,
)
