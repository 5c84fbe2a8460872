"""In random organisations each figure is what DuckDB makes of the plain rows that the caller may read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ledger import Activity, Deal, clear, keep
from reckoning import ORDER, Reckoning, money

from sixty.people import add_grant
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Client, Organisation

ZONE = "America/New_York"
TODAY = MORNING.astimezone(ZoneInfo(ZONE)).date()
FORWARDS = ("sql", "opportunity", "verbal", "signed")
TYPES = ("call", "email", "meeting")
VIEWERS: Mapping[str, tuple[str | None, tuple[str, str, str]]] = {
    "Ada": ("Red", ("all", "all", "all")),
    "Max": ("Red", ("team", "all", "team")),
    "Ann": ("Red", ("all", "own", "all")),
    "Bob": ("Blue", ("own", "all", "own")),
    "Cid": ("Blue", ("team", "team", "all")),
    "Dee": (None, ("team", "all", "own")),
}
"""The team of each, and the scopes of analytics, of reading deals and of reading activities."""
GENTLY = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # all follows from a seed, which there is no use to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def environ() -> Mapping[str, str]:
    return {"SIXTY_TIMEZONE": ZONE}


@pytest.fixture
async def people(sixty: Organisation) -> dict[str, Client]:
    """Everybody in `VIEWERS`, whose grants are theirs alone."""
    found = {}
    for name, (team, scopes) in VIEWERS.items():
        found[name] = await sixty.user(name, team=team)
        resources = zip(("analytics", "deals", "activities"), scopes, strict=True)
        for grant in (f"{resource}:read:{scope}" for resource, scope in resources):
            known = sixty.host.registry.permissions
            await add_grant(sixty.host.database, f"{name.lower()}@example.com", grant, known=known)
    return found


@dataclass(frozen=True)
class Drawn:
    """What makes one organisation differ from the next."""

    seed: int
    deals: int
    activities: int
    lost: float
    known: float
    """How many deals have a value."""
    scattered: bool
    """Whether things happen at any microsecond, or at few moments, many of them at once."""


drawn = st.builds(
    Drawn,
    seed=st.integers(0, 2**32),
    deals=st.sampled_from([60, 90, 25, 1, 0]),  # what stands first is drawn most
    activities=st.sampled_from([120, 60, 1, 0]),
    lost=st.sampled_from([0.4, 0, 1]),
    known=st.sampled_from([0.8, 1, 0]),
    scattered=st.booleans(),
)


class Made:
    """The deals and activities of an organisation."""

    def __init__(self, of: Drawn, owners: list[str]) -> None:
        self.of = of
        self.chance = Random(of.seed)  # noqa: S311 - so that each run draws the same
        self.owners = [*owners, None]
        self.deals = [self.deal() for _ in range(of.deals)]
        self.activities = [self.activity() for _ in range(of.activities)]

    def moment(self, start: datetime, end: datetime) -> datetime:
        """Some time between the two."""
        if not self.of.scattered:
            days = max(0, (end - start) // timedelta(days=25))
            return min(end, start + timedelta(days=25 * self.chance.randint(0, days)))
        micros = self.chance.choice([0, 1, 999_499, 999_500, 999_999])
        found = start + (end - start) * self.chance.random() ** 2
        return min(end, found.replace(microsecond=micros))

    def deal(self) -> Deal:
        chance = self.chance
        at = self.moment(MORNING - timedelta(days=500), MORNING)
        stays = [(chance.choice(("sql", "sql", "opportunity", "signed")), at)]
        for _ in range(chance.choice((0, 1, 2, 3, 3, 4))):
            forwards = stays[-1][0] != "signed" and chance.random() < 0.85
            place = ORDER[stays[-1][0]]
            others = FORWARDS[place + 1 :] if forwards else FORWARDS[:place]
            at = max(at, self.moment(at, MORNING))
            stays += [(chance.choice(others), at)] if others else []
        at_end = max(at, self.moment(at, MORNING))
        early = chance.random() < 0.2
        return Deal(
            stays=tuple(stays),
            owner_id=chance.choice(self.owners),
            value=Decimal(chance.randint(0, 10**7)) / 100 if chance.random() < self.of.known else None,
            lost=chance.random() < self.of.lost,
            closed_at=at - timedelta(days=chance.choice((0, 200)))
            if early
            else at_end
            if stays[-1][0] != "signed"
            else None,
            undated=chance.random() < 0.05,
        )

    def activity(self) -> Activity:
        chance = self.chance
        deal = chance.choice(self.deals) if self.deals and chance.random() < 0.9 else None
        at = self.moment(deal.opened if deal else MORNING - timedelta(days=200), MORNING)
        return Activity(
            at=at,
            owner_id=chance.choice(self.owners),
            type=chance.choice(TYPES),
            status=chance.choice(("completed", "completed", "completed", "scheduled", "cancelled")),
            deal_id=deal.id if deal else None,
        )

    def seen_by(
        self,
        name: str,
        ids: Mapping[str, str],
        *,
        owner: str | None = None,
        team: str | None = None,
        anybodys: bool = False,
    ) -> Reckoning:
        """What is known of the rows that somebody may read, of one owner or team; or anybody's activities."""
        their_team, (own, of_deals, of_activities) = VIEWERS[name]
        teams = {ids[other]: their for other, (their, _) in VIEWERS.items()}

        def within(scope: str, owner_id: str | None) -> bool:
            in_team = their_team is not None and teams.get(owner_id or "") == their_team
            return scope == "all" or (scope == "own" and owner_id == ids[name]) or (scope == "team" and in_team)

        def wanted(owner_id: str | None) -> bool:
            return owner in (None, owner_id) and team in (None, teams.get(owner_id or ""))

        def readable(records: list[Any], scope: str) -> list[Any]:
            return [one for one in records if within(own, one.owner_id) and within(scope, one.owner_id)]

        deals = [deal for deal in readable(self.deals, of_deals) if wanted(deal.owner_id)]
        activities = readable(self.activities, of_activities)
        return Reckoning(deals, [one for one in activities if anybodys or wanted(one.owner_id)])


