"""Creating contacts, and finding or making their companies, as a caller sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sixty import Call, Conflict, Event, Invalid, NotFound, hookimpl, on
from sixty.crm import ContactCreated
from sixty_contacts import plugin as contacts_plugin
from sixty_contacts.tables import companies, contacts

if TYPE_CHECKING:
    from sixty import Reaction
    from sixty.testing import Client, Organisation

ANN = {"first_name": "Ann", "last_name": "Lee", "email": "ann.lee@acme.example"}
NOBODY = "00000000-0000-7000-8000-000000000000"


class Listener:
    """A pack that hears of new contacts."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    @hookimpl
    def sixty_reactions(self) -> list[Reaction]:
        async def hear(event: Event, call: Call) -> None:
            """Remember it."""
            self.heard.append(event)

        return [on(ContactCreated)(hear)]


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture
def plugins(listener: Listener) -> tuple[tuple[str, object], ...]:
    listener.heard.clear()
    return (("contacts", contacts_plugin), ("listener", listener))


async def add(who: Client, **given: Any) -> dict[str, Any]:
    return await who.call("create_contact", **{**ANN, **given})


async def test_a_contact_belongs_to_who_made_it_and_shows_what_it_was_given(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    given = {
        "phone": "+49 (30) 90 18-20",
        "role": "Head of Ünïcode",
        "linkedin_url": "https://www.linkedin.com/in/ann-lee",
        "address": {"street": "1 High St", "city": "Leeds", "postal_code": "LS1", "country": "United Kingdom"},
    }
    made = await add(user, company_name="Acme", **given)
    assert made["message"] == 'Contact "Ann Lee" created at the new company Acme'
    contact = made["contact"]
    assert {name: contact[name] for name in given} == given
    assert contact["id"] == made["contact_id"]
    assert contact["owner_id"] == user.user_id
    assert (contact["company_id"], contact["company_name"]) == (made["company_id"], "Acme")
    assert not {"full_name", "phone_e164", "name_key"} & set(contact)


async def test_without_a_company_there_is_no_company_id(sixty: Organisation) -> None:
    made = await add(sixty.as_role("user"))
    assert made["message"] == 'Contact "Ann Lee" created'
    assert "company_id" not in made
    assert "address" not in made["contact"]
    assert await sixty.count(companies) == 0


async def test_the_event_says_who_and_where(sixty: Organisation, listener: Listener) -> None:
    user = sixty.as_role("user")
    made = await add(user, company_name="Acme")
    (event,) = listener.heard
    assert event == ContactCreated(
        record_id=made["contact_id"], owner_id=user.user_id, email=ANN["email"], company_id=made["company_id"]
    )


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("first_name", "", "first_name"),
        ("last_name", " \t", "must not be empty"),
        ("first_name", "x" * 256, "first_name"),
        ("first_name", "a\0b", "null character"),
        ("email", "ann", "must be an e-mail address"),
        ("email", "a@b@acme.example", "must be an e-mail address"),
        ("email", "ann lee@acme.example", "must be an e-mail address"),
        ("email", "ann@localhost", "must be an e-mail address"),
        ("email", "🙂@acme.example", "must be an e-mail address"),
        ("email", "ann@" + "x" * 10_000 + ".example", "must be an e-mail address"),
        ("email", 5, "email"),
        ("phone", "call me", "must have digits"),
        ("phone", "1" * 51, "phone"),
        ("linkedin_url", "javascript:alert(1)//linkedin.com", "must be an address at linkedin.com"),
        ("linkedin_url", "https://linkedin.com.evil.example/in/x", "must be an address at linkedin.com"),
        ("address", {"city": ""}, "address"),
        ("address", {"town": "Leeds"}, "unknown argument"),
        ("owner_id", "42", "is not an id"),
    ],
)
async def test_a_bad_value_is_refused_by_name_and_rule(
    sixty: Organisation, field: str, value: object, rule: str
) -> None:
    with pytest.raises(Invalid, match=rule):
        await add(sixty.as_role("user"), **{field: value})
    assert await sixty.count(contacts) == 0


@pytest.mark.parametrize("name", ['O\'Brien "Bobby"', "محمد", "李小龙", "🙂", "x" * 255, "<script>"])
async def test_names_are_kept_as_they_came_and_found_again(sixty: Organisation, name: str) -> None:
    made = await add(sixty.as_role("user"), first_name=name)
    assert made["contact"]["first_name"] == name
    found = await sixty.as_role("user").call("search_contacts", email="ANN.LEE@ACME.example")
    assert [contact["first_name"] for contact in found["contacts"]] == [name]


