"""Finding contacts, as a caller sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import neighbours
import pytest

from sixty import Invalid, NotFound, Unavailable
from sixty_contacts import plugin

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def plugins(request: pytest.FixtureRequest) -> tuple[tuple[str, object], ...]:
    alone = request.node.get_closest_marker("parametrize") is None and "alone" in request.node.name
    return (("contacts", plugin),) if alone else (("contacts", plugin), ("neighbours", neighbours))


async def add(who: Client, name: str, email: str, **given: Any) -> dict[str, Any]:
    first, last = name.split(" ")
    return await who.call("create_contact", first_name=first, last_name=last, email=email, **given)


async def names(who: Client, **filters: Any) -> list[str]:
    found = await who.call("search_contacts", **filters)
    return [f"{contact['first_name']} {contact['last_name']}" for contact in found["contacts"]]


@pytest.fixture
async def user(sixty: Organisation) -> Client:
    """Who has put four contacts in, one a minute."""
    who = sixty.as_role("user")
    for name, email, given in (
        ("Zoë Müller", "zoe@acme.example", {"company_name": "Acme GmbH", "role": "Head of Sales"}),
        ("Bob Acmeson", "bob@gmail.com", {"phone": "+1 312 555 0100"}),
        ("Cy Lee", "cy@globex.example", {"company_name": "Globex 100%_", "role": "Sales engineer"}),
        ("Dee Lee", "dee@gmail.com", {"role": "Zookeeper"}),
    ):
        await add(who, name, email, **given)
        sixty.clock.advance(timedelta(minutes=1))
    return who


async def test_without_filters_the_latest_changed_come_first(sixty: Organisation, user: Client) -> None:
    assert await names(user) == ["Dee Lee", "Cy Lee", "Bob Acmeson", "Zoë Müller"]
    (zoe,) = (await user.call("search_contacts", email="zoe@acme.example"))["contacts"]
    await user.call("update_contact", contact_id=zoe["id"], updates={"role": "CEO"})
    found = await user.call("search_contacts", limit=1)
    assert found["message"] == "1 of 4 contacts; next_cursor leads on"
    assert found["contacts"][0]["company_name"] == "Acme GmbH"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("zoe", ["Zoë Müller"]),
        ("MULL", ["Zoë Müller"]),
        ("lee", ["Dee Lee", "Cy Lee"]),
        ("cy@globex", ["Cy Lee"]),
        ("sales", ["Cy Lee", "Zoë Müller"]),
        ("312 555", ["Bob Acmeson"]),
        ("acme", ["Bob Acmeson", "Zoë Müller"]),
        ("globex", ["Cy Lee"]),
        ("nobody", []),
    ],
)
async def test_words_or_their_beginnings_find_name_mail_role_phone_and_company(
    user: Client, query: str, found: list[str]
) -> None:
    assert sorted(await names(user, query=query)) == sorted(found)


async def test_who_is_called_so_comes_before_who_works_there(user: Client) -> None:
    await add(user, "Eve Berg", "eve@gmail.com", company_name="Lee")
    assert (await names(user, query="lee"))[-1] == "Eve Berg"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"company_name": "acme"}, ["Zoë Müller"]),
        ({"company_name": "ACM"}, ["Zoë Müller"]),
        ({"company_name": "100%"}, []),
        ({"company_name": "%"}, []),
        ({"company_name": "Globex 100%"}, ["Cy Lee"]),
        ({"email": "DEE@gmail.com"}, ["Dee Lee"]),
        ({"query": "lee", "company_name": "globex"}, ["Cy Lee"]),
    ],
)
async def test_filters_narrow_the_list(user: Client, filters: dict[str, str], found: list[str]) -> None:
    assert await names(user, **filters) == found


async def test_an_owner_is_somebody_there_is(sixty: Organisation, user: Client) -> None:
    manager = sixty.as_role("manager")
    await add(manager, "Max Own", "max@gmail.com")
    assert await names(user, owner_id=manager.user_id) == ["Max Own"]
    with pytest.raises(NotFound, match="owner_id: there is no user"):
        await names(user, owner_id=NOBODY)


async def test_an_empty_list_says_why(sixty: Organisation, user: Client) -> None:
    found = await user.call("search_contacts", email="nobody@acme.example")
    assert (found["count"], found["total"]) == (0, 0)
    assert found["message"].startswith("No contact matches; there are others that you can see")


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"query": "🙂"}, "query must have a word"),
        ({"query": "x" * 10_000}, "query"),
        ({"query": "a\0"}, "null character"),
        ({"email": "acme"}, "must be an e-mail address"),
        ({"limit": 0}, "limit"),
        ({"cursor": "x"}, "not one of this list"),
        ({"deal_id": "1"}, "is not an id"),
    ],
)
async def test_a_bad_filter_is_refused(sixty: Organisation, arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(Invalid, match=rule):
        await sixty.as_role("user").call("search_contacts", **arguments)


@pytest.mark.parametrize("filters", [{}, {"query": "page"}])
async def test_pages_show_each_once(sixty: Organisation, filters: dict[str, str]) -> None:
    who = sixty.as_role("user")
    for number in range(7):
        await add(who, f"Page N{number}", f"p{number}@gmail.com", company_name="Page House")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        found = await who.call("search_contacts", limit=3, **filters, **cursor)
        assert found["total"] == 7
        seen += [contact["id"] for contact in found["contacts"]]
        cursor = {"cursor": found["next_cursor"]} if "next_cursor" in found else {}
    assert (len(seen), len(set(seen)), cursor) == (7, 7, {})


async def test_the_contacts_of_a_deal_are_found_by_its_id(user: Client) -> None:
    (zoe,) = (await user.call("search_contacts", email="zoe@acme.example"))["contacts"]
    deal = await user.call("put_happening", what="deal", title="License", contact_id=zoe["id"])
    with pytest.raises((NotFound, Invalid), match="deal_id"):
        await names(user, deal_id=zoe["id"])
    with pytest.raises(NotFound, match="deal_id: there is no deal"):
        await names(user, deal_id=NOBODY)
    assert deal["id"]


async def test_alone_the_pack_says_that_there_are_no_deals(sixty: Organisation) -> None:
    with pytest.raises(Unavailable, match="no pack that keeps deals is installed"):
        await sixty.as_role("user").call("search_contacts", deal_id=NOBODY)