def between(first: Any, last: Any) -> dict[str, datetime]:
    zone = ZoneInfo(ZONE)
    start, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    return {"start": start, "end": end}


def last_days(count: int) -> dict[str, datetime]:
    return between(TODAY - timedelta(days=count - 1), TODAY)


def about(value: Any) -> Any:
    """A mean as it is shown, rounded to two places; None where it is absent."""
    return None if value is None else pytest.approx(float(value), abs=0.0051, rel=1e-9)


@GENTLY
@given(
    drawn=drawn,
    viewer=st.sampled_from(list(VIEWERS)),
    narrowed=st.sampled_from(["team", "owner", ""]),
    ago=st.integers(1, 400),
)
async def test_the_pipeline_is_what_its_rows_add_up_to(
    sixty: Organisation, people: dict[str, Client], drawn: Drawn, *, viewer: str, narrowed: str, ago: int
) -> None:
    ids = {name: person.user_id for name, person in people.items()}
    made = Made(drawn, list(ids.values()))
    await clear(sixty)
    await keep(sixty, *made.deals, *made.activities)
    directory = await sixty.directory()
    arguments: dict[str, Any] = {"owner_id": ids["Bob"]} if narrowed == "owner" else {}
    if narrowed == "team":
        arguments = {"team_id": directory.team_of(ids["Ada"])}
    whose: dict[str, Any] = {
        "owner": ids["Bob"] if narrowed == "owner" else None,
        "team": "Red" if narrowed == "team" else None,
    }
    all_seen, seen = made.seen_by(viewer, ids), made.seen_by(viewer, ids, anybodys=True, **whose)

    told = await people[viewer].call("get_pipeline_metrics", **arguments)
    expect_standing(told, seen.standing(MORNING, past=False))
    expect_velocity(told, seen.closed(**last_days(365)))
    expect_stalled(told, seen, all_seen)

    day = TODAY - timedelta(days=ago)
    moment = between(day, day)["end"]
    then = await people[viewer].call("get_pipeline_metrics", as_of=str(day), **arguments)
    assert datetime.fromisoformat(then["as_of"]) == moment
    expect_standing(then, seen.standing(moment, past=True))
    expect_velocity(then, seen.closed(**between(day - timedelta(days=364), day)))
    all_seen.close()
    seen.close()


