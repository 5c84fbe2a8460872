"""What people start, what they read by address, and what completes what they type."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

if TYPE_CHECKING:
    from sixty.testing import Organisation
    from sixty.testing.organisation import Client

Deal = dict[str, Any]
ADDRESS = "crm://deals/{id}"


async def asked(client: Client, **arguments: str) -> str:
    async with client.connected() as connected:
        (message,) = (await connected.get_prompt("renewals", arguments)).messages
    return message.content.text  # type: ignore[union-attr, no-any-return]


async def complete(client: Client, argument: str, value: str, of: str) -> list[str]:
    reference = ResourceTemplateReference(uri=of) if "://" in of else PromptReference(name=of)
    async with client.connected() as connected:
        return (await connected.complete(reference, {"name": argument, "value": value})).completion.values


async def test_renewals_lay_out_the_contracts_of_won_deals_that_end_soon(sixty: Organisation, acme: Deal) -> None:
    user, manager = sixty.as_role("user"), sixty.as_role("manager")
    for title, stage, ends in (
        ("Second", "signed", "2026-05-01"),
        ("First", "signed", "2026-03-02"),
        ("Last day", "signed", "2026-05-31"),
        ("Too late", "signed", "2026-06-01"),
        ("Ended", "signed", "2026-03-01"),
        ("Open", "verbal", "2026-04-01"),
    ):
        await user.call("create_deal", **{**acme, "title": title}, stage=stage, contract_end_date=ends, value=1200)
    await manager.call("create_deal", **{**acme, "title": "Managed"}, stage="signed", contract_end_date="2026-04-01")
    text = await asked(user)
    assert text.startswith("4 contracts, of won deals, ending from 2026-03-02 to 2026-05-31 (UTC), soonest first:")
    titles = [line.split('"')[1] for line in text.splitlines() if line.startswith("- ")]
    assert titles == ["First", "Managed", "Second", "Last day"]
    assert '- 2026-03-02 (in no days): "First", Acme, worth 1,200.00, owner Uma User, id ' in text
    assert "worth unknown, owner Max Manager" in text
    assert text.endswith("create a deal for each renewal with create_deal.")
    mine = await asked(user, owner="UMA.USER@example.com", days="10")
    assert mine.startswith("1 contract of Uma User, of won deals, ending from 2026-03-02 to 2026-03-12")


async def test_renewals_say_when_there_are_none(sixty: Organisation) -> None:
    text = await asked(sixty.as_role("user"), days="0")
    assert text.startswith("No contract that I can see ends from 2026-03-02 to 2026-03-02")


async def test_renewals_say_when_there_are_more(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    for _ in range(51):
        await user.call("create_deal", **acme, stage="signed", contract_end_date="+1_week")
    assert "There are more; these are the first 50." in await asked(user)


@pytest.mark.parametrize("given", [{"days": "soon"}, {"owner": "nobody@example.com"}])
async def test_renewals_refuse_what_they_cannot_use(sixty: Organisation, given: dict[str, str]) -> None:
    async with sixty.as_role("user").connected() as client:
        with pytest.raises(MCPError):
            await client.get_prompt("renewals", given)


async def test_a_deal_is_read_by_address(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme))["deal_id"]
    sixty.clock.advance(timedelta(days=1))
    await user.call("move_deal_stage", deal_id=deal_id, stage="verbal")
    async with user.connected() as client:
        page = json.loads((await client.read_resource(f"crm://deals/{deal_id}")).contents[0].text)  # type: ignore[union-attr]
        with pytest.raises(MCPError, match="Resource not found"):
            await client.read_resource("crm://deals/00000000-0000-7000-8000-000000000000")
    assert (page["deal"]["id"], page["owner"]) == (deal_id, "Uma User")
    assert [stay["stage"] for stay in page["stages"]] == ["sql", "verbal"]


async def test_stages_and_ids_of_deals_are_completed(sixty: Organisation, acme: Deal) -> None:
    user = sixty.as_role("user")
    deal_id = (await user.call("create_deal", **acme))["deal_id"]
    assert await complete(user, "stage", "", "renewals") == ["sql", "opportunity", "verbal", "signed"]
    assert await complete(user, "stage", "S", "renewals") == ["sql", "signed"]
    assert await complete(user, "deal_id", "enterpr", "renewals") == [deal_id]
    assert await complete(user, "id", "licen", ADDRESS) == [deal_id]
