"""What was won and what is expected, by calendar month; and how that stands against the targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import DateRange, Instant, Invalid
from sixty.crm import DEALS
from sixty_analytics.periods import UNITS, Period, containing, periods_within
from sixty_analytics.sums import END, START, WON, cents, count_where, is_open, value_sum
from sixty_analytics.targets import Holder, may_see, targets_of
from sixty_analytics.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sixty import Call, Row

__all__ = ["Attainment", "Expected", "Forecast", "Outside", "attainments", "forecast", "year_of"]

MOST = 120
"""Months that one forecast has: ten years."""
_closes = DEALS.c.expected_close_date


@dataclass(frozen=True, slots=True)
class Expected:
    """Deals won, and open ones that are expected to close. Money is None where no value is known."""

    won: int = 0
    won_value: Decimal | None = None
    open: int = 0
    open_value: Decimal | None = None
    weighted: Decimal | None = None
    """Of open deals, before it is rounded."""
    unvalued: int = 0
    """Deals of unknown value among both."""

    def __add__(self, other: Expected) -> Expected:
        return Expected(
            self.won + other.won,
            _sum(self.won_value, other.won_value),
            self.open + other.open,
            _sum(self.open_value, other.open_value),
            _sum(self.weighted, other.weighted),
            self.unvalued + other.unvalued,
        )

    @property
    def weighted_value(self) -> Decimal | None:
        """To the cent."""
        return cents(self.weighted)

    @property
    def total(self) -> Decimal | None:
        """What is won, and what is expected by weight."""
        return cents(_sum(self.won_value, self.weighted))


@dataclass(frozen=True, slots=True)
class Outside:
    """Open deals that no month has, by reason."""

    no_date: int
    overdue: int
    """Expected before today."""
    later: int


@dataclass(frozen=True, slots=True)
class Attainment:
    """How a holder stands in a period. Without a target, `target` and the shares of it are None."""

    period: Period
    holder: Holder
    name: str
    expected: Expected
    target: Decimal | None = None

    @property
    def won_share(self) -> float | None:
        """What is won, of the target."""
        return self._share(self.expected.won_value)

    @property
    def total_share(self) -> float | None:
        """What is won or expected, of the target."""
        return self._share(self.expected.total)

    def _share(self, value: Decimal | None) -> float | None:
        return None if self.target is None else round(float((value or Decimal(0)) / self.target), 4)


@dataclass(frozen=True)
class Forecast:
    """The months of a window, whole or in part, with what each owner has in each."""

    window: Window
    months: tuple[Period, ...]
    owners: Mapping[str | None, Mapping[int, Expected]]
    """By the id of the owner and the place of the month."""
    outside: Outside
    _nothing: Expected = field(default_factory=Expected)

    def of_month(self, place: int) -> Expected:
        """Everybody's in one month."""
        return self._added(months.get(place) for months in self.owners.values())

    def within(self, span: Period, owners: Iterable[str | None]) -> Expected:
        """What some owners have in the months of a period."""
        places = [place for place, month in enumerate(self.months) if span.first <= month.first <= span.last]
        return self._added(self.owners.get(owner, {}).get(place) for owner in owners for place in places)

    @property
    def total(self) -> Expected:
        """Everybody's in the whole window."""
        return self._added(self.of_month(place) for place in range(len(self.months)))

    def _added(self, found: Iterable[Expected | None]) -> Expected:
        return sum((each for each in found if each is not None), self._nothing)


def year_of(call: Call, start: date | None, end: date | None) -> Window:
    """The window: without a start or an end, from the first or to the last day of the year of the other, or of today.

    Raises `Invalid` if it would begin after its end, or if it has too many months.
    """
    first = start or containing("year", end or call.today).first
    last = end or containing("year", start or call.today).last
    window = Window.of(call, first, last, days=1)
    if (last.year - first.year) * 12 + last.month - first.month >= MOST:
        msg = f"a forecast has at most {MOST} months; from {first} to {last} there are more; ask for fewer"
        raise Invalid(msg, field="start", given=str(first))
    return window


async def forecast(call: Call, window: Window) -> Forecast:
    """What was won in each month, and what is expected from today on, weighted by stage."""
    months = _months(window)
    values = {**window.moments, **_bounds(months, window), "first": max(window.first, call.today), "last": window.last}
    values |= {"today": call.today}
    found: dict[str | None, dict[int, Expected]] = {}
    for row in await call.rows(_won(len(months)), values):
        worth = Expected(row["deals"], row["value"], unvalued=row["deals"] - row["valued"])
        _add(found, row, worth)
    for row in await call.rows(_expected(len(months)), values):
        weighted = None if row["value"] is None else row["value"] * Decimal(repr(row["weight"]))
        unvalued = row["deals"] - row["valued"]
        _add(found, row, Expected(0, None, row["deals"], row["value"], weighted, unvalued))
    (outside,) = await call.rows(_outside(), values)
    return Forecast(window, tuple(months), found, Outside(**outside))


