"""Where the pipeline stands, as its words and its edges go; that its sums are right is shown in `test_properties`."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ledger
import pytest
from ledger import Activity, Deal, keep

from sixty import Invalid, NotFound
from sixty.testing import open_organisation
from sixty.testing.clock import MORNING
from sixty_analytics import plugin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"


def ago(days: float) -> Any:
    return MORNING - timedelta(days=days)


def won(*days: float, **given: Any) -> Deal:
    """A deal that entered `sql`, `verbal` and `signed` so many days ago."""
    return Deal(stays=tuple(zip(("sql", "verbal", "signed"), map(ago, days), strict=True)), **given)


async def metrics(sixty: Organisation, **arguments: Any) -> dict[str, Any]:
    return await sixty.as_role("admin").call("get_pipeline_metrics", **arguments)


async def test_without_any_deal_it_says_so_and_has_no_figures(sixty: Organisation) -> None:
    told = await metrics(sixty)
    assert told["message"] == "No deal that you can see was open now"
    assert told["totals"] == {"count": 0, "value": 0, "weighted_value": 0}
    assert told["velocity"] == {"open_deals": 0, "won": 0, "lost": 0}
    assert (told["stalled"], "stalled_count" in told) == ([], False)
    assert told["insufficient_data"] == {
        "velocity": "no deal was won or lost from 2025-03-03 to 2026-03-02 (UTC)",
        "stages": "no deal that you can see was open now",
        **{
            f"stalled.{stage}": f"fewer than 5 stays in {stage} of deals that were won are known, or all took no time"
            for stage in ("sql", "opportunity", "verbal")
        },
    }


async def test_one_open_deal_is_a_pipeline(sixty: Organisation) -> None:
    await keep(sixty, Deal(stays=(("sql", ago(10)), ("verbal", ago(4))), value=Decimal("99.99")))
    told = await metrics(sixty)
    assert told["message"] == "1 open deal now, worth 99.99, 74.99 weighted by stage"
    expected = {"count": 1, "value": 99.99, "weighted_value": 74.99, "mean_age_days": 10, "mean_days_in_stage": 4}
    assert told["totals"] == expected
    assert [stage["stage"] for stage in told["stages"]] == ["sql", "opportunity", "verbal"]
    assert told["stages"][2] == {"stage": "verbal", **expected}


async def test_a_value_that_nobody_knows_is_no_zero(sixty: Organisation) -> None:
    await keep(sixty, Deal(stays=(("sql", ago(1)),)))
    told = await metrics(sixty)
    assert told["message"] == "1 open deal now, of unknown value"
    assert not {"value", "weighted_value"} & set(told["totals"])
    assert told["definition"]["left_out"]["no_value"] == 1


async def test_money_is_rounded_once(sixty: Organisation) -> None:
    tenth = Deal(stays=(("sql", ago(1)),), value=Decimal("0.05"))
    await keep(sixty, tenth, *(Deal(stays=tenth.stays, value=tenth.value) for _ in range(2)))
    told = await metrics(sixty)
    assert told["totals"]["weighted_value"] == 0.02  # 0.015, and not three times 0.00


async def test_when_all_were_lost_there_is_a_rate_and_no_velocity(sixty: Organisation) -> None:
    await keep(sixty, *(Deal(stays=(("sql", ago(9)),), lost=True, closed_at=ago(day)) for day in (1, 2)))
    told = await metrics(sixty)
    assert told["velocity"] == {"open_deals": 0, "won": 0, "lost": 2, "win_rate": 0, "low": 0, "high": 0.6576}
    assert told["insufficient_data"]["velocity"] == "no deal was won from 2025-03-03 to 2026-03-02 (UTC); 2 lost"


@pytest.mark.parametrize(
    ("deal", "why"),
    [
        (won(9, 5, 3), "nobody knows the value of any deal won"),
        (won(3, 3, 3, value=Decimal(1)), "took any time"),
        (won(9, 5, 3, value=Decimal(1), opened_at=MORNING), "took any time"),
    ],
)
async def test_velocity_says_what_it_lacks(sixty: Organisation, deal: Deal, why: str) -> None:
    await keep(sixty, deal)
    told = await metrics(sixty)
    assert why in told["insufficient_data"]["velocity"]
    assert "value_per_day" not in told["velocity"]


async def test_velocity_is_open_deals_by_value_by_rate_over_days(sixty: Organisation) -> None:
    worth = Decimal(1000)
    open_deals = [Deal(stays=(("sql", ago(1)),)) for _ in range(3)]
    closed = [won(20, 10, 0, value=worth), Deal(stays=(("sql", ago(5)),), lost=True, closed_at=ago(1))]
    before = Deal(stays=(("signed", ago(365)),), value=Decimal(10**6))  # the day before the window
    await keep(sixty, *open_deals, *closed, before)
    speed = (await metrics(sixty))["velocity"]
    assert (speed["value_per_day"], speed["mean_days_to_win"], speed["win_rate"]) == (75, 20, 0.5)  # 3 · 1000 · ½ ÷ 20


async def test_the_past_is_told_from_business_time(sixty: Organisation) -> None:
    moved = Deal(stays=(("sql", ago(30)), ("opportunity", ago(20)), ("verbal", ago(5))), value=Decimal(1))
    lost = Deal(stays=(("sql", ago(25)),), lost=True, closed_at=ago(8), value=Decimal(2))
    gone = Deal(stays=(("sql", ago(40)),), lost=True, closed_at=ago(12), value=Decimal(4))
    later = Deal(stays=(("sql", ago(3)),), value=Decimal(8))
    unknown = Deal(stays=(("sql", ago(60)),), lost=True, undated=True, value=Decimal(16))
    await keep(sixty, moved, lost, gone, later, unknown, won(30, 20, 10, value=Decimal(32)))
    told = await metrics(sixty, as_of=str(date(2026, 2, 20)))  # ten days ago: the last one was won that morning
    assert [(stage["stage"], stage["count"], stage["value"]) for stage in told["stages"]] == [
        ("sql", 1, 2),
        ("opportunity", 1, 1),
        ("verbal", 0, 0),
    ]
    assert told["as_of"] == "2026-02-21T00:00:00Z"
    assert told["definition"]["left_out"]["lost_without_closed_at"] == 1
    assert "stalled" not in told
    assert "weighted_value" not in told["totals"]
    assert told["insufficient_data"]["weighted_value"] == "no deal is in opportunity today to show its probability"
    assert (await metrics(sixty, as_of="2026-02-19"))["stages"][2]["count"] == 1


async def test_today_is_now_and_tomorrow_is_refused(sixty: Organisation) -> None:
    await keep(sixty, Deal(stays=(("sql", ago(1)),)))
    assert await metrics(sixty, as_of="today") == await metrics(sixty)
    with pytest.raises(Invalid, match="as_of must not be after today, 2026-03-02"):
        await metrics(sixty, as_of="tomorrow")


async def test_a_move_at_midnight_belongs_to_the_day_that_begins(sixty: Organisation) -> None:
    midnight = MORNING.replace(hour=0, minute=0) - timedelta(days=3)
    await keep(sixty, Deal(stays=(("sql", ago(30)), ("verbal", midnight), ("opportunity", midnight))))
    on = {str(day): await metrics(sixty, as_of=str(day)) for day in (date(2026, 2, 26), date(2026, 2, 27))}
    assert [[stage["count"] for stage in told["stages"]] for told in on.values()] == [[1, 0, 0], [0, 1, 0]]


async def test_unknown_owners_and_teams_are_told(sixty: Organisation) -> None:
    with pytest.raises(NotFound, match="owner_id"):
        await metrics(sixty, owner_id=NOBODY)
    with pytest.raises(NotFound, match="team_id: there is no team"):
        await metrics(sixty, team_id=NOBODY)


async def test_it_tells_of_whom(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    team_id = (await sixty.directory()).team_of(user.user_id)
    await keep(sixty, Deal(stays=(("sql", ago(1)),), owner_id=user.user_id), Deal(stays=(("sql", ago(1)),)))
    assert (await metrics(sixty, owner_id=user.user_id))["message"].startswith("1 open deal of Uma User now")
    assert (await metrics(sixty, team_id=team_id))["message"].startswith("1 open deal of the team North now")
    assert (await sixty.as_role("manager").call("get_pipeline_metrics"))["totals"]["count"] == 1


def usual() -> list[Deal]:
    """Won deals that spent 1 to 10 days in `sql`, and no time in `verbal`."""
    return [won(20 + days, 20, 20) for days in range(1, 11)]


async def test_a_stalled_deal_says_why_and_what_to_do(sixty: Organisation) -> None:
    user = sixty.as_role("user").user_id
    known = usual()
    calls = [Activity(at=deal.stays[1][1] - timedelta(hours=1), deal_id=deal.id) for deal in known[:6]]
    mails = [Activity(at=deal.stays[0][1], type="email", deal_id=deal.id) for deal in known[:8]]
    came_with_it = [Activity(at=deal.stays[1][1], type="proposal_sent", deal_id=deal.id) for deal in known]
    stuck = Deal(
        stays=(("sql", ago(30)),),
        owner_id=user,
        title="Enterprise License",
        value=Decimal(500),
        expected_close_date=date(2026, 2, 1),
    )
    fresh = Deal(stays=(("sql", ago(9)),))  # nine in ten took up to 9.1 days
    touched = Activity(at=ago(12), deal_id=stuck.id)
    await keep(sixty, *known, *calls, *mails, *came_with_it, stuck, fresh, touched)
    told = await metrics(sixty)
    assert told["message"].endswith("; 1 stalled")
    assert (told["stalled_count"], len(told["stalled"])) == (1, 1)
    deal = told["stalled"][0]
    assert {
        name: deal[name] for name in ("deal_id", "owner", "stage", "value", "days_in_stage", "usual_days", "ratio")
    } == {
        "deal_id": stuck.id,
        "owner": "Uma User",
        "stage": "sql",
        "value": 500,
        "days_in_stage": 30,
        "usual_days": 9.1,
        "ratio": 3.3,
    }
    assert deal["days_since_activity"] == 12
    assert deal["reasons"] == [
        "it has been in sql for 30.0 days; nine in ten won deals left it in 9.1",
        "its last activity was 12.0 days ago",
        "it was expected to close on 2026-02-01",
        "it has no contact",
    ]
    assert deal["next_action"] == {"type": "call", "share": 0.75, "deals": 6, "of": 8}
    task = deal["task"]
    assert task["tool"] == "create_task"
    assert task["arguments"]["title"] == "Call about Enterprise License"
    assert task["arguments"]["description"].endswith(
        "Before 6 of 8 deals went on from sql, the last activity was of the type call."
    )
    assert (task["arguments"]["assignee_id"], task["arguments"]["priority"]) == (user, "high")
    await sixty.as_role("admin").call("create_task", **task["arguments"])


async def test_only_ten_are_shown_the_longest_left_alone_first(sixty: Organisation) -> None:
    stuck = [Deal(stays=(("sql", ago(30)),)) for _ in range(15)]
    touched = [Activity(at=ago(number + 1), deal_id=deal.id) for number, deal in enumerate(stuck[:14])]
    await keep(sixty, *usual(), *stuck, *touched)
    told = await metrics(sixty)
    assert told["stalled_count"] == 15
    assert [deal["deal_id"] for deal in told["stalled"]] == [stuck[14].id, *(deal.id for deal in stuck[13:4:-1])]
    first = told["stalled"][0]
    assert "days_since_activity" not in first
    assert "no activity with it that you can see was ever completed" in first["reasons"]
    assert "nobody owns it" in first["reasons"]
    assert "assignee_id" not in first["task"]["arguments"]
    assert told["insufficient_data"]["next_action.sql"] == (
        "no activity that you can see came before any deal went on from sql"
    )
    assert first["task"]["arguments"]["title"] == "Follow up on Deal"


async def test_a_task_is_offered_only_to_who_may_make_one(sixty: Organisation) -> None:
    user = sixty.as_role("user").user_id
    await keep(sixty, *(won(20 + days, 20, 20, owner_id=user) for days in range(1, 6)))
    await keep(sixty, Deal(stays=(("sql", ago(60)),), owner_id=user))
    manager = await sixty.as_role("manager").call("get_pipeline_metrics")
    assert manager["stalled"][0]["task"]["arguments"]["assignee_id"] == user


class TestWithoutOtherPacks:
    """Where nobody keeps activities or tasks, the pipeline is told without them."""

    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        return (("ledger", ledger.pack), ("analytics", plugin))

    async def test_the_pipeline_is_told_and_no_task_is_offered(self, sixty: Organisation) -> None:
        await keep(sixty, *usual(), Deal(stays=(("sql", ago(60)),)))
        told = await metrics(sixty)
        (deal,) = told["stalled"]
        assert not {"task", "next_action", "days_since_activity"} & set(deal)
        assert told["insufficient_data"]["next_action.sql"] == "nobody keeps activities here"
        assert "get_activity_heatmap" not in await sixty.as_role("admin").tools()

    async def test_without_deals_there_are_no_figures_of_them(self, database_url: str) -> None:
        async with open_organisation(database_url, (("diary", ledger.diary), ("analytics", plugin))) as alone:
            tools = set(await alone.as_role("admin").tools())
        assert "get_activity_heatmap" in tools
        assert not {"get_pipeline_metrics", "calculate_conversion_rates", "get_team_performance"} & tools


async def test_only_managers_and_admins_see_figures(sixty: Organisation) -> None:
    figures = {"get_pipeline_metrics", "calculate_conversion_rates", "get_team_performance", "get_activity_heatmap"}
    shown: Mapping[str, set[str]] = {role: set(await sixty.as_role(role).tools()) for role in ("user", "manager")}  # type: ignore[arg-type]
    assert figures <= shown["manager"]
    assert not figures & shown["user"]