def expect_standing(told: dict[str, Any], expected: dict[str, dict[str, Any]]) -> None:
    shown = {stage["stage"]: stage for stage in told["stages"]} | {"all": told["totals"]}
    assert list(shown) == ["sql", "opportunity", "verbal", "all"]
    missing = told.get("insufficient_data", {})
    for stage, figures in shown.items():
        row = expected.get(stage)
        if row is None or not row["deals"]:
            assert (figures["count"], figures["value"], figures["weighted_value"]) == (0, 0, 0)
            assert "mean_age_days" not in figures
            continue
        assert (figures["count"], figures.get("value")) == (row["deals"], money(row["cents"]))
        if "weighted_value" not in missing:
            assert figures.get("weighted_value") == money(row["weighted"])
        assert (figures["mean_age_days"], figures["mean_days_in_stage"]) == (about(row["age"]), about(row["stay"]))
    assert ("stages" in missing) == (told["totals"]["count"] == 0)


def expect_velocity(told: dict[str, Any], row: dict[str, Any]) -> None:
    speed = told["velocity"]
    assert (speed["won"], speed["lost"], speed["open_deals"]) == (row["won"], row["lost"], told["totals"]["count"])
    assert speed.get("mean_won_value") == about(row["mean_value"])
    assert speed.get("mean_days_to_win") == about(row["days"])
    if row["won"] and row["mean_value"] is not None and row["days"]:
        rate = row["won"] / (row["won"] + row["lost"])
        expected = speed["open_deals"] * row["mean_value"] * rate / row["days"]
        assert speed["value_per_day"] == about(expected)
    else:
        assert "value_per_day" not in speed
        assert told["insufficient_data"]["velocity"]


def expect_stalled(told: dict[str, Any], seen: Reckoning, all_seen: Reckoning) -> None:
    usual = all_seen.usual()
    expected = seen.stalled(MORNING, {stage: span for stage, span in usual.items() if stage != "signed"})
    limited = {stage for stage in usual if stage != "signed"}
    assert told.get("stalled_count") == (len(expected) if limited else None)
    assert [deal["deal_id"] for deal in told["stalled"]] == [row["id"] for row in expected[:10]]
    for deal, row in zip(told["stalled"], expected, strict=False):
        assert deal["ratio"] == about(row["ratio"])
        assert deal["usual_days"] == about(usual[deal["stage"]] / 86_400)
        assert deal.get("days_since_activity") == about(row["idle"])
        before = all_seen.before_moving_on(deal["stage"])
        action = deal.get("next_action")
        assert (action is None) == (not before)
        if action is not None:
            assert (action["of"], action["deals"]) == (sum(before.values()), max(before.values()))
    for stage in ("sql", "opportunity", "verbal"):
        assert (f"stalled.{stage}" in told.get("insufficient_data", {})) == (stage not in usual)


@GENTLY
@given(
    drawn=drawn,
    viewer=st.sampled_from(list(VIEWERS)),
    mine=st.sampled_from([False, True]),
    cohort=st.sampled_from(["created", "closed"]),
    span=st.tuples(st.sampled_from([0, 30, 200]), st.sampled_from([500, 250, 120])).map(sorted),
)
async def test_conversion_is_what_the_stays_of_a_cohort_say(
    sixty: Organisation,
    people: dict[str, Client],
    drawn: Drawn,
    *,
    viewer: str,
    cohort: str,
    span: list[int],
    mine: bool,
) -> None:
    ids = {name: person.user_id for name, person in people.items()}
    made = Made(drawn, list(ids.values()))
    await clear(sixty)
    await keep(sixty, *made.deals)
    seen = made.seen_by(viewer, ids, owner=ids[viewer] if mine else None)
    first, last = TODAY - timedelta(days=span[1]), TODAY - timedelta(days=span[0])
    arguments = {"start": str(first), "end": str(last), "cohort": cohort}
    if mine:
        arguments["owner_id"] = ids[viewer]
    told = await people[viewer].call("calculate_conversion_rates", **arguments)
    advances, outcome = seen.advances(cohort, **between(first, last)), seen.outcomes(cohort, **between(first, last))
    seen.close()
    for stage in told["stages"]:
        entered, converted = advances.get(stage["from"], (0, 0))
        assert (stage["entered"], stage["converted"]) == (entered, converted)
        expect_wilson(stage, "rate", converted, entered)
    overall = told["overall"]
    assert {name: overall[name] for name in ("deals", "won", "lost")} == {
        name: outcome[name] for name in ("deals", "won", "lost")
    }
    assert overall["open"] == outcome["deals"] - outcome["won"] - outcome["lost"]
    assert overall.get("mean_days_to_win") == about(outcome["days"])
    expect_wilson(overall, "win_rate", outcome["won"], outcome["won"] + outcome["lost"])
    assert ("deals" in told.get("insufficient_data", {})) == (outcome["deals"] == 0)


