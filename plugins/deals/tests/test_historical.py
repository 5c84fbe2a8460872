"""What closed deals say of a forecast, against a plain computation over the rows themselves."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sixty.crm import STAGES, WON_STAGE
from sixty.tables import records
from sixty_deals.rules import path_of
from sixty_deals.shares import Share, completed, error_of, interval, shares, weights_of
from sixty_deals.tables import deal_stages, deals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.crm import Stage
    from sixty.testing import Organisation

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # which it is in tests
WEIGHTS = {"sql": Decimal("0.10"), "opportunity": Decimal("0.30"), "verbal": Decimal("0.75"), "signed": Decimal(1)}
CENT = Decimal("0.01")
PATHS = st.lists(st.sampled_from(STAGES), min_size=1, max_size=6).map(path_of)
CLOSED = st.lists(st.tuples(PATHS, st.sampled_from(["won", "lost"]), st.integers(1, 50)), max_size=8)


def cents(amount: Decimal | float) -> Decimal:
    return Decimal(amount).quantize(CENT, ROUND_HALF_EVEN)


class Books:
    """Deals as plain rows, which are put into the database as they are."""

    def __init__(self, owners: list[str | None], seed: int, count: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same on each run
        self.deals: list[dict[str, Any]] = []
        self.stays: list[dict[str, Any]] = []
        for number in range(count):
            self._add(str(UUID(int=2**100 + number)), self.chance.choice(owners))

    def _add(self, key: str, owner: str | None) -> None:
        chance = self.chance
        moment = NOW - timedelta(days=chance.randrange(1, 900), seconds=chance.randrange(86_400))
        stages, entered = [chance.choice(STAGES[:2])], [moment]
        while stages[-1] != WON_STAGE and chance.random() < 0.7:
            moment += timedelta(hours=chance.randrange(1, 2_000))
            if moment >= NOW:
                break
            stages.append(chance.choice([stage for stage in STAGES if stage != stages[-1]]))
            entered.append(moment)
        status = "won" if stages[-1] == WON_STAGE else chance.choice(["open", "lost"])
        closed = {"won": entered[-1], "open": None, "lost": entered[-1] + (NOW - entered[-1]) * chance.random()}[status]
        day = (entered[0] + timedelta(days=chance.randrange(0, 900))).date()
        deal = {
            "id": key,
            "owner_id": owner,
            "version": 1,
            "created_at": NOW,
            "updated_at": NOW,
            "title": "Deal",
            "value": chance.choice([None, Decimal(chance.randrange(1, 9_000_000_00)) / 100]),
            "stage": stages[-1],
            "status": status,
            "expected_close_date": chance.choice([None, day, day, day]),
            "stage_entered_at": entered[-1],
            "path": path_of(stages),
            "opened_at": entered[0],
            "closed_at": closed,
        }
        self.deals.append(deal)
        for place, (stage, since) in enumerate(zip(stages, entered, strict=True)):
            left = entered[place + 1] if place + 1 < len(entered) else None
            stay = {"id": str(UUID(int=2**101 + len(self.stays))), "deal_id": key, "stage": stage}
            self.stays.append({**stay, "entered_at": since, "left_at": left})

    async def write(self, sixty: Organisation) -> None:
        spine = [
            {name: deal[name] for name in ("id", "owner_id", "version", "created_at", "updated_at")}
            for deal in self.deals
        ]
        async with sixty.host.database.transaction() as transaction:
            for row in spine:
                await transaction.execute(sa.insert(records).values(**row, kind="deal"))
            for row in self.deals:
                await transaction.execute(sa.insert(deals).values(**row))
            for row in self.stays:
                await transaction.execute(sa.insert(deal_stages).values(**row))

    def shares(self, readable: list[dict[str, Any]], end: datetime) -> dict[Stage, Share]:
        """The shares that deals closed before a moment show."""
        closed = [deal for deal in readable if deal["closed_at"] is not None and deal["closed_at"] < end]
        return {
            stage: Share(
                sum(stage in deal["path"].split() for deal in closed),
                sum(stage in deal["path"].split() and deal["status"] == "won" for deal in closed),
            )
            for stage in STAGES
        }

    def predicted(self, mine: list[dict[str, Any]], first: date, last: date, weights: Mapping[Any, Decimal]) -> Decimal:
        """What was expected of a period when it began."""
        start, total = datetime.combine(first, time(), UTC), Decimal(0)
        by_id = {deal["id"]: deal for deal in mine}
        for stay in self.stays:
            deal = by_id.get(stay["deal_id"])
            if deal is None or deal["value"] is None or deal["expected_close_date"] is None:
                continue
            then = stay["entered_at"] < start and (stay["left_at"] is None or stay["left_at"] >= start)
            lost = deal["status"] == "lost" and deal["closed_at"] < start
            if then and not lost and stay["stage"] != WON_STAGE and first <= deal["expected_close_date"] <= last:
                total += deal["value"] * weights[stay["stage"]]
        return cents(total)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("role", "of_owner"), [("admin", False), ("admin", True), ("manager", False)])
async def test_what_closed_deals_say_is_what_their_rows_add_up_to(
    sixty: Organisation, seed: int, role: Any, *, of_owner: bool
) -> None:
    south = await sixty.user("Sue", team="South")
    people = [sixty.as_role("user").user_id, sixty.as_role("manager").user_id, south.user_id]
    books = Books([*people, None], seed, 160)
    await books.write(sixty)
    arguments = {"owner_id": people[0]} if of_owner else {}
    told = await sixty.as_role(role).call("forecast_revenue", period="year", backtest=True, **arguments)
    readable = books.deals  # a manager reads all deals, too
    mine = [deal for deal in readable if not of_owner or deal["owner_id"] == people[0]]
    history = told["historical"]

    known = books.shares(readable, NOW + timedelta(days=1))
    closed = {stage: (weight["closed"], weight["won"]) for stage, weight in history["weights"].items()}
    assert closed == {stage: (share.closed, share.won) for stage, share in known.items()}
    window = [
        deal
        for deal in mine
        if deal["status"] != "lost"
        and deal["value"] is not None
        and deal["expected_close_date"] is not None
        and date(2026, 3, 2) <= deal["expected_close_date"] <= date(2026, 12, 31)
    ]
    share = {stage: Decimal(known[stage].won) / known[stage].closed for stage in STAGES}
    expected = sum((deal["value"] * share[deal["stage"]] for deal in window), Decimal(0))
    assert Decimal(str(history["forecast"])) == cents(expected)
    assert cents(sum(history["breakdown"].values())) == pytest.approx(cents(expected), abs=Decimal("0.02"))
    chance = sum(
        float(deal["value"]) ** 2 * float(share[deal["stage"]] * (1 - share[deal["stage"]])) for deal in window
    )
    unsure = sum(float(deal["value"]) * known[deal["stage"]].deviation for deal in window)
    spread = NormalDist().inv_cdf(0.9) * sqrt(chance + unsure**2)
    assert history["interval"]["level"] == 0.8
    assert history["interval"]["low"] == pytest.approx(max(0, float(expected) - spread), abs=0.02)
    assert history["interval"]["high"] == pytest.approx(
        min(float(sum(deal["value"] for deal in window)), float(expected) + spread), abs=0.02
    )

    periods = history["backtest"]["periods"]
    assert [past["from"] for past in periods] == ["2024-01-01", "2025-01-01"]
    off = []
    for past in periods:
        first, last = date.fromisoformat(past["from"]), date.fromisoformat(past["to"])
        start = datetime.combine(first, time(), UTC)
        end = datetime.combine(last + timedelta(days=1), time(), UTC)
        won = [deal for deal in mine if deal["status"] == "won" and start <= deal["closed_at"] < end]
        actual = sum((deal["value"] for deal in won if deal["value"] is not None), Decimal(0))
        assert Decimal(str(past["actual"])) == cents(actual)
        assert Decimal(str(past["predicted"])) == books.predicted(mine, first, last, WEIGHTS)
        off.append(books.predicted(mine, first, last, WEIGHTS) - actual)
        then = books.shares(readable, start)
        if "predicted_by_history" in past:
            by_history = books.predicted(mine, first, last, dict(weights_of(then)))
            assert Decimal(str(past["predicted_by_history"])) == by_history
    assert Decimal(str(history["backtest"]["fixed"]["bias"])) == cents(sum(off) / len(off))
    assert Decimal(str(history["backtest"]["fixed"]["mean_error"])) == cents(sum(map(abs, off)) / len(off))


async def test_with_fewer_than_thirty_closed_deals_it_says_how_many_there_are(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    said = {0: "no deals", 1: "1 deal", 29: "29 deals"}
    for number in range(30):
        if number in said:
            history = (await user.call("forecast_revenue", period="month"))["historical"]
            missing = f"{said[number]} closed so far; it takes 30"
            assert (history["closed"], history["insufficient_data"]["weights"]) == (number, missing)
            assert not {"forecast", "breakdown", "interval"} & history.keys()
        await user.call("create_deal", title="Deal", company_name="Acme", stage="signed", value=1)
    told = (await user.call("forecast_revenue", period="month"))["historical"]
    assert told["weights"]["signed"] == {"weight": 1, "low": 0.9481, "high": 1, "closed": 30, "won": 30}
    assert told["weights"]["sql"] == {"closed": 0, "won": 0}
    assert told["forecast"] == 0
    await user.call(
        "create_deal", title="Deal", company_name="Acme", stage="verbal", value=1, expected_close_date="today"
    )
    told = (await user.call("forecast_revenue", period="month"))["historical"]
    assert told["insufficient_data"]["forecast"].startswith("no closed deal was ever in verbal")
    assert "forecast" not in told


async def test_without_anything_in_past_periods_there_is_no_backtest_and_it_says_why(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    told = (await user.call("forecast_revenue", period="month"))["historical"]
    assert told["insufficient_data"]["backtest"] == "nothing was expected or won from 2025-09-01 to 2026-02-28"
    assert "backtest" not in told
    told = (await user.call("forecast_revenue", period="month", backtest=False))["historical"]
    assert "backtest" not in told["insufficient_data"]
    assert "historical" not in await user.call("forecast_revenue", period="month", historical=False)


async def test_of_very_many_closed_deals_the_latest_say_what_deals_are_worth(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty_deals.tools.historical.LATEST", 45)
    books = Books([sixty.as_role("user").user_id, None], 3, 160)
    await books.write(sixty)

    def latest(before: datetime) -> dict[Stage, Share]:
        closed = [deal for deal in books.deals if deal["closed_at"] is not None and deal["closed_at"] < before]
        closed.sort(key=lambda deal: (deal["closed_at"], deal["id"]))
        return books.shares(closed[-45:], before)

    history = (await sixty.as_role("admin").call("forecast_revenue", period="year"))["historical"]
    known = latest(NOW + timedelta(days=1))
    told = {stage: Share(weight["closed"], weight["won"]) for stage, weight in history["weights"].items()}
    assert told == known
    assert history["closed"] == 45
    past = history["backtest"]["periods"][-1]
    then = latest(datetime(2025, 1, 1, tzinfo=UTC))
    by_history = books.predicted(books.deals, date(2025, 1, 1), date(2025, 12, 31), dict(weights_of(then)))
    assert Decimal(str(past["predicted_by_history"])) == by_history


async def test_of_very_many_deals_the_backtest_has_to_be_asked_for(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = sixty.as_role("user")
    monkeypatch.setattr("sixty_deals.tools.forecasting.MOST", 1)
    for _ in range(2):
        await user.call("create_deal", title="Deal", company_name="Acme")
    told = (await user.call("forecast_revenue", period="month"))["historical"]
    assert told["insufficient_data"]["backtest"] == "you can see more than 1 deals; ask for it with backtest: true"


@given(CLOSED)
def test_a_share_counts_each_deal_once_in_each_stage_it_was_in(closed: list[tuple[str, str, int]]) -> None:
    known = shares(closed)
    for stage, share in known.items():
        ever = [(status, deals) for path, status, deals in closed if stage in path.split()]
        assert share == Share(sum(n for _, n in ever), sum(n for status, n in ever if status == "won"))
        if share.closed:
            low, high = share.bounds
            assert 0 <= low <= float(share.weight) <= high <= 1
            assert 0 < share.deviation < 0.3
    assert all(0 <= weight <= 1 for weight in weights_of(known).values())


@given(
    CLOSED.filter(bool),
    st.dictionaries(
        st.sampled_from(STAGES), st.lists(st.integers(1, 10**9).map(lambda n: Decimal(n) / 100), min_size=1)
    ),
)
def test_an_interval_holds_what_is_expected_and_stays_within_what_is_possible(
    closed: list[tuple[str, str, int]], worth: dict[Any, list[Decimal]]
) -> None:
    known = shares(closed)
    worth = {stage: values for stage, values in worth.items() if known[stage].closed}
    sums = {stage: sum(values, Decimal(0)) for stage, values in worth.items()}
    squares = {stage: float(sum(value**2 for value in values)) for stage, values in worth.items()}
    low, high = interval(sums, squares, known)
    expected = sum((sums[stage] * known[stage].weight for stage in sums), Decimal(0))
    assert 0 <= low <= cents(expected) + CENT
    assert cents(expected) - CENT <= high <= sum(sums.values(), Decimal(0)) + CENT


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.sampled_from(["month", "quarter", "year"]))
def test_completed_periods_follow_one_another_until_the_one_that_today_is_in(today: date, period: Any) -> None:
    windows = completed(period, today)
    assert len(windows) == {"month": 6, "quarter": 4, "year": 2}[period]
    for before, after in pairwise(windows):
        assert before.last + timedelta(days=1) == after.first
    following = windows[-1].last + timedelta(days=1)
    assert following <= today < following + timedelta(days=367)
    assert {window.first.day for window in windows} == {1}


def test_errors_are_means() -> None:
    error = error_of([Decimal(10), Decimal(5)], [Decimal(4), Decimal(8)])
    assert (error.mean_error, error.bias) == (Decimal("4.50"), Decimal("1.50"))
