"""Creating, changing, moving, splitting and deleting deals, as a caller sees it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sixty import Call, Conflict, Event, Forbidden, Invalid, NotFound, hookimpl, on
from sixty.crm import DealCreated, DealLost, DealStageChanged, DealWon
from sixty_deals import plugin as deals

if TYPE_CHECKING:
    from sixty import Reaction
    from sixty.testing import Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
REFUSED = "Admin access required to split revenue"
Deal = dict[str, Any]


class Listener:
    """A pack that hears what deals publish."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    @hookimpl
    def sixty_reactions(self) -> list[Reaction]:
        async def hear(event: Event, call: Call) -> None:
            """Remember it, once it is committed: a call may run again."""
            call.unit.afterwards(lambda: self.heard.append(event))

        return [on(kind)(hear) for kind in (DealCreated, DealStageChanged, DealWon, DealLost)]

    def names(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return [event.name for event in heard]


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture
def plugins(listener: Listener) -> tuple[tuple[str, object], ...]:
    listener.heard.clear()
    return (("deals", deals), ("listener", listener))


# -- creating


async def test_a_deal_begins_in_sql_and_belongs_to_who_made_it(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme)
    assert made["message"] == 'Deal "Enterprise License" created successfully in sql stage'
    deal = made["deal"]
    assert deal["id"] == made["deal_id"]
    assert (deal["stage"], deal["status"], deal["owner_id"]) == ("sql", "open", user.user_id)
    assert deal["opened_at"] == deal["created_at"] == "2026-03-02T09:30:00Z"
    assert "value" not in deal
    assert "closed_at" not in deal


async def test_a_deal_shows_everything_that_it_was_given(sixty: Organisation, acme: Deal) -> None:
    given = {
        "value": 49_999.99,
        "stage": "opportunity",
        "expected_close_date": "2026-06-30",
        "notes": "Ünïcode, \n and a ' quote",
        "monthly_mrr": 1000,
        "one_off_revenue": 0.01,
        "contract_end_date": "2027-06-30",
        "ai_confidence_score": 100,
    }
    made = await sixty.as_role("admin").call("create_deal", **acme, **given)
    assert {name: made["deal"][name] for name in given} == given
    assert made["deal"]["ltv"] == 3000.01


async def test_a_relative_day_is_counted_from_today(sixty: Organisation, acme: Deal) -> None:
    made = await sixty.as_role("user").call("create_deal", **acme, expected_close_date="+2_weeks")
    assert made["deal"]["expected_close_date"] == "2026-03-16"


async def test_a_deal_made_in_signed_is_won_at_once(sixty: Organisation, acme: Deal, listener: Listener) -> None:
    made = await sixty.as_role("user").call("create_deal", **acme, stage="signed")
    assert made["deal"]["status"] == "won"
    assert made["deal"]["closed_at"] == "2026-03-02T09:30:00Z"
    assert listener.names() == ["deal.created", "deal.won"]


@pytest.mark.parametrize("field", ["monthly_mrr", "one_off_revenue"])
async def test_only_admins_give_a_deal_split_revenue(sixty: Organisation, acme: Deal, field: str) -> None:
    for role in ("user", "manager"):
        with pytest.raises(Forbidden, match=REFUSED):
            await sixty.as_role(role).call("create_deal", **acme, **{field: 100})
    made = await sixty.as_role("admin").call("create_deal", **acme, **{field: 100})
    assert made["deal"]["value"] == made["deal"]["ltv"] == {"monthly_mrr": 300, "one_off_revenue": 100}[field]


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("title", "", "title"),
        ("title", "x" * 256, "title"),
        ("title", " \t", "must not be empty"),
        ("value", 0, "value must be greater than 0, got 0"),
        ("value", -5, "value must be greater than 0, got -5"),
        ("value", 25_000_000, "value must be at most 10000000, got 25000000"),
        ("value", 1e300, "value must be at most 10000000"),
        ("value", 10.001, "at most two decimals"),
        ("value", "50000", "must be a number"),
        ("stage", "closed", "'sql', 'opportunity', 'verbal' or 'signed'"),
        ("expected_close_date", "2026-02-30", "must be a day"),
        ("expected_close_date", "soon", "must be a day"),
        ("notes", "x" * 10_001, "notes"),
        ("ai_confidence_score", 101, "ai_confidence_score must be at most 100"),
        ("contact_id", "42", "is not an id"),
        ("monthly_mrr", 0, "monthly_mrr must be greater than 0"),
    ],
)
async def test_a_value_out_of_range_is_refused_by_name_and_rule(
    sixty: Organisation, acme: Deal, field: str, value: object, rule: str
) -> None:
    with pytest.raises(Invalid, match=rule) as caught:
        await sixty.as_role("admin").call("create_deal", **{**acme, field: value})
    assert caught.value.details["field"] == field
    assert (await sixty.as_role("admin").call("search_deals"))["total"] == 0


