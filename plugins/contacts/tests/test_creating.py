"""Creating contacts, as a caller sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sixty import Call, Conflict, Event, Invalid, NotFound, hookimpl, on
from sixty.crm import ContactCreated
from sixty_contacts import plugin as contacts_plugin
from sixty_contacts.tables import companies, contacts

if TYPE_CHECKING:
    from sixty import Reaction
    from sixty.testing import Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"
ANNA = {"first_name": "Anna", "last_name": "Berg", "email": "anna.berg@acme.example"}


class Listener:
    """A pack that hears of new contacts."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    @hookimpl
    def sixty_reactions(self) -> list[Reaction]:
        @on(ContactCreated)
        async def hear(event: Event, call: Call) -> None:
            """Remember it."""
            self.heard.append(event)

        return [hear]


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture
def plugins(listener: Listener) -> tuple[tuple[str, object], ...]:
    listener.heard.clear()
    return (("contacts", contacts_plugin), ("listener", listener))


async def test_a_contact_belongs_to_who_made_it_and_is_told_to_others(sixty: Organisation, listener: Listener) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_contact", **ANNA)
    contact = made["contact"]
    assert (contact["id"], contact["owner_id"], contact["email"]) == (made["contact_id"], user.user_id, ANNA["email"])
    assert not {"company_id", "company_name", "address", "full_name", "phone_e164"} & set(contact)
    assert "company_id" not in made
    assert "Anna Berg" in made["message"]
    (event,) = listener.heard
    assert isinstance(event, ContactCreated)
    assert (event.record_id, event.owner_id, event.email) == (made["contact_id"], user.user_id, ANNA["email"])


async def test_a_contact_shows_everything_that_it_was_given(sixty: Organisation) -> None:
    given = {
        "phone": "(030) 90 18 20",
        "role": "Head of Purchasing 🚀",
        "linkedin_url": "https://www.linkedin.com/in/anna-berg",
        "address": {"street": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115", "country": "Germany"},
    }
    made = await sixty.as_role("user").call("create_contact", **ANNA, **given, company_name="Acme GmbH")
    assert {name: made["contact"][name] for name in given} == given
    assert (made["contact"]["company_name"], made["contact"]["company_id"]) == ("Acme GmbH", made["company_id"])
    (row,) = await sixty.rows(contacts.select())
    assert (row["phone_e164"], row["full_name"]) == ("+4930901820", "Anna Berg")
    (company,) = await sixty.rows(companies.select())
    assert (company["name_key"], company["domain"]) == ("acme", "acme.example")


@pytest.mark.parametrize("email", ["ANNA.BERG@Acme.Example", "  anna.berg@acme.example "])
async def test_an_email_that_exists_is_a_conflict_naming_the_contact(sixty: Organisation, email: str) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    made = await user.call("create_contact", **ANNA)
    with pytest.raises(Conflict, match=f"Anna Berg.*{made['contact_id']}"):
        await manager.call("create_contact", **{**ANNA, "first_name": "Other", "email": email})
    assert await sixty.count(contacts) == 1


async def test_of_two_who_make_the_same_contact_at_once_one_does_and_the_other_is_told(sixty: Organisation) -> None:
    callers = [sixty.as_role(role) for role in ("user", "manager", "admin")]
    outcomes = await asyncio.gather(
        *(caller.outcome("create_contact", **ANNA, company_name="Acme") for caller in callers)
    )
    assert sorted(outcome.is_error for outcome in outcomes) == [False, True, True]
    refused = [outcome.structured["error"]["code"] for outcome in outcomes if outcome.is_error]
    assert refused == ["conflict", "conflict"]
    assert (await sixty.count(contacts), await sixty.count(companies)) == (1, 1)


async def test_of_many_who_name_a_new_company_at_once_one_makes_it(sixty: Organisation) -> None:
    callers = [sixty.as_role(role) for role in ("user", "manager", "admin")]
    made = await asyncio.gather(
        *(
            caller.call("create_contact", **{**ANNA, "email": f"{number}@acme.example"}, company_name=name)
            for number, (caller, name) in enumerate(zip(callers, ("Acme GmbH", "ACME", "Acmé, Inc."), strict=True))
        )
    )
    assert len({answer["company_id"] for answer in made}) == 1
    assert (await sixty.count(contacts), await sixty.count(companies)) == (3, 1)


@pytest.mark.parametrize("name", ["ACME", "Acmé, Inc.", "acme ltd", " Acme  GmbH "])
async def test_a_company_is_found_however_its_name_is_spelt(sixty: Organisation, name: str) -> None:
    user = sixty.as_role("user")
    first = await user.call("create_contact", **ANNA, company_name="Acme")
    other = {**ANNA, "email": "bob@elsewhere.example"}
    second = await user.call("create_contact", **other, company_name=name)
    assert second["company_id"] == first["company_id"]


async def test_a_company_is_found_by_the_domain_of_the_email(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    first = await user.call("create_contact", **ANNA, company_name="Acme")
    without = await user.call("create_contact", **{**ANNA, "email": "bob@acme.example"})
    other_name = await user.call(
        "create_contact", **{**ANNA, "email": "eve@acme.example"}, company_name="Acme Robotics"
    )
    assert without["company_id"] == other_name["company_id"] == first["company_id"]
    assert await sixty.count(companies) == 1


@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.co.uk", "gmx.de", "web.de", "qq.com", "hotmail.com.br"])
async def test_an_address_that_anybody_can_have_says_nothing_of_a_company(sixty: Organisation, domain: str) -> None:
    user = sixty.as_role("user")
    one = await user.call("create_contact", **{**ANNA, "email": f"anna@{domain}"}, company_name="Acme")
    assert "domain" not in (await user.call("get_record", id=one["company_id"]))["record"]
    other = await user.call("create_contact", **{**ANNA, "email": f"bob@{domain}"})
    assert "company_id" not in other
    third = await user.call("create_contact", **{**ANNA, "email": f"eve@{domain}"}, company_name="Globex")
    assert third["company_id"] != one["company_id"]


async def test_undoing_takes_the_contact_and_its_new_company_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_contact", **ANNA, company_name="Acme")
    await user.call("undo_change", change_id=made["change_id"])
    assert (await sixty.count(contacts), await sixty.count(companies)) == (0, 0)
    assert (await user.call("create_contact", **ANNA))["success"]


async def test_a_repeated_call_with_the_same_key_makes_one_contact(sixty: Organisation) -> None:
    user = sixty.as_role("user").keyed("once")
    first = await user.call("create_contact", **ANNA)
    assert (await user.call("create_contact", **ANNA))["contact_id"] == first["contact_id"]
    assert await sixty.count(contacts) == 1


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("first_name", "", "first_name"),
        ("last_name", " ", "must not be empty"),
        ("first_name", "x" * 256, "first_name"),
        ("first_name", "a\x00b", "null character"),
        ("email", "anna", "must be an e-mail address"),
        ("email", "anna@acme", "must be an e-mail address"),
        ("email", "anna berg@acme.example", "must be an e-mail address"),
        ("email", "a@b@acme.example", "must be an e-mail address"),
        ("email", "x" * 10_000, "must be an e-mail address"),
        ("email", "x@" + "ü" * 10_000 + ".example", "must be an e-mail address"),
        ("email", "a\x00@acme.example", "must be an e-mail address"),
        ("email", 5, "email"),
        ("phone", "none", "must have digits"),
        ("phone", "1" * 51, "phone"),
        ("role", "x" * 10_000, "role"),
        ("linkedin_url", "https://example.com/in/anna", "linkedin"),
        ("linkedin_url", "javascript:alert(1)//linkedin.com/in", "linkedin"),
        ("address", {"town": "Berlin"}, "unknown argument 'address.town'"),
        ("address", "Berlin", "address"),
        ("company_name", "", "company_name"),
        ("owner_id", "me", "is not an id"),
    ],
)
async def test_a_value_that_breaks_a_rule_is_refused_by_name(
    sixty: Organisation, field: str, value: object, rule: str
) -> None:
    with pytest.raises(Invalid, match=rule) as caught:
        await sixty.as_role("user").call("create_contact", **{**ANNA, field: value})
    assert caught.value.details["field"].startswith(field)
    assert await sixty.count(contacts) == 0


