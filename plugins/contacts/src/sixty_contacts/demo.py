"""The contacts of the demo organisation, planned as the calls that people would have made.

Each company has one before any deal can be about it, and more in the course of the year.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from sixty.search import fold
from sixty_contacts.demo_people import CITIES, PHONES, ROLES, STREETS, TWICE

if TYPE_CHECKING:
    from sixty.demo import Company, Demo, Planned
    from sixty.directory import User
    from sixty_contacts.demo_people import Twice

__all__ = ["plan"]

_FIRST = (368, 390)
"""How many days ago the first contact of a company was made, from and to: before all deals."""
_YEAR = 360
_SATURDAY = 5
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "æ": "ae"})
"""Letters that are none with an accent."""


def plan(demo: Demo) -> None:
    """Two to four people are planned at each company, each entered by somebody, and some of them twice."""
    for company in demo.companies:
        _Staff(demo, company).plan()


class _Staff:
    """The people at one company, as far as they are known."""

    def __init__(self, demo: Demo, company: Company) -> None:
        self.demo, self.company = demo, company
        self.chance = Random(demo.random.random())  # noqa: S311 - the same each time, which is what it is for
        self.country = CITIES[company.city]
        self.keeper: User = self.chance.choice(demo.people)
        """Who has most to do with the company."""

    def plan(self) -> None:
        """Plan when each of them was met, and what became of it."""
        count = self.chance.randint(2, 4)
        first_names = self.chance.sample(self.country.first_names, count)
        names = list(zip(first_names, self.chance.sample(self.country.last_names, count), strict=True))
        twice = TWICE.get(self.company.name)
        if twice is not None:
            names[0] = twice.first_name, twice.last_name
        ages = [self.chance.randint(*_FIRST), *(self._age() for _ in names[1:])]
        for number, ((first, last), age) in enumerate(zip(names, ages, strict=True)):
            given = self._details(number)
            local = f"{_plain(first)}.{_plain(last)}"
            moment, planned = self._enter(age, self.keeper, first, last, local, **given)
            if number == 0:
                self._describe(moment, planned)
                if twice is not None:
                    self._enter_again(twice, given)
            elif self._happens(0.3):
                self._promote(moment, planned)

    def _details(self, number: int) -> dict[str, Any]:
        """What is known of somebody besides the name; not everything of everybody."""
        given: dict[str, Any] = {}
        if self._happens(0.9):
            given["role"] = self.chance.choice(ROLES)
        if self.company.city in PHONES and self._happens(0.8):
            given["phone"] = PHONES[self.company.city].format(10 * number + self.chance.randrange(10))
        address = {"city": self.company.city, "country": self.country.name}
        if self._happens(0.5):
            address["street"] = f"{self.chance.randint(1, 90)} {self.chance.choice(STREETS)}"
        given["address"] = address
        return given

    def _enter(self, age: int, user: User, first: str, last: str, local: str, **given: Any) -> tuple[datetime, Planned]:
        """Somebody enters a contact, who is left for the other packs."""
        moment = self._at_work(self.demo.today - timedelta(days=age))
        planned = self.demo.at(
            moment,
            user,
            "create_contact",
            first_name=first,
            last_name=last,
            email=f"{local}@{self.company.domain}",
            company_name=self.company.name,
            **given,
        )
        self.demo.leave("contact", self.company, planned["contact_id"])
        return moment, planned

    def _describe(self, moment: datetime, planned: Planned) -> None:
        """What the company does, and for some how large it is."""
        updates: dict[str, Any] = {"industry": self.company.industry}
        if self._happens(0.6):
            updates["size"] = 10 * self.chance.randint(2, 400)
        self._call(moment, "update_company", company_id=planned["company_id"], updates=updates)

    def _enter_again(self, twice: Twice, given: dict[str, Any]) -> None:
        """A colleague meets the same person later, and does not look."""
        colleague = self.chance.choice([user for user in self.demo.people if user is not self.keeper])
        last = _plain(twice.other_last_name)
        local = f"{_plain(twice.other_first_name)[0]}.{last}"
        phone = {"phone": given["phone"]} if "phone" in given else {}
        address = {"city": self.company.city, "country": self.country.name}
        age = self.chance.randint(2, 200)
        first, last = twice.other_first_name, twice.other_last_name
        self._enter(age, colleague, first, last, local, address=address, **phone)

    def _promote(self, moment: datetime, planned: Planned) -> None:
        """They do something else at their company some time later, if that has come yet."""
        later = moment.date() + timedelta(days=self.chance.randint(30, 200))
        role = self.chance.choice(ROLES)
        if later < self.demo.today - timedelta(days=1):
            updates = {"role": role}
            at = max(self._at_work(later), moment)
            self._call(at, "update_contact", contact_id=planned["contact_id"], updates=updates)

    def _call(self, moment: datetime, tool: str, **arguments: Any) -> None:
        self.demo.at(moment + timedelta(seconds=self.chance.randint(40, 400)), self.keeper, tool, **arguments)

    def _happens(self, how_often: float) -> bool:
        return self.chance.random() < how_often

    def _age(self) -> int:
        return 1 + int(_YEAR * self.chance.random())

    def _at_work(self, day: date) -> datetime:
        """Some time of that day, or of the Friday before."""
        if day.weekday() >= _SATURDAY:
            day -= timedelta(days=day.weekday() - _SATURDAY + 1)
        return datetime.combine(day, time(8), UTC) + timedelta(seconds=self.chance.randint(0, 9 * 3600))


def _plain(name: str) -> str:
    """The name as it stands in an address."""
    return fold(name).replace(" ", ".").translate(_LETTERS)
