"""The tools that make, assign and complete one task."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sixty import Arguments, Call, Day, LongText, RecordId, Text, counted, tool
from sixty_tasks.models import AssignedTask, Task, TaskAssigned, TaskCompleted, TaskCreated
from sixty_tasks.rules import WORKING_DAYS, Priority, due_by_priority, named
from sixty_tasks.saving import add, save, seen
from sixty_tasks.tables import TASK

if TYPE_CHECKING:
    from datetime import date

    from sixty import Row

__all__ = ["assign_task", "complete_task", "create_task"]

Version = Annotated[int, Field(ge=1)]
_AROUND = ("deal_id", "contact_id")


class CreateTask(Arguments):
    """The arguments of `create_task`."""

    title: Text | None = None
    description: LongText | None = None
    due_date: Day | None = None
    priority: Priority = "medium"
    deal_id: RecordId | None = None
    contact_id: RecordId | None = None
    related_activity_id: RecordId | None = None
    assignee_id: RecordId | None = None


class AssignTask(Arguments):
    """The arguments of `assign_task`."""

    task_id: RecordId
    assignee_id: RecordId
    expected_version: Version | None = None


class FollowUp(Arguments):
    """The task that comes after one that has ended."""

    title: Text
    due_in_days: Annotated[int, Field(ge=0, le=365)]


class CompleteTask(Arguments):
    """The arguments of `complete_task`."""

    task_id: RecordId
    outcome: LongText | None = None
    status: Literal["completed", "cancelled"] = "completed"
    follow_up: FollowUp | None = None
    expected_version: Version | None = None


@tool("create_task", permission="tasks:create", effect="create")
async def create_task(args: CreateTask, call: Call) -> TaskCreated:
    """Create a task, yours unless assignee_id says otherwise. It needs a title or a description.

    Without due_date the priority sets one in working days: urgent 0, high 1, medium 3, low 7.
    """
    call.check_user(args.assignee_id, "assignee_id")
    title, description = named(args.title, args.description)
    due, decided = args.due_date, None
    if due is None and call.settings.set_due_dates:
        due = due_by_priority(args.priority, call.today)
        decided = _decided(args.priority, due, call)
    values = {
        "title": title,
        "description": description,
        "priority": args.priority,
        "due_date": due,
        "deal_id": args.deal_id,
        "contact_id": args.contact_id,
        "related_activity_id": args.related_activity_id,
    }
    task = await add(call, values, args.assignee_id)
    return TaskCreated(
        message=f'Task "{title}" created for {_whose(task, call)}, {_when(due)}',
        task_id=task["id"],
        task=Task.model_validate(task),
        automation=decided,
    )


@tool("assign_task", permission="tasks:update", effect="update")
async def assign_task(args: AssignTask, call: Call) -> TaskAssigned:
    """Give a task to somebody, who then owns it."""
    call.check_user(args.assignee_id, "assignee_id")
    before = await call.records.get(TASK, args.task_id)
    after = await save(call, before, {"owner_id": args.assignee_id}, expected_version=args.expected_version)
    told = f'Task "{after["title"]}" assigned to {_whose(after, call)}'
    if after["version"] == before["version"]:
        told = f'Task "{after["title"]}" is already assigned to {_whose(after, call)}; nothing changed'
    task = AssignedTask.model_validate({**after, "previous_assignee_id": before["owner_id"]})
    return TaskAssigned(message=told, task=task)


@tool("complete_task", permission="tasks:update", effect="update")
async def complete_task(args: CompleteTask, call: Call) -> TaskCompleted:
    """Complete or cancel a task. follow_up makes the next one: same deal, contact and assignee."""
    before = await call.records.get(TASK, args.task_id)
    after = await save(
        call, before, {}, status=args.status, outcome=args.outcome, expected_version=args.expected_version
    )
    task, told = Task.model_validate(after), f'Task "{after["title"]}" {args.status}'
    if after["version"] == before["version"]:
        no_other = ", and no follow-up was made" if args.follow_up is not None else ""
        return TaskCompleted(
            message=f'Task "{after["title"]}" is already {args.status}; nothing changed{no_other}', task=task
        )
    if args.follow_up is None:
        return TaskCompleted(message=told, task=task)
    following = await _follow(call, after, args.follow_up)
    told += f'; "{following["title"]}" follows, {_when(following["due_date"])}'
    return TaskCompleted(message=told, task=task, follow_up_task_id=following["id"])


async def _follow(call: Call, ended: Row, wanted: FollowUp) -> Row:
    around = await seen(call, {name: ended[name] for name in _AROUND})
    values = {name: record["id"] for name, (_, record) in around.items()} | {
        "title": wanted.title,
        "description": wanted.title,
        "due_date": call.today + timedelta(days=wanted.due_in_days),
    }
    return await add(call, values, ended["owner_id"])


def _decided(priority: Priority, due: date, call: Call) -> str:
    """Why a task has the due date that nobody gave it."""
    days = WORKING_DAYS[priority]
    after = f"{counted(days, 'working day')} after today" if days else "today"
    return f"The due date {due} was set because the priority is {priority}: {after} ({call.timezone.key})"


def _whose(task: Row, call: Call) -> str:
    return call.directory.name_of(task["owner_id"]) or "nobody"


def _when(due: date | None) -> str:
    return "without a due date" if due is None else f"due {due}"
