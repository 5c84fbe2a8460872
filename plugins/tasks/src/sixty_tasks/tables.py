"""What the pack stores: tasks."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from sixty import Instant, Kind, Searchable, Tables, pointer, record_table
from sixty_tasks.models import Task
from sixty_tasks.rules import PRIORITIES

__all__ = ["SEARCHABLE", "TABLES", "TASK", "URGENCY", "tasks"]

metadata = sa.MetaData()

tasks = record_table(
    "tasks",
    metadata,
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("status", sa.String(10), nullable=False, default="open"),
    sa.Column("priority", sa.String(10), nullable=False, default="medium"),
    sa.Column("due_date", sa.Date),
    pointer("deal_id", kind="deal"),
    pointer("contact_id", kind="contact"),
    pointer("related_activity_id", kind="activity"),
    sa.Column("outcome", sa.Text),
    sa.Column("completed_at", Instant),
    sa.Column("automation", sa.String(40)),
    sa.UniqueConstraint("related_activity_id", "automation", name="uq_tasks_automation"),  # none makes a task twice
    sa.Index("ix_tasks_due_date", "due_date", "id"),  # all of them, as they are due
    sa.Index("ix_tasks_status", "status", "due_date", "id"),  # those that are open
    sa.Index("ix_tasks_owner_id", "owner_id", "status", "due_date", "id"),  # and those of one person
)
"""The owner is the assignee. `automation` names the chain that made a task; it is null for what a person made."""

URGENCY = sa.case(
    {priority: place for place, priority in enumerate(reversed(PRIORITIES), start=1)}, value=tasks.c.priority
).label("urgency")
"""The place of a task by its priority: 1 for the most urgent."""

TASK = Kind("task", tasks, Task, resource="tasks", title="title", finder="search_tasks")
SEARCHABLE = Searchable(TASK, "title", ("description",))
TABLES = Tables(metadata, kinds=(TASK,), migrations=Path(__file__).parent / "migrations")
