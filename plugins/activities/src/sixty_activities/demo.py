"""The activities of the demo organisation: six months of them, planned as the calls that people would have made.

Each is a life of its own: logged once it has happened, or scheduled and then held, moved, called off or forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from sixty_activities.rules import week_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.demo import Demo, Planned
    from sixty.directory import User

__all__ = ["plan"]

_PAST, _AHEAD = 26, 2
"""Weeks before and after the present one."""
_A_WEEK = (5, 8)
"""How many activities there are in a week, from and to."""
_SHARE = {"user": 4, "manager": 2, "admin": 1}
"""How many activities the people in each role have, in proportion."""
_RECENT = 21
"""Days within which something may have been forgotten: what is older has been tidied up."""


@dataclass(frozen=True, slots=True)
class _Type:
    name: str
    share: int
    minutes: tuple[int, ...]
    planned: float
    """How often it is scheduled, and not logged afterwards."""
    whom: str
    """How a description goes on with a company."""
    descriptions: tuple[str, ...]
    outcomes: tuple[str, ...]


_TYPES = (
    _Type(
        "call",
        40,
        (10, 15, 20, 30),
        0.4,
        " with {}",
        (
            "Discovery call{whom}: goals, budget and timeline",
            "Check in{whom} on the open questions",
            "Call{whom} about the quote",
            "Talk through the contract{whom}",
            "Talk about who else decides{whom}",
            "First call{whom}",
            "Second try after a missed call{whom}",
        ),
        (
            "Interested; wants numbers by Friday",
            "Left a message with the front desk",
            "Budget is there, timing is not",
            "Legal has two questions about the data processing agreement",
            "Asked for a discount of ten percent",
            "Happy with the pilot; talks to the board next week",
        ),
    ),
    _Type(
        "meeting",
        28,
        (30, 45, 60, 90),
        0.9,
        " with {}",
        (
            "Product demo{whom}",
            "Kick-off workshop{whom}",
            "Quarterly review{whom}",
            "Negotiate terms{whom}",
            "First meeting{whom}: the new head of operations",
            "Security review{whom}",
        ),
        (
            "They want the reporting module as well",
            "Agreed on the next steps and on who does what",
            "The finance team needs a business case",
            "Good demo; single sign-on is a must",
            "Moved to a three-year term",
        ),
    ),
    _Type(
        "email",
        25,
        (5, 10),
        0.1,
        " for {}",
        (
            "Price list{whom}",
            "Case studies{whom}",
            "Answers to the security questionnaire{whom}",
            "Minutes of the last meeting{whom}",
            "Introduction of the support team{whom}",
        ),
        ("Answered the same day", "No answer yet", "Forwarded to purchasing"),
    ),
    _Type(
        "task",
        7,
        (15, 30, 60),
        0.8,
        " for {}",
        (
            "Prepare the business case{whom}",
            "Check references{whom}",
            "Update the account plan{whom}",
        ),
        ("Done and filed", "Done; two numbers are still estimates"),
    ),
)
_NOTES = (
    "Best reached before ten.",
    "Bring the comparison with the present supplier.",
    "Prefers short mails.",
    "The assistant keeps the calendar.",
)
_DELAYS = ("They asked for another day", "Double booked", "Waiting for the legal review", "On a business trip")
_CANCELLATIONS = ("They have no time this month", "Settled by mail", "The project is on hold")


def plan(demo: Demo) -> None:
    """Every week has its activities, until the week after next; who has many deals has many of them."""
    chance = demo.random
    shares = [_SHARE[user.role] for user in demo.people]
    monday = week_of(demo.today)
    for week in range(-_PAST, _AHEAD + 1):
        for _ in range(chance.randint(*_A_WEEK)):
            owner = chance.choices(demo.people, shares)[0]
            day = monday + timedelta(weeks=week, days=chance.randrange(5))
            _Life(demo, owner).plan(day)


class _Life:
    """What happens to one activity."""

    def __init__(self, demo: Demo, owner: User) -> None:
        self.demo, self.owner = demo, owner
        # of its own: how far it has got differs from day to day, and must not change the others
        self.chance = Random(demo.random.random())  # noqa: S311 - the same each time, which is what it is for

    def plan(self, day: date) -> None:
        """Plan what has happened to it before today, when its day is `day`."""
        kind = self._one_of(_TYPES, [kind.share for kind in _TYPES])
        planned = self._happens(kind.planned)
        at = datetime.combine(day, time(8), UTC) + timedelta(minutes=15 * self._number(0, 36))
        given = self._given(kind)
        if planned or day >= self.demo.today:
            self._schedule(kind, at, given)
        else:
            if self._happens(0.8):
                given["outcome"] = self._one_of(kind.outcomes)
            self._call(at, "create_activity", **given)

    def _given(self, kind: _Type) -> dict[str, Any]:
        """What it is and whom it is about: a deal of theirs, or somebody at a company and a deal with it, if any."""
        given: dict[str, Any] = {"type": kind.name, "duration_minutes": self._one_of(kind.minutes)}
        company = self._one_of(self.demo.companies)
        whom = ""
        if self._happens(0.5):
            given["deal_id"] = self.demo.one_of("deal", self.owner, optional=True)
        else:
            whom = kind.whom.format(company.name)
            given["contact_id"] = self.demo.one_of("contact", company=company, optional=True)
            given["deal_id"] = self.demo.one_of("deal", self.owner, company=company, optional=True)
        given["description"] = self._one_of(kind.descriptions).format(whom=whom)
        if self._happens(0.3):
            given["notes"] = self._one_of(_NOTES)
        return given

    def _schedule(self, kind: _Type, at: datetime, given: dict[str, Any]) -> None:
        """It is scheduled some days before, sometimes moved, and then held, called off, or forgotten."""
        moved = self._happens(0.15)
        first = at - timedelta(days=7) if moved else at
        made = self._before(first)
        activity = self._call(made, "create_activity", **given, scheduled_at=first.isoformat())
        if moved:
            later = made + timedelta(minutes=self._number(1, 30))
            reason = self._one_of(_DELAYS)
            self._follow(activity, later, "reschedule_activity", scheduled_at=at.isoformat(), reason=reason)
        if self._happens(0.08):
            why = self._one_of(_CANCELLATIONS)
            self._follow(activity, at - timedelta(hours=1), "complete_activity", status="cancelled", outcome=why)
        elif not self._happens(0.4) or (self.demo.today - at.date()).days > _RECENT:
            afterwards = at + timedelta(minutes=given["duration_minutes"] + self._number(1, 20))
            self._follow(activity, afterwards, "complete_activity", outcome=self._one_of(kind.outcomes))

    # the words in which lives are told

    def _call(self, moment: datetime, tool: str, **arguments: Any) -> Planned:
        return self.demo.at(moment, self.owner, tool, **arguments)

    def _follow(self, activity: Planned, moment: datetime, tool: str, **arguments: Any) -> None:
        """Plan what is done with an activity later, unless that moment has not come yet."""
        if moment.date() < self.demo.today:
            self._call(moment, tool, activity_id=activity["activity_id"], **arguments)

    def _before(self, at: datetime) -> datetime:
        """A moment at work, some days before, and before today."""
        day = min(at.date(), self.demo.today) - timedelta(days=self._number(1, 9))
        return datetime.combine(_workday(day), at.time(), UTC) + timedelta(seconds=self._number(0, 900))

    def _happens(self, how_often: float) -> bool:
        return self.chance.random() < how_often

    def _number(self, least: int, most: int) -> int:
        return self.chance.randint(least, most)

    def _one_of(self, choices: Sequence[Any], weights: Sequence[int] | None = None) -> Any:
        return self.chance.choices(choices, weights)[0]


def _workday(day: date) -> date:
    """The day, or the Friday before it."""
    return day - timedelta(days=max(0, day.weekday() - 4))
