"""The tools that find tasks. Each shape of a search is one statement, built once; the values are bound."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Arguments, Call, Cursor, Day, Invalid, Limit, Order, RecordId, Text, page, tool
from sixty.search import QUERY, hits, match_query
from sixty_tasks.models import OverdueFound, TasksFound
from sixty_tasks.rules import Status
from sixty_tasks.tables import TASK, URGENCY, tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["get_overdue_tasks", "search_tasks"]

_EQUAL = {"status": "status", "assignee_id": "owner_id", "deal_id": "deal_id", "contact_id": "contact_id"}
"""The column that each argument must equal."""
_POINTERS = {"deal_id": "deal", "contact_id": "contact"}
_AS_DUE = (Order(tasks.c.due_date), Order(tasks.c.id))

_MOST_OVERDUE = (Order(tasks.c.due_date), Order(URGENCY, always=True), Order(tasks.c.id))


class SearchTasks(Arguments):
    """The arguments of `search_tasks`."""

    query: Text | None = None
    status: Status | None = None
    assignee_id: RecordId | None = None
    due_before: Day | None = None
    deal_id: RecordId | None = None
    contact_id: RecordId | None = None
    limit: Limit = 25
    cursor: Cursor | None = None


class GetOverdueTasks(Arguments):
    """The arguments of `get_overdue_tasks`."""

    assignee_id: RecordId | None = None
    as_of: Day | None = None
    limit: Limit = 25
    cursor: Cursor | None = None


@tool("search_tasks", permission="tasks:read", effect="read")
async def search_tasks(args: SearchTasks, call: Call) -> TasksFound:
    """Find tasks by words of title and description, status, assignee, deal, contact or due date, the first due first.

    due_before does not include the day itself.
    """
    values = await _values(args, call)
    found = await page(call, _search(frozenset(values)), values, order=_AS_DUE, limit=args.limit, cursor=args.cursor)
    message = await call.found(found, TASK, narrowed=bool(values))
    return TasksFound.model_validate({"message": message, "tasks": found.rows, **found.fields()})


@tool("get_overdue_tasks", permission="tasks:read", effect="read")
async def get_overdue_tasks(args: GetOverdueTasks, call: Call) -> OverdueFound:
    """List open tasks that were due before as_of (today): the most overdue first, then the most urgent."""
    call.check_user(args.assignee_id, "assignee_id")
    as_of = args.as_of or call.today
    values: dict[str, Any] = {"as_of": as_of}
    if args.assignee_id is not None:
        values["assignee_id"] = args.assignee_id
    statement = _overdue(of_one=args.assignee_id is not None)
    found = await page(call, statement, values, order=_MOST_OVERDUE, limit=args.limit, cursor=args.cursor)
    late = [{**row, "days_overdue": (as_of - row["due_date"]).days} for row in found.rows]
    when = f"overdue as of {as_of} ({call.timezone.key})"
    message = (
        f"{await call.found(found, TASK, narrowed=True)}; {when}" if late else f"No task that you can see is {when}"
    )
    return OverdueFound.model_validate({"message": message, "tasks": late, **found.fields()})


async def _values(args: SearchTasks, call: Call) -> dict[str, Any]:
    """The values of the filters that are given, by the names of their parameters."""
    call.check_user(args.assignee_id, "assignee_id")
    given: dict[str, Any] = {name: getattr(args, name) for name in (*_EQUAL, "due_before")}
    if args.query is not None:
        given[QUERY] = match_query(args.query, call.host.database.dialect_name)
        if given[QUERY] is None:
            msg = f"query must have a word or a number in it, got {args.query!r}"
            raise Invalid(msg, field="query", given=args.query)
    for name, kind in _POINTERS.items():
        if given[name] is not None:
            given[name] = await call.records.resolve(name, given[name], kind=kind)
    return {name: value for name, value in given.items() if value is not None}


@lru_cache(maxsize=128)
def _search(given: frozenset[str]) -> sa.Select[Any]:
    """The search with these parameters."""
    source: sa.FromClause = tasks
    if QUERY in given:
        found = hits(TASK)
        source = tasks.join(found, found.c.record_id == tasks.c.id)
    return sa.select(tasks).select_from(source).where(*_conditions(given))


def _conditions(given: frozenset[str]) -> Iterator[sa.ColumnElement[bool]]:
    for name, column in _EQUAL.items():
        if name in given:
            yield tasks.c[column] == sa.bindparam(name, type_=tasks.c[column].type)
    if "due_before" in given:
        yield tasks.c.due_date < sa.bindparam("due_before", type_=sa.Date)


@lru_cache
def _overdue(*, of_one: bool) -> sa.Select[Any]:
    """What is open and was due before a day."""
    due = tasks.c.due_date < sa.bindparam("as_of", type_=sa.Date)
    statement = sa.select(tasks, URGENCY).where(tasks.c.status == "open", due)
    if of_one:
        statement = statement.where(*_conditions(frozenset({"assignee_id"})))
    return statement
