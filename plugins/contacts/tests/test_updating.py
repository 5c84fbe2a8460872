"""Changing contacts, as a caller sees it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sixty import Conflict, Invalid, NotFound
from sixty_contacts.tables import companies, contacts

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

NOBODY = "00000000-0000-7000-8000-000000000000"
ANNA = {"first_name": "Anna", "last_name": "Berg", "email": "anna.berg@acme.example"}
Given = dict[str, Any]


async def anna(client: Client, **more: Any) -> Given:
    return (await client.call("create_contact", **{**ANNA, **more}))["contact"]  # type: ignore[no-any-return]


async def update(client: Client, contact: Given, **updates: Any) -> Given:
    answer = await client.call("update_contact", contact_id=contact["id"], updates=updates)
    return answer["contact"]  # type: ignore[no-any-return]


async def test_an_update_changes_what_is_given_and_nothing_else(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    before = await anna(user, phone="+49 30 901820", role="Buyer", company_name="Acme")
    sixty.clock.advance(timedelta(hours=1))
    after = await update(user, before, role="CEO", last_name="Berg-Holm")
    assert after == {
        **before,
        "role": "CEO",
        "last_name": "Berg-Holm",
        "version": 2,
        "updated_at": "2026-03-02T10:30:00Z",
    }
    (row,) = await sixty.rows(contacts.select())
    assert row["full_name"] == "Anna Berg-Holm"


async def test_null_clears_what_a_contact_need_not_have(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    given = {
        "phone": "+49 30 901820",
        "company_name": "Acme",
        "role": "Buyer",
        "linkedin_url": "https://linkedin.com/in/a",
        "address": {"city": "Berlin", "country": "DE"},
    }
    after = await update(user, await anna(user, **given), **dict.fromkeys(given))
    assert not {*given, "company_id"} & set(after)
    (row,) = await sixty.rows(contacts.select())
    assert (row["phone_e164"], row["city"]) == (None, None)


@pytest.mark.parametrize("field", ["first_name", "last_name", "email", "owner_id"])
async def test_what_every_contact_has_cannot_be_cleared(sixty: Organisation, field: str) -> None:
    user = sixty.as_role("user")
    with pytest.raises(Invalid, match=f"updates.{field} cannot be cleared"):
        await update(user, await anna(user), **{field: None})


async def test_an_update_of_nothing_is_refused(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    with pytest.raises(Invalid, match="updates is empty; it may have first_name"):
        await update(user, await anna(user))


async def test_an_update_to_what_is_there_changes_nothing_and_says_so(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await anna(user, role="Buyer", company_name="Acme")
    same = {**ANNA, "role": "Buyer", "company_name": "ACME Inc."}
    answer = await user.call("update_contact", contact_id=contact["id"], updates=same)
    assert answer["contact"] == contact
    assert "nothing changed" in answer["message"]


async def test_the_parts_of_an_address_that_are_given_change(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await anna(user, phone="030 901820", address={"city": "Paris", "country": "FR", "region": "IdF"})
    after = await update(user, contact, address={"city": "Berlin", "country": "DE", "region": None})
    assert after["address"] == {"city": "Berlin", "country": "DE"}
    (row,) = await sixty.rows(contacts.select())
    assert row["phone_e164"] == "+4930901820"


async def test_a_company_is_named_or_pointed_at_and_not_both(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await anna(user, company_name="Acme")
    moved = await update(user, contact, company_name="Globex Ltd")
    assert moved["company_name"] == "Globex Ltd"
    back = await update(user, contact, company_id=contact["company_id"])
    assert (back["company_id"], back["company_name"]) == (contact["company_id"], "Acme")
    with pytest.raises(Invalid, match="not both"):
        await update(user, contact, company_id=contact["company_id"], company_name="Acme")
    with pytest.raises(NotFound, match="company_id"):
        await update(user, contact, company_id=NOBODY)
    with pytest.raises(Invalid, match="company_id must be the id of a company"):
        await update(user, contact, company_id=contact["id"])
    assert "company_id" not in await update(user, contact, company_id=None)


async def test_a_new_employer_does_not_take_the_domain_of_an_old_address(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    moved = await update(user, await anna(user), company_name="Globex")
    (company,) = await sixty.rows(companies.select())
    assert (company["id"], company["domain"]) == (moved["company_id"], None)


async def test_an_email_of_somebody_else_is_a_conflict(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    first = await anna(user)
    second = await anna(user, email="anna@home.example")
    with pytest.raises(Conflict, match=first["id"]):
        await update(user, second, email="Anna.Berg@ACME.example")
    after = await update(user, second, email="ANNA@work.example")
    assert after["email"] == "anna@work.example"
    assert (await update(user, second, email="anna@home.example"))["email"] == "anna@home.example"


async def test_of_two_who_take_the_same_email_at_once_one_gets_it(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    some = [await anna(user, email=f"{number}@acme.example") for number in range(2)]
    outcomes = await asyncio.gather(
        *(
            client.outcome("update_contact", contact_id=contact["id"], updates={"email": "new@acme.example"})
            for client, contact in zip((user, manager), some, strict=True)
        )
    )
    assert sorted(outcome.is_error for outcome in outcomes) == [False, True]
    (refused,) = [outcome.structured["error"] for outcome in outcomes if outcome.is_error]
    assert refused["code"] == "conflict"


async def test_a_stale_version_is_a_conflict_that_says_what_has_changed(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await anna(user)
    await update(user, contact, role="CEO")
    with pytest.raises(Conflict, match="since then role changed"):
        await user.call("update_contact", contact_id=contact["id"], updates={"role": "CFO"}, expected_version=1)
    kept = await user.call("update_contact", contact_id=contact["id"], updates={"role": "CFO"}, expected_version=2)
    assert kept["contact"]["version"] == 3


async def test_undoing_brings_every_field_back(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    before = await anna(user, phone="030 1", company_name="Acme", address={"city": "Berlin", "country": "DE"})
    changed = await user.call(
        "update_contact",
        contact_id=before["id"],
        updates={
            "first_name": "Ann",
            "email": "ann@new.example",
            "phone": "+1 212 555 0100",
            "company_name": "New",
            "address": None,
            "owner_id": manager.user_id,
        },
    )
    await user.call("undo_change", change_id=changed["change_id"])
    after = (await user.call("get_record", id=before["id"]))["record"]
    mutable = {"version", "updated_at", "company_name"}
    assert {name: value for name, value in after.items() if name not in mutable} == {
        name: value for name, value in before.items() if name not in mutable
    }
    assert await sixty.count(companies) == 1
    (row,) = await sixty.rows(contacts.select())
    assert row["full_name"] == "Anna Berg"


@pytest.mark.parametrize("contact_id", [NOBODY, "42", "🙂", ""])
async def test_an_id_of_no_contact_is_refused(sixty: Organisation, contact_id: str) -> None:
    with pytest.raises((NotFound, Invalid)):
        await sixty.as_role("user").call("update_contact", contact_id=contact_id, updates={"role": "CEO"})


async def test_the_id_of_a_company_is_no_contact(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    contact = await anna(user, company_name="Acme")
    with pytest.raises(NotFound, match="is a company, not a contact; search_contacts finds"):
        await update(user, {"id": contact["company_id"]}, role="CEO")
