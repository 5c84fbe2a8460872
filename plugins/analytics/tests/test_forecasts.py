"""What was won and is expected, month by month and against targets; and other figures that only reports have."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ledger import WEIGHTS, Activity, Deal, clear, keep

from sixty import Invalid
from sixty.people import add_grant
from sixty.testing.clock import MORNING
from sixty_analytics.targets import Holder, Target, set_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Client, Organisation

ZONE = ZoneInfo("America/New_York")
TODAY = MORNING.astimezone(ZONE).date()
GENTLY = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
VIEWERS = {"Ada": ("Red", "all"), "Max": ("Red", "team"), "Bob": ("Blue", "own")}
"""The team of each, and the scope in which they may read figures."""


@pytest.fixture
def environ() -> Mapping[str, str]:
    return {"SIXTY_TIMEZONE": ZONE.key}


@pytest.fixture
async def people(sixty: Organisation) -> dict[str, Client]:
    """Everybody in `VIEWERS`."""
    found = {}
    for name, (team, scope) in VIEWERS.items():
        found[name] = await sixty.user(name, team=team)
        for grant in (f"analytics:read:{scope}", "deals:read", "activities:read"):
            known = sixty.host.registry.permissions
            await add_grant(sixty.host.database, f"{name.lower()}@example.com", grant, known=known)
    return found


async def made(client: Client, report: str, start: str, end: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table of a report, all of them."""
    uri = f"crm://reports/{report}/{start}/{end}/report.json"
    async with client.connected() as connected:
        (content,) = (await connected.read_resource(uri)).contents
    return {table["name"]: table["rows"] for table in json.loads(content.text)["tables"]}  # type: ignore[union-attr]


def some_deals(seed: int, count: int, owners: list[str | None]) -> list[Deal]:
    chance = Random(seed)  # noqa: S311 - so that each run draws the same
    found = []
    for _ in range(count):
        begun = MORNING - timedelta(hours=chance.randint(24, 24 * 300), microseconds=chance.choice((0, 1, 999_999)))
        stays, at = [(chance.choice(("sql", "opportunity")), begun)], begun
        for stage in ("opportunity", "verbal", "signed")[: chance.randint(0, 3)]:
            at = min(MORNING, at + timedelta(seconds=chance.randint(0, 40 * 86_400)))
            stays += [(stage, at)] if stage != stays[-1][0] else []
        closes = TODAY + timedelta(days=chance.randint(-60, 400))
        found.append(
            Deal(
                tuple(stays),
                owner_id=chance.choice(owners),
                value=Decimal(chance.randint(1, 10**7)) / 100 if chance.random() < 0.8 else None,
                lost=chance.random() < 0.2,
                closed_at=min(MORNING, at + timedelta(days=chance.randint(0, 30)))
                if stays[-1][0] != "signed"
                else None,
                expected_close_date=closes if chance.random() < 0.9 else None,
            )
        )
    return found


