"""The deals of the demo organisation: a year of pipeline, planned as the calls that people would have made.

Each deal is a life of its own, from the day it was opened to the day it was won or lost, or to yesterday.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from sixty_deals.rules import STAGES, WON_STAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.demo import Company, Demo, Planned
    from sixty.directory import User
    from sixty_deals.rules import Stage

__all__ = ["COUNT", "plan"]

COUNT = 120
_OLDEST = 364
"""Days since the first deal was opened."""
_SHARE = {"user": 4, "manager": 2, "admin": 1}
"""How many deals the people in each role have, in proportion."""
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class _Product:
    title: str
    least: int
    most: int


_PRODUCTS = (
    _Product("Starter plan, {seats} seats", 4_000, 18_000),
    _Product("Team plan, {seats} seats", 12_000, 80_000),
    _Product("Site license for {city}", 60_000, 240_000),
    _Product("Framework agreement", 90_000, 400_000),
    _Product("Rollout in {city}", 40_000, 180_000),
    _Product("Pilot with the {city} office", 5_000, 15_000),
    _Product("{industry} package", 25_000, 120_000),
    _Product("Analytics add-on", 8_000, 30_000),
    _Product("Support renewal", 6_000, 45_000),
    _Product("Data migration", 10_000, 70_000),
    _Product("Onboarding and training", 4_000, 20_000),
    _Product("Security review", 6_000, 18_000),
)
_SEAT = 480
"""What a seat costs in a year."""
_NOTES = (
    "Came in through the website.",
    "Met at the trade fair; wants a demo for the whole team.",
    "Referred by a customer. Compares us with two others.",
    "A renewal, and happy so far.",
    "The budget is for this year and must be spent in it.",
    "Needs a data processing agreement before anything is signed.",
    "Wants a quote before the board meets.",
    "The head of operations wants it; finance has the last word.",
)
_REASONS: dict[Stage, tuple[str, ...]] = {
    "opportunity": ("Budget confirmed", "The first call went well", "The decision maker is on board"),
    "verbal": ("Verbal yes from purchasing", "Terms agreed, contract with legal", "Chosen over two others"),
    "signed": ("Contract signed", "Purchase order received"),
}
_SETBACKS = ("Legal wants other terms", "The scope is open again", "There is a new decision maker")
_LOSSES = (
    "No budget this year",
    "Chose a competitor: price",
    "Chose a competitor: features",
    "The project is on hold",
    "Stopped answering",
    "Builds it in house",
)
_STAYS: dict[Stage, tuple[int, int]] = {"sql": (4, 40), "opportunity": (10, 70), "verbal": (5, 40)}
"""The days that a deal spends in a stage, from and to."""
_CLOSES: dict[Stage, tuple[int, int]] = {"sql": (50, 150), "opportunity": (25, 90), "verbal": (7, 40)}
"""In how many days a deal in a stage is expected to close, from and to."""
_ADVANCES: dict[Stage, float] = {"sql": 0.75, "opportunity": 0.70, "verbal": 0.85}
"""How often a deal leaves a stage for another one, and is not lost in it."""


def plan(demo: Demo) -> None:
    """All deals are planned: each company has one, everybody has some, and there are more new ones than old ones."""
    chance = demo.random
    ages = [_OLDEST, *(1 + int(_OLDEST * chance.random() ** 1.6) for _ in range(COUNT - 1))]
    companies = [*demo.companies, *chance.choices(demo.companies, k=COUNT - len(demo.companies))]
    shares = [_SHARE[user.role] for user in demo.people]
    owners = [*demo.people, *chance.choices(demo.people, shares, k=COUNT - len(demo.people))]
    chance.shuffle(companies)
    for age, company, owner in zip(ages, companies, owners, strict=True):
        _Life(demo, company, owner).plan(demo.today - timedelta(days=age))


class _Today(Exception):
    """What comes next has not happened yet."""


class _Life:
    """What happens to one deal. `now` is how far it has got."""

    now: datetime
    deal: Planned
    stage: Stage
    worth: int
    """What it is about, be it known or not."""

    def __init__(self, demo: Demo, company: Company, owner: User) -> None:
        self.demo, self.company, self.owner = demo, company, owner
        # of its own: how far a deal has got differs from day to day, and must not change the others
        self.chance = Random(demo.random.random())  # noqa: S311 - the same each time, which is what it is for
        self.value: int | None = None
        self.close: date | None = None

    def plan(self, opened: date) -> None:
        """Plan everything from the day it is opened until yesterday."""
        self._open(opened)
        try:
            while self.stage != WON_STAGE:
                self._stay()
                if self.chance.random() < _ADVANCES[self.stage]:
                    self._move()
                elif not self._lose():
                    return
            self._follow_up()
        except _Today:
            return

    def _open(self, day: date) -> None:
        if day.weekday() >= _SATURDAY:
            day -= timedelta(days=day.weekday() - _SATURDAY + 1)
        self.now = self._at_work(day)
        self.stage = self._one_of(STAGES[:3], (85, 12, 3))
        product = self._one_of(_PRODUCTS)
        self.worth = int(self.chance.triangular(product.least, product.most) / 100) * 100
        seats = max(5, self.worth // _SEAT)
        title = product.title.format(seats=seats, city=self.company.city, industry=self.company.industry)
        given: dict[str, Any] = {"title": title, "company_name": self.company.name, "stage": self.stage}
        if self._happens(0.9):
            given["value"] = self.value = self.worth
        if self._happens(0.75):
            given["expected_close_date"] = self._expect()
        if self._happens(0.5):
            given["notes"] = self._one_of(_NOTES)
        given["contact_id"] = self.demo.one_of("contact", company=self.company, optional=True)
        self.deal = self._call("create_deal", **given)
        self.demo.leave("deal", self.company, self.deal["deal_id"])

    def _stay(self) -> None:
        """Time passes in the stage; some days that were promised for the contract come and go."""
        days = 300 if self._happens(0.04) else self._number(*_STAYS[self.stage])
        until = self.now.date() + timedelta(days=days)
        while self.close is not None and self.now.date() < self.close < until and self._happens(0.6):
            self._go_to(self.close)
            self._update(expected_close_date=self._expect())
        self._go_to(until)

    def _move(self) -> None:
        """On to the next stage, seldom over one, seldom back."""
        if self._happens(0.06):
            self._hand_over()
        found_out: dict[str, Any] = {}
        if self.value is None and self._happens(0.5):
            found_out["value"] = self.value = self.worth
        elif self.value is not None and self._happens(0.15):
            found_out["value"] = self.value = int(self.value * 0.9)
        if self.close is None and self._happens(0.5):
            found_out["expected_close_date"] = self._expect()
        if found_out:
            self._update(**found_out)
        if self.stage == "verbal" and self._happens(0.12):
            self.stage, reason = "opportunity", self._one_of(_SETBACKS)
        else:
            self.stage = STAGES[min(STAGES.index(self.stage) + (2 if self._happens(0.05) else 1), len(STAGES) - 1)]
            reason = self._one_of(_REASONS[self.stage])
        explained = {"reason": reason} if self._happens(0.8) else {}
        self._call("move_deal_stage", deal_id=self.deal["deal_id"], stage=self.stage, **explained)

    def _lose(self) -> bool:
        """It is lost; whether it came back later."""
        self._update(status="lost", lost_reason=self._one_of(_LOSSES))
        if not self._happens(0.06):
            return False
        self._go_to(self.now.date() + timedelta(days=self._number(20, 60)))
        self._update(status="open", expected_close_date=self._expect())
        return True

    def _follow_up(self) -> None:
        """What is done with a deal that is won."""
        if self._happens(0.5):
            self._update(contract_end_date=(self.now.date() + timedelta(days=365)).isoformat())
        if self.value is not None and self._happens(0.5):
            self._go_to(self.now.date() + timedelta(days=self._number(1, 4)))
            admin = next(user for user in self.demo.people if user.role == "admin")
            monthly = self.value // 5
            split = {"monthly_mrr": monthly, "one_off_revenue": self.value - 3 * monthly}
            self._call("split_deal_revenue", by=admin, deal_id=self.deal["deal_id"], **split)

    def _hand_over(self) -> None:
        """The manager of the team gives it to a colleague."""
        team = [user for user in self.demo.people if user.team_id == self.owner.team_id]
        manager = next(user for user in team if user.role == "manager")
        heir = self._one_of([user for user in team if user is not self.owner])
        self._update(by=manager, owner_id=heir.id)
        self.owner = heir

    # the words in which lives are told

    def _update(self, by: User | None = None, **updates: Any) -> None:
        self._call("update_deal", by=by, deal_id=self.deal["deal_id"], updates=updates)

    def _call(self, tool: str, by: User | None = None, **arguments: Any) -> Planned:
        planned = self.demo.at(self.now, by or self.owner, tool, **arguments)
        self.now += timedelta(seconds=self._number(40, 400))
        return planned

    def _expect(self) -> str:
        """The day on which it is now expected to close."""
        self.close = self.now.date() + timedelta(days=self._number(*_CLOSES[self.stage]))
        return self.close.isoformat()

    def _go_to(self, day: date) -> None:
        """It is that day, or the Monday after it. Raises `_Today` if it has not come yet."""
        if day.weekday() >= _SATURDAY:
            day += timedelta(days=7 - day.weekday())
        if day >= self.demo.today:
            raise _Today
        self.now = max(self.now, self._at_work(day))

    def _at_work(self, day: date) -> datetime:
        return datetime.combine(day, time(8), UTC) + timedelta(seconds=self._number(0, 9 * 3600))

    def _happens(self, how_often: float) -> bool:
        return self.chance.random() < how_often

    def _number(self, least: int, most: int) -> int:
        return self.chance.randint(least, most)

    def _one_of(self, choices: Sequence[Any], weights: Sequence[int] | None = None) -> Any:
        return self.chance.choices(choices, weights)[0]