async def test_an_unknown_argument_is_refused_naming_the_nearest(sixty: Organisation, acme: Deal) -> None:
    with pytest.raises(Invalid, match="unknown argument 'valeu'; did you mean 'value'"):
        await sixty.as_role("user").call("create_deal", **acme, valeu=5)


async def test_a_deal_points_at_a_contact_that_one_can_see(sixty: Organisation, acme: Deal) -> None:
    with pytest.raises(NotFound, match=f"contact_id: there is no contact {NOBODY} that you can see"):
        await sixty.as_role("user").call("create_deal", **acme, contact_id=NOBODY)


async def test_a_deal_is_made_for_somebody_in_ones_own_write_scope(sixty: Organisation, acme: Deal) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    with pytest.raises(Forbidden, match="Max Manager"):
        await user.call("create_deal", **acme, owner_id=manager.user_id)
    with pytest.raises(Forbidden, match="Sam Stranger"):
        await manager.call("create_deal", **acme, owner_id=stranger.user_id)
    for whose, who in ((user, manager), (stranger, admin)):
        made = await who.call("create_deal", **acme, owner_id=whose.user_id)
        assert made["deal"]["owner_id"] == whose.user_id
    with pytest.raises(NotFound, match="there is no user"):
        await admin.call("create_deal", **acme, owner_id=NOBODY)


# -- updating


async def test_an_update_changes_what_is_given_and_nothing_else(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    before = (await user.call("create_deal", **acme, value=100, notes="old"))["deal"]
    sixty.clock.advance(timedelta(hours=1))
    after = (await user.call("update_deal", deal_id=before["id"], updates={"value": 250.5, "title": "License"}))["deal"]
    assert after == {
        **before,
        "value": 250.5,
        "title": "License",
        "version": 2,
        "updated_at": "2026-03-02T10:30:00Z",
    }


async def test_null_clears_a_field(sixty: Organisation, acme: Deal) -> None:
    admin = sixty.as_role("admin")
    given = {
        "value": 5,
        "expected_close_date": "2026-06-30",
        "notes": "n",
        "monthly_mrr": 1,
        "one_off_revenue": 1,
        "contract_end_date": "2027-01-01",
        "ai_confidence_score": 0,
    }
    made = await admin.call("create_deal", **acme, **given)
    saved = await admin.call("update_deal", deal_id=made["deal_id"], updates=dict.fromkeys([*given, "contact_id"]))
    assert not set(given) & set(saved["deal"])
    assert "ltv" not in saved["deal"]


@pytest.mark.parametrize("field", ["title", "company_name", "stage", "status", "owner_id"])
async def test_what_every_deal_has_cannot_be_cleared(sixty: Organisation, acme: Deal, field: str) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme)
    with pytest.raises(Invalid, match=f"updates.{field} cannot be cleared"):
        await user.call("update_deal", deal_id=made["deal_id"], updates={field: None})