def local(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


def cents(value: Decimal) -> float | int:
    rounded = value.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def expected(deals: list[Deal], first: date, last: date) -> dict[str, Any]:
    """The figures from one day to another, of the plain deals."""
    won = [deal for deal in deals if deal.status == "won" and deal.closed and first <= local(deal.closed) <= last]
    coming = [
        deal
        for deal in deals
        if deal.status == "open" and deal.expected_close_date and max(first, TODAY) <= deal.expected_close_date <= last
    ]
    row: dict[str, Any] = {"won": len(won), "open": len(coming)}
    worth = [deal.value for deal in won if deal.value is not None]
    open_worth = [(deal.value, WEIGHTS[deal.stage]) for deal in coming if deal.value is not None]
    weighted = sum((value * Decimal(str(weight)) for value, weight in open_worth), Decimal(0))
    if worth:
        row["won_value"] = cents(sum(worth, Decimal(0)))
    if open_worth:
        row["open_value"] = cents(sum((value for value, _ in open_worth), Decimal(0)))
        row["weighted_value"] = cents(weighted)
    if worth or open_worth:
        row["forecast"] = cents(sum(worth, Decimal(0)) + weighted)
    return row


def seen_by(name: str, deals: list[Deal], people: dict[str, Client]) -> list[Deal]:
    """The deals that somebody's figures are about."""
    team, scope = VIEWERS[name]
    mates = [people[other].user_id for other, (theirs, _) in VIEWERS.items() if theirs == team]
    reach = {"team": mates, "own": [people[name].user_id]}.get(scope)
    return [deal for deal in deals if reach is None or deal.owner_id in reach]


@GENTLY
@given(seed=st.integers(0, 2**32), count=st.sampled_from([0, 1, 20, 60]))
async def test_the_forecast_is_what_its_deals_add_up_to(
    sixty: Organisation, people: dict[str, Client], seed: int, count: int
) -> None:
    deals = some_deals(seed, count, [*(client.user_id for client in people.values()), None])
    await clear(sixty)
    await keep(sixty, *deals)
    for name, client in people.items():
        seen = seen_by(name, deals, people)
        tables = await made(client, "forecast", start="2025-11-15", end="2026-08-10")
        months = [date(2025, 11, 15), *(date(2025 + m // 12, m % 12 + 1, 1) for m in range(11, 20))]
        ends = [*(month - timedelta(days=1) for month in months[1:]), date(2026, 8, 10)]
        wanted = [expected(seen, first, last) for first, last in zip(months, ends, strict=True)]
        assert [{k: v for k, v in row.items() if k != "month"} for row in tables["months"][:-1]] == wanted
        assert tables["months"][-1] == {"month": "all", **expected(seen, months[0], ends[-1])}
        standing = {
            (row["period"], row["of"]): row
            for row in (await made(client, "forecast", "2026-01-01", "2026-12-31"))["targets"]
        }
        holders = {"all": "everybody", "team": "team Red", "own": "Bob"}
        for period, first, last in (
            ("2026-03", date(2026, 3, 1), date(2026, 3, 31)),
            ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
            ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ):
            holder = holders[VIEWERS[name][1]]
            figures = expected(seen, first, last)
            if figures != expected([], first, last) or holder != "Bob":
                assert standing[period, holder] == {"period": period, "of": holder, **figures}
        if VIEWERS[name][1] != "all":
            assert not [holder for _, holder in standing if holder == "everybody"]


@GENTLY
@given(seed=st.integers(0, 2**32), count=st.sampled_from([0, 1, 40]))
async def test_stays_and_movements_are_what_the_deals_went_through(
    sixty: Organisation, people: dict[str, Client], seed: int, count: int
) -> None:
    deals = some_deals(seed, count, [*(client.user_id for client in people.values()), None])
    await clear(sixty)
    await keep(sixty, *deals)
    first, last = date(2025, 8, 1), date(2026, 1, 31)
    window = {"start": str(first), "end": str(last)}
    for name, client in people.items():
        seen = seen_by(name, deals, people)
        stays: dict[str, list[float]] = {"sql": [], "opportunity": [], "verbal": []}
        for deal in seen:
            for row in deal.stay_rows():
                if row["left_at"] is not None and first <= local(row["left_at"]) <= last:
                    whole = row["left_at"].replace(microsecond=0) - row["entered_at"].replace(microsecond=0)
                    stays[row["to_stage"]].append(whole.total_seconds() / 86_400)
        for row in (await made(client, "velocity", **window))["cycles"]:
            took = stays[row["stage"]]
            wanted = (
                {"mean_days": sum(took) / len(took), "shortest_days": min(took), "longest_days": max(took)}
                if took
                else {}
            )
            assert row == {
                "stage": row["stage"],
                "stays": len(took),
                **{k: pytest.approx(v, abs=0.0051) for k, v in wanted.items()},
            }
        moved = {row["what"]: row for row in (await made(client, "pipeline", **window))["movement"]}
        for what, at in (("created", "opened"), ("won", "closed"), ("lost", "closed")):
            chosen = [deal for deal in seen if what in ("created", deal.status)]
            within = [deal for deal in chosen if getattr(deal, at) and first <= local(getattr(deal, at)) <= last]
            worth = [deal.value for deal in within if deal.value is not None]
            value = {"value": cents(sum(worth, Decimal(0)))} if worth else {}
            unvalued = len(within) - len(worth)
            assert moved[what] == {"what": what, "deals": len(within), "unvalued": unvalued, **value}


@GENTLY
@given(moments=st.lists(st.datetimes(datetime(2025, 9, 1), datetime(2026, 3, 31)), max_size=40))  # noqa: DTZ001 - given a zone below
async def test_activities_count_on_the_day_that_the_calendar_on_the_wall_said(
    sixty: Organisation, people: dict[str, Client], moments: list[datetime]
) -> None:
    days = [moment.replace(tzinfo=UTC) for moment in moments]
    # midnights, before and after clocks were changed
    days += [datetime.combine(date(2025, 11, day), time(), ZONE).astimezone(UTC) for day in (1, 2, 3)]
    days += [moment - timedelta(microseconds=1) for moment in days[-3:]]
    await clear(sixty)
    await keep(sixty, *(Activity(moment) for moment in days))
    tables = await made(people["Ada"], "activity", start="2025-08-25", end="2026-04-05")
    weeks = Counter(local(moment) - timedelta(days=local(moment).weekday()) for moment in days)
    assert {row["from"]: row["all"] for row in tables["weeks"] if row["all"]} == {
        str(monday): count for monday, count in weeks.items()
    }
    assert tables["types"] == [{"type": "call", "all": len(days)}]


async def test_a_day_without_a_midnight_begins_later(sixty: Organisation, people: dict[str, Client]) -> None:
    changes = datetime(2026, 3, 8, 7, tzinfo=UTC)
    await keep(sixty, *(Activity(changes + timedelta(seconds=seconds)) for seconds in (-1, 0, 1)))
    tables = await made(people["Ada"], "activity", start="2026-03-08", end="2026-03-08")
    assert tables["weeks"] == [{"from": "2026-03-02", "all": 3, "call": 3}]


async def test_the_forecast_stands_against_the_targets_that_its_reader_may_see(
    sixty: Organisation, people: dict[str, Client]
) -> None:
    teams = {team.name: team.id for team in (await sixty.directory()).teams.values()}
    bob, ada = people["Bob"].user_id, people["Ada"].user_id
    won = Deal((("sql", MORNING - timedelta(days=9)), ("signed", MORNING)), value=Decimal(25), owner_id=bob)
    await keep(sixty, won, Deal((("verbal", MORNING),), ada, Decimal(100), expected_close_date=date(2026, 3, 20)))
    for holder, amount in ((Holder(), 1000), (Holder(team_id=teams["Red"]), 500), (Holder(user_id=bob), "50.50")):
        await set_target(sixty.host, Target("2026-Q1", holder, Decimal(amount)))
    await set_target(sixty.host, Target("2027-Q1", Holder(), Decimal(1)))
    seen = {}
    for name, client in people.items():
        rows = (await made(client, "forecast", "2026-01-01", "2026-12-31"))["targets"]
        seen[name] = {
            row["of"]: (row["target"], row["attainment"], row["forecast_attainment"]) for row in rows if "target" in row
        }
    assert seen == {
        "Ada": {"everybody": (1000, 0.025, 0.1), "team Red": (500, 0, 0.15), "Bob": (50.5, 0.495, 0.495)},
        "Max": {"team Red": (500, 0, 0.15)},
        "Bob": {"Bob": (50.5, 0.495, 0.495)},
    }
    told = await people["Ada"].call("generate_reports", report="forecast", format="html")
    assert (
        "2026-Q1, everybody: won 25.00, forecast 100.00; the target is 1,000.00, of which 2.5% is won"
        in told["message"]
    )
    assert "2026, everybody: won 25.00, forecast 100.00; no target is set" in told["message"]
    (targets, _) = told["report"]["tables"]
    assert any(note.startswith("No target is set for 2026-03: everybody, ") for note in targets["notes"])
    assert "target" in told["image"]["alt"] or "2026-03: won 25.00, open, weighted 75.00" in told["image"]["alt"]


async def test_a_past_quarter_is_told_against_its_target(sixty: Organisation, people: dict[str, Client]) -> None:
    await set_target(sixty.host, Target("2025-Q4", Holder(), Decimal(10)))
    rows = (await made(people["Ada"], "forecast", start="2025-10-01", end="2025-12-31"))["targets"]
    assert [(row["period"], row.get("target")) for row in rows if row["of"] == "everybody"] == [("2025-Q4", 10)]
    without = (await made(people["Ada"], "forecast", start="2025-07-01", end="2025-09-30"))["targets"]
    assert [row["period"] for row in without if row["of"] == "everybody"] == ["2025-Q3"]
    assert (await made(people["Ada"], "forecast", start="2025-07-02", end="2025-07-30"))["targets"] == []


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ({}, "2026-01-01", "2026-12-31"),
        ({"start": "2025-05-05"}, "2025-05-05", "2025-12-31"),
        ({"end": "2027-05-05"}, "2027-01-01", "2027-05-05"),
    ],
)
async def test_the_window_of_a_forecast_is_a_year_unless_given(
    sixty: Organisation, given: dict[str, str], first: str, last: str
) -> None:
    found = await sixty.as_role("admin").call("generate_reports", report="forecast", format="csv", **given)
    assert (found["report"]["start"], found["report"]["end"]) == (first, last)


async def test_a_forecast_of_more_than_ten_years_is_refused(sixty: Organisation) -> None:
    with pytest.raises(Invalid, match="at most 120 months"):
        await sixty.as_role("admin").call(
            "generate_reports", report="forecast", format="csv", start="2020-02-01", end="2030-02-01"
        )
