"""What people start, what they read by address, and what completes what they type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

ANNA = {"first_name": "Anna", "last_name": "Berg", "email": "anna.berg@acme.example"}
NOBODY = "00000000-0000-7000-8000-000000000000"


async def asked(client: Client, **arguments: str) -> str:
    async with client.connected() as connected:
        (message,) = (await connected.get_prompt("qualify_lead", arguments)).messages
    return message.content.text  # type: ignore[union-attr, no-any-return]


async def complete(client: Client, argument: str, value: str, of: str = "qualify_lead") -> list[str]:
    reference = ResourceTemplateReference(uri=of) if "://" in of else PromptReference(name=of)
    async with client.connected() as connected:
        return (await connected.complete(reference, {"name": argument, "value": value})).completion.values


async def test_a_lead_is_laid_out_with_what_is_known_and_what_is_not(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_contact", **ANNA, role="Head of Purchasing", company_name="Acme GmbH")
    await user.call("update_company", company_id=made["company_id"], updates={"size": 1200})
    text = await asked(user, contact_id=made["contact_id"])
    assert f"Contact: Anna Berg, owner Uma User, id {made['contact_id']}" in text
    for line in ("- role: Head of Purchasing", "- name: Acme GmbH", "- size: 1200", "- not known: industry, revenue"):
        assert line in text
    assert "get_contact_timeline" in text
    assert "search_deals" not in text  # nobody has it here


async def test_a_lead_without_a_company_is_laid_out_too(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_contact", **ANNA)
    assert "- not known: name, domain, industry, size, revenue" in await asked(user, contact_id=made["contact_id"])


@pytest.mark.parametrize("given", [{}, {"contact_id": "Anna"}, {"contact_id": NOBODY}])
async def test_a_lead_that_is_nobody_is_refused(sixty: Organisation, given: dict[str, str]) -> None:
    async with sixty.as_role("user").connected() as client:
        with pytest.raises(MCPError):
            await client.get_prompt("qualify_lead", given)


async def test_a_contact_is_read_by_address(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_contact", **ANNA, company_name="Acme GmbH")
    alone = await user.call("create_contact", **{**ANNA, "email": "anna@gmail.com"})
    async with user.connected() as client:
        pages: list[dict[str, Any]] = [
            json.loads((await client.read_resource(f"crm://contacts/{it['contact_id']}")).contents[0].text)  # type: ignore[union-attr]
            for it in (made, alone)
        ]
        for wrong in (NOBODY, made["company_id"]):
            with pytest.raises(MCPError, match="Resource not found"):
                await client.read_resource(f"crm://contacts/{wrong}")
    assert (pages[0]["contact"]["company_name"], pages[0]["owner"]) == ("Acme GmbH", "Uma User")
    assert (pages[0]["company"]["id"], pages[0]["company"]["domain"]) == (made["company_id"], "acme.example")
    assert pages[1]["contact"]["id"] == alone["contact_id"]
    assert not pages[1].get("company")


async def test_ids_and_names_of_companies_are_completed(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await user.call("create_contact", **ANNA, company_name="Acme GmbH")
    await user.call("create_contact", **{**ANNA, "email": "b@gmail.com"}, company_name="Acmé Robotics")
    await user.call("create_contact", **{**ANNA, "email": "c@gmail.com", "first_name": "Bob"}, company_name="Globex")
    assert await complete(user, "company_name", "acm") == ["Acme GmbH", "Acmé Robotics"]
    assert await complete(user, "company_name", "") == ["Acme GmbH", "Acmé Robotics", "Globex"]
    assert await complete(user, "company_name", "%") == []
    assert len(await complete(user, "contact_id", "ann ber")) == 2
    assert len(await complete(user, "id", "bob", "crm://contacts/{id}")) == 1
    assert await complete(user, "company_id", "acme g") == [made["company_id"]]
