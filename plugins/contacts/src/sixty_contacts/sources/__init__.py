"""Who is asked about people: what the pack adds at `sixty.crm.ENRICHERS`. What the CRM itself knows is `internal`."""

from __future__ import annotations

from sixty import Extension
from sixty.crm import ENRICHERS
from sixty_contacts.sources.closed import Clearbit, LinkedIn
from sixty_contacts.sources.hunter import Hunter

__all__ = ["ADDED"]

ADDED = tuple(Extension(ENRICHERS, source) for source in (Hunter(), LinkedIn(), Clearbit()))
