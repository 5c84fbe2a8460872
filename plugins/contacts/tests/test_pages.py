"""The page of a contact, the prompt and the completions, as the official client sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

if TYPE_CHECKING:
    from sixty.testing import Client, Organisation

ANN = {"first_name": "Ann", "last_name": "Lee", "email": "ann@acme.example"}
NOBODY = "00000000-0000-7000-8000-000000000000"
PAGE = ResourceTemplateReference(type="ref/resource", uri="crm://contacts/{id}")
PROMPT = PromptReference(type="ref/prompt", name="qualify_lead")


async def add(who: Client, **given: Any) -> dict[str, Any]:
    return await who.call("create_contact", **{**ANN, **given})


async def qualified(who: Client, contact_id: str) -> str:
    async with who.connected() as client:
        found = await client.get_prompt("qualify_lead", {"contact_id": contact_id})
    return str(found.messages[0].content.text)  # type: ignore[union-attr]


async def completed(who: Client, reference: Any, name: str, value: str) -> list[str]:
    async with who.connected() as client:
        found = await client.complete(reference, {"name": name, "value": value})
    return list(found.completion.values)


async def test_the_page_shows_the_contact_the_owner_and_the_company(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user, company_name="Acme")
    async with user.connected() as client:
        found = await client.read_resource(f"crm://contacts/{made['contact_id']}")
    page = json.loads(found.contents[0].text)  # type: ignore[union-attr]
    assert (page["contact"]["email"], page["owner"]) == ("ann@acme.example", "Uma User")
    assert (page["company"]["name"], page["company"]["domain"]) == ("Acme", "acme.example")
    alone = await add(user, email="b@gmail.com")
    async with user.connected() as client:
        found = await client.read_resource(f"crm://contacts/{alone['contact_id']}")
        assert "company" not in json.loads(found.contents[0].text)  # type: ignore[union-attr]
        with pytest.raises(MCPError):
            await client.read_resource(f"crm://contacts/{NOBODY}")


async def test_the_prompt_lays_out_what_is_known_and_what_is_not(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user, role="CTO", company_name="Acme", address={"city": "Leeds"})
    await user.call("update_company", company_id=made["company_id"], updates={"revenue": 5000, "size": 12})
    text = await qualified(user, made["contact_id"])
    for line in ("- role: CTO", "- city: Leeds", "- not known: phone, linkedin_url", "- size: 12", "- revenue: 5000"):
        assert line in text
    assert "get_contact_timeline" in text
    assert "create_deal" not in text  # which nobody offers here
    alone = await qualified(user, (await add(user, email="b@gmail.com"))["contact_id"])
    assert "- not known: name, domain, industry, size, revenue" in alone


async def test_the_prompt_refuses_who_is_not_there(sixty: Organisation) -> None:
    async with sixty.as_role("user").connected() as client:
        with pytest.raises(MCPError, match="search_contacts finds the right id"):
            await client.get_prompt("qualify_lead", {"contact_id": NOBODY})


async def test_ids_are_completed_by_words_of_the_name(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    made = await add(user, company_name="Acme")
    assert await completed(user, PROMPT, "contact_id", "lee") == [made["contact_id"]]
    assert await completed(user, PAGE, "id", "ann") == [made["contact_id"]]
    assert await completed(user, PROMPT, "company_id", "acm") == [made["company_id"]]


async def test_names_of_companies_are_completed_by_their_beginning(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for number, name in enumerate(("Acme GmbH", "Ácme Tools", "Globex")):
        await add(user, email=f"p{number}@gmail.com", company_name=name)
    assert await completed(user, PROMPT, "company_name", "ac") == ["Acme GmbH", "Ácme Tools"]
    assert await completed(user, PROMPT, "company_name", "") == ["Acme GmbH", "Ácme Tools", "Globex"]
    assert await completed(user, PROMPT, "company_name", "%") == []
