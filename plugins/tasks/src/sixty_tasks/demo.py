"""The tasks of the demo organisation: half a year of them, planned as the calls that people would have made.

Each task has a fate: most are done in time, some late, some are called off, and some are forgotten. What other packs
cause to be done is done by its owners as well: every few days they clear their desks.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from sixty_tasks.rules import PRIORITIES, due_by_priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sixty.demo import Demo, Planned
    from sixty.directory import User
    from sixty_tasks.rules import Priority

__all__ = ["COUNT", "plan"]

COUNT = 130
_OLDEST = 182
"""Days since the first task was made."""
_YEAR = 364
_ROUND = 4
"""Days from one look at what is due to the next."""
_SHARE = {"user": 4, "manager": 2, "admin": 1}
"""How many tasks the people in each role have, in proportion."""
_SATURDAY = 5
_FORGOTTEN_SINCE = 28
"""A task that was forgotten longer ago has been found again."""
_FATES = {"in time": 71, "late": 8, "called off": 8, "forgotten": 13}
"""How often each comes, in proportion."""

_ON_DEALS = (
    "Send the updated quote",
    "Prepare the demo for their team",
    "Answer the questions on data protection",
    "Get the discount approved",
    "Ask who signs and by when",
    "Send the reference customers",
    "Check the delivery date with operations",
    "Write the business case for their board",
    "Set up the trial account",
    "Go through the contract with legal",
)
_WITH_COMPANIES = (
    "Call {company} about the invitation to the user day",
    "Ask {company} how the first weeks went",
    "Find out who looks after purchasing at {company}",
    "Send {company} the new price list",
    "Introduce the support team to {company}",
    "Congratulate {company} on the new office",
    "Ask {company} for a reference",
)
_NOTES = (
    "They want it in writing.",
    "Keep it short: the last mail went unanswered.",
    "Promised on the phone.",
    "Ask a colleague who knows them before you call.",
)
_OUTCOMES = ("Done, they are happy with it", "Sent by mail", "Reached them on the phone", "They get back to us", "Done")
_EXCUSES = ("They have decided otherwise", "Somebody else has done it", "No longer needed")
_FOLLOW_UPS = ("Ask whether they have read it", "Call again", "Book a meeting about it")


def plan(demo: Demo) -> None:
    """All tasks are planned, more new ones than old ones, and each person's look at what is due, every few days."""
    chance = demo.random
    shares = [_SHARE[user.role] for user in demo.people]
    owners = [*demo.people, *chance.choices(demo.people, shares, k=COUNT - len(demo.people))]
    for owner in owners:
        age = 1 + int((_OLDEST - 1) * chance.random() ** 1.6)
        # of its own: how far a task has got differs from day to day, and must not change the others
        _Life(demo, owner, Random(chance.random())).plan(age)  # noqa: S311 - the same each time, which is what it is for
    for owner in demo.people:
        _clear_desk(demo, owner)


