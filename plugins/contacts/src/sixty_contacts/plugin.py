"""Contacts: people and companies, what is known about them, and no duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty import Permissions, hookimpl, ids_of
from sixty_contacts.forms import ADDED as FORMS
from sixty_contacts.prompts import complete_company_name, qualify_lead
from sixty_contacts.resources import CONTACT_ADDRESS, contact_page
from sixty_contacts.settings import ContactSettings
from sixty_contacts.sources import ADDED as SOURCES
from sixty_contacts.tables import SEARCHABLE, TABLES
from sixty_contacts.tools import TOOLS
from sixty_contacts.tools.timeline import contact_timeline
from sixty_contacts.views import PUBLISHED

if TYPE_CHECKING:
    from sixty import Completion, Extension, Prompt, Published, Resource, Searchable, Tables, Tool
    from sixty.demo import Demo


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
    """All eight."""
    return TOOLS


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    """Everybody works with the contacts and companies of the organisation."""
    return (
        Permissions(
            "contacts",
            actions={
                "read": "See contacts, companies and timelines",
                "create": "Create contacts and their companies",
                "update": "Change and enrich contacts and companies",
                "delete": "Delete contacts and companies",
                "merge": "Make one contact of several",
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
    """Contacts are found by name, mail, role and phone; companies by name, domain and industry."""
    return SEARCHABLE


@hookimpl
def sixty_resources() -> tuple[Resource, ...]:
    """Each contact, and what has happened around them."""
    return (contact_page, contact_timeline)


@hookimpl
def sixty_prompts() -> tuple[Prompt, ...]:
    """Qualifying a lead."""
    return (qualify_lead,)


@hookimpl
def sixty_completions() -> tuple[Completion, ...]:
    """The ids of contacts and companies, and the names of companies."""
    of_contacts, of_companies = SEARCHABLE
    return (*ids_of(of_contacts, CONTACT_ADDRESS), *ids_of(of_companies), complete_company_name)


@hookimpl
def sixty_extensions() -> tuple[Extension, ...]:
    """The sources that are outside, and the forms of companies and contacts."""
    return (*SOURCES, *FORMS)


@hookimpl
def sixty_demo(demo: Demo) -> None:
    """People at every company."""
    from sixty_contacts.demo import plan  # noqa: PLC0415 - only the demo needs it

    plan(demo)
