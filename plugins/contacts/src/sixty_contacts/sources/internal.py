"""What the CRM itself knows of a contact: their company, their profile, and what they have done with us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from sixty import Id
from sixty.crm import ACTIVITIES
from sixty_contacts.emails import company_domain
from sixty_contacts.tables import COMPANY, companies

if TYPE_CHECKING:
    from sixty import Call, Row

__all__ = ["INTERNAL", "Behavior", "Known", "known"]

INTERNAL = "internal"
"""What callers call this source."""

_held = sa.func.coalesce(ACTIVITIES.c.completed_at, ACTIVITIES.c.created_at)
_BEHAVIOR = (
    sa.select(ACTIVITIES.c.type, sa.func.count().label("count"), sa.func.max(_held).label("last"))
    .where(ACTIVITIES.c.contact_id == sa.bindparam("contact_id", type_=Id), ACTIVITIES.c.status == "completed")
    .group_by(ACTIVITIES.c.type)
)
_AT_DOMAIN = sa.select(companies).where(companies.c.domain == sa.bindparam("domain")).limit(2)


class Behavior(BaseModel):
    """What has been done with a contact, of what the caller may read."""

    model_config = ConfigDict(frozen=True)

    last_interaction: datetime | None = None
    activity_counts: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the CRM knows."""

    company: Row | None
    """Their company or, where the contact has none, the only one that has the domain of their address."""
    behavior: Behavior | None

    @property
    def is_anything(self) -> bool:
        """Whether there is something to tell."""
        return self.company is not None or self.behavior is not None


async def known(call: Call, contact: Row) -> Known:
    """What the CRM knows of a contact, as far as the caller may read it."""
    return Known(await company_of(call, contact), await _behavior(call, contact["id"]))


async def company_of(call: Call, contact: Row) -> Row | None:
    """The company of a contact that the caller has read."""
    if contact["company_id"] is not None:
        return await call.records.find(COMPANY, contact["company_id"])
    domain = company_domain(contact["email"])
    found = await call.rows(_AT_DOMAIN, {"domain": domain}) if domain is not None else []
    return found[0] if len(found) == 1 else None


async def _behavior(call: Call, contact_id: str) -> Behavior | None:
    if ACTIVITIES not in call.views:
        return None
    found: list[dict[str, Any]] = await call.rows(_BEHAVIOR, {"contact_id": contact_id})
    if not found:
        return None
    counts = {row["type"]: row["count"] for row in sorted(found, key=lambda row: row["type"])}
    return Behavior(last_interaction=max(row["last"] for row in found), activity_counts=counts)
