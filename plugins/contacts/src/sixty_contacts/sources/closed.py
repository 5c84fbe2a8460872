"""Sources that have no API for the public. They say so, and what they would need: nothing is made up for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sixty import Unavailable

if TYPE_CHECKING:
    from sixty.crm import Findings, Subject

__all__ = ["Clearbit", "LinkedIn"]


class LinkedIn:
    """LinkedIn shows people to its members; to programs only under a contract."""

    source = "linkedin"

    async def enrich(self, _subject: Subject, _settings: Any) -> Findings:
        """Raises `Unavailable`, always."""
        msg = "linkedin has no public API for people; it would need an agreement with LinkedIn as a partner"
        raise Unavailable(msg)


class Clearbit:
    """Clearbit is a part of HubSpot by now, and its API is closed to others."""

    source = "clearbit"

    async def enrich(self, _subject: Subject, _settings: Any) -> Findings:
        """Raises `Unavailable`, always."""
        msg = "clearbit has no public API any more; it would need a contract with HubSpot, which it is part of"
        raise Unavailable(msg)
