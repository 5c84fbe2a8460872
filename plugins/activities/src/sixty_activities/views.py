"""What the pack publishes for others to query: `ACTIVITIES` of `sixty.crm`."""

from __future__ import annotations

import sqlalchemy as sa

from sixty import Published
from sixty.crm import ACTIVITIES
from sixty_activities.tables import activities

__all__ = ["PUBLISHED"]

PUBLISHED = (Published(ACTIVITIES, sa.select(*(activities.c[name] for name in ACTIVITIES.columns))),)
