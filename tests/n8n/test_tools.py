"""The tools that find and start workflows, against the real n8n."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from crm import Crm, serving
from workflows import chain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from running import N8n

    from sixty.testing.databases import SqliteTemplates

pytestmark = pytest.mark.n8n
TOKEN = "a-webhook-token"
PATH = "started-by-an-agent"


@pytest.fixture(scope="module")
def crm(n8n: N8n, sqlite_templates: SqliteTemplates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """A server that has a token for webhooks, too."""
    url = sqlite_templates.copy(None, tmp_path_factory.mktemp("crm") / "sixty.db")
    settings = {"SIXTY_N8N_URL": n8n.url, "SIXTY_N8N_API_KEY": n8n.key, "SIXTY_N8N_WEBHOOK_TOKEN": TOKEN}
    with serving(url, settings) as served:
        yield served


@contextmanager
def workflow(n8n: N8n, *nodes: dict[str, Any], **more: Any) -> Iterator[str]:
    """An active workflow that begins with a webhook, and goes on with these nodes."""
    settings = {"executionOrder": "v1", **more.pop("settings", {})}
    made = chain("Started by an agent", webhook(**more), *nodes)
    workflow_id = n8n.add({**made, "settings": settings})
    try:
        n8n.activate(workflow_id)
        yield workflow_id
    finally:
        n8n.remove(workflow_id)


def webhook(**parameters: Any) -> dict[str, Any]:
    credentials = parameters.pop("credentials", {})
    given = {"httpMethod": "POST", "path": PATH, **parameters}
    node = {"name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2.1, "parameters": given}
    return {**node, "credentials": credentials}


def code(program: str) -> dict[str, Any]:
    return {"name": "Code", "type": "n8n-nodes-base.code", "typeVersion": 2, "parameters": {"jsCode": program}}


def wait(amount: int, unit: str = "seconds") -> dict[str, Any]:
    given = {"amount": amount, "unit": unit}
    return {"name": "Wait", "type": "n8n-nodes-base.wait", "typeVersion": 1.1, "parameters": given}


def test_a_workflow_that_answers_at_once_is_followed_to_its_result(n8n: N8n, crm: Crm) -> None:
    with workflow(n8n, wait(1), code("return [{ json: { heard: $json.body } }]")) as workflow_id:
        ran = crm.call("run_workflow", by="manager", workflow_id=workflow_id, data={"word": "hello"})
    assert (ran["status"], ran["result"]) == ("success", [{"heard": {"word": "hello"}}])


def test_one_that_takes_longer_is_followed_by_its_execution(n8n: N8n, crm: Crm) -> None:
    with workflow(n8n, wait(8), code("return [{ json: { done: true } }]"), responseMode="lastNode") as workflow_id:
        ran = crm.call("run_workflow", workflow_id=workflow_id, wait_seconds=0)
        assert (ran["status"], "result" in ran) == ("running", False)
        followed = crm.call("run_workflow", execution_id=ran["execution_id"], wait_seconds=45)
    assert (followed["status"], followed["result"]) == ("success", [{"done": True}])
    assert followed["message"] == 'The workflow "Started by an agent" has run and made 1 item'


def test_one_that_waits_for_days_says_until_when(n8n: N8n, crm: Crm) -> None:
    with workflow(n8n, wait(3, "days")) as workflow_id:
        ran = crm.call("run_workflow", workflow_id=workflow_id, wait_seconds=30)
        assert ran["status"] == "waiting"
        assert datetime.fromisoformat(ran["waits_until"]) > datetime.now(UTC) + timedelta(days=2)
        n8n.api("POST", f"executions/{ran['execution_id']}/stop")
        stopped = crm.refusal("run_workflow", execution_id=ran["execution_id"])
    assert (stopped["code"], stopped["status"]) == ("workflow_failed", "canceled")


def test_one_that_fails_says_where_and_why(n8n: N8n, crm: Crm) -> None:
    with workflow(n8n, code("throw new Error('No such lead')")) as workflow_id:
        error = crm.refusal("run_workflow", workflow_id=workflow_id)
    assert (error["code"], error["node"]) == ("workflow_failed", "Code")
    assert 'failed in its node "Code": No such lead' in error["message"]


def test_one_whose_runs_are_not_kept_is_started_all_the_same(n8n: N8n, crm: Crm) -> None:
    silent = {"saveDataSuccessExecution": "none"}
    with workflow(n8n, code("return [{ json: { a: 1 } }]"), responseMode="lastNode", settings=silent) as workflow_id:
        ran = crm.call("run_workflow", workflow_id=workflow_id)
    assert (ran["status"], ran["result"]) == ("started", {"a": 1})


def test_a_webhook_that_asks_for_the_token_is_given_it(n8n: N8n, crm: Crm) -> None:
    n8n.keep("httpHeaderAuth", "From Sixty", {"name": "Authorization", "value": f"Bearer {TOKEN}"})
    guarded = {"authentication": "headerAuth", "credentials": {"httpHeaderAuth": n8n.credentials["httpHeaderAuth"]}}
    with workflow(n8n, code("return [{ json: { a: 1 } }]"), **guarded) as workflow_id:
        assert crm.call("run_workflow", workflow_id=workflow_id)["status"] == "success"


def test_one_without_a_webhook_or_switched_off_says_what_it_lacks(n8n: N8n, crm: Crm) -> None:
    by_hand = {"name": "By hand", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "parameters": {}}
    workflow_id = n8n.add(chain("Switched off", by_hand, code("return []")))
    (found,) = crm.call("list_workflows", query="switched off")["workflows"]
    assert (found["workflow_id"], found["started_by"], found["runnable"]) == (workflow_id, ["by hand"], False)
    assert crm.refusal("run_workflow", workflow_id=workflow_id)["code"] == "conflict"
    n8n.api("DELETE", f"workflows/{workflow_id}")
    assert crm.refusal("run_workflow", workflow_id=workflow_id)["code"] == "not_found"


def test_a_key_that_n8n_does_not_accept_is_said_to_be_one(
    n8n: N8n, sqlite_templates: SqliteTemplates, tmp_path: Path
) -> None:
    url = sqlite_templates.copy(None, tmp_path / "sixty.db")
    with serving(url, {"SIXTY_N8N_URL": n8n.url, "SIXTY_N8N_API_KEY": "no-such-key"}) as crm:
        error = crm.refusal("list_workflows")
    assert (error["code"], "check SIXTY_N8N_API_KEY" in error["message"]) == ("unavailable", True)
