"""Making one contact of several, as a caller sees it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import neighbours
import pytest

from sixty import Call, Conflict, Forbidden, Invalid, NotFound, Permissions, Tool, hookimpl, tool
from sixty_contacts import plugin
from sixty_contacts.tables import FACT, contact_facts, contacts

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

NOBODY = "00000000-0000-7000-8000-000000000000"
Contact = dict[str, Any]


class Finder:
    """A pack that finds out a fact about a contact."""

    @hookimpl
    def sixty_tools(self) -> tuple[Tool, ...]:
        @tool("put_fact", permission="happenings:create", effect="create")
        async def put_fact(args: neighbours.Edit, call: Call) -> neighbours.Made:
            """Put a fact in."""
            fact = await call.records.add_detail(FACT, args.id, {"at": call.now, **args.values})
            return neighbours.Made(message="Made", id=fact["id"])

        return (put_fact,)


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("contacts", plugin), ("neighbours", neighbours), ("finder", Finder()))


async def add(client: Client, first_name: str, **more: Any) -> Contact:
    given = {"first_name": first_name, "last_name": "Berg", "email": f"{first_name.lower()}@gmail.com", **more}
    return (await client.call("create_contact", **given))["contact"]  # type: ignore[no-any-return]


async def merge(client: Client, primary: Contact, *duplicates: Contact, **choices: Contact) -> dict[str, Any]:
    chosen = {field: contact["id"] for field, contact in choices.items()}
    ids = [duplicate["id"] for duplicate in duplicates]
    return await client.call("merge_contacts", primary_id=primary["id"], duplicate_ids=ids, field_choices=chosen)


async def read(client: Client, record_id: str) -> Contact:
    return (await client.call("get_record", id=record_id))["record"]  # type: ignore[no-any-return]


async def test_values_of_the_primary_stay_and_empty_ones_are_filled_in_order(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary = await add(user, "Anna", role="CEO")
    second = await add(user, "Ann", role="Boss", phone="+49 30 901820", company_name="Acme")
    third = await add(user, "A", phone="+49 30 1", linkedin_url="https://linkedin.com/in/anna")
    merged = await merge(user, primary, second, third)
    contact = merged["contact"]
    assert (contact["id"], contact["first_name"], contact["email"]) == (primary["id"], "Anna", "anna@gmail.com")
    assert (contact["role"], contact["phone"], contact["company_name"]) == ("CEO", "+49 30 901820", "Acme")
    assert contact["linkedin_url"] == "https://linkedin.com/in/anna"
    assert merged["merged"] == [second["id"], third["id"]]
    assert merged["moved"] == {}
    (row,) = await sixty.rows(contacts.select())
    assert row["phone_e164"] == "+4930901820"


async def test_a_field_choice_keeps_the_value_of_the_contact_that_it_names(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary = await add(user, "Anna", role="CEO", phone="1", address={"city": "Bonn", "street": "Weg 1"})
    other = await add(user, "Ann", address={"city": "Berlin"}, company_name="Acme")
    choices = dict.fromkeys(("first_name", "email", "phone", "company_id", "address"), other)
    contact = (await merge(user, primary, other, **choices, role=primary))["contact"]
    assert (contact["first_name"], contact["email"], contact["role"]) == ("Ann", "ann@gmail.com", "CEO")
    assert (contact["address"], contact["company_name"]) == ({"city": "Berlin"}, "Acme")
    assert "phone" not in contact
    (row,) = await sixty.rows(contacts.select())
    assert row["full_name"] == "Ann Berg"
    assert (await user.call("search_contacts", query="ann@gmail.com"))["count"] == 1


async def test_everything_that_pointed_at_a_duplicate_points_at_the_primary(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    primary, other = await add(user, "Anna"), await add(user, "Ann")
    for who in (user, admin):
        for contact in (primary, other):
            await who.call("put_happening", what="activity", title="Call", contact_id=contact["id"])
    merged = await merge(user, primary, other)
    assert merged["moved"] == {"happening": 2}  # one of them the admin's, which the user may not read
    rows = await sixty.rows(neighbours.happenings.select())
    assert [row["contact_id"] for row in rows] == [primary["id"]] * 4


async def test_the_id_of_a_duplicate_leads_to_the_primary(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary, other, last = await add(user, "Anna"), await add(user, "Ann"), await add(user, "A")
    await merge(user, primary, other)
    assert (await read(user, other["id"]))["id"] == primary["id"]
    saved = await user.call("update_contact", contact_id=other["id"], updates={"role": "CEO"})
    assert saved["contact"]["id"] == primary["id"]
    by_old_id = await merge(user, other, last)
    assert by_old_id["contact"]["id"] == primary["id"]
    assert await sixty.count(contacts) == 1
    assert (await add(user, "Ann"))["email"] == "ann@gmail.com"  # the address is free again


async def test_undoing_restores_contacts_pointers_and_facts(sixty: Organisation) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    primary, other = await add(user, "Anna"), await add(user, "Ann", phone="+49 30 901820", company_name="Acme")
    put = {"what": "activity", "title": "Call", "contact_id": other["id"]}
    ids = [(await who.call("put_happening", **put))["id"] for who in (user, admin)]
    fact = {"subject": "contact", "field": "role", "value": "CEO", "source": "hunter"}
    await user.call("put_fact", id=other["id"], values=fact)
    before = await sixty.rows(contacts.select().order_by(contacts.c.id))
    facts = await sixty.rows(contact_facts.select())
    sixty.clock.advance(timedelta(hours=1))
    merged = await merge(user, primary, other)
    (moved,) = await sixty.rows(contact_facts.select())
    assert (moved["contact_id"], moved["value"], moved["at"]) == (primary["id"], "CEO", facts[0]["at"])
    await user.call("undo_change", change_id=merged["change_id"])
    stamps = {"version", "updated_at"}
    after = await sixty.rows(contacts.select().order_by(contacts.c.id))
    assert [{name: row[name] for name in row if name not in stamps} for row in after] == [
        {name: row[name] for name in row if name not in stamps} for row in before
    ]
    assert await sixty.rows(contact_facts.select()) == facts
    rows = await sixty.rows(neighbours.happenings.select())
    assert {row["id"]: row["contact_id"] for row in rows} == dict.fromkeys(ids, other["id"])
    assert (await read(user, other["id"]))["id"] == other["id"]
    assert (await user.call("search_contacts", email="ann@gmail.com"))["count"] == 1
    assert (await merge(user, primary, other))["contact"]["phone"] == "+49 30 901820"


async def test_what_a_source_said_of_both_is_kept_once(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary, other = await add(user, "Anna"), await add(user, "Ann")
    fact = {"subject": "contact", "field": "role", "source": "hunter"}
    await user.call("put_fact", id=primary["id"], values={**fact, "value": "CEO"})
    await user.call("put_fact", id=other["id"], values={**fact, "value": "CFO"})
    await user.call("put_fact", id=other["id"], values={**fact, "value": "Boss", "source": "internal"})
    await merge(user, primary, other)
    rows = await sixty.rows(contact_facts.select())
    assert {(row["contact_id"], row["source"], row["value"]) for row in rows} == {
        (primary["id"], "hunter", "CEO"),
        (primary["id"], "internal", "Boss"),
    }


async def test_a_contact_is_not_merged_with_itself_or_twice(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary, other = await add(user, "Anna"), await add(user, "Ann")
    with pytest.raises(Invalid, match="cannot be merged with itself"):
        await merge(user, primary, primary)
    with pytest.raises(Invalid, match="each id once"):
        await merge(user, primary, other, other)
    with pytest.raises(Invalid, match="role must be the primary_id or one of duplicate_ids"):
        await merge(user, primary, other, role={"id": NOBODY})
    assert await sixty.count(contacts) == 2


async def test_one_that_is_merged_already_is_told_where_it_went(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary, other, third = await add(user, "Anna"), await add(user, "Ann"), await add(user, "A")
    await merge(user, primary, other)
    told = f'is already merged into "Anna Berg" .{primary["id"]}'
    for first, second in ((primary, other), (third, other), (other, primary)):
        with pytest.raises(Conflict, match=told):
            await merge(user, first, second)


async def test_of_two_who_merge_the_same_at_once_one_does_and_the_other_is_told(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    one, other = await add(user, "Anna"), await add(user, "Ann")
    await user.call("put_happening", what="activity", title="Call", contact_id=other["id"])
    calls = ((user, one, other), (manager, other, one))  # each into the other
    outcomes = await asyncio.gather(
        *(
            client.outcome("merge_contacts", primary_id=primary["id"], duplicate_ids=[duplicate["id"]])
            for client, primary, duplicate in calls
        )
    )
    assert sorted(outcome.is_error for outcome in outcomes) == [False, True]
    (refused,) = [outcome.structured["error"] for outcome in outcomes if outcome.is_error]
    assert (refused["code"], "already merged" in refused["message"]) == ("conflict", True)
    (kept,) = await sixty.rows(contacts.select())
    (happening,) = await sixty.rows(neighbours.happenings.select())
    assert happening["contact_id"] == kept["id"]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"duplicate_ids": []}, "duplicate_ids"),
        ({"duplicate_ids": [NOBODY] * 21}, "duplicate_ids"),
        ({"duplicate_ids": ["42"]}, "is not an id"),
        ({"duplicate_ids": NOBODY}, "duplicate_ids"),
        ({"duplicate_ids": [NOBODY], "field_choices": {"owner_id": NOBODY}}, "field_choices"),
        ({"duplicate_ids": [NOBODY], "field_choices": {"role": "42"}}, "is not an id"),
        ({"duplicate_ids": [NOBODY], "field_choices": None}, "field_choices"),
    ],
)
async def test_a_merge_that_cannot_be_meant_is_refused(
    sixty: Organisation, arguments: dict[str, Any], rule: str
) -> None:
    user = sixty.as_role("user")
    primary = await add(user, "Anna")
    with pytest.raises(Invalid, match=rule):
        await user.call("merge_contacts", primary_id=primary["id"], **arguments)


async def test_what_is_no_contact_is_not_merged(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary = await add(user, "Anna", company_name="Acme")
    for wrong in (NOBODY, primary["company_id"]):
        with pytest.raises(NotFound, match="search_contacts finds the right id"):
            await merge(user, primary, {"id": wrong})


class TestWhereEverybodyMergesTheirOwn:
    """An organisation where users see all contacts, and merge those that they own."""

    @pytest.fixture
    def plugins(self) -> tuple[tuple[str, object], ...]:
        @hookimpl
        def sixty_permissions() -> list[Permissions]:
            (declared,) = plugin.sixty_permissions()
            return [replace(declared, grants={"user": ("contacts:read", "contacts:create", "contacts:merge:own")})]

        narrow = ModuleType("narrow")
        vars(narrow).update({**vars(plugin), "sixty_permissions": sixty_permissions})
        return (("contacts", narrow), ("neighbours", neighbours))

    async def test_a_contact_of_somebody_else_is_not_merged(self, sixty: Organisation) -> None:
        user, manager = sixty.as_role("user"), sixty.as_role("manager")
        mine, theirs = await add(user, "Anna"), await add(manager, "Ann")
        for primary, duplicate in ((mine, theirs), (theirs, mine)):
            with pytest.raises(Forbidden, match="it belongs to Max Manager"):
                await merge(user, primary, duplicate)
        assert await sixty.count(contacts) == 2
        assert (await merge(user, mine, await add(user, "A")))["success"]
