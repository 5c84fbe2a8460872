"""How contacts and companies come in from files, and go out to them."""

from __future__ import annotations

from sixty import Extension
from sixty.exchange import FORMS
from sixty_contacts.forms.companies import COMPANIES
from sixty_contacts.forms.contacts import CONTACTS

__all__ = ["ADDED"]

ADDED = (Extension(FORMS, COMPANIES), Extension(FORMS, CONTACTS))
"""Companies first: contacts are at them."""
