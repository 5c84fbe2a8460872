"""What the pack publishes for others to query: `CONTACTS` and `COMPANIES` of `sixty.crm`."""

from __future__ import annotations

import sqlalchemy as sa

from sixty import Published
from sixty.crm import COMPANIES, CONTACTS
from sixty_contacts.tables import companies, contacts

__all__ = ["PUBLISHED"]

PUBLISHED = (
    Published(CONTACTS, sa.select(*(contacts.c[name] for name in CONTACTS.columns))),
    Published(COMPANIES, sa.select(*(companies.c[name] for name in COMPANIES.columns))),
)
