"""What the pack publishes for others to query: `TASKS` of `sixty.crm`."""

from __future__ import annotations

import sqlalchemy as sa

from sixty import Published
from sixty.crm import TASKS
from sixty_tasks.tables import tasks

__all__ = ["PUBLISHED"]

PUBLISHED = (Published(TASKS, sa.select(*(tasks.c[name] for name in TASKS.columns))),)
