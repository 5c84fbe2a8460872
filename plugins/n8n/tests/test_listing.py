"""The workflows there are, and what starts each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_n8n import KEY, webhook

from sixty import Forbidden, Unavailable

if TYPE_CHECKING:
    from fake_n8n import FakeN8n

    from sixty.testing import Organisation


def node(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": "n2", "name": kind, "type": f"n8n-nodes-base.{kind}", "typeVersion": 1, "parameters": {}, **more}


async def test_each_workflow_says_what_starts_it_and_whether_an_agent_can(sixty: Organisation, n8n: FakeN8n) -> None:
    n8n.add("Lead qualification", webhook("lead"), node("if"), tags=[{"id": "1", "name": "sales"}])
    n8n.add("Weekly forecast", node("scheduleTrigger"), description="Every Monday at eight")
    n8n.add("Renewals", webhook("renewals"), active=False)
    found = await sixty.as_role("manager").call("list_workflows")
    assert found["message"] == "Found 3 workflows"
    lead, forecast, renewals = found["workflows"]
    assert lead == {
        "workflow_id": "Wf00000000000001",
        "name": "Lead qualification",
        "active": True,
        "tags": ["sales"],
        "started_by": ["webhook POST /webhook/lead"],
        "runnable": True,
    }
    assert (forecast["started_by"], forecast["runnable"]) == (["schedule"], False)
    assert forecast["description"] == "Every Monday at eight"
    assert "is started by schedule. run_workflow needs a workflow that is active" in forecast["not_runnable"]
    assert (renewals["active"], renewals["runnable"]) == (False, False)
    assert "is not active, and so nothing starts it" in renewals["not_runnable"]


async def test_they_are_found_by_name_and_by_whether_they_are_active(sixty: Organisation, n8n: FakeN8n) -> None:
    n8n.add("Lead qualification", webhook("lead"))
    n8n.add("Lead scoring", webhook("score"), active=False)
    n8n.add("Outreach", webhook("outreach"))
    manager = sixty.as_role("manager")
    assert (await manager.call("list_workflows", query="lead"))["count"] == 2
    (found,) = (await manager.call("list_workflows", query="lead", active=False))["workflows"]
    assert found["name"] == "Lead scoring"
    nothing = await manager.call("list_workflows", query="nobody")
    assert (nothing["count"], nothing["message"]) == (0, "Found no workflows")


async def test_they_come_in_pages(sixty: Organisation, n8n: FakeN8n) -> None:
    for number in range(3):
        n8n.add(f"Workflow {number}", webhook())
    manager = sixty.as_role("manager")
    first = await manager.call("list_workflows", limit=2)
    assert first["message"] == "Found 2 workflows; next_cursor leads to more"
    rest = await manager.call("list_workflows", limit=2, cursor=first["next_cursor"])
    assert [found["name"] for found in rest["workflows"]] == ["Workflow 2"]
    assert "next_cursor" not in rest


async def test_what_runs_counts_and_not_a_draft_beside_it(sixty: Organisation, n8n: FakeN8n) -> None:
    n8n.add("Published", webhook("new"), activeVersion={"nodes": [webhook("old")]}, activeVersionId="v1")
    (found,) = (await sixty.as_role("manager").call("list_workflows"))["workflows"]
    assert found["started_by"] == ["webhook POST /webhook/old"]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([node("formTrigger"), node("manualTrigger")], "it is started by form, by hand."),
        ([node("gmailTrigger")], "it is started by gmail."),
        ([node("if")], "it is started by nothing."),
        ([webhook(disabled=True), node("webhook", disabled=True)], None),
        ([webhook("lead/:id")], "has a path with variables, lead/:id"),
        ([webhook("={{ $json.path }}")], "has a path with variables"),
        ([webhook("x", authentication="basicAuth")], "asks for credentials (basicAuth): use Header Auth there"),
        ([webhook("x", authentication="headerAuth")], "(headerAuth): set SIXTY_N8N_WEBHOOK_TOKEN"),
    ],
)
async def test_it_says_what_a_workflow_lacks_to_be_started(
    sixty: Organisation, n8n: FakeN8n, nodes: list[dict[str, Any]], said: str | None
) -> None:
    n8n.add("Some workflow", *nodes)
    (found,) = (await sixty.as_role("manager").call("list_workflows"))["workflows"]
    assert found["runnable"] is (said is None)
    if said is not None:
        assert said in found["not_runnable"]


async def test_archived_ones_and_pinned_data_are_left_out(sixty: Organisation, n8n: FakeN8n) -> None:
    n8n.add("Old", webhook(), isArchived=True)
    assert (await sixty.as_role("manager").call("list_workflows"))["workflows"] == []
    (request,) = n8n.asked
    assert (request.query["excludePinnedData"], request.headers["x-n8n-api-key"]) == ("true", KEY)


async def test_users_see_no_workflows_unless_they_are_granted(sixty: Organisation, n8n: FakeN8n) -> None:
    with pytest.raises(Forbidden, match="workflows:read"):
        await sixty.as_role("user").call("list_workflows")
    assert n8n.asked == []


class TestNotConfigured:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"SIXTY_N8N_URL": "http://127.0.0.1:1"}

    async def test_it_names_the_settings_that_are_missing(self, sixty: Organisation) -> None:
        with pytest.raises(Unavailable, match=r"has to set SIXTY_N8N_API_KEY$"):
            await sixty.as_role("admin").call("list_workflows")
        with pytest.raises(Unavailable, match="n8n is not configured"):
            await sixty.as_role("admin").call("run_workflow", workflow_id="1")