async def test_an_empty_update_is_refused_naming_what_can_be_updated(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme)
    with pytest.raises(Invalid, match="it may have title, company_name, value") as caught:
        await user.call("update_deal", deal_id=made["deal_id"], updates={})
    assert "lost_reason" in caught.value.details["allowed"]


async def test_an_update_to_what_it_is_changes_nothing_and_says_so(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme, value=100)
    saved = await user.call("update_deal", deal_id=made["deal_id"], updates={"value": 100, "stage": "sql"})
    assert saved["message"] == 'Deal "Enterprise License" is already so, in sql; nothing changed'
    assert "change_id" not in saved
    assert saved["deal"] == made["deal"]


async def test_a_stale_version_is_a_conflict_that_says_what_has_changed(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme)
    await user.call("update_deal", deal_id=made["deal_id"], updates={"value": 5}, expected_version=1)
    with pytest.raises(Conflict, match="at version 2, you expected 1; since then") as caught:
        await user.call("update_deal", deal_id=made["deal_id"], updates={"value": 6}, expected_version=1)
    assert caught.value.details["changed"] == ["value"]
    for tool_name, arguments in (
        ("move_deal_stage", {"stage": "verbal"}),
        ("split_deal_revenue", {"monthly_mrr": 1, "one_off_revenue": 1}),
    ):
        with pytest.raises(Conflict):
            await sixty.as_role("admin").call(tool_name, deal_id=made["deal_id"], expected_version=1, **arguments)


async def test_ones_own_deals_are_changed_by_a_user_those_of_the_team_by_a_manager(
    sixty: Organisation, acme: Deal
) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    of_user, of_manager, of_stranger = [
        (await who.call("create_deal", **acme))["deal_id"] for who in (user, manager, stranger)
    ]
    may = {
        (user, of_user): True,
        (user, of_manager): False,
        (user, of_stranger): False,
        (manager, of_user): True,
        (manager, of_manager): True,
        (manager, of_stranger): False,
        (admin, of_stranger): True,
    }
    for number, ((who, deal_id), allowed) in enumerate(may.items()):
        for tool_name, arguments in (
            ("update_deal", {"updates": {"value": number + 1}}),
            ("move_deal_stage", {"stage": "verbal" if number % 2 else "opportunity"}),
        ):
            if allowed:
                await who.call(tool_name, deal_id=deal_id, **arguments)
                continue
            with pytest.raises(Forbidden, match="it belongs to") as caught:
                await who.call(tool_name, deal_id=deal_id, **arguments)
            assert caught.value.details["owner"] in ("Max Manager", "Sam Stranger")


async def test_moving_a_foreign_deal_to_where_it_is_is_forbidden_too(sixty: Organisation, acme: Deal) -> None:
    made = await sixty.as_role("manager").call("create_deal", **acme)
    with pytest.raises(Forbidden):
        await sixty.as_role("user").call("move_deal_stage", deal_id=made["deal_id"], stage="sql")


async def test_a_deal_is_given_away_within_ones_write_scope(sixty: Organisation, acme: Deal) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    made = await manager.call("create_deal", **acme)
    updates = {"owner_id": user.user_id, "stage": "verbal"}
    saved = await manager.call("update_deal", deal_id=made["deal_id"], updates=updates)
    assert saved["deal"]["owner_id"] == user.user_id
    with pytest.raises(Forbidden, match="Max Manager"):
        await user.call("update_deal", deal_id=made["deal_id"], updates={"owner_id": manager.user_id})


# -- stages and outcomes


async def test_a_move_tells_where_from_where_to_and_after_how_long(
    sixty: Organisation, acme: Deal, listener: Listener
) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme, value=10)
    listener.heard.clear()
    sixty.clock.advance(timedelta(days=3, hours=2))
    moved = await user.call("move_deal_stage", deal_id=made["deal_id"], stage="opportunity", reason="they asked")
    assert moved["message"] == 'Deal "Enterprise License" moved from sql to opportunity after 3 days'
    assert moved["deal"]["stage"] == "opportunity"
    assert moved["deal"]["previous_stage"] == "sql"
    (event,) = listener.heard
    assert asdict(event) == {
        "record_id": made["deal_id"],
        "owner_id": user.user_id,
        "title": "Enterprise License",
        "company_name": "Acme",
        "value": Decimal(10),
        "contact_id": None,
        "from_stage": "sql",
        "to_stage": "opportunity",
    }


