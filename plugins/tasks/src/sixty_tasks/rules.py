"""The rules of tasks: how one is named, when it is due, and how it ends. No database and no protocol here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, get_args

from sixty import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

__all__ = [
    "LONGEST",
    "PRIORITIES",
    "WORKING_DAYS",
    "Priority",
    "Standing",
    "Status",
    "cut",
    "due_by_priority",
    "named",
    "next_working_day",
]

Status = Literal["open", "completed", "cancelled"]
Priority = Literal["low", "medium", "high", "urgent"]

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""The least urgent first."""
WORKING_DAYS: Mapping[Priority, int] = {"urgent": 0, "high": 1, "medium": 3, "low": 7}
"""How long a task of each priority may take."""
LONGEST = 255
"""Characters of a title."""

_SATURDAY = 5
_SENTENCE_END = re.compile(r"(?<=\w{4}[.!?])\s")  # after a word of four letters: "Dr. May" and "e.g. this" go on


def cut(text: str, longest: int = LONGEST) -> str:
    """The text, cut behind a word where it is too long, and then with an ellipsis at its end."""
    if len(text) <= longest:
        return text
    start, space, _ = text[:longest].rpartition(" ")
    kept = start if space and len(start) > longest // 2 else text[: longest - 1]
    return kept.rstrip() + "…"


def named(title: str | None, description: str | None) -> tuple[str, str]:
    """Title and description of a task, each from the other where it is missing. `Invalid` without both.

    A title is the first sentence of the first line.
    """
    told = (description or "").strip()
    if title is None and not told:
        raise Invalid("give the task a title or a description: at least one of them must say something", field="title")
    if title is None:
        return cut(_SENTENCE_END.split(told.splitlines()[0], maxsplit=1)[0].strip()), description or told
    return title, description if description is not None and told else title


def working_days_after(day: date, count: int) -> date:
    """So many working days, Monday to Friday, after a day; without any, the day itself."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day


def next_working_day(today: date) -> date:
    """The next day from Monday to Friday."""
    return working_days_after(today, 1)


def due_by_priority(priority: Priority, today: date) -> date:
    """When a task that nobody gave a due date is due; an urgent one today, weekends too."""
    return working_days_after(today, WORKING_DAYS[priority])


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a task stands. Only a closed one has an outcome, and exactly a completed one a time of completion."""

    status: Status = "open"
    completed_at: datetime | None = None
    outcome: str | None = None

    def moved(self, status: Status, now: datetime, outcome: str | None = None) -> Standing:
        """The task in another status; in the one that it has, nothing changes. `Conflict` from one end to the other."""
        if status == self.status:
            return self
        if status == "open":
            return Standing()
        if self.status != "open":
            msg = (
                f"the task is {self.status}, so it cannot become {status}; "
                "bulk_update_tasks with status open reopens it first"
            )
            raise Conflict(msg, field="status", status=self.status)
        return replace(self, status=status, completed_at=now if status == "completed" else None, outcome=outcome)
