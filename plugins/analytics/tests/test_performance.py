"""Who performs, as its words and its edges go; that its sums are right is shown in `test_properties`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from ledger import Activity, Deal, keep

from sixty import Invalid, NotFound
from sixty.people import add_grant, disable_user
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
YESTERDAY = MORNING - timedelta(days=1)


async def performance(who: Client, **arguments: Any) -> dict[str, Any]:
    return await who.call("get_team_performance", **arguments)


async def granted(sixty: Organisation, name: str, *grants: str, team: str | None = None) -> Client:
    """Somebody new who holds these."""
    person = await sixty.user(name, team=team)
    for grant in grants:
        address = f"{name.lower()}@example.com"
        await add_grant(sixty.host.database, address, grant, known=sixty.host.registry.permissions)
    return person


async def test_who_has_nothing_is_listed_without_figures(sixty: Organisation) -> None:
    told = await performance(sixty.as_role("admin"))
    assert told["message"] == "No deal and no activity that you can see is from 2025-12-03 to 2026-03-02 (UTC)"
    assert [member["name"] for member in told["members"]] == ["Ada Admin", "Max Manager", "Uma User"]
    nothing = {"created": 0, "won": 0, "lost": 0, "open": 0, "activities": {}}
    assert told["members"][0] == {
        "user_id": sixty.as_role("admin").user_id,
        "name": "Ada Admin",
        "team": "North",
        **nothing,
    }
    assert told["team"] == {"name": "everybody whose deals you can see", **nothing}


async def test_records_of_nobody_have_a_row_of_their_own(sixty: Organisation) -> None:
    await keep(sixty, Deal(stays=(("signed", YESTERDAY),), value=Decimal(10)), Activity(at=YESTERDAY))
    told = await performance(sixty.as_role("admin"))
    last = told["members"][-1]
    assert (last["name"], "user_id" in last, last["won"], last["won_value"]) == ("nobody", False, 1, 10)
    assert last["activities"] == {"call": 1}
    assert (told["team"]["won"], told["team"]["activities"]) == (1, {"call": 1})
    assert told["message"] == (
        "4 members from 2025-12-03 to 2026-03-02 (UTC): 1 won worth 10.00, 0 lost, 1 created; 0 open now"
    )


async def test_a_manager_sees_the_team_and_one_s_own_scope_oneself(sixty: Organisation) -> None:
    other = await sixty.user("Sue South", team="South")
    await keep(sixty, Deal(stays=(("sql", YESTERDAY),), owner_id=other.user_id), Deal(stays=(("sql", YESTERDAY),)))
    told = await performance(sixty.as_role("manager"))
    assert [member["name"] for member in told["members"]] == ["Ada Admin", "Max Manager", "Uma User"]
    assert told["team"]["created"] == 0
    alone = await granted(sixty, "Ann", "analytics:read:own", "deals:read", team="South")
    assert [member["name"] for member in (await performance(alone))["members"]] == ["Ann"]


async def test_only_a_team_is_told_when_asked(sixty: Organisation) -> None:
    sue = await sixty.user("Sue South", team="South")
    await keep(sixty, Deal(stays=(("sql", YESTERDAY),), owner_id=sue.user_id), Deal(stays=(("sql", YESTERDAY),)))
    team_id = (await sixty.directory()).team_of(sue.user_id)
    told = await performance(sixty.as_role("admin"), team_id=team_id)
    assert [(member["name"], member["created"]) for member in told["members"]] == [("Sue South", 1)]
    assert (told["team"]["name"], told["team"]["created"]) == ("South", 1)
    with pytest.raises(NotFound, match="team_id"):
        await performance(sixty.as_role("admin"), team_id=NOBODY)


async def test_activities_that_one_may_not_see_are_absent_and_not_nought(sixty: Organisation) -> None:
    cid = await granted(sixty, "Cid", "analytics:read:team", "deals:read", "activities:read:own", team="South")
    await sixty.user("Sue South", team="South")
    shown = {member["name"]: member.get("activities") for member in (await performance(cid))["members"]}
    assert shown == {"Cid": {}, "Sue South": None}


async def test_who_has_left_is_listed_only_with_something_to_show(sixty: Organisation) -> None:
    for name in ("Gone Girl", "Left Over"):
        await sixty.user(name)
    left = (await sixty.directory()).users_by_email["left.over@example.com"].id
    await keep(sixty, Deal(stays=(("sql", YESTERDAY),), owner_id=left))
    for address in ("gone.girl@example.com", "left.over@example.com"):
        await disable_user(sixty.host.database, address, now=MORNING)
    names = [member["name"] for member in (await performance(sixty.as_role("admin")))["members"]]
    assert "Left Over" in names
    assert "Gone Girl" not in names


async def test_the_window_is_of_days_in_the_organisation_and_open_deals_are_those_of_now(sixty: Organisation) -> None:
    long_ago = MORNING - timedelta(days=400)
    await keep(
        sixty,
        Deal(stays=(("verbal", long_ago),), value=Decimal(100)),
        Deal(stays=(("sql", long_ago),), lost=True, closed_at=long_ago),
        Deal(stays=(("verbal", YESTERDAY),)),
    )
    told = await performance(sixty.as_role("admin"))
    nobody = told["members"][-1]
    assert (nobody["created"], nobody["lost"], nobody["open"]) == (1, 0, 2)
    assert (nobody["open_value"], nobody["weighted_open_value"]) == (100, 75)
    assert told["definition"]["left_out"]["open_without_value"] == 1
    assert told["insufficient_data"] == {"win_rate": "no deal was won or lost from 2025-12-03 to 2026-03-02 (UTC)"}
    assert (await performance(sixty.as_role("admin"), start="2025-01-01"))["team"]["lost"] == 1


async def test_a_window_that_ends_before_it_starts_is_refused(sixty: Organisation) -> None:
    with pytest.raises(Invalid, match="start must not be after end"):
        await performance(sixty.as_role("admin"), start="tomorrow")
    told = await performance(sixty.as_role("admin"), start="tomorrow", end="+9_days")
    assert told["insufficient_data"]["members"].endswith("which has not begun")


async def test_the_team_keeps_the_deals_of_who_has_left(sixty: Organisation) -> None:
    left = await sixty.user("Left Over", team="South")
    team_id = (await sixty.directory()).team_of(left.user_id)
    await keep(sixty, Deal(stays=(("sql", YESTERDAY),), owner_id=left.user_id))
    await disable_user(sixty.host.database, "left.over@example.com", now=MORNING)
    told = await performance(sixty.as_role("admin"), team_id=team_id)
    assert [(member["name"], member["open"]) for member in told["members"]] == [("Left Over", 1)]
    assert told["team"]["open"] == 1
