"""`find_duplicate_contacts`, as a caller sees it: pairs, reasons, pages and scope."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from sixty import Invalid, Permissions, hookimpl
from sixty_contacts import plugin
from sixty_contacts.duplicates import finding

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

HOME = {"street": "12 Elm Street", "city": "Springfield", "postal_code": "49007", "country": "US"}
PEOPLE = [
    ("Agatha", "Quillfeather"),
    ("Bertram", "Nettlefold"),
    ("Cosima", "Underhay"),
    ("Dragan", "Petrovic"),
    ("Esperanza", "Ibarra"),
    ("Fenton", "Wolcott"),
]


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    grants = {
        "user": ("contacts:read:own", "contacts:create"),
        "manager": ("contacts:read:team",),
        "admin": ("contacts:*",),
    }
    actions = {action: action for action in ("read", "create", "update", "delete", "merge")}
    return (Permissions("contacts", actions=actions, grants=grants),)


async def add(who: Client, first_name: str, last_name: str, email: str, /, **given: Any) -> str:
    """A new contact's id."""
    made = await who.call("create_contact", first_name=first_name, last_name=last_name, email=email, **given)
    contact_id: str = made["contact_id"]
    return contact_id


async def add_twice(who: Client, number: int) -> None:
    """Somebody, and the same person again."""
    (first, last), home = (
        PEOPLE[number],
        {"street": f"{number + 1} {PEOPLE[-number][1]} Street", "city": PEOPLE[-number][0]},
    )
    await add(who, first, last, f"a{number}@one.example", address=home)
    await add(who, first, last, f"b{number}@two.example", address=home)


async def test_a_pair_is_shown_with_reasons(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    one = await add(
        user,
        "Robert",
        "Quillfeather",
        "robert@acme.example",
        company_name="Acme",
        phone="+1 212 555 0100",
        address=HOME,
    )
    two = await add(
        user, "Bob", "Quilfeather", "bob@gmail.com", company_name="ACME Inc.", phone="212-555-0100", address=HOME
    )
    await add(user, "Grace", "Hopper", "grace@navy.example", company_name="Navy")
    found = await user.call("find_duplicate_contacts")
    (pair,) = found["duplicates"]
    assert found["message"] == "Found 1 pair of contacts that may be one person"
    assert (found["duplicate_count"], found["count"], found["total"], pair["group"]) == (1, 1, 1, 1)
    assert pair["contact1"] == {
        "id": min(one, two), "name": "Robert Quillfeather", "email": "robert@acme.example", "phone": "+1 212 555 0100", "company_name": "Acme",
    }  # fmt: skip
    assert pair["contact2"]["id"] == max(one, two)
    assert 0.8 <= pair["similarity"] <= 1
    reasons = {reason["field"]: reason for reason in pair["reasons"]}
    assert reasons["first_name"] == {
        "field": "first_name", "agreement": "similar", "weight": 4.0, "contact1": "Robert", "contact2": "Bob",
    }  # fmt: skip
    assert {name: reason["agreement"] for name, reason in reasons.items()} == {
        "first_name": "similar", "last_name": "similar", "phone": "same", "company_name": "same",
        "street": "same", "city": "same", "postal_code": "same", "email": "different",
    }  # fmt: skip
    weights = [reason["weight"] for reason in pair["reasons"]]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] < 0 < weights[0]


