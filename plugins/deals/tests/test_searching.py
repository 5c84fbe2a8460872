"""Finding deals: filters, order, pages, words and scope, as a caller sees it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty import Invalid, NotFound, Permissions, hookimpl, search
from sixty.search import BEST, OLDER
from sixty_deals import plugin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
GENTLY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Deal = dict[str, Any]


async def add(who: Client, title: str, /, **given: Any) -> Deal:
    """A new deal with Acme, unless given otherwise."""
    made = await who.call("create_deal", **{"title": title, "company_name": "Acme", **given})
    deal: Deal = made["deal"]
    return deal


async def titles(who: Client, **arguments: Any) -> list[str]:
    """What a search finds, in its order."""
    return [deal["title"] for deal in (await who.call("search_deals", **arguments))["deals"]]


async def walk(who: Client, limit: int, **arguments: Any) -> list[str]:
    """The same, page by page, each of which tells of as many as there are."""
    found: list[str] = []
    totals, cursor = set(), {}
    while True:
        page = await who.call("search_deals", limit=limit, **arguments, **cursor)
        found += [deal["title"] for deal in page["deals"]]
        totals.add(page["total"])
        if "next_cursor" not in page:
            assert totals == {len(found)}
            return found
        cursor = {"cursor": page["next_cursor"]}


@pytest.fixture
def three_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search knows of three matches which are the best."""
    monkeypatch.setitem(cast("dict[str, Any]", BEST), "sixty_most", 3)
    monkeypatch.setitem(cast("dict[str, Any]", OLDER), "sixty_skipped", 3)