async def test_moving_to_the_stage_it_is_in_changes_nothing_and_says_so(
    sixty: Organisation, acme: Deal, listener: Listener
) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme, stage="verbal")
    listener.heard.clear()
    before = await user.call("get_deal_history", deal_id=made["deal_id"])
    moved = await user.call("move_deal_stage", deal_id=made["deal_id"], stage="verbal")
    assert "nothing changed" in moved["message"]
    assert "change_id" not in moved
    assert moved["deal"] == {**made["deal"], "previous_stage": "verbal"}
    assert await user.call("get_deal_history", deal_id=made["deal_id"]) == before
    assert listener.heard == []


async def test_a_stage_in_an_update_is_the_same_move(sixty: Organisation, acme: Deal, listener: Listener) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme)
    listener.heard.clear()
    saved = await user.call("update_deal", deal_id=made["deal_id"], updates={"stage": "opportunity", "value": 7})
    assert saved["message"] == 'Deal "Enterprise License" moved from sql to opportunity after less than a minute'
    stays = (await user.call("get_deal_history", deal_id=made["deal_id"]))["stages"]
    assert [stay["stage"] for stay in stays] == ["sql", "opportunity"]
    assert listener.names() == ["deal.stage_changed"]


async def test_signed_wins_and_leaving_it_reopens(sixty: Organisation, acme: Deal, listener: Listener) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme))["deal_id"]
    won = await user.call("move_deal_stage", deal_id=deal_id, stage="signed")
    assert won["message"].endswith("and is won")
    assert won["deal"]["closed_at"] == "2026-03-02T09:30:00Z"
    back = await user.call("move_deal_stage", deal_id=deal_id, stage="verbal")
    assert back["message"].endswith("and is reopened")
    assert back["deal"]["status"] == "open"
    assert "closed_at" not in back["deal"]
    assert listener.names() == ["deal.created", "deal.stage_changed", "deal.won", "deal.stage_changed"]


async def test_status_won_moves_to_signed(sixty: Organisation, acme: Deal, listener: Listener) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme)
    saved = await user.call("update_deal", deal_id=made["deal_id"], updates={"status": "won"})
    assert (saved["deal"]["stage"], saved["deal"]["status"]) == ("signed", "won")
    assert listener.names() == ["deal.created", "deal.stage_changed", "deal.won"]


async def test_a_deal_is_lost_where_it_is_for_a_reason_and_can_be_reopened(
    sixty: Organisation, acme: Deal, listener: Listener
) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme, stage="verbal"))["deal_id"]
    updates = {"status": "lost", "lost_reason": "gone quiet"}
    lost = await user.call("update_deal", deal_id=deal_id, updates=updates)
    assert lost["message"] == 'Deal "Enterprise License" updated, and is lost'
    assert (lost["deal"]["stage"], lost["deal"]["lost_reason"]) == ("verbal", "gone quiet")
    assert lost["deal"]["closed_at"] == "2026-03-02T09:30:00Z"
    event = listener.heard[-1]
    assert isinstance(event, DealLost)
    assert (event.stage, event.reason) == ("verbal", "gone quiet")
    better = await user.call("update_deal", deal_id=deal_id, updates={"lost_reason": "too dear"})
    assert better["deal"]["lost_reason"] == "too dear"
    without = await user.call("update_deal", deal_id=deal_id, updates={"lost_reason": None})
    assert "lost_reason" not in without["deal"]
    opened = await user.call("update_deal", deal_id=deal_id, updates={"status": "open"})
    assert opened["message"].endswith("and is reopened")
    assert listener.names() == ["deal.created", "deal.lost"]