async def test_names_in_each_others_place_are_told_as_swapped(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Agatha", "Quillfeather", "a@one.example", address=HOME)
    await add(user, "Quillfeather", "Agatha", "b@two.example", address=HOME)
    (pair,) = (await user.call("find_duplicate_contacts"))["duplicates"]
    swapped = [reason for reason in pair["reasons"] if reason["agreement"] == "swapped"]
    assert {(reason["contact1"], reason["contact2"]) for reason in swapped} == {
        ("Agatha", "Agatha"),
        ("Quillfeather", "Quillfeather"),
    }


async def test_the_domain_counts_where_no_company_is_known(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add(user, "Agatha", "Quillfeather", "a.quillfeather@acme.example")
    await add(user, "Agatha", "Quilfeather", "agatha@acme.example")
    await add(user, "Grace", "Hopper", "grace@navy.example")
    (pair,) = (await user.call("find_duplicate_contacts"))["duplicates"]
    (domain,) = [reason for reason in pair["reasons"] if reason["field"] == "email_domain"]
    assert (domain["agreement"], domain["contact1"], domain["contact2"]) == ("same", "acme.example", "acme.example")


async def test_an_empty_list_says_why(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    assert (await user.call("find_duplicate_contacts"))["message"] == "There are no contacts that you can see"
    await add(user, "Grace", "Hopper", "grace@navy.example")
    found = await user.call("find_duplicate_contacts")
    assert found["duplicates"] == []
    assert found["duplicate_count"] == 0
    assert found["message"] == (
        "No two contacts that you can see seem to be one person, at a threshold of 0.8; a lower threshold shows what is less certain"
    )
    lowest = await user.call("find_duplicate_contacts", threshold=0.5)
    assert lowest["message"] == "No two contacts that you can see seem to be one person, at a threshold of 0.5"


@pytest.mark.parametrize("threshold", [0.49, 1.01, -1, 80, "high", None, True, [0.8]])
async def test_a_threshold_is_a_probability_from_a_half_to_one(sixty: Organisation, threshold: object) -> None:
    with pytest.raises(Invalid, match="threshold"):
        await sixty.as_role("user").call("find_duplicate_contacts", threshold=threshold)


async def test_a_lower_threshold_shows_what_is_less_certain(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await add_twice(user, 0)
    await add(user, "Walter", "Marsh", "walter@one.example")
    await add(user, "Walter", "Marsh", "marsh@gmail.com")
    certain = await user.call("find_duplicate_contacts", threshold=0.95)
    possible = await user.call("find_duplicate_contacts", threshold=0.5)
    assert certain["duplicate_count"] == 1
    assert possible["duplicates"][0] == certain["duplicates"][0]
    assert possible["duplicate_count"] == 2
    assert [pair["group"] for pair in possible["duplicates"]] == [1, 2]


async def test_pages_follow_one_another(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for number in range(5):
        await add_twice(user, number)
    everything = await user.call("find_duplicate_contacts", limit=200)
    assert everything["duplicate_count"] == 5
    assert "next_cursor" not in everything
    seen, cursor, messages = [], {}, []
    for _ in range(3):
        page = await user.call("find_duplicate_contacts", limit=2, **cursor)
        seen += page["duplicates"]
        messages.append(page["message"])
        cursor = {"cursor": page.get("next_cursor")}
    assert cursor == {"cursor": None}
    assert seen == everything["duplicates"]
    assert messages == [
        "2 of 5 pairs; next_cursor leads on", "2 of 5 pairs; next_cursor leads on", "1 of 5 pairs; this is the last page",
    ]  # fmt: skip


async def test_a_page_goes_on_where_the_last_one_ended_though_pairs_have_gone(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for number in range(3):
        await add_twice(user, number)
    everything = (await user.call("find_duplicate_contacts"))["duplicates"]
    first = await user.call("find_duplicate_contacts", limit=1)
    await user.call("delete_record", id=first["duplicates"][0]["contact1"]["id"])
    rest = await user.call("find_duplicate_contacts", cursor=first["next_cursor"])
    assert [(pair["contact1"]["id"], pair["contact2"]["id"]) for pair in rest["duplicates"]] == [
        (pair["contact1"]["id"], pair["contact2"]["id"]) for pair in everything[1:]
    ]


@pytest.mark.parametrize("cursor", ["", "x", "😀", "bnVsbA", "WzEsMiwzXQ", "W10", "eyJhIjoxfQ", "A" * 2000])
async def test_a_cursor_of_another_list_is_refused(sixty: Organisation, cursor: str) -> None:
    user = sixty.as_role("user")
    await add_twice(user, 0)
    with pytest.raises(Invalid, match="cursor"):
        await user.call("find_duplicate_contacts", cursor=cursor)


async def test_pairs_are_found_once_while_nobody_writes(sixty: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    user, times = sixty.as_role("user"), []
    found = finding.find
    monkeypatch.setattr(finding, "find", lambda *given: times.append(1) or found(*given))
    await add_twice(user, 0)
    alone = await user.call("find_duplicate_contacts")
    both = await asyncio.gather(*(user.call("find_duplicate_contacts", threshold=each) for each in (0.5, 0.9)))
    assert [each["duplicate_count"] for each in both] == [1, 1]
    assert len(times) == 1
    await add_twice(user, 1)
    assert (await user.call("find_duplicate_contacts"))["duplicate_count"] == alone["duplicate_count"] + 1
    assert len(times) == 2
    await sixty.as_role("manager").call("find_duplicate_contacts")
    assert len(times) == 3


async def test_answers_that_are_kept_do_not_grow(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for number in range(6):
        await add_twice(user, number)
        assert (await user.call("find_duplicate_contacts"))["duplicate_count"] == number + 1


async def test_odd_names_hurt_nobody(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for number, name in enumerate(["😀", "محمد", "x" * 255, "-", "Ⅷ", "İ", "ß"]):
        await add(user, name, name, f"odd{number}@one.example")
    assert (await user.call("find_duplicate_contacts", threshold=0.5))["success"] is True


class TestScope:
    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        own = ModuleType("contacts_with_scope")
        for name, value in vars(plugin).items():
            setattr(own, name, value)
        own.sixty_permissions = sixty_permissions  # type: ignore[attr-defined]
        return (("contacts", own),)

    async def test_only_contacts_that_one_may_read_are_compared(self, sixty: Organisation) -> None:
        user, admin = sixty.as_role("user"), sixty.as_role("admin")
        await add(user, "Agatha", "Quillfeather", "a@one.example", address=HOME)
        await add(admin, "Agatha", "Quillfeather", "b@two.example", address=HOME)
        assert (await admin.call("find_duplicate_contacts"))["duplicate_count"] == 1
        assert (await user.call("find_duplicate_contacts"))["duplicate_count"] == 0

    async def test_a_company_that_one_may_not_read_is_not_named(self, sixty: Organisation) -> None:
        user, admin = sixty.as_role("user"), sixty.as_role("admin")
        me = user.user_id
        for mail in ("a@one.example", "b@two.example"):
            await add(admin, "Agatha", "Quillfeather", mail, address=HOME, company_name="Secret", owner_id=me)
        (seen,) = (await user.call("find_duplicate_contacts"))["duplicates"]
        (known,) = (await admin.call("find_duplicate_contacts"))["duplicates"]
        assert known["contact1"]["company_name"] == "Secret"
        assert "Secret" not in str(seen)
