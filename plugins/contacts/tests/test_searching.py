"""Finding contacts, as a caller sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import neighbours
import pytest

from sixty import Call, Conflict, Invalid, NotFound, Permissions, Unavailable, hookimpl, tool
from sixty_contacts import plugin

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

DEAL = replace(neighbours.HAPPENING, name="deal")
NOBODY = "00000000-0000-7000-8000-000000000000"


async def add(client: Client, name: str, **more: Any) -> dict[str, Any]:
    first, _, last = name.partition(" ")
    email = f"{first}.{last}@{last}.example".lower()
    given = {"first_name": first, "last_name": last, "email": email, **more}
    return (await client.call("create_contact", **given))["contact"]  # type: ignore[no-any-return]


async def names(client: Client, **arguments: Any) -> list[str]:
    found = await client.call("search_contacts", **arguments)
    return [contact["first_name"] for contact in found["contacts"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("anna", ["Anna"]),
        ("BERG", ["Anna"]),
        ("ber ann", ["Anna"]),
        ("purch", ["Anna"]),
        ("anna.berg@berg.example", ["Anna"]),
        ("901820", ["Anna"]),
        ("jose", ["José"]),
        ("globex", ["José"]),
        ("anna globex", []),
        ("absent", []),
        ("日本", []),
        ("' OR 1=1 --", []),
    ],
)
async def test_a_contact_is_found_by_words_of_its_own_or_of_its_company(
    sixty: Organisation, query: str, found: list[str]
) -> None:
    user = sixty.as_role("user")
    await add(user, "Anna Berg", company_name="Acme", role="Head of Purchasing", phone="030 901820")
    await add(user, "José Núñez", company_name="Globex", email="jn@gmail.com")
    assert await names(user, query=query) == found


async def test_those_who_match_come_before_those_whose_company_does(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Globex Fan", email="fan@gmail.com")
    sixty.clock.advance(timedelta(hours=1))
    await add(user, "Anna Berg", company_name="Globex")
    assert await names(user, query="globex") == ["Globex", "Anna"]


async def test_a_contact_is_found_by_the_beginning_of_its_company_in_any_spelling(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Anna Berg", company_name="Acme Robotics GmbH")
    await add(user, "Bob Hill", company_name="100% _pure_/water")
    await add(user, "Eve Moss")
    found = await user.call("search_contacts", company_name="ACMÉ")
    assert [contact["company_name"] for contact in found["contacts"]] == ["Acme Robotics GmbH"]
    assert await names(user, company_name="acme robotics ltd") == ["Anna"]
    assert await names(user, company_name="100") == ["Bob"]
    assert await names(user, company_name="%") == await names(user, company_name="/") == []
    assert await names(user, company_name="robotics") == []


async def test_a_contact_is_found_by_its_exact_email(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Anna Berg")
    assert await names(user, email="ANNA.BERG@berg.example") == ["Anna"]
    assert await names(user, email="berg@berg.example") == []


async def test_filters_narrow_one_another(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    await add(user, "Anna Berg", company_name="Acme")
    await add(manager, "Bob Berg", company_name="Acme")
    await add(user, "Anna Moss", company_name="Globex")
    assert await names(user, query="anna", company_name="Acme") == ["Anna"]
    assert await names(user, company_name="Acme", owner_id=manager.user_id) == ["Bob"]
    assert await names(user, query="berg", owner_id=user.user_id) == ["Anna"]
    with pytest.raises(NotFound, match="owner_id"):
        await user.call("search_contacts", owner_id=NOBODY)


async def test_the_latest_changed_come_first_and_pages_follow_one_another(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = []
    for number in range(5):
        sixty.clock.advance(timedelta(minutes=1))
        made.append(await add(user, f"N{number} Berg", company_name="Acme"))
    sixty.clock.advance(timedelta(minutes=1))
    await user.call("update_contact", contact_id=made[0]["id"], updates={"role": "CEO"})
    for arguments in ({}, {"query": "berg"}, {"query": "acme"}):
        first = await user.call("search_contacts", limit=3, **arguments)
        rest = await user.call("search_contacts", limit=3, cursor=first["next_cursor"], **arguments)
        assert (first["total"], first["count"], rest["count"]) == (5, 3, 2)
        assert first["message"] == "3 of 5 contacts; next_cursor leads on"
        found = [contact["first_name"] for contact in first["contacts"] + rest["contacts"]]
        assert sorted(found) == ["N0", "N1", "N2", "N3", "N4"]
        if not arguments:
            assert found == ["N0", "N4", "N3", "N2", "N1"]


async def test_finding_nothing_says_why(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert (await user.call("search_contacts"))["message"] == "There are no contacts that you can see"
    await add(user, "Anna Berg")
    told = await user.call("search_contacts", query="absent")
    assert told["message"].startswith("No contact matches; there are others that you can see")


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"query": "…"}, "query must have a word"),
        ({"query": "a\x00"}, "null character"),
        ({"email": "anna"}, "must be an e-mail address"),
        ({"limit": 201}, "limit must be at most 200"),
        ({"cursor": "nonsense"}, "cursor is not one of this list"),
        ({"deal_id": "42"}, "is not an id"),
        ({"company": "Acme"}, "did you mean 'company_name'"),
    ],
)
async def test_a_search_that_cannot_be_meant_is_refused(
    sixty: Organisation, arguments: dict[str, Any], rule: str
) -> None:
    with pytest.raises(Invalid, match=rule):
        await sixty.as_role("user").call("search_contacts", **arguments)


async def test_contacts_of_a_deal_need_deals(sixty: Organisation) -> None:
    with pytest.raises(Unavailable, match="no pack that keeps deals is installed"):
        await sixty.as_role("user").call("search_contacts", deal_id=NOBODY)


class TestBesideDeals:
    """An organisation that keeps deals."""

    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        beside = ModuleType("beside")

        @tool("put_deal", permission="happenings:create", effect="create")
        async def put_deal(args: neighbours.PutHappening, call: Call) -> neighbours.Made:
            """Put a deal in."""
            row = await call.records.add(DEAL, args.model_dump())
            return neighbours.Made(message="Made", id=row["id"])

        @hookimpl
        def sixty_tables() -> object:
            return replace(neighbours.sixty_tables(), kinds=(DEAL,))

        @hookimpl
        def sixty_tools() -> object:
            return (put_deal,)

        vars(beside).update({**vars(neighbours), "sixty_tables": sixty_tables, "sixty_tools": sixty_tools})
        return (("contacts", plugin), ("neighbours", beside))

    async def test_the_contacts_of_a_deal_are_found_as_far_as_one_sees_the_deal(self, sixty: Organisation) -> None:
        user, admin = sixty.as_role("user"), sixty.as_role("admin")
        anna = await add(user, "Anna Berg")
        await add(user, "Bob Hill")
        put = {"what": "deal", "title": "Site license", "contact_id": anna["id"]}
        mine, theirs = [(await who.call("put_deal", **put))["id"] for who in (user, admin)]
        assert await names(user, deal_id=mine) == await names(admin, deal_id=mine) == ["Anna"]
        assert await names(user, deal_id=mine, query="bob") == []
        with pytest.raises(NotFound, match="deal_id"):
            await user.call("search_contacts", deal_id=theirs)

    async def test_a_deal_that_is_not_there_is_not_an_empty_list(self, sixty: Organisation) -> None:
        user = sixty.as_role("user")
        with pytest.raises(NotFound, match="deal_id: there is no deal"):
            await user.call("search_contacts", deal_id=NOBODY)
        with pytest.raises(Invalid, match="deal_id must be the id of a deal"):
            await user.call("search_contacts", deal_id=(await add(user, "Anna Berg"))["id"])


class TestWhereEverybodySeesTheirOwn:
    """An organisation whose users may read only what they own."""

    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        @hookimpl
        def sixty_permissions() -> list[Permissions]:
            (declared,) = plugin.sixty_permissions()
            own = tuple(f"contacts:{action}:own" for action in ("read", "update", "delete", "merge"))
            return [replace(declared, grants={"user": (*own, "contacts:create")})]

        narrow = ModuleType("narrow")
        vars(narrow).update({**vars(plugin), "sixty_permissions": sixty_permissions})
        return (("contacts", narrow),)

    async def test_a_contact_of_somebody_else_is_nowhere(self, sixty: Organisation) -> None:
        user, stranger = sixty.as_role("user"), await sixty.user("Sam Stranger", team="South")
        hidden = await add(stranger, "Anna Berg", company_name="Acme")
        for arguments in ({}, {"query": "anna"}, {"query": "acme"}, {"company_name": "Acme"}):
            assert await names(stranger, **arguments) == ["Anna"]
            told = await user.call("search_contacts", **arguments)
            assert (told["contacts"], told["message"]) == ([], "There are no contacts that you can see")
        for changing, arguments in (
            ("update_contact", {"contact_id": hidden["id"], "updates": {"role": "CEO"}}),
            ("update_company", {"company_id": hidden["company_id"], "updates": {"size": 5}}),
            ("merge_contacts", {"primary_id": hidden["id"], "duplicate_ids": [NOBODY]}),
        ):
            with pytest.raises(NotFound, match="that you can see"):
                await user.call(changing, **arguments)

    async def test_an_email_that_one_cannot_see_is_no_conflict(self, sixty: Organisation) -> None:
        user, stranger = sixty.as_role("user"), await sixty.user("Sam Stranger", team="South")
        await add(stranger, "Anna Berg", company_name="Acme")
        mine = await add(user, "Anna Berg", company_name="Acme")
        assert mine["company_name"] == "Acme"
        with pytest.raises(Conflict, match=mine["id"]):
            await add(user, "Anna Berg")
        admins = await sixty.as_role("admin").call("search_contacts", company_name="Acme")
        assert len({contact["company_id"] for contact in admins["contacts"]}) == 2

    async def test_the_name_of_a_company_that_one_cannot_see_is_not_shown(self, sixty: Organisation) -> None:
        user, admin = sixty.as_role("user"), sixty.as_role("admin")
        made = await add(admin, "Anna Berg", company_name="Secret", owner_id=user.user_id)
        (found,) = (await user.call("search_contacts"))["contacts"]
        assert found["id"] == made["id"]
        assert "company_name" not in found
        assert await names(user, company_name="Secret") == await names(user, query="secret") == []
