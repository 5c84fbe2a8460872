"""The tool that changes many tasks alike. Each stands alone: what fails is told, and the others are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, WithJsonSchema

from sixty import Arguments, Call, Day, Invalid, RecordId, SixtyError, counted, tool
from sixty_tasks.models import BulkUpdated, Updated
from sixty_tasks.rules import Priority, Status
from sixty_tasks.saving import save
from sixty_tasks.tables import TASK

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bulk_update_tasks"]

_LASTING = ("status", "priority", "assignee_id")
"""What every task has, so that null clears none of it."""
_ECHO = 80
"""Characters of a bad id that are given back."""

GivenId = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
"""An id that is checked by itself, so that a bad one does not fail the others."""
_valid_id: TypeAdapter[str] = TypeAdapter(RecordId)


class TaskUpdates(Arguments):
    """What `bulk_update_tasks` changes: what is given."""

    status: Status | None = None
    due_date: Day | None = None
    priority: Priority | None = None
    assignee_id: RecordId | None = None


class BulkUpdateTasks(Arguments):
    """The arguments of `bulk_update_tasks`."""

    task_ids: Annotated[list[GivenId], Field(min_length=1, max_length=100)]
    updates: TaskUpdates


@tool("bulk_update_tasks", permission="tasks:update", effect="update", rate="bulk")
async def bulk_update_tasks(args: BulkUpdateTasks, call: Call) -> BulkUpdated:
    """Change many tasks alike, each by itself: one that fails leaves the others be.

    Status open reopens; a due_date of null clears it. Results are in the order of task_ids.
    """
    given = _checked(args.updates, call)
    results: list[Updated] = []
    seen: set[str] = set()
    unchanged = 0
    for text in args.task_ids:
        try:
            task_id = _once(text, seen)
            async with call.savepoint():
                unchanged += not await _update(call, task_id, given)
        except SixtyError as error:
            results.append(Updated(success=False, id=text[:_ECHO], error=error.to_json()))
        else:
            results.append(Updated(success=True, id=text))
    failed = sum(not result.success for result in results)
    return BulkUpdated(
        message=_told(len(results), failed, unchanged),
        total=len(results),
        successful=len(results) - failed,
        failed=failed,
        results=results,
    )


def _checked(updates: TaskUpdates, call: Call) -> dict[str, Any]:
    """What is to be put into each task. `Invalid` if that is nothing, or clears what every task has."""
    given = {name: getattr(updates, name) for name in TaskUpdates.model_fields if name in updates.model_fields_set}
    if not given:
        allowed = list(TaskUpdates.model_fields)
        msg = f"updates is empty; it may have {', '.join(allowed)}"
        raise Invalid(msg, field="updates", allowed=allowed)
    for name in _LASTING:
        if name in given and given[name] is None:
            msg = f"updates.{name} cannot be cleared: every task has one; give another or leave it out"
            raise Invalid(msg, field=f"updates.{name}")
    call.check_user(given.get("assignee_id"), "updates.assignee_id")
    return given


def _once(text: str, seen: set[str]) -> str:
    """The id that is meant. `Invalid` if it is none, or has been named before."""
    try:
        task_id = _valid_id.validate_python(text)
    except ValidationError:
        msg = f"{text[:_ECHO]!r} is not an id; search_tasks finds the right one"
        raise Invalid(msg, field="task_ids", given=text[:_ECHO]) from None
    if task_id in seen:
        msg = f"{task_id} is named twice in task_ids; what became of it is told where it stands first"
        raise Invalid(msg, field="task_ids", given=task_id)
    seen.add(task_id)
    return task_id


async def _update(call: Call, task_id: str, given: Mapping[str, Any]) -> bool:
    """The task has what was given; whether that is new to it."""
    before = await call.records.get(TASK, task_id)
    values = {name: value for name, value in given.items() if name not in ("status", "assignee_id")}
    if "assignee_id" in given:
        values["owner_id"] = given["assignee_id"]
    after = await save(call, before, values, status=given.get("status"))
    return bool(after["version"] > before["version"])


def _told(total: int, failed: int, unchanged: int) -> str:
    """What has happened to all of them, as one sentence."""
    parts = [f"{total - failed - unchanged} of {counted(total, 'task')} updated"]
    if unchanged:
        parts.append(f"{unchanged} had all of this already")
    if failed:
        parts.append(f"{failed} failed, and the results say why")
    return "; ".join(parts)
