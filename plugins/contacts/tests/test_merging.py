"""Merging contacts: one person is one contact, and all that pointed at the others points at it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import neighbours
import pytest
import sqlalchemy as sa

from sixty import Call, Conflict, Extension, Invalid, NotFound, Tool, hookimpl, tool
from sixty.crm import ENRICHERS, Findings, Subject
from sixty_contacts import plugin
from sixty_contacts.tables import FACT, contact_facts, contacts

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

NOBODY = "00000000-0000-7000-8000-000000000000"


class Gossip:
    """A source that says the city of everybody, and the role of those at gmail.com."""

    source = "gossip"

    async def enrich(self, subject: Subject, settings: Any) -> Findings:  # noqa: ARG002 - it has none
        role = {"role": "CTO"} if subject.email.endswith("@gmail.com") else {}
        return Findings(contact={"city": "Leeds", **role})


class Gossips:
    """The pack that adds it."""

    @hookimpl
    def sixty_extensions(self) -> tuple[Extension, ...]:
        return (Extension(ENRICHERS, Gossip()),)


class Finder:
    """A pack that finds something out about a contact."""

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
    return (("contacts", plugin), ("neighbours", neighbours), ("gossips", Gossips()), ("finder", Finder()))


async def add(who: Client, email: str, **given: Any) -> str:
    made = await who.call("create_contact", **{"first_name": "Ann", "last_name": "Lee", **given}, email=email)
    return str(made["contact_id"])


async def merge(who: Client, primary: str, *duplicates: str, **choices: str) -> dict[str, Any]:
    chosen = {"field_choices": choices} if choices else {}
    return await who.call("merge_contacts", primary_id=primary, duplicate_ids=list(duplicates), **chosen)


async def everything(sixty: Organisation) -> dict[str, list[dict[str, Any]]]:
    """What is in the tables, whoever may read it, but for versions and when they changed."""
    found = {}
    for table in (contacts, neighbours.happenings):
        rows = await sixty.rows(sa.select(table).order_by(table.c.id))
        found[table.name] = [{**row, "version": None, "updated_at": None} for row in rows]
    return found


async def test_values_of_the_primary_stay_and_empty_ones_are_filled_in_order(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary = await add(user, "a@acme.example", role="CTO", phone="+44 20 7946 0000")
    first = await add(user, "b@gmail.com", role="CEO", address={"city": "Leeds"}, company_name="Acme")
    linkedin = "https://www.linkedin.com/in/ann"
    second = await add(user, "c@gmail.com", linkedin_url=linkedin, address={"city": "York", "street": "1 High St"})
    merged = await merge(user, primary, first, second)
    assert merged["message"] == '"Ann Lee", "Ann Lee" merged into "Ann Lee"; moved: nothing pointed at them'
    assert (merged["merged"], merged["moved"]) == ([first, second], {})
    contact = merged["contact"]
    assert (contact["id"], contact["email"], contact["role"]) == (primary, "a@acme.example", "CTO")
    assert (contact["company_name"], contact["linkedin_url"]) == ("Acme", linkedin)
    assert contact["address"] == {"city": "Leeds"}
    assert await sixty.count(contacts) == 1


async def test_choices_name_whose_value_to_keep(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary = await add(user, "a@acme.example", role="CTO", phone="+44 20 7946 0000")
    other = await add(user, "b@gmail.com", first_name="Anna", phone="030 901820", address={"country": "DE"})
    merged = await merge(
        user, primary, other, first_name=other, email=other, role=other, phone=other, last_name=primary
    )
    contact = merged["contact"]
    assert (contact["first_name"], contact["email"], contact["phone"]) == ("Anna", "b@gmail.com", "030 901820")
    assert "role" not in contact
    (row,) = await sixty.rows(sa.select(contacts))
    assert (row["full_name"], row["phone_e164"]) == ("Anna Lee", "+4930901820")


async def test_every_pointer_moves_also_of_records_that_one_may_not_read_and_undo_moves_it_back(
    sixty: Organisation,
) -> None:
    user, admin = sixty.as_role("user"), sixty.as_role("admin")
    primary, other = await add(user, "a@acme.example"), await add(admin, "b@gmail.com")
    for who, title in ((user, "mine"), (admin, "not yours"), (admin, "nor this")):
        await who.call("put_happening", what="task", title=title, contact_id=other)
    before = await everything(sixty)
    merged = await merge(user, primary, other)
    assert merged["moved"] == {"happening": 3}
    assert "not yours" not in str(merged)
    assert merged["message"].endswith("; moved: 3 happenings")
    assert {row["contact_id"] for row in (await everything(sixty))["happenings"]} == {primary}
    assert (await user.call("get_record", id=other))["record"]["id"] == primary
    changed = await user.call("update_contact", contact_id=other, updates={"role": "CEO"})
    assert changed["contact"]["id"] == primary
    await user.call("undo_change", change_id=changed["change_id"])
    await user.call("undo_change", change_id=merged["change_id"])
    assert await everything(sixty) == before


async def test_what_sources_said_stays_known_of_the_merged_contact(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    primary, other = await add(user, "a@acme.example"), await add(user, "b@gmail.com")
    for contact_id in (primary, other):
        await user.call("enrich_contact", contact_id=contact_id, sources=["gossip"])
    before = await sixty.rows(sa.select(contact_facts).order_by(contact_facts.c.id))
    merged = await merge(user, primary, other)
    after = await sixty.rows(sa.select(contact_facts))
    assert {(fact["contact_id"], fact["field"], fact["source"]) for fact in after} == {
        (primary, "city", "gossip"),
        (primary, "role", "gossip"),  # which it said of the other alone
    }
    await user.call("undo_change", change_id=merged["change_id"])
    assert await sixty.rows(sa.select(contact_facts).order_by(contact_facts.c.id)) == before


async def test_bad_parties_are_refused(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    one, two = await add(user, "a@acme.example"), await add(user, "b@gmail.com", company_name="Acme")
    with pytest.raises(Invalid, match="a contact cannot be merged with itself"):
        await merge(user, one, one)
    with pytest.raises(Invalid, match=f"has {two} twice"):
        await merge(user, one, two, two)
    with pytest.raises(NotFound, match="there is no contact"):
        await merge(user, one, NOBODY)
    with pytest.raises(Invalid, match="duplicate_ids must have at least 1"):
        await merge(user, one)
    with pytest.raises(Invalid, match="duplicate_ids must have at most 20"):
        await merge(user, one, *[two] * 21)
    with pytest.raises(Invalid, match=r"field_choices\.role must be the primary_id or one of duplicate_ids"):
        await merge(user, one, two, role=NOBODY)
    with pytest.raises(Invalid, match="field_choices"):
        await merge(user, one, two, shoe_size=two)
    company = (await user.call("search_contacts", email="b@gmail.com"))["contacts"][0]["company_id"]
    with pytest.raises(NotFound, match="is a company, not a contact"):
        await merge(user, one, company)
    assert await sixty.count(contacts) == 2


async def test_a_merged_contact_is_not_merged_again(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    one, two, three = [await add(user, f"{name}@gmail.com") for name in "abc"]
    await merge(user, one, two)
    with pytest.raises(Conflict, match=f'{two} is already merged into "Ann Lee" \\({one}\\)'):
        await merge(user, one, two)
    with pytest.raises(Conflict, match=f"{two} is already merged into"):
        await merge(user, three, two)
    with pytest.raises(Conflict, match=f"{two} is already merged into"):
        await merge(user, two, one)
    merged = await merge(user, two, three, email=two)  # the id of the primary leads on
    assert (merged["contact"]["id"], merged["contact"]["email"]) == (one, "a@gmail.com")


@pytest.mark.parametrize("crossed", [False, True])
async def test_of_two_who_merge_the_same_at_once_one_does(sixty: Organisation, *, crossed: bool) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    one, two = await add(user, "a@acme.example"), await add(user, "b@gmail.com")
    await user.call("put_happening", what="task", title="task", contact_id=two)
    other_way = (two, one) if crossed else (one, two)
    answers = await asyncio.gather(merge(user, one, two), merge(manager, *other_way), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "dict"]
    (row,) = await sixty.rows(sa.select(contacts))
    (task,) = await sixty.rows(sa.select(neighbours.happenings))
    assert task["contact_id"] == row["id"]


async def test_two_merges_that_meet_in_a_contact_by_a_former_id_come_one_after_the_other(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    former, one, two, three = [await add(user, f"{name}@gmail.com") for name in "abcd"]
    await merge(user, one, former)
    await user.call("put_happening", what="task", title="task", contact_id=two)
    answers = await asyncio.gather(merge(user, former, two), merge(manager, three, one), return_exceptions=True)
    assert all(isinstance(answer, dict) for answer in answers)  # what came first is led on
    (row,) = await sixty.rows(sa.select(contacts))
    (task,) = await sixty.rows(sa.select(neighbours.happenings))
    assert task["contact_id"] == row["id"] == three


async def test_an_address_that_a_merge_gave_up_is_free_again(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    one, two = await add(user, "a@gmail.com"), await add(user, "b@gmail.com")
    await merge(user, one, two)
    saved = await user.call("update_contact", contact_id=two, updates={"role": "CEO"})
    assert (saved["contact"]["id"], saved["contact"]["email"]) == (one, "a@gmail.com")
    assert await add(user, "b@gmail.com") not in (one, two)


async def test_what_sources_said_comes_along_with_its_time_and_undo_takes_it_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    one, two = await add(user, "a@gmail.com"), await add(user, "b@gmail.com")
    said = {"subject": "contact", "field": "role", "source": "hunter"}
    await user.call("put_fact", id=one, values={**said, "value": "CEO"})
    for more in ({"value": "CFO"}, {"value": "Boss", "source": "internal"}):
        await user.call("put_fact", id=two, values={**said, **more})
    facts = sa.select(contact_facts).order_by(contact_facts.c.id)
    before = await sixty.rows(facts)
    sixty.clock.advance(timedelta(hours=1))
    merged = await merge(user, one, two)
    after = await sixty.rows(facts)
    kept = {(row["contact_id"], row["source"], row["value"]) for row in after}
    assert kept == {(one, "hunter", "CEO"), (one, "internal", "Boss")}  # of the same source the primary's stays
    assert {row["at"] for row in after} == {row["at"] for row in before}
    await user.call("undo_change", change_id=merged["change_id"])
    assert await sixty.rows(facts) == before


async def test_whoever_points_at_a_duplicate_while_it_is_merged_points_at_the_primary(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    one, other = await add(user, "a@x.example"), await add(user, "b@x.example")
    merged, put = await asyncio.gather(
        user.outcome("merge_contacts", primary_id=one, duplicate_ids=[other]),
        manager.outcome("put_happening", what="activity", title="Call", contact_id=other),
    )
    assert (merged.is_error, put.is_error) == (False, False)
    (happening,) = await sixty.rows(neighbours.happenings.select())
    timeline = await manager.call("get_contact_timeline", contact_id=one, kinds=["activity"])
    assert (happening["contact_id"], timeline["total"]) == (one, 1)


async def test_whoever_deletes_the_primary_while_it_is_merged_does_one_or_the_other(sixty: Organisation) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    one, other = await add(user, "a@x.example"), await add(user, "b@x.example")
    merged, deleted = await asyncio.gather(
        user.outcome("merge_contacts", primary_id=one, duplicate_ids=[other]),
        manager.outcome("delete_record", id=one),
    )
    assert not deleted.is_error
    left = {contact["id"] for contact in await sixty.rows(contacts.select())}
    assert left == ({other} if merged.is_error else set())