@pytest.fixture(params=["rare", "common"])
def frequency(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How often every word is taken to be: on Postgres each of both is looked for in its own way."""
    if request.param == "common":
        monkeypatch.setattr(search, "FEW", -2)
        monkeypatch.setattr(search, "OFTEN", 0)


async def test_the_latest_changed_comes_first(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for title in ("one", "two", "three"):
        sixty.clock.advance(timedelta(minutes=1))
        deal = await add(user, title)
    assert await titles(user) == ["three", "two", "one"]
    first = (await user.call("search_deals", limit=200))["deals"][-1]
    sixty.clock.advance(timedelta(minutes=1))
    await user.call("update_deal", deal_id=first["id"], updates={"value": 1})
    assert await titles(user) == ["one", "three", "two"]
    assert await titles(user, sort="updated_at") == ["two", "three", "one"]
    assert deal["id"] != first["id"]


async def test_each_filter_narrows_and_all_of_them_together(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    await add(user, "small", value=100, stage="sql")
    await add(user, "large", value=1000, stage="verbal")
    await add(manager, "theirs", value=1000, stage="verbal")
    await add(manager, "won", stage="signed")
    lost = await add(user, "lost", value=500)
    await user.call("update_deal", deal_id=lost["id"], updates={"status": "lost"})
    for arguments, found in (
        ({"stage": "verbal"}, {"large", "theirs"}),
        ({"status": "open"}, {"small", "large", "theirs"}),
        ({"status": "won"}, {"won"}),
        ({"status": "lost"}, {"lost"}),
        ({"min_value": 500}, {"large", "theirs", "lost"}),
        ({"max_value": 500}, {"small", "lost"}),
        ({"min_value": 500, "max_value": 500}, {"lost"}),
        ({"owner_id": manager.user_id}, {"theirs", "won"}),
        ({"query": "acme", "stage": "verbal", "min_value": 1000, "owner_id": user.user_id}, {"large"}),
    ):
        result = await user.call("search_deals", **arguments)
        assert {deal["title"] for deal in result["deals"]} == found
        assert result["count"] == result["total"] == len(found)


async def test_the_value_of_a_split_is_searched_and_sorted_like_any(sixty: Organisation) -> None:
    admin = sixty.as_role("admin")
    await add(admin, "split", monthly_mrr=100, one_off_revenue=0.5)
    await add(admin, "more", value=400)
    await add(admin, "less", value=200)
    await add(admin, "unknown")
    assert await titles(admin, min_value=300.5, max_value=300.5) == ["split"]
    assert await titles(admin, sort="-value") == ["more", "split", "less", "unknown"]
    assert await titles(admin, sort="value") == ["less", "split", "more", "unknown"]


async def test_words_are_found_by_their_beginning_without_accents_and_case(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Überweisungs-Plattform", company_name="Café Zürich")
    await add(user, "Other", company_name="Other", notes="asked about ÉCLAIRS, twice")
    assert await titles(user, query="uberw") == ["Überweisungs-Plattform"]
    assert await titles(user, query="CAFE plattform") == ["Überweisungs-Plattform"]
    assert await titles(user, query="eclair") == ["Other"]
    assert await titles(user, query="eclair cafe") == []


async def test_a_hit_in_the_title_comes_before_one_in_the_notes_unless_sorted(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Renewal", value=1)
    await add(user, "Other", notes="a renewal of something, maybe", value=2)
    assert await titles(user, query="renewal") == ["Renewal", "Other"]
    assert await titles(user, query="renewal", sort="-value") == ["Other", "Renewal"]


@pytest.mark.usefixtures("three_ranked", "frequency")
@pytest.mark.parametrize("limit", range(1, 6))
async def test_only_the_newest_matches_are_ranked_and_all_others_follow(sixty: Organisation, limit: int) -> None:
    user = sixty.as_role("user")
    for title in ("Renewal of old", "c", "b", "Renewal", "a"):
        await add(user, title, notes="about a renewal")
    assert await walk(user, limit, query="renewal") == ["Renewal", "a", "b", "c", "Renewal of old"]
    assert await walk(user, limit, query="renewal", stage="sql") == ["Renewal", "a", "b", "c", "Renewal of old"]
    assert await walk(user, limit, query="renewal old") == ["Renewal of old"]


async def test_changed_words_are_found_and_former_ones_are_not(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    deal = await add(user, "Blue", notes="green")
    await user.call("update_deal", deal_id=deal["id"], updates={"title": "Red", "notes": None})
    assert await titles(user, query="red") == ["Red"]
    assert await titles(user, query="blue") == await titles(user, query="green") == []


@pytest.mark.parametrize("query", ["!?", "' OR 1=1 --", 'a" OR "b', "NOT *", "x:y", "(", "%", "\\", "& |", "日本"])
async def test_a_query_is_words_and_never_a_language(sixty: Organisation, query: str) -> None:
    user = sixty.as_role("user")
    await add(user, "Deal")
    outcome = await user.outcome("search_deals", query=query)
    if outcome.is_error:
        assert outcome.structured["error"]["code"] == "invalid"
        assert "query must have a word" in outcome.structured["error"]["message"]
    else:
        assert outcome.structured["total"] == 0


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        ({"start": "2026-03-10", "end": "2026-03-20"}, ["tenth", "twentieth"]),
        ({"start": "2026-03-11"}, ["twentieth"]),
        ({"end": "+8_days"}, ["tenth"]),
        ({"start": "2026-03-20", "end": "2026-03-20"}, ["twentieth"]),
        ({"start": "0001-01-01", "end": "9999-12-31"}, ["tenth", "twentieth"]),
    ],
)
async def test_a_date_range_includes_both_ends(sixty: Organisation, dates: Deal, found: list[str]) -> None:
    user = sixty.as_role("user")
    await add(user, "tenth", expected_close_date="2026-03-10")
    await add(user, "twentieth", expected_close_date="2026-03-20")
    await add(user, "some day")
    assert await titles(user, date_range=dates, sort="expected_close_date") == found


class TestInBerlin:
    """A day of a time is a day in the organisation's time zone."""

    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        return {"SIXTY_TIMEZONE": "Europe/Berlin"}

    async def test_a_time_is_filtered_by_the_day_that_it_is_there(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        sixty.clock.advance(timedelta(hours=13, minutes=29, seconds=59))  # 22:59:59 UTC, a second before midnight
        await add(user, "monday")
        sixty.clock.advance(timedelta(seconds=1))
        await add(user, "tuesday", stage="signed")
        for field, dates, found in (
            ("created_at", {"start": "2026-03-02", "end": "2026-03-02"}, ["monday"]),
            ("created_at", {"start": "2026-03-03"}, ["tuesday"]),
            ("updated_at", {"end": "yesterday"}, ["monday"]),
            ("closed_at", {"start": "today", "end": "today"}, ["tuesday"]),
            ("created_at", {"start": "0001-01-01", "end": "9999-12-31"}, ["tuesday", "monday"]),
        ):
            assert await titles(user, date_range=dates, date_field=field) == found


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"date_range": {"start": "2026-03-02", "end": "2026-03-01"}}, "date_range must start before it ends"),
        ({"date_range": {}}, "date_range must have a start or an end"),
        ({"date_range": {"from": "2026-03-02"}}, "unknown argument 'date_range.from'"),
        ({"date_field": "opened"}, "date_field"),
        ({"min_value": 10, "max_value": 9.99}, "min_value must be at most max_value, got 10 and 9.99"),
        ({"min_value": 1e300}, "min_value must be at most"),
        ({"sort": "title"}, "sort"),
        ({"sort": "--value"}, "sort"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"limit": 201}, "limit must be at most 200"),
        ({"query": "…"}, "query must have a word"),
        ({"owner_id": "Ada"}, "owner_id is not an id"),
        ({"cursor": "nonsense"}, "cursor is not one of this list"),
    ],
)
async def test_a_search_that_cannot_be_meant_is_refused(sixty: Organisation, arguments: Deal, rule: str) -> None:
    with pytest.raises(Invalid, match=rule):
        await sixty.as_role("user").call("search_deals", **arguments)


