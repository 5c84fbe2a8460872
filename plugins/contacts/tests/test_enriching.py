"""Enriching a contact: what is asked, what is filled, what is kept, and what is said of each source."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, Any

import neighbours
import pytest
import sqlalchemy as sa

from sixty import Extension, Forbidden, Invalid, NotFound, Permissions, Unavailable, hookimpl
from sixty.crm import ENRICHERS, Findings, Subject
from sixty_contacts import plugin
from sixty_contacts.sources import asking
from sixty_contacts.tables import companies, contact_facts, contacts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@acme.example"}
FOUND = Findings(
    contact={"role": "Head of Sales", "phone": "+47 22 00 00 00", "city": "Oslo", "country": "Norway"},
    social_profiles={"twitter": "janedoe"},
    company={"name": "ACME, Inc.", "domain": "acme.example", "industry": "Machinery", "size": 120, "revenue": 5e6},
)


class Oracle:
    """A source that says what a test wants it to."""

    source = "oracle"
    answer: Callable[[Subject], Awaitable[Findings]]

    async def enrich(self, subject: Subject, _settings: Any) -> Findings:
        """What the test wants."""
        self.asked.append(subject)
        return await self.answer(subject)

    def __init__(self) -> None:
        self.asked: list[Subject] = []

    def says(self, found: Findings | BaseException | Callable[[], Awaitable[Any]]) -> None:
        """It will say this, raise this, or do this first and then say `FOUND`."""

        async def answer(_subject: Subject) -> Findings:
            if isinstance(found, BaseException):
                raise found
            if isinstance(found, Findings):
                return found
            await found()
            return FOUND

        self.answer = answer


@pytest.fixture
def oracle() -> Oracle:
    return Oracle()


@pytest.fixture
def temple(oracle: Oracle) -> ModuleType:
    """A pack that adds the source."""

    @hookimpl
    def sixty_extensions() -> tuple[Extension, ...]:
        return (Extension(ENRICHERS, oracle),)

    module = ModuleType("temple")
    vars(module)["sixty_extensions"] = sixty_extensions
    return module


@pytest.fixture
def plugins(temple: ModuleType) -> tuple[tuple[str, object], ...]:
    return (("contacts", plugin), ("neighbours", neighbours), ("temple", temple))


async def put(client: Client, **values: Any) -> str:
    return (await client.call("put_contact", values={**JANE, **values}))["id"]  # type: ignore[no-any-return]


async def company(client: Client, **values: Any) -> str:
    given = {"name": "Acme", "domain": "acme.example", **values}
    return (await client.call("put_company", values=given))["id"]  # type: ignore[no-any-return]


async def enrich(client: Client, contact_id: str, *sources: str) -> dict[str, Any]:
    chosen = {"sources": list(sources)} if sources else {}
    return await client.call("enrich_contact", contact_id=contact_id, **chosen)


async def everything(sixty: Organisation) -> list[Any]:
    return [await sixty.rows(sa.select(table).order_by(table.c.id)) for table in (contacts, companies, contact_facts)]


async def test_empty_fields_are_filled_and_each_value_keeps_its_source_and_time(
    sixty: Organisation, oracle: Oracle
) -> None:
    user = sixty.as_role("user")
    acme = await company(user)
    jane = await put(user, company_id=acme, role="CEO", linkedin_url="https://linkedin.example/jane")
    oracle.says(FOUND)
    found = await enrich(user, jane, "oracle")
    assert oracle.asked == [
        Subject(
            first_name="Jane",
            last_name="Doe",
            email="jane@acme.example",
            company_name="Acme",
            domain="acme.example",
            role="CEO",
            linkedin_url="https://linkedin.example/jane",
        )
    ]
    shown = found["contact"]
    assert (shown["role"], shown["phone"], shown["company_name"]) == ("CEO", "+47 22 00 00 00", "Acme")
    assert shown["address"] == {"city": "Oslo", "country": "Norway"}
    assert found["enrichment_data"] == {
        "social_profiles": {"twitter": "janedoe", "linkedin": "https://linkedin.example/jane"},
        "company_insights": {"industry": "Machinery", "size": 120, "revenue": 5_000_000},
    }
    assert found["sources"] == [{"source": "oracle", "status": "ok"}]
    assert found["message"] == (
        "Filled city, country, phone, industry of the company, revenue of the company, size of the company of Jane Doe"
    )
    (row,) = await sixty.rows(sa.select(companies))
    assert (row["name"], row["industry"], row["size"], row["revenue"]) == ("Acme", "Machinery", 120, Decimal(5_000_000))
    facts = await sixty.rows(sa.select(contact_facts))
    assert {(fact["subject"], fact["field"], fact["value"]) for fact in facts} >= {
        ("contact", "role", "Head of Sales"),
        ("company", "size", "120"),
        ("social", "twitter", "janedoe"),
    }
    assert {(fact["source"], fact["at"]) for fact in facts} == {("oracle", sixty.clock())}
    (contact,) = await sixty.rows(sa.select(contacts.c.phone_e164))
    assert contact["phone_e164"] == "+4722000000"


async def test_doing_it_again_changes_nothing(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    await company(user)
    jane = await put(user)
    oracle.says(FOUND)
    first = await enrich(user, jane)
    before = await everything(sixty)
    second = await enrich(user, jane)
    assert await everything(sixty) == before
    assert "change_id" not in second
    assert second["contact"] == first["contact"]
    assert second["enrichment_data"] == first["enrichment_data"]
    assert second["message"].startswith("Nothing new to fill for Jane Doe; 3 sources did not answer: ")
    oracle.says(Unavailable("asleep"))
    third = await enrich(user, jane)
    assert third["enrichment_data"] == first["enrichment_data"]


async def test_undoing_it_brings_everything_back(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    acme = await company(user)
    jane = await put(user, company_id=acme)
    before = [
        [(row["role"] if "role" in row else row["size"]) for row in rows] for rows in (await everything(sixty))[:2]
    ]
    oracle.says(FOUND)
    found = await enrich(user, jane)
    assert await sixty.count(contact_facts) > 5
    await user.call("undo_change", change_id=found["change_id"])
    assert await sixty.count(contact_facts) == 0
    (contact,), (row,) = (await everything(sixty))[:2]
    assert before == [[None], [None]]
    assert (contact["role"], contact["phone"], contact["phone_e164"], contact["city"]) == (None, None, None, None)
    assert (row["industry"], row["size"], row["revenue"]) == (None, None, None)


async def test_an_address_of_which_something_is_known_is_left_alone(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    jane = await put(user, city="Berlin", phone="123")
    oracle.says(FOUND)
    found = await enrich(user, jane)
    assert found["contact"]["address"] == {"city": "Berlin"}
    assert found["contact"]["phone"] == "123"


async def test_internal_tells_what_the_crm_knows(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    acme = await company(user, industry="Machinery", size=7)
    jane = await put(user)
    for type_, what, done in (
        ("completed", "activity", "2026-02-01T10:00:00Z"),
        ("completed", "activity", "2026-02-03T10:00:00Z"),
        ("scheduled", "activity", None),
        ("completed", "task", None),
    ):
        values = {} if done is None else {"completed_at": done}
        await user.call("put_happening", contact_id=jane, what=what, title="x", type=type_, **values)
    found = await enrich(user, jane, "internal")
    assert found["contact"]["company_id"] == acme
    assert found["contact"]["company_name"] == "Acme"
    assert found["enrichment_data"] == {
        "company_insights": {"industry": "Machinery", "size": 7},
        "behavioral_data": {"last_interaction": "2026-02-03T10:00:00Z", "activity_counts": {"completed": 2}},
    }
    assert found["sources"] == [{"source": "internal", "status": "ok"}]
    assert found["message"] == "Filled company of Jane Doe"
    john = await put(user, email="john@gmail.com")
    nothing = await enrich(user, john, "internal")
    assert nothing["sources"] == [{"source": "internal", "status": "nothing"}]
    assert nothing["enrichment_data"] == {}


async def test_sources_that_cannot_be_asked_say_what_they_need(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    jane = await put(user)
    oracle.says(Unavailable("the oracle sleeps", retry_after=60))
    found = await enrich(user, jane, "oracle", "linkedin", "clearbit", "hunter", "internal", "hunter")
    by_source = {report["source"]: report for report in found["sources"]}
    assert list(by_source) == ["oracle", "linkedin", "clearbit", "hunter", "internal"]
    assert by_source["oracle"] == {
        "source": "oracle",
        "status": "unavailable",
        "reason": "the oracle sleeps",
        "retry_after": 60,
    }
    assert "no public API" in by_source["linkedin"]["reason"]
    assert "no public API" in by_source["clearbit"]["reason"]
    assert by_source["hunter"]["reason"] == "hunter needs a key: set SIXTY_CONTACTS_HUNTER_API_KEY"
    assert {by_source[name]["status"] for name in ("linkedin", "clearbit", "hunter")} == {"unavailable"}
    assert found["enrichment_data"] == {}
    assert found["success"] is True


@pytest.mark.parametrize("error", [ValueError("a secret detail"), RecursionError(), Invalid("it is too odd")])
async def test_a_source_that_fails_leaves_what_the_others_know(
    sixty: Organisation, oracle: Oracle, error: Exception
) -> None:
    user = sixty.as_role("user")
    await company(user, size=3)
    jane = await put(user)
    oracle.says(error)
    found = await enrich(user, jane, "internal", "oracle")
    internal, failed = found["sources"]
    assert (internal["status"], failed["status"]) == ("ok", "failed")
    assert "secret" not in failed["reason"]
    assert found["enrichment_data"]["company_insights"] == {"size": 3}


async def test_a_source_that_is_slow_is_not_waited_for(
    sixty: Organisation, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.01)
    user = sixty.as_role("user")
    jane = await put(user)
    oracle.says(asyncio.Event().wait)
    (report,) = (await enrich(user, jane, "oracle"))["sources"]
    assert report["status"] == "failed"
    assert report["reason"] == "oracle has not answered within 0.01 seconds; try again later"


ODD = Findings(
    contact={
        "role": "x" * 256,
        "phone": "no digits",
        "linkedin_url": "javascript:alert(1)",
        "city": "\x00",
        "country": "  ",
        "email": "other@acme.example",
        "region": 5,  # type: ignore[dict-item]
        "street": "Main Street",
    },
    social_profiles={"twitter": "", "Not A Network": "x", "github": True},  # type: ignore[dict-item]
    company={"size": -1, "revenue": 1e30, "industry": ["x"], "domain": "no domain", "name": None, "other": 5},
)


async def test_what_cannot_be_kept_is_as_if_it_had_not_been_said(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    await company(user)
    jane = await put(user)
    before = await everything(sixty)
    oracle.says(ODD)
    found = await enrich(user, jane, "oracle")
    assert found["sources"] == [{"source": "oracle", "status": "nothing"}]
    assert await everything(sixty) == before
    oracle.says(None)  # type: ignore[arg-type]
    assert (await enrich(user, jane, "oracle"))["sources"][0]["status"] == "failed"


async def test_a_range_of_employees_is_told_and_fills_no_number(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    await company(user)
    jane = await put(user)
    oracle.says(replace(FOUND, company={**FOUND.company, "size": "51-200"}))
    for _ in range(2):
        found = await enrich(user, jane, "oracle")
        assert found["enrichment_data"]["company_insights"] == {
            "industry": "Machinery",
            "size": "51-200",
            "revenue": 5_000_000,
        }
    (acme,) = await sixty.rows(companies.select().where(companies.c.industry == "Machinery"))
    assert acme["size"] is None


async def test_another_company_is_not_taken_for_theirs(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    other = await company(user, name="Other", domain="other.example")
    jane = await put(user, company_id=other)
    oracle.says(FOUND)
    found = await enrich(user, jane, "oracle")
    assert "company_insights" not in found["enrichment_data"]
    nameless = await company(user, name="Acme", domain=None)
    await user.call("edit", id=jane, values={"company_id": nameless})
    found = await enrich(user, jane, "oracle")
    assert found["enrichment_data"]["company_insights"]["size"] == 120  # the name says that it is theirs


async def test_what_is_entered_while_a_source_is_asked_stays(sixty: Organisation, oracle: Oracle) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    jane = await put(user)
    oracle.says(lambda: manager.call("edit", id=jane, values={"role": "CFO"}))
    found = await enrich(user, jane, "oracle")
    assert (found["contact"]["role"], found["contact"]["phone"]) == ("CFO", "+47 22 00 00 00")


async def test_a_contact_that_goes_while_a_source_is_asked_is_not_found(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    jane = await put(user)
    oracle.says(lambda: user.call("delete_record", id=jane))
    with pytest.raises(NotFound, match="no contact"):
        await enrich(user, jane, "oracle")


async def test_a_source_or_contact_that_is_none_is_refused(sixty: Organisation, oracle: Oracle) -> None:
    user = sixty.as_role("user")
    jane = await put(user)
    with pytest.raises(Invalid, match="there are internal, hunter, linkedin, clearbit, oracle"):
        await enrich(user, jane, "internal", "facebook")
    for bad in ([], [""], ["🙂"], "hunter", [5], ["x" * 10_000], ["hunter"] * 21):
        with pytest.raises(Invalid, match="sources"):
            await user.call("enrich_contact", contact_id=jane, sources=bad)
    with pytest.raises(NotFound, match="search_contacts finds the right id"):
        await enrich(user, jane[:-4] + "0000")
    assert oracle.asked == []


class TestScope:
    """Where people see what is theirs, and a manager what is the team's."""

    @pytest.fixture
    def plugins(self, temple: ModuleType) -> tuple[tuple[str, object], ...]:
        @hookimpl
        def sixty_permissions() -> list[Permissions]:
            actions = plugin.sixty_permissions()[0].actions
            grants = {
                "user": ("contacts:create", "contacts:read:own", "contacts:update:own"),
                "manager": ("contacts:read:team",),
            }
            return [Permissions("contacts", actions, grants)]

        narrow = ModuleType("narrow")
        vars(narrow).update({**vars(plugin), "sixty_permissions": sixty_permissions})
        return (("contacts", narrow), ("neighbours", neighbours), ("temple", temple))

    async def test_one_enriches_what_one_may_write(self, sixty: Organisation, oracle: Oracle) -> None:
        user, manager = sixty.as_role("user"), sixty.as_role("manager")
        stranger = await sixty.user("Sam Stranger", team="South")
        jane = await put(user)
        oracle.says(FOUND)
        with pytest.raises(Forbidden, match="it belongs to Uma User"):
            await enrich(manager, jane)
        with pytest.raises(NotFound):
            await enrich(stranger, jane)
        assert oracle.asked == []
        assert (await enrich(user, jane))["contact"]["role"] == "Head of Sales"

    async def test_a_company_of_others_is_neither_seen_nor_filled(self, sixty: Organisation, oracle: Oracle) -> None:
        user, manager = sixty.as_role("user"), sixty.as_role("manager")
        await company(user, size=5)
        mine = await put(manager)
        await company(manager, name="Acme 2", domain="acme.example")
        theirs = await put(user)
        oracle.says(FOUND)
        found = await enrich(user, theirs)
        assert found["contact"]["company_name"] == "Acme"
        assert found["enrichment_data"]["company_insights"]["size"] == 5
        two = await enrich(manager, mine)  # who reads two of that domain, and cannot tell which
        assert "company_id" not in two["contact"]

    async def test_a_company_that_one_may_only_read_is_not_filled(self, sixty: Organisation, oracle: Oracle) -> None:
        user, manager = sixty.as_role("user"), sixty.as_role("manager")
        await company(user)
        jane = await put(manager)
        oracle.says(FOUND)
        found = await enrich(manager, jane)
        assert found["contact"]["company_name"] == "Acme"
        assert found["enrichment_data"]["company_insights"]["size"] == 120  # known from the source alone
        (row,) = await sixty.rows(sa.select(companies))
        assert row["size"] is None


async def test_of_those_who_enrich_at_the_same_time_none_fails_and_nothing_is_noted_twice(
    sixty: Organisation, oracle: Oracle
) -> None:
    user = sixty.as_role("user")
    await company(user)
    jane = await put(user)
    oracle.says(FOUND)
    found = await asyncio.gather(*(enrich(user, jane) for _ in range(4)))
    assert {shown["contact"]["role"] for shown in found} == {"Head of Sales"}
    facts = [tuple(fact[name] for name in ("subject", "field", "source")) for fact in (await everything(sixty))[2]]
    assert len(facts) == len(set(facts)) == 10
