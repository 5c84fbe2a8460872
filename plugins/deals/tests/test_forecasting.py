"""The forecast, as a caller sees it, against a computation of its own over all deals."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty import NotFound
from sixty.errors import ConfigError, RateLimited
from sixty.testing import open_organisation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
GENTLY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WEIGHTS = {"sql": Decimal("0.10"), "opportunity": Decimal("0.30"), "verbal": Decimal("0.75"), "signed": Decimal("1.00")}


async def add(who: Client, **arguments: Any) -> str:
    """The id of a new deal."""
    made = await who.call("create_deal", **{"title": "Deal", "company_name": "Acme", **arguments})
    deal_id: str = made["deal_id"]
    return deal_id


async def test_deals_of_the_period_are_weighted_by_their_stage(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for stage, value in (("sql", 1000), ("opportunity", 2000), ("verbal", 99.99), ("signed", 500)):
        await add(user, stage=stage, value=value, expected_close_date="2026-03-31")
    await add(user, value=10_000, expected_close_date="2026-04-01")
    told = await user.call("forecast_revenue", period="month")
    assert told["forecast"] == 1274.99  # 100 + 600 + 74.9925 + 500
    assert told["breakdown"] == {"sql": 100, "opportunity": 600, "verbal": 74.99, "signed": 500}
    assert (told["deal_count"], told["period"]) == (4, "month")
    assert told["message"] == (
        "Expected revenue from 2026-03-02 to 2026-03-31 (UTC): 1,274.99, weighted by stage, from 4 deals"
    )


async def test_without_probability_every_deal_counts_in_full(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, value=1000, expected_close_date="today")
    told = await user.call("forecast_revenue", period="month", include_probability=False)
    assert told["forecast"] == told["breakdown"]["sql"] == 1000
    assert set(told["definition"]["weights"].values()) == {1}
    assert "unweighted, from 1 deal" in told["message"]


@pytest.mark.parametrize(
    ("period", "last"), [("month", "2026-03-31"), ("quarter", "2026-03-31"), ("year", "2026-12-31")]
)
async def test_the_definition_says_what_was_counted_and_what_was_left_out(
    sixty: Organisation, period: str, last: str
) -> None:
    user = sixty.as_role("user")
    for arguments in (
        {"value": 10, "expected_close_date": "2026-03-02"},
        {"value": 10, "expected_close_date": last, "stage": "signed"},
        {"expected_close_date": "2026-03-02"},
        {"value": 10},
        {"value": 10},
        {"value": 10, "expected_close_date": "2026-03-01"},
        {"value": 10, "expected_close_date": "2026-03-01", "stage": "signed"},
        {"value": 10, "expected_close_date": "2027-01-01"},
    ):
        await add(user, **arguments)
    lost = await add(user, value=10, expected_close_date="2026-03-02")
    await user.call("update_deal", deal_id=lost, updates={"status": "lost"})
    told = await user.call("forecast_revenue", period=period)
    assert told["deal_count"] == 2
    definition = told["definition"]
    assert definition["window"] == {"from": "2026-03-02", "to": last}
    assert definition["date_field"] == "expected_close_date"
    assert definition["timezone"] == "UTC"
    assert definition["statuses"] == ["open", "won"]
    assert definition["weights"] == {stage: float(weight) for stage, weight in WEIGHTS.items()}
    assert definition["left_out"] == {"no_value": 1, "no_date": 2, "overdue": 1, "won_before": 1, "later": 1}
    assert told["message"].endswith("; 3 more have no value or no date")


async def test_a_deal_without_a_value_is_worth_its_split(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    await add(admin, stage="signed", monthly_mrr=100, one_off_revenue=0.5, expected_close_date="today")
    await add(admin, stage="signed", monthly_mrr=100, value=1, expected_close_date="today")
    assert (await admin.call("forecast_revenue", period="month"))["forecast"] == 301.5


async def test_an_empty_forecast_is_no_error_and_says_so(sixty: Organisation) -> None:
    told = await sixty.as_role("user").call("forecast_revenue", period="quarter")
    assert told["message"].startswith("No deal that you can see is expected to close with a value")
    assert (told["forecast"], told["deal_count"]) == (0, 0)


async def test_the_forecast_of_one_owner_has_only_their_deals(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    for who, value in ((user, 100), (manager, 900)):
        await add(who, value=value, expected_close_date="today")
        await add(who, value=value)
    told = await user.call("forecast_revenue", period="month", owner_id=manager.user_id)
    assert (told["forecast"], told["definition"]["left_out"]["no_date"]) == (90, 1)
    with pytest.raises(NotFound, match="owner_id"):
        await user.call("forecast_revenue", period="month", owner_id=NOBODY)


class TestInAuckland:
    """Today and the period are those of the organisation's time zone; its weights are settings."""

    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        return {
            "SIXTY_TIMEZONE": "Pacific/Auckland",
            "SIXTY_DEALS_PROBABILITY_SQL": "0.125",
            "SIXTY_RATE_STRICT": "2/minute",
        }

    async def test_the_month_is_the_one_that_it_is_there(self, sixty: Organisation) -> None:
        sixty.clock.advance(timedelta(days=29, hours=3))  # 31 March 12:30 UTC: already April
        user = sixty.as_role("user")
        await add(user, value=1, expected_close_date="2026-03-31")
        await add(user, value=0.2, expected_close_date="2026-04-30")
        told = await user.call("forecast_revenue", period="month")
        assert told["definition"]["window"] == {"from": "2026-04-01", "to": "2026-04-30"}
        assert told["definition"]["timezone"] == "Pacific/Auckland"
        assert told["forecast"] == 0.02  # 0.025, half to even
        assert told["definition"]["weights"]["sql"] == 0.125

    async def test_the_strict_rate_holds(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        for _ in range(2):
            await user.call("forecast_revenue", period="month")
        with pytest.raises(RateLimited):
            await user.call("forecast_revenue", period="month")


@pytest.mark.parametrize(
    ("name", "value"), [("PROBABILITY_SQL", "1.01"), ("PROBABILITY_SIGNED", "-1"), ("PROBABILITY_VERBAL", "high")]
)
async def test_a_bad_probability_is_refused_at_start_by_name(
    database_url: str, plugins: Iterable[tuple[str, object]], name: str, value: str
) -> None:
    with pytest.raises(ConfigError, match=f"SIXTY_DEALS_{name}"):
        async with open_organisation(database_url, plugins, environ={f"SIXTY_DEALS_{name}": value}):
            pass


deals = st.fixed_dictionaries(
    {"stage": st.sampled_from(list(WEIGHTS))},
    optional={
        "value": st.integers(1, 1_000_000_000).map(lambda cents: cents / 100),
        "monthly_mrr": st.integers(1, 1_000_000_000).map(lambda cents: cents / 100),
        "one_off_revenue": st.integers(1, 1_000_000_000).map(lambda cents: cents / 100),
        "expected_close_date": st.dates(date(2026, 2, 20), date(2027, 1, 10)).map(date.isoformat),
    },
)


@GENTLY
@given(
    made=st.lists(st.tuples(deals, st.booleans()), max_size=5),
    period=st.sampled_from(["month", "quarter", "year"]),
    weighted=st.booleans(),
)
async def test_a_forecast_is_what_its_deals_add_up_to(
    sixty: Organisation, made: list[tuple[dict[str, Any], bool]], period: str, *, weighted: bool
) -> None:
    admin = sixty.as_role("admin")
    for arguments, lose in made:
        deal_id = await add(admin, **arguments)
        if lose and arguments["stage"] != "signed":
            await admin.call("update_deal", deal_id=deal_id, updates={"status": "lost"})
    everything = (await admin.call("search_deals", limit=200))["deals"]
    told = await admin.call("forecast_revenue", period=period, include_probability=weighted)
    window = told["definition"]["window"]
    assert window["from"] == "2026-03-02"
    assert window["to"] == {"month": "2026-03-31", "quarter": "2026-03-31", "year": "2026-12-31"}[period]
    candidates = [deal for deal in everything if deal["status"] != "lost"]
    expected = dict.fromkeys(WEIGHTS, Decimal(0))
    count = 0
    for deal in candidates:
        if "value" in deal and window["from"] <= deal.get("expected_close_date", "") <= window["to"]:
            expected[deal["stage"]] += Decimal(str(deal["value"])) * (WEIGHTS[deal["stage"]] if weighted else 1)
            count += 1
    cent = Decimal("0.01")
    assert Decimal(str(told["forecast"])) == sum(expected.values()).quantize(cent, ROUND_HALF_EVEN)
    assert {stage: Decimal(str(money)) for stage, money in told["breakdown"].items()} == {
        stage: money.quantize(cent, ROUND_HALF_EVEN) for stage, money in expected.items()
    }
    assert told["deal_count"] == count
    assert count + sum(told["definition"]["left_out"].values()) == len(candidates)