@pytest.mark.parametrize(
    "place", [[], {}, None, 5, "x", ["a"], [1, 2], ["x", NOBODY], ["2026-03-02T09:30:00", 1], [[], {}]]
)
@pytest.mark.parametrize("sort", [None, "value", "expected_close_date", "-closed_at"])
async def test_a_forged_cursor_is_refused(sixty: Organisation, place: object, sort: str | None) -> None:
    user = sixty.as_role("user")
    await add(user, "Deal", value=5)
    cursor = urlsafe_b64encode(orjson.dumps(place)).decode()
    arguments = {"cursor": cursor} | ({} if sort is None else {"sort": sort})
    with pytest.raises(Invalid, match="cursor"):
        await user.call("search_deals", **arguments)


@pytest.mark.parametrize("field", ["owner_id", "contact_id"])
async def test_an_id_that_nobody_has_is_not_an_empty_list(sixty: Organisation, field: str) -> None:
    with pytest.raises(NotFound, match=field):
        await sixty.as_role("user").call("search_deals", **{field: NOBODY})


async def test_finding_nothing_says_why(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert (await user.call("search_deals", stage="sql"))["message"] == "There are no deals that you can see"
    await add(user, "Deal")
    told = await user.call("search_deals", query="absent")
    assert told["message"].startswith("No deal matches; there are others that you can see")
    assert (told["deals"], told["total"]) == ([], 0)
    assert (await user.call("search_deals"))["message"] == "Found 1 deal"


async def test_a_page_says_that_there_is_more(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for number in range(5):
        await add(user, f"deal {number}")
    first = await user.call("search_deals", limit=3)
    assert (first["count"], first["total"]) == (3, 5)
    assert first["message"] == "3 of 5 deals; next_cursor leads on"
    rest = await user.call("search_deals", limit=3, cursor=first["next_cursor"])
    assert (rest["count"], rest["total"]) == (2, 5)
    assert rest["message"] == "2 of 5 deals; this is the last page"
    assert "next_cursor" not in rest


class TestWhereEverybodySeesTheirOwn:
    """An organisation whose users may read only what they own."""

    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        @hookimpl
        def sixty_permissions() -> list[Permissions]:
            declared = plugin.sixty_permissions()[0]
            return [
                replace(declared, grants={"user": ("deals:read:own", "deals:create"), "manager": ("deals:read:team",)})
            ]

        narrow = ModuleType("narrow")
        vars(narrow).update({**vars(plugin), "sixty_permissions": sixty_permissions})
        return (("deals", narrow),)

    @pytest.mark.usefixtures("three_ranked", "frequency")
    async def test_older_matches_of_ones_own_are_found_behind_newer_ones_of_others(self, sixty: Organisation) -> None:
        user, other = sixty.as_role("user"), sixty.as_role("manager")
        for title, owner in (("mine 1", user), ("mine 2", user), ("x", other), ("mine 3", user), ("y", other)):
            await add(owner, title)
        for limit in (1, 2, 3):
            assert await walk(user, limit, query="acme") == ["mine 3", "mine 2", "mine 1"]

    async def test_a_deal_outside_the_scope_is_nowhere(self, sixty: Organisation) -> None:
        user, manager = sixty.as_role("user"), sixty.as_role("manager")
        stranger = await sixty.user("Sam Stranger", team="South")
        deal = await add(stranger, "Hidden", value=5, expected_close_date="today", stage="signed")
        assert await titles(stranger) == await titles(sixty.as_role("admin")) == ["Hidden"]
        for who in (user, manager):
            assert await titles(who) == await titles(who, query="hidden") == []
            assert (await who.call("search_deals"))["message"] == "There are no deals that you can see"
            forecast = await who.call("forecast_revenue", period="year")
            assert (forecast["deal_count"], forecast["historical"]["closed"]) == (0, 0)
            with pytest.raises(NotFound, match="that you can see"):
                await who.call("get_deal_history", deal_id=deal["id"])
        forecast = await stranger.call("forecast_revenue", period="year")
        assert (forecast["deal_count"], forecast["historical"]["closed"]) == (1, 1)
        await add(user, "Shared")
        assert await titles(manager) == ["Shared"]
        assert await titles(stranger) == ["Hidden"]


deals = st.fixed_dictionaries(
    {"title": st.sampled_from(["alpha one", "alpha two", "beta"])},
    optional={
        "value": st.sampled_from([0.01, 5, 5.5, 10_000_000]),
        "expected_close_date": st.sampled_from(["2026-03-01", "2026-03-02", "2027-01-01"]),
        "stage": st.sampled_from(["sql", "verbal", "signed"]),
    },
)
sorts = st.sampled_from(["updated_at", "created_at", "closed_at", "expected_close_date", "value"])


@GENTLY
@given(
    made=st.lists(deals, max_size=6),
    sort=st.none() | st.tuples(st.sampled_from(["", "-"]), sorts).map("".join),
    query=st.none() | st.sampled_from(["alpha", "bet"]),
    limit=st.integers(1, 7),
)
async def test_pages_show_every_deal_exactly_once_and_in_order(
    sixty: Organisation, made: list[Deal], sort: str | None, query: str | None, limit: int
) -> None:
    user = sixty.as_role("user")
    for deal in made:
        await add(user, deal["title"], **{name: value for name, value in deal.items() if name != "title"})
    arguments = {"sort": sort, "query": query}
    arguments = {name: value for name, value in arguments.items() if value is not None}
    whole = await user.call("search_deals", limit=200, **arguments)
    seen: list[Deal] = []
    cursor: Mapping[str, str] = {}
    while True:
        page = await user.call("search_deals", limit=limit, **arguments, **cursor)
        assert page["total"] == whole["total"] == len(whole["deals"])
        seen += page["deals"]
        if "next_cursor" not in page:
            break
        assert page["count"] == limit
        cursor = {"cursor": page["next_cursor"]}
    assert seen == whole["deals"]
    assert len({deal["id"] for deal in seen}) == len(seen)
    if sort is not None or query is None:
        field = (sort or "-updated_at").removeprefix("-")
        known = [deal[field] for deal in seen if field in deal]
        assert known == sorted(known, reverse=(sort or "-").startswith("-"))
        assert all(field not in deal for deal in seen[len(known) :])