def expect_wilson(shown: dict[str, Any], name: str, successes: int, trials: int) -> None:
    """The bounds are where the score test of a rate just does not refuse what was found."""
    if not trials:
        assert not {name, "low", "high"} & set(shown)
        return
    share, z = successes / trials, 1.959963984540054
    assert shown[name] == pytest.approx(share, abs=0.00005001)
    for bound in (shown["low"], shown["high"]):
        assert abs(share - bound) == pytest.approx(z * (bound * (1 - bound) / trials) ** 0.5, abs=0.006)


@GENTLY
@given(drawn=drawn, viewer=st.sampled_from(list(VIEWERS)), team=st.booleans(), days=st.sampled_from([400, None, 30, 1]))
async def test_performance_is_what_everybody_s_rows_add_up_to(
    sixty: Organisation, people: dict[str, Client], drawn: Drawn, *, viewer: str, days: int | None, team: bool
) -> None:
    ids = {name: person.user_id for name, person in people.items()}
    made = Made(drawn, list(ids.values()))
    await clear(sixty)
    await keep(sixty, *made.deals, *made.activities)
    seen = made.seen_by(viewer, ids, team="Blue" if team else None)
    arguments: dict[str, Any] = {"team_id": (await sixty.directory()).team_of(ids["Bob"])} if team else {}
    if days is not None:
        arguments["start"] = str(TODAY - timedelta(days=days - 1))
    told = await people[viewer].call("get_team_performance", **arguments)
    window = last_days(days or 90)
    members, done = seen.members(**window), seen.done(**window)
    seen.close()
    shown = {member.get("user_id"): member for member in told["members"]}
    if None not in shown and (nobody := members.pop(None, None)) is not None:  # has no row where there is nothing in it
        assert not any(nobody[name] for name in ("created", "won", "lost", "open"))
    assert set(members) <= set(shown)
    for owner, row in members.items():
        member = shown[owner]
        assert {name: member[name] for name in ("created", "won", "lost", "open")} == {
            name: row[name] for name in ("created", "won", "lost", "open")
        }
        assert member.get("won_value") == money(row["won_cents"])
        assert member.get("open_value") == money(row["open_cents"])
        assert member.get("weighted_open_value") == money(row["weighted"])
        assert member.get("mean_days_to_win") == about(row["days"])
        expect_wilson(member, "win_rate", row["won"], row["won"] + row["lost"])
    for owner, member in shown.items():
        counts = {type_: count for (whose, type_), count in done.items() if whose == owner}
        assert member.get("activities", {}) == counts
        if owner not in members:
            assert (member["created"], member["won"], member["lost"], member["open"]) == (0, 0, 0, 0)
    for name in ("created", "won", "lost", "open"):
        assert told["team"][name] == sum(member[name] for member in told["members"])


@settings(GENTLY, max_examples=6)  # each with a picture
@given(
    drawn=drawn,
    viewer=st.sampled_from(list(VIEWERS)),
    days=st.sampled_from([400, None, 1]),
    zone=st.sampled_from([None, "UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Europe/Berlin"]),
)
async def test_the_heatmap_counts_what_the_clocks_on_the_wall_said(
    sixty: Organisation, people: dict[str, Client], drawn: Drawn, *, viewer: str, days: int | None, zone: str | None
) -> None:
    ids = {name: person.user_id for name, person in people.items()}
    made = Made(drawn, list(ids.values()))
    await clear(sixty)
    await keep(sixty, *made.activities)
    local = ZoneInfo(zone or ZONE)
    last = MORNING.astimezone(local).date()
    first = last - timedelta(days=(days or 90) - 1)
    start, end = (datetime.combine(day, time(), local).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    arguments = {"timezone": zone} if zone else {}
    if days is not None:
        arguments["start"] = str(first)
    told = await people[viewer].call("get_activity_heatmap", **arguments)
    seen = made.seen_by(viewer, ids)
    expected = seen.heatmap(start, end, zone or ZONE)
    seen.close()
    cells = {(day, hour): count for day, row in enumerate(told["heatmap"]) for hour, count in enumerate(row) if count}
    assert cells == expected
    assert told["total"] == sum(expected.values())
    assert told["definition"]["timezone"] == (zone or ZONE)
    if expected:
        assert told["busiest"]["count"] == max(expected.values())
