"""How tasks come in from files, and go out to them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
from pydantic import Field

from sixty import Conflict, Extension, Id, Invalid, LongText, Text
from sixty.exchange import FORMS, AtMoment, Form, Key, Line, OnDay
from sixty_tasks.presets import PRESETS
from sixty_tasks.rules import Priority, Standing, Status
from sixty_tasks.tables import TASK, tasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sixty import Call, Row

__all__ = ["ADDED", "TaskLine", "standing"]

_FIELDS = ("title", "description", "due_date", "automation")
_POINTERS = {"deal": "deal_id", "contact": "contact_id", "activity": "related_activity_id"}
_STANDING = ("status", "completed_at", "outcome")

_automated = (
    sa.select(tasks.c.id)
    .where(
        tasks.c.related_activity_id == sa.bindparam("activity", type_=Id),
        tasks.c.automation == sa.bindparam("automation"),
    )
    .limit(1)
)


class TaskLine(Line):
    """A task in a file. Without a status it is completed if it has a `completed_at`, and else open."""

    title: Text
    description: LongText | None = None
    status: Status | None = None
    priority: Priority | None = None
    due_date: OnDay = None
    deal: Key | None = None
    contact: Key | None = None
    activity: Key | None = None
    outcome: LongText | None = None
    completed_at: AtMoment = None
    automation: Annotated[Text, Field(max_length=40)] | None = None
    """Which chain made it; of one that a person made, None."""


def standing(said: Mapping[str, Any]) -> Standing:
    """Where a task stands. Only a completed one has a time of completion, and it must have one.

    `Invalid` if it has none, or for an outcome of an open task.
    """
    completed_at, outcome = said.get("completed_at"), said.get("outcome")
    status: Status = said.get("status") or ("open" if completed_at is None else "completed")
    if status == "completed" and completed_at is None:
        msg = "completed_at is missing: a completed task has one; map a column, or set it from another"
        raise Invalid(msg, field="completed_at")
    if status == "open" and outcome:
        msg = "outcome is for a task that has ended, and this one is open; say status=completed, or leave it out"
        raise Invalid(msg, field="outcome", given=outcome[:80])
    return Standing(status, completed_at if status == "completed" else None, outcome)


def _later(before: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a task says of where it stands, with what a line adds: a time of completion tells that it is completed."""
    after = {**{name: before[name] for name in _STANDING}, **given}
    if "completed_at" in given and "status" not in given and before["status"] != "cancelled":
        after["status"] = None
    return after


async def _put(line: TaskLine, before: Row | None, call: Call) -> Row:
    said = {name: getattr(line, name) for name in _FIELDS if name in line.model_fields_set}
    said |= {column: getattr(line, name) for name, column in _POINTERS.items() if name in line.model_fields_set}
    given = {name: getattr(line, name) for name in _STANDING if name in line.model_fields_set}
    if line.priority is not None:
        said["priority"] = line.priority
    await _check_automation({**(before or {}), **said}, before, call)
    if before is None or given:
        stands = standing(given if before is None else _later(before, given))
        said |= {name: getattr(stands, name) for name in _STANDING}
    if before is None:
        return await call.records.adopt(TASK, said, id=line.id, owner_id=line.owner, created_at=line.created_at)
    if line.owner is not None:
        said["owner_id"] = line.owner
    return await call.records.update(TASK, before["id"], said)


async def _check_automation(after: Mapping[str, Any], before: Row | None, call: Call) -> None:
    """Raise `Conflict` for a second task that the same chain has made for the same activity."""
    automation, activity = after.get("automation"), after.get("related_activity_id")
    if automation is None or activity is None:
        return
    found = await call.rows(_automated, {"activity": activity, "automation": automation})
    if found and (before is None or found[0]["id"] != before["id"]):
        msg = f"the task {found[0]['id']} was made by {automation} for the same activity; there cannot be two"
        raise Conflict(msg, field="automation", given=automation, task_id=found[0]["id"])


async def _take(rows: Sequence[Row], _call: Call) -> list[TaskLine]:
    names = {name: name for name in (*_FIELDS, "priority", *_STANDING)} | _POINTERS
    return [TaskLine.model_construct(**{name: row[column] for name, column in names.items()}) for row in rows]


ADDED = (
    Extension(
        FORMS,
        Form(
            name="tasks",
            kind=TASK,
            line=TaskLine,
            put=_put,
            take=_take,
            pointers=MappingProxyType({"deal": "deal", "contact": "contact", "activity": "activity"}),
            presets=PRESETS,
        ),
    ),
)
"""Tasks, open and ended."""