async def attainments(call: Call, found: Forecast) -> list[Attainment]:
    """How whoever the caller may see stands against targets, in the periods that lie in the window.

    In those of today, and in those that somebody has a target for; without either, in the longest that there are.
    """
    within = [each for unit in UNITS for each in periods_within(unit, found.window.first, found.window.last)]
    set_for = await targets_of(call, found.window.first, found.window.last)
    named = {name for name, _ in set_for}
    spans = [each for each in within if each.first <= call.today <= each.last or each.name in named]
    if within and not spans:
        spans = [each for each in within if each.unit == within[-1].unit]
    holders = _holders(call, found.owners)
    every = [
        Attainment(span, holder, name, found.within(span, owners), set_for.get((span.name, holder)))
        for span in sorted(spans, key=lambda each: (UNITS.index(each.unit), each.first))
        for holder, name, owners in holders
    ]
    return [each for each in every if each.holder.user_id is None or each.target is not None or each.expected != NONE]


NONE = Expected()
"""No deal at all."""


def _holders(call: Call, owners: Iterable[str | None]) -> list[tuple[Holder, str, list[str | None]]]:
    """Everybody, the teams and the users whose targets the caller may see; each with the owners that count for it."""
    users = sorted(call.directory.users.values(), key=lambda user: (user.name, user.id))
    found: list[tuple[Holder, str, list[str | None]]] = [(Holder(), "everybody", list(owners))]
    for team in call.directory.teams.values():
        members: list[str | None] = [user.id for user in users if user.team_id == team.id]
        found.append((Holder(team_id=team.id), f"team {team.name}", members))
    found.extend((Holder(user_id=user.id), user.name, [user.id]) for user in users)
    return [each for each in found if may_see(call, each[0])]


def _add(found: dict[str | None, dict[int, Expected]], row: Row, more: Expected) -> None:
    months = found.setdefault(row["owner_id"], {})
    months[row["month"]] = months.get(row["month"], NONE) + more


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else one + other


def _months(window: Window) -> list[Period]:
    """Every month of which a day lies in the window."""
    months = [containing("month", window.first)]
    while months[-1].last < window.last:
        months.append(containing("month", date.fromordinal(months[-1].last.toordinal() + 1)))
    return months


def _bounds(months: Sequence[Period], window: Window) -> dict[str, Any]:
    """The first day of each month but the first, and the moment at which it begins."""
    values: dict[str, Any] = {}
    for place, month in enumerate(months[1:]):
        values[f"day_{place}"] = month.first
        values[f"moment_{place}"] = DateRange(start=month.first).moments(window.zone)[0]
    return values


def _month(column: sa.ColumnElement[Any], name: str, kind: Any, months: int) -> sa.ColumnElement[int]:
    """The place of the month in which a column lies."""
    if months == 1:
        return sa.literal_column("0", sa.Integer)
    bounds = [sa.bindparam(f"{name}_{place}", type_=kind) for place in range(months - 1)]
    cases = [(column < bound, sa.literal_column(str(place), sa.Integer)) for place, bound in enumerate(bounds)]
    return sa.case(*cases, else_=sa.literal_column(str(months - 1), sa.Integer))


@lru_cache(maxsize=MOST)
def _won(months: int) -> sa.Select[Any]:
    """By month and owner: the deals that were won."""
    deals = (
        sa.select(_month(DEALS.c.closed_at, "moment", Instant, months).label("month"), DEALS.c.owner_id, DEALS.c.value)
        .where(DEALS.c.status == WON, DEALS.c.closed_at >= START, DEALS.c.closed_at < END)
        .subquery("deals")
    )
    return _summed(deals, deals.c.month, deals.c.owner_id)


@lru_cache(maxsize=MOST)
def _expected(months: int) -> sa.Select[Any]:
    """By month, owner and weight: the open deals that are expected to close from today on."""
    bounds = (_closes >= sa.bindparam("first", type_=sa.Date), _closes <= sa.bindparam("last", type_=sa.Date))
    month = _month(_closes, "day", sa.Date, months).label("month")
    columns = (month, DEALS.c.owner_id, DEALS.c.probability.label("weight"), DEALS.c.value)
    deals = sa.select(*columns).where(is_open, *bounds).subquery("deals")
    return _summed(deals, deals.c.month, deals.c.owner_id, deals.c.weight)


def _summed(deals: sa.Subquery, *groups: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(
        *groups,
        sa.func.count().label("deals"),
        sa.func.count(deals.c.value).label("valued"),
        value_sum(deals.c.value).label("value"),
    ).group_by(*groups)


@lru_cache
def _outside() -> sa.Select[Any]:
    """How many open deals no month has, by reason."""
    today = sa.bindparam("today", type_=sa.Date)
    counts: tuple[sa.ColumnElement[Any], ...] = (
        count_where(_closes.is_(None)).label("no_date"),
        count_where(_closes < today).label("overdue"),
        count_where(_closes > sa.bindparam("last", type_=sa.Date), _closes >= today).label("later"),
    )
    return sa.select(*counts).where(is_open)
