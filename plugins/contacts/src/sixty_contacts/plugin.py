"""Contacts: people, the companies they are at, and what is known about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Permissions, hookimpl
from sixty_contacts.settings import ContactSettings
from sixty_contacts.tables import SEARCHABLE, TABLES
from sixty_contacts.tools import TOOLS
from sixty_contacts.views import PUBLISHED

if TYPE_CHECKING:
    from sixty import Published, Searchable, Tables, Tool


@hookimpl
def sixty_settings() -> type[ContactSettings]:
    """Where phones are, and who is asked about people."""
    return ContactSettings


@hookimpl
def sixty_tables() -> Tables:
    """Contacts, companies, and what was found out about them."""
    return TABLES


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    """All of them."""
    return TOOLS


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """Everybody may do everything with contacts and companies: they belong to the whole organisation."""
    return (
        Permissions(
            "contacts",
            actions={
                "read": "See contacts, companies, timelines and duplicates",
                "create": "Create contacts, and companies with them",
                "update": "Change and enrich contacts and companies",
                "delete": "Delete contacts and companies",
                "merge": "Merge duplicate contacts",
            },
            grants={"user": ("contacts:*",)},
        ),
    )


@hookimpl
def sixty_views() -> tuple[Published, ...]:
    """`CONTACTS` and `COMPANIES`."""
    return PUBLISHED


@hookimpl
def sixty_search() -> tuple[Searchable, ...]:
    """Contacts are found by name, email, role and phone; companies by name, domain and industry."""
    return SEARCHABLE