async def test_moving_a_lost_deal_reopens_it_and_says_so(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme))["deal_id"]
    await user.call("update_deal", deal_id=deal_id, updates={"status": "lost", "lost_reason": "no budget"})
    moved = await user.call("move_deal_stage", deal_id=deal_id, stage="opportunity")
    assert moved["message"].endswith("and is reopened")
    assert not {"lost_reason", "closed_at"} & set(moved["deal"])


@pytest.mark.parametrize(
    ("updates", "error"),
    [
        ({"stage": "sql", "status": "won"}, Invalid),
        ({"stage": "signed", "status": "lost"}, Invalid),
        ({"lost_reason": "none"}, Invalid),
        ({"status": "lost"}, Conflict),
        ({"status": "open"}, Conflict),
    ],
)
async def test_contradictions_are_refused_and_leave_nothing_behind(
    sixty: Organisation, acme: Deal, updates: Deal, error: type[Exception]
) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme, stage="signed")
    with pytest.raises(error):
        await user.call("update_deal", deal_id=made["deal_id"], updates={**updates, "value": 5})
    found = await user.call("search_deals")
    assert found["deals"] == [made["deal"]]


async def test_of_many_moves_at_once_each_is_recorded(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme))["deal_id"]
    stages = ["opportunity", "verbal", "signed"]
    await asyncio.gather(*(user.call("move_deal_stage", deal_id=deal_id, stage=stage) for stage in stages))
    told = await user.call("get_deal_history", deal_id=deal_id)
    assert sorted(stay["stage"] for stay in told["stages"]) == sorted(["sql", *stages])
    assert [stay["stage"] for stay in told["stages"] if "left_at" not in stay] == [
        (await user.call("search_deals"))["deals"][0]["stage"]
    ]


# -- splitting


async def test_a_split_gives_the_lifetime_value_and_the_value_of_a_deal_without_one(
    sixty: Organisation, acme: Deal
) -> None:
    admin = sixty.as_role("admin")
    bare = await admin.call("create_deal", **acme)
    split = {"monthly_mrr": 1000, "one_off_revenue": 5000.5}
    told = await admin.call("split_deal_revenue", deal_id=bare["deal_id"], **split)
    assert told["deal"]["value"] == told["deal"]["ltv"] == 8000.5
    assert "a lifetime value of 8,000.50" in told["message"]
    valued = await admin.call("create_deal", **acme, value=99)
    told = await admin.call("split_deal_revenue", deal_id=valued["deal_id"], **split)
    assert (told["deal"]["value"], told["deal"]["ltv"]) == (99, 8000.5)


async def test_the_value_follows_the_split_until_one_is_given(sixty: Organisation, acme: Deal) -> None:
    admin = sixty.as_role("admin")
    deal_id = (await admin.call("create_deal", **acme, monthly_mrr=100))["deal_id"]
    values = []
    for updates in ({"one_off_revenue": 50}, {"value": 7}, {"monthly_mrr": 200}, {"value": None}):
        saved = await admin.call("update_deal", deal_id=deal_id, updates=updates)
        values.append(saved["deal"]["value"])
    assert values == [350, 7, 7, 650]


async def test_only_admins_split_revenue(sixty: Organisation, acme: Deal) -> None:
    for role in ("user", "manager"):
        who = sixty.as_role(role)
        deal_id = (await who.call("create_deal", **acme))["deal_id"]
        assert "split_deal_revenue" not in await who.tools()
        with pytest.raises(Forbidden, match=REFUSED):
            await who.call("split_deal_revenue", deal_id=deal_id, monthly_mrr=1, one_off_revenue=1)
        for split in ({"monthly_mrr": 1}, {"one_off_revenue": 1}):
            with pytest.raises(Forbidden, match=REFUSED):
                await who.call("update_deal", deal_id=deal_id, updates=split)


