"""The pipeline of a made-up organisation: deals, their stays in stages, and activities. The same on each run.

Rows are plain tuples of what a database holds: 16 bytes for an id, seconds since 1970 for a moment, cents for money.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sixty.crm import STAGES, WON_STAGE
from sixty.tables import records, search, teams, users
from sixty_activities.tables import activities
from sixty_deals.rules import path_of
from sixty_deals.tables import deal_stages, deals

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

__all__ = ["PEOPLE", "TEAMS", "Chunk", "Pipeline", "columns"]

PEOPLE, TEAMS = 200, 20
DAY = 86_400
SPAN = 3 * 365 * DAY
"""How long ago the first deal was opened, in seconds."""
AT_ONCE = 5_000
ACTIVITIES_PER_DEAL = 3
PLANNED = 0.027
"""How many activities of open deals are still to be held, or overdue: about one to fifty deals in all."""
PRODUCTS = ["Enterprise License", "Starter Plan", "Support Renewal", "Data Migration", "Onboarding", "Audit", "Pilot"]
COMPANIES = ["Acme", "Globex", "Initech", "Umbrella", "Hooli", "Vandelay", "Stark", "Wayne", "Tyrell", "Cyberdyne"]
SECTORS = ["Logistics", "Foods", "Energy", "Health", "Robotics", "Textiles", "Media", "Travel"]
NOTES = ["Wants a quote before the board meets", "Compares us with two others", "A renewal and happy so far", None]
TYPES = {"call": 40, "email": 30, "meeting": 18, "task": 8, "proposal_sent": 4}
ABOUT = ["Ask about the budget", "Walk through the offer", "Agree on the next step", "Send the references"]
Row = tuple[Any, ...]
Chunk = dict["sa.Table", list[Row]]
"""Rows of each table, in the order of `columns`."""

_SPINE = ("id", "owner_id", "version", "created_at", "updated_at")
_COLUMNS: dict[sa.Table, tuple[str, ...]] = {
    teams: ("id", "name"),
    users: ("id", "email", "name", "role", "team_id", "created_at"),
    records: ("id", "kind", *_SPINE[1:]),
    search: ("record_id", "kind", "title", "body"),
    deals: (
        *_SPINE,
        *("title", "company_name", "value", "stage", "status", "expected_close_date", "notes", "monthly_mrr"),
        *("one_off_revenue", "stage_entered_at", "path", "opened_at", "closed_at"),
    ),
    deal_stages: ("id", "deal_id", "stage", "from_stage", "entered_at", "left_at"),
    activities: (
        *_SPINE,
        *("type", "status", "description", "deal_id", "scheduled_at", "duration_minutes", "completed_at", "happens_at"),
    ),
}


def columns(table: sa.Table) -> tuple[str, ...]:
    """The columns that rows of a table have here; all others are empty."""
    return _COLUMNS[table]


@dataclass(frozen=True, slots=True)
class _Course:
    """How a deal went: the stages entered and when, and when it was closed."""

    stages: list[str]
    entered: list[float]
    status: str
    closed: float | None

    @property
    def last(self) -> float:
        return self.closed or self.entered[-1]


class Pipeline:
    """So many deals until a moment, and three times as many activities."""

    def __init__(self, size: int, now: float) -> None:
        self._size = size
        self._now = now
        self._chance = random.Random(size)
        self._count = 0
        self.teams = [self._id(now - SPAN) for _ in range(TEAMS)]
        self.people = [self._id(now - SPAN) for _ in range(PEOPLE)]
        self._owners = [*self.people, None]
        self._shares = [1 / (1 + place % 40) for place in range(PEOPLE)]
        self._shares.append(sum(self._shares) / 100)  # and one in a hundred is nobody's

    def staff(self) -> Chunk:
        """The people, ten to a team, whose first one manages it."""
        began = self._now - SPAN
        return {
            teams: [(team, f"Team {place}") for place, team in enumerate(self.teams)],
            users: [
                (
                    person,
                    f"person{place}@example.com",
                    f"Person {place}",
                    "manager" if place < TEAMS else "user",
                    self.teams[place % TEAMS],
                    began,
                )
                for place, person in enumerate(self.people)
            ],
        }

    def chunks(self) -> Iterator[Chunk]:
        """All the rest, some thousand deals at a time, the oldest first."""
        for first in range(0, self._size, AT_ONCE):
            count = min(AT_ONCE, self._size - first)
            owners = self._chance.choices(self._owners, self._shares, k=count)
            chunk: Chunk = {records: [], deals: [], deal_stages: [], activities: [], search: []}
            for number, owner in enumerate(owners, first):
                self._deal(number, owner, chunk)
            yield chunk

    def _deal(self, number: int, owner: bytes | None, chunk: Chunk) -> None:
        chance = self._chance
        opened = self._now - SPAN + (number + chance.random()) / self._size * SPAN
        course = self._course(opened)
        key = self._id(opened)
        spine = (owner, 1, opened, course.last)
        title = f"{chance.choice(PRODUCTS)} {number}"
        company = f"{chance.choice(COMPANIES)} {chance.choice(SECTORS)}" if self._happens(0.97) else None
        notes = chance.choice(NOTES)
        position = (course.entered[-1], path_of(course.stages), opened, course.closed)
        worth, mrr, once = self._worth()
        plain = (title, company, worth, course.stages[-1], course.status, self._expected(course), notes, mrr, once)
        chunk[records].append((key, "deal", *spine))
        chunk[deals].append((key, *spine, *plain, *position))
        chunk[search].append((key, "deal", title.lower(), f"{company or ''} {notes or ''}".strip().lower()))
        for place, (stage, entered) in enumerate(zip(course.stages, course.entered, strict=True)):
            before = course.stages[place - 1] if place else None
            left = course.entered[place + 1] if place + 1 < len(course.entered) else None
            chunk[deal_stages].append((self._id(opened), key, stage, before, entered, left))
        for _ in range(ACTIVITIES_PER_DEAL):
            self._activity(key, owner, course, chunk)

    def _course(self, opened: float) -> _Course:
        """Most deals take some weeks, a few take a year, and some are never closed."""
        chance = self._chance
        stages = ["sql" if self._happens(0.85) else "opportunity"]
        cycle = min(chance.lognormvariate(4.0, 0.8), 500) * DAY
        is_open = opened + cycle > self._now or self._happens(0.2)
        wins = not is_open and self._happens(0.43)
        while stages[-1] != WON_STAGE and (wins or self._happens(0.55)):
            place = STAGES.index(stages[-1]) + (2 if self._happens(0.05) else 1)
            if self._happens(0.04):
                place = max(0, place - 2)
            stages.append(STAGES[min(place, len(STAGES) - (1 if wins else 2))])
            if stages[-1] == stages[-2]:
                stages.pop()
                break
        ends = min(opened + cycle, self._now - 1)
        gaps = [chance.random() + 0.05 for _ in stages]
        length, spent, entered = sum(gaps), 0.0, [opened]
        for gap in gaps[:-1]:
            spent += gap
            entered.append(opened + (ends - opened) * spent / length)
        if wins and stages[-1] == WON_STAGE:
            return _Course(stages, entered, "won", entered[-1])
        return _Course(stages, entered, "open" if is_open else "lost", None if is_open else ends)

    def _worth(self) -> tuple[int | None, int | None, int | None]:
        """The value, or the monthly and the one-off revenue, in cents; of some deals nobody knows it."""
        chance = self._chance
        if self._happens(0.08):
            return None, None, None
        cents = int(min(chance.lognormvariate(9.2, 1.2), 10_000_000) * 100)
        return (None, cents // 6 + 1, cents // 2 + 1) if self._happens(0.03) else (cents, None, None)

    def _expected(self, course: _Course) -> date | None:
        if self._happens(0.1):
            return None
        day = (course.closed or course.entered[0] + 90 * DAY) + self._chance.gauss(0, 30) * DAY
        return date.fromtimestamp(day)  # noqa: DTZ012 - any day near it will do

    def _activity(self, deal: bytes, owner: bytes | None, course: _Course, chunk: Chunk) -> None:
        chance = self._chance
        opened = course.entered[0]
        kind = chance.choices(list(TYPES), list(TYPES.values()))[0]
        about = f"{chance.choice(ABOUT)} {self._count % 9973}"
        planned = completed = None
        status = "cancelled" if self._happens(0.04) else "completed"
        happens = opened + chance.random() * max(course.last - opened, DAY)
        happens = min(happens - happens % DAY + chance.gauss(13, 3) % 24 * 3600, self._now - 1)
        if course.status == "open" and self._happens(PLANNED):
            status, happens = "scheduled", self._now + chance.gauss(7, 14) * DAY
        if status == "completed":
            completed = happens
        if status != "completed" or self._happens(0.3):
            planned = happens
        minutes = chance.randrange(5, 90, 5) if self._happens(0.8) else None
        key = self._id(opened)
        spine = (owner, 1, opened, min(happens, self._now))
        chunk[records].append((key, "activity", *spine))
        linked = deal if self._happens(0.95) else None
        chunk[activities].append((key, *spine, kind, status, about, linked, planned, minutes, completed, happens))
        chunk[search].append((key, "activity", about.lower(), ""))

    def _happens(self, share: float) -> bool:
        """Whether something is so that is so in this share of all cases."""
        return self._chance.random() < share

    def _id(self, moment: float) -> bytes:
        """The next id, a UUID of the seventh kind."""
        self._count += 1
        head = int(moment * 1000) << 80 | 7 << 76 | (self._count >> 50 & 0xFFF) << 64
        return (head | 2 << 62 | self._count << 12 | self._chance.getrandbits(12)).to_bytes(16)