async def test_an_owner_is_somebody_one_may_give_to(sixty: Organisation) -> None:
    manager = sixty.as_role("manager")
    made = await add(sixty.as_role("user"), owner_id=manager.user_id)
    assert made["contact"]["owner_id"] == manager.user_id
    with pytest.raises(NotFound, match="there is no user"):
        await add(sixty.as_role("user"), email="b@acme.example", owner_id=NOBODY)


# -- the same email


async def test_an_email_that_exists_is_a_conflict_that_names_the_contact(sixty: Organisation) -> None:
    made = await add(sixty.as_role("manager"))
    with pytest.raises(Conflict, match=f'the contact "Ann Lee" \\({made["contact_id"]}\\) has the email') as caught:
        await add(sixty.as_role("user"), first_name="Anna", email=" Ann.LEE@Acme.EXAMPLE ")
    assert caught.value.details["contact_id"] == made["contact_id"]
    assert await sixty.count(contacts) == 1


async def test_of_many_who_add_the_same_person_at_once_one_does(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    answers = await asyncio.gather(
        *(add(who, company_name="Acme") for who in (user, manager, user, manager)), return_exceptions=True
    )
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 3
    assert (await sixty.count(contacts), await sixty.count(companies)) == (1, 1)


async def test_of_many_who_name_a_new_company_at_once_one_makes_it(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    spellings = ("Müller & Söhne GmbH", "muller sohne", "MÜLLER & SÖHNE", "Müller und Söhne AG")
    made = await asyncio.gather(
        *(add(user, email=f"p{n}@gmail.com", company_name=name) for n, name in enumerate(spellings))
    )
    assert len({answer["company_id"] for answer in made}) == 1
    assert await sixty.count(companies) == 1


# -- the company


async def test_a_company_is_found_by_the_domain_of_the_email(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    first = await add(user, company_name="Acme")
    second = await add(user, email="bob@acme.example")
    assert second["company_id"] == first["company_id"]
    assert second["message"] == 'Contact "Ann Lee" created at Acme'
    named = await add(user, email="cy@acme.example", company_name="Acme Research")
    assert named["company_id"] == first["company_id"]


@pytest.mark.parametrize("domain", ["gmail.com", "yahoo.co.uk", "hotmail.fr", "web.de", "gmx.net", "163.com"])
async def test_a_domain_where_anybody_has_an_address_is_no_companys(sixty: Organisation, domain: str) -> None:
    user = sixty.as_role("user")
    first = await add(user, email=f"a@{domain}", company_name="Acme")
    second = await add(user, email=f"b@{domain}")
    third = await add(user, email=f"c@{domain}", company_name="Other")
    assert "company_id" not in second
    assert third["company_id"] != first["company_id"]


async def test_a_domain_belongs_to_one_company(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    first = await add(user, company_name="Acme")
    named = await add(user, email="b@other.example", company_name="Acme Inc.")
    assert named["company_id"] == first["company_id"]
    record = await user.call("get_record", id=first["company_id"])
    assert record["record"]["domain"] == "acme.example"


async def test_undoing_takes_the_contact_and_the_new_company_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user, company_name="Acme")
    undone = await user.call("undo_change", change_id=made["change_id"])
    assert {item["kind"] for item in undone["undone"]} == {"contact", "company"}
    assert (await sixty.count(contacts), await sixty.count(companies)) == (0, 0)
    assert (await add(user, company_name="Acme"))["contact"]["version"] == 1


_TEXT = st.text(min_size=1, max_size=300)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=_TEXT, company=_TEXT, phone=_TEXT, street=_TEXT)
async def test_whatever_is_typed_is_taken_or_refused(
    sixty: Organisation, first: str, company: str, phone: str, street: str
) -> None:
    user = sixty.as_role("user")
    given_now = {"first_name": first, "company_name": company, "phone": phone, "address": {"street": street}}
    try:
        made = await add(user, **given_now)
    except Invalid:
        return
    assert made["contact"]["first_name"] == first.strip()
    again = await add(user, **{**given_now, "email": "second@gmail.com"})
    assert again["company_id"] == made["company_id"]
    for answer in (again, made):
        await user.call("undo_change", change_id=answer["change_id"])
