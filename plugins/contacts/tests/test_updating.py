"""Changing contacts and companies, as a caller sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sixty import Conflict, Invalid, NotFound
from sixty_contacts.tables import companies, contacts

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

ANN = {"first_name": "Ann", "last_name": "Lee", "email": "ann@acme.example", "company_name": "Acme"}
NOBODY = "00000000-0000-7000-8000-000000000000"
Made = dict[str, Any]


async def add(who: Client, **given: Any) -> Made:
    return await who.call("create_contact", **{**ANN, **given})


async def change(who: Client, made: Made, version: int | None = None, /, **updates: Any) -> Made:
    expected = {} if version is None else {"expected_version": version}
    return await who.call("update_contact", contact_id=made["contact_id"], updates=updates, **expected)


async def stored(sixty: Organisation, table: sa.Table, record_id: str) -> Any:
    return next(row for row in await sixty.rows(sa.select(table)) if row["id"] == record_id)


async def test_what_is_given_changes_and_the_rest_stays(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user, phone="+44 20 7946 0000", role="CTO")
    changed = await change(user, made, last_name="Lee-Wong", role="CEO")
    assert changed["message"] == 'Contact "Ann Lee-Wong" updated'
    assert changed["contact"]["version"] == 2
    assert (changed["contact"]["phone"], changed["contact"]["role"]) == ("+44 20 7946 0000", "CEO")
    assert (await user.call("search_crm", query="wong"))["results"][0]["title"] == "Ann Lee-Wong"
    undone = await user.call("undo_change", change_id=changed["change_id"])
    assert undone["undone"] == [{"kind": "contact", "id": made["contact_id"]}]
    assert (await stored(sixty, contacts, made["contact_id"]))["full_name"] == "Ann Lee"


async def test_the_same_again_changes_nothing_and_says_so(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user, role="CTO")
    changed = await change(user, made, role="CTO", company_name="ACME Inc.")
    assert changed["message"] == 'Contact "Ann Lee" is already so; nothing changed'
    assert changed["contact"]["version"] == 1
    assert "change_id" not in changed


async def test_null_clears_what_a_contact_can_do_without(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user, phone="+44 20 7946 0000", address={"city": "Leeds", "street": "1 High St"})
    part = await change(user, made, phone=None, address={"street": None, "country": "GB"})
    assert part["contact"]["address"] == {"city": "Leeds", "country": "GB"}
    assert "phone" not in part["contact"]
    assert (await stored(sixty, contacts, made["contact_id"]))["phone_e164"] is None
    rest = await change(user, made, company_name=None, address=None)
    assert not {"address", "company_id", "company_name"} & set(rest["contact"])


@pytest.mark.parametrize("field", ["first_name", "last_name", "email", "owner_id"])
async def test_what_every_contact_has_cannot_be_cleared(sixty: Organisation, field: str) -> None:
    made = await add(sixty.as_role("user"))
    with pytest.raises(Invalid, match=rf"updates\.{field} cannot be cleared: every contact has one"):
        await change(sixty.as_role("user"), made, **{field: None})


async def test_empty_contradictory_and_unknown_updates_are_refused(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user)
    with pytest.raises(Invalid, match="updates is empty; it may have first_name, last_name"):
        await change(user, made)
    with pytest.raises(Invalid, match="give company_id or company_name, not both"):
        await change(user, made, company_id=made["company_id"], company_name="Acme")
    with pytest.raises(Invalid, match="unknown argument"):
        await change(user, made, nickname="A")
    with pytest.raises(NotFound, match="there is no contact"):
        await user.call("update_contact", contact_id=NOBODY, updates={"role": "CEO"})
    with pytest.raises(NotFound, match="is a company, not a contact"):
        await user.call("update_contact", contact_id=made["company_id"], updates={"role": "CEO"})
    with pytest.raises(Invalid, match="company_id must be the id of a company"):
        await change(user, made, company_id=made["contact_id"])


async def test_a_stale_version_is_a_conflict_that_names_what_changed(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user)
    await change(user, made, 1, role="CTO")
    with pytest.raises(Conflict, match="at version 2, you expected 1; since then role changed"):
        await change(user, made, 1, role="CEO")


async def test_an_email_of_somebody_else_is_a_conflict_and_ones_own_is_not(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    ann, bob = await add(user), await add(user, first_name="Bob", email="bob@acme.example")
    with pytest.raises(Conflict, match=f'"Ann Lee" \\({ann["contact_id"]}\\) has the email ann@acme.example already'):
        await change(user, bob, email="ANN@acme.example")
    same = await change(user, ann, email="Ann@Acme.example", role="CEO")
    assert same["contact"]["email"] == "ann@acme.example"


async def test_of_two_who_take_an_email_at_once_one_gets_it(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    ann, bob = await add(user), await add(user, first_name="Bob", email="bob@acme.example")
    answers = await asyncio.gather(
        change(user, ann, email="new@acme.example"),
        change(manager, bob, email="new@acme.example"),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "dict"]


async def test_a_new_employer_is_found_or_made_by_name_alone(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user)
    moved = await change(user, made, company_name="Globex AG")
    assert moved["contact"]["company_name"] == "Globex AG"
    assert moved["contact"]["company_id"] != made["company_id"]
    back = await change(user, made, company_name="acme")
    assert back["contact"]["company_id"] == made["company_id"]
    with_mail = await change(user, made, email="ann@initech.example", company_name="Initech")
    company = await stored(sixty, companies, with_mail["contact"]["company_id"])
    assert (company["name"], company["domain"]) == ("Initech", "initech.example")
    await user.call("undo_change", change_id=with_mail["change_id"])
    assert await sixty.count(companies) == 2


async def test_a_phone_is_compared_in_the_country_of_the_address(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user, phone="030 901820")
    assert (await stored(sixty, contacts, made["contact_id"]))["phone_e164"] is None
    changed = await change(user, made, address={"country": "Deutschland"})
    assert changed["contact"]["phone"] == "030 901820"
    assert (await stored(sixty, contacts, made["contact_id"]))["phone_e164"] == "+4930901820"


# -- companies


async def update_company(who: Client, made: Made, **updates: Any) -> Made:
    return await who.call("update_company", company_id=made["company_id"], updates=updates)


async def test_a_company_takes_what_is_known_of_it(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user)
    given = {"name": "Acme Holding", "domain": "acme.test", "industry": "Law", "size": 1200, "revenue": 1_999_000.5}
    changed = await update_company(user, made, **given)
    assert changed["message"] == 'Company "Acme Holding" updated'
    assert {name: changed["company"][name] for name in given} == given
    assert (await add(user, email="b@gmail.com", company_name="acme holding"))["company_id"] == made["company_id"]
    again = await update_company(user, made, size=1200)
    assert again["message"] == 'Company "Acme Holding" is already so; nothing changed'
    await user.call("undo_change", change_id=changed["change_id"])
    assert (await stored(sixty, companies, made["company_id"]))["name_key"] == "acme"


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("name", None, "cannot be cleared: every company has one"),
        ("name", "x" * 256, "name"),
        ("domain", "not a domain", "must be a domain"),
        ("domain", "https://acme.example", "must be a domain"),
        ("domain", "1.2.3.4", "must be a domain"),
        ("size", 0, "size must be at least 1"),
        ("size", 10**12, "size must be at most"),
        ("size", "many", "size"),
        ("revenue", -1, "revenue must be at least 0"),
        ("revenue", 0.001, "at most two decimals"),
        ("owner_id", NOBODY, "there is no user"),
    ],
)
async def test_a_bad_value_of_a_company_is_refused(sixty: Organisation, field: str, value: object, rule: str) -> None:
    made = await add(sixty.as_role("user"))
    with pytest.raises((Invalid, NotFound), match=rule):
        await update_company(sixty.as_role("user"), made, **{field: value})


async def test_a_domain_is_one_companys(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    acme, globex = await add(user), await add(user, email="g@globex.example", company_name="Globex")
    with pytest.raises(Conflict, match=f'the company "Acme" \\({acme["company_id"]}\\) has the domain'):
        await update_company(user, globex, domain="ACME.example")
    answers = await asyncio.gather(
        update_company(user, acme, domain="both.example"),
        update_company(user, globex, domain="both.example"),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "dict"]