class _Life:
    """What happens to one task."""

    def __init__(self, demo: Demo, owner: User, chance: Random) -> None:
        self.demo, self.owner, self.chance = demo, owner, chance

    def plan(self, age: int) -> None:
        """Plan everything from the day it is made, `age` days ago, until yesterday."""
        made = _working_day(self.demo.today - timedelta(days=age), -1)
        (fate,) = self.chance.choices(list(_FATES), list(_FATES.values()))
        task, due = self._make(made)
        if fate == "forgotten" and age <= _FORGOTTEN_SINCE:
            return
        days_late = self.chance.randint(1, 6) if fate in ("late", "forgotten") else 0
        ended = _working_day(made + (due - made) * self.chance.random(), 1) if not days_late else due
        ended = _working_day(ended + timedelta(days=days_late), 1)
        if fate == "called off":
            self._end(ended, task["task_id"], status="cancelled", outcome=self._one_of(_EXCUSES))
        elif self._happens(0.15):
            self._follow(ended, task)
        else:
            self._end(ended, task["task_id"], outcome=self._one_of(_OUTCOMES))

    def _make(self, day: date) -> tuple[Planned, date]:
        """The task, and when it is due."""
        priority: Priority = self.chance.choices(PRIORITIES, (2, 6, 3, 1))[0]
        given: dict[str, Any] = {"priority": priority} if priority != "medium" else {}
        due = due_by_priority(priority, day)
        if self._happens(0.5):
            due = _working_day(day + timedelta(days=self.chance.randint(1, 12)), 1)
            given["due_date"] = due.isoformat()
        if self._happens(0.6):
            title = self._one_of(_ON_DEALS)
            given["deal_id"] = self.demo.one_of("deal", self.owner, optional=True)
        else:
            company = self._one_of(self.demo.companies)
            title = self._one_of(_WITH_COMPANIES).format(company=company.name)
            given["contact_id"] = self.demo.one_of("contact", company=company, optional=True)
        if self._happens(0.4):
            given["description"] = self._one_of(_NOTES)
        by = self.owner
        if self._happens(0.12):
            by = next(user for user in self.demo.people if user.team_id == by.team_id and user.role == "manager")
            given["assignee_id"] = self.owner.id
        return self.demo.at(self._at_work(day, 8, 12), by, "create_task", title=title, **given), due

    def _follow(self, day: date, task: Planned) -> None:
        """It is done, something remains to be done, and that is done a few days later."""
        days = self.chance.randint(2, 10)
        following = {"title": self._one_of(_FOLLOW_UPS), "due_in_days": days}
        ended = self._end(day, task["task_id"], outcome=self._one_of(_OUTCOMES), follow_up=following)
        if ended is not None:
            then = _working_day(day + timedelta(days=days), 1)
            self._end(then, ended["follow_up_task_id"], outcome=self._one_of(_OUTCOMES))

    def _end(self, day: date, task_id: Any, **given: Any) -> Planned | None:
        """The task has ended on a day, unless that is still to come."""
        moment = self._at_work(day, 13, 17)
        if day >= self.demo.today:
            return None
        return self.demo.at(moment, self.owner, "complete_task", task_id=task_id, **given)

    # the words in which lives are told

    def _at_work(self, day: date, first: int, last: int) -> datetime:
        return datetime.combine(day, time(first), UTC) + timedelta(
            seconds=self.chance.randint(0, (last - first) * 3600)
        )

    def _happens(self, how_often: float) -> bool:
        return self.chance.random() < how_often

    def _one_of(self, choices: Sequence[Any]) -> Any:
        return self.chance.choice(choices)


class _Automatic(list[Any]):
    """The ids of the tasks in the answer of a search that automations have made, read when the call is made.

    Where there is none, it stands for something that there never is, and so the call is left out.
    """

    def __init__(self, demo: Demo, found: Planned) -> None:
        super().__init__()
        self._demo, self._found = demo, found

    def __iter__(self) -> Iterator[Any]:
        answer = self._found.answer or {"tasks": ()}
        ids = [task["id"] for task in answer["tasks"] if "automation" in task]
        return iter(ids or [self._demo.one_of("automatic task")])


def _clear_desk(demo: Demo, owner: User) -> None:
    """Every few days, but not quite to the end, somebody does what automations have given them to do by then."""
    for age in range(demo.random.randint(3, 9), _YEAR, _ROUND):
        day = _working_day(demo.today - timedelta(days=age), -1)
        moment = datetime.combine(day, time(16, demo.random.randint(0, 59)), UTC)
        found = demo.at(moment, owner, "search_tasks", status="open", assignee_id=owner.id, due_before="+3_days")
        done = {"task_ids": _Automatic(demo, found), "updates": {"status": "completed"}}
        demo.at(moment + timedelta(minutes=5), owner, "bulk_update_tasks", **done)


def _working_day(day: date, direction: int) -> date:
    """The day itself, or the next one from Monday to Friday before or after it."""
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=direction)
    return day