@pytest.mark.parametrize("name", ["🙂", "محمد", "李", "O'Brien; DROP TABLE contacts", "Łukasz", "x" * 255])
async def test_names_of_every_kind_are_kept(sixty: Organisation, name: str) -> None:
    user = sixty.as_role("user")
    given = {**ANNA, "first_name": name, "last_name": name}
    made = await user.call("create_contact", **given, company_name=name)
    assert made["contact"]["first_name"] == made["contact"]["company_name"] == name
    again = {**given, "email": "other@gmail.com"}
    assert (await user.call("create_contact", **again, company_name=name))["company_id"] == made["company_id"]


async def test_a_profile_is_kept_with_its_scheme(sixty: Organisation) -> None:
    made = await sixty.as_role("user").call("create_contact", **ANNA, linkedin_url="linkedin.com/in/anna-berg")
    assert made["contact"]["linkedin_url"] == "https://linkedin.com/in/anna-berg"


async def test_a_contact_is_made_for_somebody_who_is_there(sixty: Organisation) -> None:
    manager = sixty.as_role("manager")
    made = await sixty.as_role("user").call("create_contact", **ANNA, owner_id=manager.user_id)
    assert made["contact"]["owner_id"] == manager.user_id
    with pytest.raises(NotFound, match="there is no user"):
        await manager.call("create_contact", **{**ANNA, "email": "b@acme.example"}, owner_id=NOBODY)


class TestWherePhonesAreGerman:
    """An organisation whose setting says where phones without a country are."""

    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_CONTACTS_PHONE_REGION": "DE"}

    @pytest.mark.parametrize(("country", "e164"), [(None, "+4930901820"), ("FR", None), ("Atlantis", "+4930901820")])
    async def test_a_phone_is_where_its_address_is_or_else_there(
        self, sixty: Organisation, country: str | None, e164: str | None
    ) -> None:
        more: dict[str, Any] = {} if country is None else {"address": {"country": country}}
        await sixty.as_role("user").call("create_contact", **ANNA, phone="030 901820", **more)
        (row,) = await sixty.rows(contacts.select())
        assert row["phone_e164"] == e164 or (country == "FR" and row["phone_e164"] != "+4930901820")
