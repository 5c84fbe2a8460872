"""Finding activities: filters, words, order, pages and scope, as a caller sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty import Invalid, NotFound

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
GENTLY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def plugins(with_crm: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    return with_crm


async def add(who: Client, description: str, **given: Any) -> str:
    """A call that was made now, unless given otherwise; its id."""
    made = await who.call("create_activity", **{"type": "call", "description": description, **given})
    return str(made["activity_id"])


async def found(who: Client, **arguments: Any) -> list[str]:
    """What a search finds, in its order."""
    return [it["description"] for it in (await who.call("search_activities", **arguments))["activities"]]


async def test_the_latest_comes_first_be_it_held_or_planned(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "planned", scheduled_at="+3_days")
    await add(user, "first")
    sixty.clock.advance(timedelta(hours=1))
    await add(user, "second")
    await add(user, "late", scheduled_at="-1_days")
    answer = await user.call("search_activities")
    assert [it["description"] for it in answer["activities"]] == ["planned", "second", "first", "late"]
    assert (answer["message"], answer["count"], answer["total"]) == ("Found 4 activities", 4, 4)


async def test_each_filter_narrows_and_all_of_them_together(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    contact = (await user.call("add_contact", first_name="Ann", last_name="Lee"))["id"]
    deal = (await user.call("add_deal", title="License"))["id"]
    await add(user, "call", contact_id=contact)
    await add(user, "mail", type="email", deal_id=deal)
    await add(user, "meeting", type="meeting", scheduled_at="+1_days", deal_id=deal, contact_id=contact)
    off = await add(user, "off", type="meeting", scheduled_at="+2_days")
    await user.call("complete_activity", activity_id=off, status="cancelled")
    await add(manager, "theirs", type="meeting")
    for arguments, expected in (
        ({"type": "email"}, {"mail"}),
        ({"type": "email_sent"}, {"mail"}),
        ({"type": "task"}, set()),
        ({"status": "completed"}, {"call", "mail", "theirs"}),
        ({"status": "scheduled"}, {"meeting"}),
        ({"status": "cancelled"}, {"off"}),
        ({"deal_id": deal}, {"mail", "meeting"}),
        ({"contact_id": contact}, {"call", "meeting"}),
        ({"owner_id": user.user_id}, {"call", "mail", "meeting", "off"}),
        ({"type": "meeting", "deal_id": deal, "query": "meet", "owner_id": user.user_id}, {"meeting"}),
    ):
        assert set(await found(manager, **arguments)) == expected, arguments


async def test_words_are_found_in_description_outcome_and_notes(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Überblick für Zürich")
    await add(user, "Other", outcome="They want the ÉCLAIRS plan")
    planned = await add(user, "Third", notes="the assistant answers", scheduled_at="tomorrow")
    assert await found(user, query="uberbl zur") == ["Überblick für Zürich"]
    assert await found(user, query="eclair") == ["Other"]
    assert await found(user, query="assist") == ["Third"]
    await user.call("complete_activity", activity_id=planned, outcome="overblown zurich", notes="")
    assert set(await found(user, query="zurich")) == {"Überblick für Zürich", "Third"}
    assert (await user.call("search_crm", query="eclair", kinds=["activity"]))["results"][0]["title"] == "Other"


@pytest.mark.parametrize("query", ["!?", "' OR 1=1 --", 'a" OR "b', "NOT *", "x:y", "%", "\\", "& |", "日本", "שלום"])
async def test_a_query_is_words_and_never_a_language(sixty: Organisation, query: str) -> None:
    user = sixty.as_role("user")
    await add(user, "Call")
    outcome = await user.outcome("search_activities", query=query)
    if outcome.is_error:
        assert outcome.structured["error"]["code"] == "invalid"
        assert "query must have a word" in outcome.structured["error"]["message"]
    else:
        assert outcome.structured["total"] == 0


class TestInBerlin:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_TIMEZONE": "Europe/Berlin"}

    @pytest.mark.parametrize(
        ("dates", "expected"),
        [
            ({"start": "2026-03-10", "end": "2026-03-10"}, ["late", "early"]),
            ({"end": "2026-03-09"}, ["before", "now"]),
            ({"start": "2026-03-11"}, ["after"]),
            ({"start": "today", "end": "today"}, ["now"]),
            ({"start": "0001-01-01", "end": "9999-12-31"}, ["after", "late", "early", "before", "now"]),
        ],
    )
    async def test_a_day_begins_and_ends_at_midnight_there(
        self, sixty: Organisation, dates: dict[str, str], expected: list[str]
    ) -> None:
        user = sixty.as_role("user")
        await add(user, "now")
        await add(user, "before", scheduled_at="2026-03-09T23:59:59+01:00")
        await add(user, "early", scheduled_at="2026-03-10T00:00:00+01:00")
        await add(user, "late", scheduled_at="2026-03-10T23:59:59+01:00")
        await add(user, "after", scheduled_at="2026-03-11T00:00:00+01:00")
        assert await found(user, date_range=dates) == expected

    async def test_times_are_said_as_they_are_there(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        for given_time, spoken in (
            ("2026-07-01T12:00:00+00:00", "2026-07-01 14:00 (Europe/Berlin)"),
            ("9999-12-31T23:30:00+00:00", "9999-12-31 23:30 (UTC)"),
        ):
            made = await user.call("create_activity", type="call", description="Call", scheduled_at=given_time)
            assert made["message"] == f'Call "Call" scheduled for {spoken}'


@pytest.mark.parametrize(
    ("dates", "rule"),
    [
        ({}, "must have a start or an end"),
        ({"start": "2026-03-02", "end": "2026-03-01"}, "must start before it ends"),
        ({"start": "soon"}, "must be a day"),
        ({"from": "today"}, "unknown argument"),
    ],
)
async def test_a_bad_range_is_refused(sixty: Organisation, dates: dict[str, str], rule: str) -> None:
    with pytest.raises(Invalid, match=rule):
        await sixty.as_role("user").call("search_activities", date_range=dates)


async def test_pages_lead_through_all_of_them_once(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    many = [{"type": "call", "description": f"call {n}", "scheduled_at": f"+{n % 3}_days"} for n in range(7)]
    await user.call("bulk_schedule_activities", activities=many)
    for arguments in ({}, {"query": "call"}, {"status": "scheduled"}):
        whole = await found(user, limit=200, **arguments)
        pages, cursor = [], {}
        for count in (3, 3, 1):
            answer = await user.call("search_activities", limit=3, **arguments, **cursor)
            assert (answer["count"], answer["total"]) == (count, 7)
            pages += [it["description"] for it in answer["activities"]]
            cursor = {"cursor": answer.get("next_cursor")}
        assert pages == whole
        assert cursor == {"cursor": None}
    with pytest.raises(Invalid, match="the cursor is not one of this list"):
        await user.call("search_activities", cursor="x")


@GENTLY
@given(limit=st.integers(1, 9), days=st.lists(st.integers(-3, 3), min_size=1, max_size=9))
async def test_whatever_the_size_of_a_page_nothing_is_lost_or_twice(
    sixty: Organisation, limit: int, days: list[int]
) -> None:
    user = await sixty.user(f"u{sixty.clock().timestamp()}")
    sixty.clock.advance(timedelta(seconds=1))
    many = [{"type": "call", "description": str(day), "scheduled_at": f"{day:+d}_days"} for day in days]
    await user.call("bulk_schedule_activities", activities=many)
    pages: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await user.call("search_activities", limit=limit, **cursor)
        pages += [it["description"] for it in answer["activities"]]
        if "next_cursor" not in answer:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert pages == [str(day) for day in sorted(days, reverse=True)]


async def test_emptiness_says_why(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert (await user.call("search_activities"))["message"] == "There are no activities that you can see"
    await add(user, "Call")
    assert (await user.call("search_activities", type="task"))["message"].startswith("No activity matches; there are")
    for field in ("deal_id", "contact_id"):
        with pytest.raises(NotFound, match=f"{field}: there is no"):
            await user.call("search_activities", **{field: NOBODY})
    with pytest.raises(NotFound, match="owner_id: there is no user"):
        await user.call("search_activities", owner_id=NOBODY)
    deal = (await user.call("add_deal", title="License"))["id"]
    with pytest.raises(Invalid, match="contact_id must be the id of a contact"):
        await user.call("search_activities", contact_id=deal)


async def test_each_finds_what_is_theirs_to_see(sixty: Organisation) -> None:
    user, manager, admin = (sixty.as_role(role) for role in ("user", "manager", "admin"))
    stranger = await sixty.user("Sam Stranger", team="South")
    for who in (user, manager, admin, stranger):
        await add(who, f"secret of {who.user_id}")
    for who, visible in ((user, {user}), (manager, {user, manager, admin}), (stranger, {stranger})):
        for arguments in ({}, {"query": "secret"}):
            answer = await who.call("search_activities", **arguments)
            assert {it["owner_id"] for it in answer["activities"]} == {it.user_id for it in visible}
            assert answer["total"] == len(visible)
    assert len(await found(admin)) == 4
    assert await found(user, owner_id=admin.user_id) == []


async def test_a_merged_contact_leads_to_the_one_that_is_left(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    kept, gone = [(await user.call("add_contact", first_name="Ann", last_name=name))["id"] for name in ("Lee", "Li")]
    await add(user, "Call", contact_id=gone)
    await admin.call("merge_two", primary_id=kept, duplicate_id=gone)
    assert await found(user, contact_id=kept) == await found(user, contact_id=gone) == ["Call"]
