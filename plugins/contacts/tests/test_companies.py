"""Changing companies, as a caller sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sixty import Conflict, Invalid, NotFound
from sixty_contacts.tables import companies

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

NOBODY = "00000000-0000-7000-8000-000000000000"


async def company(client: Client, name: str = "Acme", email: str = "anna@acme.example") -> str:
    made = await client.call("create_contact", first_name="A", last_name="B", email=email, company_name=name)
    return made["company_id"]  # type: ignore[no-any-return]


async def update(client: Client, company_id: str, **updates: Any) -> dict[str, Any]:
    return await client.call("update_company", company_id=company_id, updates=updates)


async def test_a_company_shows_what_it_is_given_and_null_clears_it(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    company_id = await company(user)
    given = {"name": "Acme AG", "domain": "acme.test", "industry": "Robots", "size": 1200, "revenue": 5_000_000.5}
    saved = await update(user, company_id, **given)
    assert {name: saved["company"][name] for name in given} == given
    cleared = await update(user, company_id, domain=None, industry=None, size=None, revenue=None)
    assert not {"domain", "industry", "size", "revenue", "name_key"} & set(cleared["company"])
    assert "nothing changed" in (await update(user, company_id, name="Acme AG"))["message"]


async def test_a_renamed_company_is_found_by_its_new_name(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    company_id = await company(user)
    await update(user, company_id, name="Globex Corporation", domain=None)
    assert await company(user, "GLOBEX", "b@gmail.com") == company_id
    assert await company(user, "Acme", "c@gmail.com") != company_id


async def test_two_companies_do_not_have_the_same_domain(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    first = await company(user)
    second = await company(user, "Globex", "b@globex.example")
    with pytest.raises(Conflict, match=f"Acme.*{first}"):
        await update(user, second, domain="ACME.example")
    assert "nothing changed" in (await update(user, first, domain="ACME.example"))["message"]


async def test_undoing_brings_a_company_back(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    company_id = await company(user)
    changed = await update(user, company_id, name="Globex", size=5)
    await user.call("undo_change", change_id=changed["change_id"])
    (row,) = await sixty.rows(companies.select())
    assert (row["name"], row["name_key"], row["size"]) == ("Acme", "acme", None)


async def test_a_stale_version_is_a_conflict(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    company_id = await company(user)
    await update(user, company_id, size=5)
    with pytest.raises(Conflict, match="since then size changed"):
        await user.call("update_company", company_id=company_id, updates={"size": 6}, expected_version=1)


@pytest.mark.parametrize(
    ("updates", "rule"),
    [
        ({}, "updates is empty"),
        ({"name": None}, "updates.name cannot be cleared"),
        ({"owner_id": None}, "updates.owner_id cannot be cleared"),
        ({"name": "x" * 256}, "name"),
        ({"domain": "acme"}, "must be a domain such as"),
        ({"domain": "https://acme.example"}, "must be a domain such as"),
        ({"size": 0}, "size must be at least 1"),
        ({"size": 1.5}, "size"),
        ({"revenue": -1}, "revenue"),
        ({"revenue": 1e300}, "revenue"),
        ({"revenue": 0.001}, "at most two decimals"),
        ({"employees": 5}, "unknown argument"),
    ],
)
async def test_a_value_that_breaks_a_rule_is_refused(sixty: Organisation, updates: dict[str, Any], rule: str) -> None:
    user = sixty.as_role("user")
    with pytest.raises(Invalid, match=rule):
        await update(user, await company(user), **updates)


async def test_an_id_of_no_company_is_refused(sixty: Organisation) -> None:
    with pytest.raises(NotFound, match="there is no company"):
        await update(sixty.as_role("user"), NOBODY, size=5)
