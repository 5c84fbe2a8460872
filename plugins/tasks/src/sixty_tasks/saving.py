"""How tasks are written, whoever does it: a tool or an automation. What is written is also told to other packs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sixty.crm import TaskCompleted, TaskCreated
from sixty_tasks.rules import Standing, Status
from sixty_tasks.tables import TASK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty import Call, Kind, Row

__all__ = ["add", "save", "seen"]

_STANDING = ("status", "completed_at", "outcome")


async def add(call: Call, values: Mapping[str, Any], owner_id: str | None = None) -> Row:
    """A new task, open; it belongs to the caller, in a reaction to the owner of what caused it, unless given."""
    task = await call.records.add(TASK, values, owner_id=owner_id)
    call.publish(TaskCreated(**_facts(task)))
    return task


async def save(
    call: Call,
    before: Row,
    values: Mapping[str, Any],
    *,
    status: Status | None = None,
    outcome: str | None = None,
    expected_version: int | None = None,
) -> Row:
    """The task with `values`, and in that status; the same row if it was so already.

    Raises `Conflict` if the status contradicts the one that it has, or if it is not at `expected_version`.
    """
    if status is not None:
        stands = Standing(**{name: before[name] for name in _STANDING})
        values = {**values, **asdict(stands.moved(status, call.now, outcome))}
    after = await call.records.update(TASK, before["id"], values, expected_version=expected_version)
    if after["status"] == "completed" != before["status"]:
        call.publish(TaskCompleted(**_facts(after)))
    return after


async def seen(call: Call, pointers: Mapping[str, str | None]) -> dict[str, tuple[Kind, Row]]:
    """The records that some pointers lead to, by name; without those that are gone, or that the caller may not read."""
    found = {name: await call.records.locate(to) for name, to in pointers.items() if to is not None}
    return {name: record for name, record in found.items() if record is not None}


def _facts(task: Row) -> dict[str, Any]:
    """What every event about a task says."""
    return {
        "record_id": task["id"],
        "owner_id": task["owner_id"],
        "title": task["title"],
        "deal_id": task["deal_id"],
        "contact_id": task["contact_id"],
    }