async def test_taking_a_split_away_is_for_admins_too(sixty: Organisation, acme: Deal) -> None:
    admin, user = sixty.as_role("admin"), sixty.as_role("user")
    made = await admin.call("create_deal", **acme, monthly_mrr=5, owner_id=user.user_id)
    with pytest.raises(Forbidden, match=REFUSED):
        await user.call("update_deal", deal_id=made["deal_id"], updates={"monthly_mrr": None})


# -- deleting and undoing


async def test_a_deleted_deal_is_gone_until_it_is_undone(sixty: Organisation, acme: Deal) -> None:
    manager = sixty.as_role("manager")
    made = await manager.call("create_deal", **acme, stage="verbal")
    gone = await manager.call("delete_deal", deal_id=made["deal_id"], reason="a duplicate")
    assert gone["deal_id"] == made["deal_id"]
    assert (await manager.call("search_deals", query="enterprise"))["total"] == 0
    for tool_name in ("get_deal_history", "delete_deal"):
        with pytest.raises(NotFound, match="search_deals finds the right id"):
            await manager.call(tool_name, deal_id=made["deal_id"])
    await manager.call("undo_change", change_id=gone["change_id"])
    found = (await manager.call("search_deals", query="enterprise"))["deals"]
    assert [deal["id"] for deal in found] == [made["deal_id"]]
    stays = (await manager.call("get_deal_history", deal_id=made["deal_id"]))["stages"]
    assert [stay["stage"] for stay in stays] == ["verbal"]


async def test_deleting_is_for_managers_in_their_team(sixty: Organisation, acme: Deal) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    stranger = await sixty.user("Sam Stranger", team="South")
    made = await user.call("create_deal", **acme)
    foreign = await stranger.call("create_deal", **acme)
    with pytest.raises(Forbidden, match="deals:delete"):
        await user.call("delete_deal", deal_id=made["deal_id"])
    with pytest.raises(Forbidden, match="it belongs to Sam Stranger"):
        await manager.call("delete_deal", deal_id=foreign["deal_id"])
    await manager.call("delete_deal", deal_id=made["deal_id"])


async def test_undoing_a_move_takes_back_stage_outcome_and_stay(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_deal", **acme)
    before = (await user.call("get_deal_history", deal_id=made["deal_id"]))["stages"]
    moved = await user.call("move_deal_stage", deal_id=made["deal_id"], stage="signed")
    await user.call("undo_change", change_id=moved["change_id"])
    deal = (await user.call("search_deals"))["deals"][0]
    assert {**deal, "version": 1} == made["deal"]
    assert (await user.call("get_deal_history", deal_id=made["deal_id"]))["stages"] == before


async def test_undoing_an_older_move_is_a_conflict(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme))["deal_id"]
    first = await user.call("move_deal_stage", deal_id=deal_id, stage="verbal")
    second = await user.call("move_deal_stage", deal_id=deal_id, stage="sql")
    with pytest.raises(Conflict, match=second["change_id"]):
        await user.call("undo_change", change_id=first["change_id"])
    await user.call("undo_change", change_id=second["change_id"])
    await user.call("undo_change", change_id=first["change_id"])
    assert (await user.call("search_deals"))["deals"][0]["stage"] == "sql"


async def test_undoing_a_given_value_leaves_the_lifetime_value(sixty: Organisation, acme: Deal) -> None:
    admin = sixty.as_role("admin")
    deal_id = (await admin.call("create_deal", **acme))["deal_id"]
    valued = await admin.call("update_deal", deal_id=deal_id, updates={"value": 5})
    await admin.call("split_deal_revenue", deal_id=deal_id, monthly_mrr=1, one_off_revenue=1)
    await admin.call("undo_change", change_id=valued["change_id"])
    assert (await admin.call("search_deals", min_value=4, max_value=4))["deals"][0]["value"] == 4


# -- repeated calls


async def test_a_repeated_call_with_the_same_key_makes_one_deal(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user").keyed("once")
    first = await user.call("create_deal", **acme)
    assert await user.call("create_deal", **acme) == first
    assert (await user.call("search_deals"))["total"] == 1
