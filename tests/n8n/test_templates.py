"""Each template in the real n8n, on each of its branches: what it should have done is in the database."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from crm import Crm, serving
from running import until
from workflows import template, with_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mailbox import Mailbox
    from pathlib import Path

    from running import N8n

    from sixty.testing.databases import SqliteTemplates

pytestmark = pytest.mark.n8n
LEAD = {"email": " Anna.Berg@acme.example", "first_name": "Anna", "last_name": "Berg", "company": "Acme"}


@pytest.fixture
def crm(n8n: N8n, mailbox: Mailbox, sqlite_templates: SqliteTemplates, tmp_path: Path) -> Iterator[Crm]:
    """As for all, but empty for each test."""
    mailbox.mails.clear()
    url = sqlite_templates.copy(None, tmp_path / "sixty.db")
    with serving(url, {"SIXTY_N8N_URL": n8n.url, "SIXTY_N8N_API_KEY": n8n.key}) as served:
        n8n.keep("sixtyCrmApi", "Sixty CRM", {"baseUrl": served.url, "apiKey": served.keys["admin"]})
        yield served


@contextmanager
def imported(n8n: N8n, name: str, **parameters: dict[str, Any]) -> Iterator[str]:
    """The template is there and active; its id."""
    workflow_id = n8n.add(with_credentials(template(name, **parameters), n8n.credentials))
    try:
        n8n.activate(workflow_id)
        yield workflow_id
    finally:
        n8n.remove(workflow_id)


def run(n8n: N8n, workflow_id: str, trigger: str) -> list[str]:
    """The names of the nodes that have run, once the workflow has, from its trigger."""
    ended = n8n.ended(n8n.start(workflow_id, trigger))
    result = ended["data"]["resultData"]
    assert ended["status"] == "success", result.get("error")
    return list(result["runData"])


def in_days(days: int) -> str:
    return str((datetime.now(UTC) + timedelta(days=days)).date())


def test_a_good_lead_becomes_a_contact_a_deal_and_a_task(n8n: N8n, crm: Crm) -> None:
    more = {
        "role": "Chief Financial Officer",
        "budget": 50_000,
        "message": "We need 200 seats by the end of next March.",
    }
    with imported(n8n, "lead-qualification") as workflow_id:
        ran = crm.call("run_workflow", by="manager", workflow_id=workflow_id, data={**LEAD, **more})
    assert (ran["status"], ran["result"]["qualified"], ran["result"]["score"]) == ("success", True, 80)
    ((contact_id, email, role),) = crm.rows("SELECT id, email, role FROM contacts")
    assert (email, role) == ("anna.berg@acme.example", "Chief Financial Officer")
    ((deal_id, title, value, deal_contact, score),) = crm.rows(
        "SELECT id, title, value, contact_id, ai_confidence_score FROM deals"
    )
    assert (title, value, deal_contact, score) == ("Acme: Anna Berg", 5_000_000, contact_id, 80)
    assert crm.rows("SELECT title, priority, deal_id, contact_id FROM tasks") == [
        ("Call Anna Berg about their request", "high", deal_id, contact_id)
    ]


def test_a_weak_lead_is_kept_warm_and_one_that_comes_twice_stays_one_contact(n8n: N8n, crm: Crm) -> None:
    with imported(n8n, "lead-qualification") as workflow_id:
        for _ in range(2):
            ran = crm.call("run_workflow", by="manager", workflow_id=workflow_id, data=LEAD)
            assert (ran["status"], ran["result"]) == ("success", {"qualified": False, "score": 0})
    ((contact_id,),) = crm.rows("SELECT id FROM contacts")
    assert crm.rows("SELECT id FROM deals") == []
    assert crm.rows("SELECT priority, contact_id, due_date FROM tasks") == [("low", contact_id, in_days(14))] * 2


def test_deals_are_scored_and_who_becomes_hot_gets_a_call_once(n8n: N8n, crm: Crm) -> None:
    anna = crm.call("create_contact", first_name="Anna", last_name="Berg", email="anna.berg@acme.example")["contact_id"]
    worth = {"company_name": "Acme", "value": 40_000}
    hot = crm.call("create_deal", title="Hot", stage="verbal", contact_id=anna, **worth)["deal_id"]
    for number in range(3):
        crm.call("create_activity", type="call", description=f"Call {number}", deal_id=hot)
    crm.call("create_deal", title="Cold", company_name="Globex")
    with imported(n8n, "lead-scoring") as workflow_id:
        assert "Plan call" in run(n8n, workflow_id, "Every working day")
        again = run(n8n, workflow_id, "Every working day")
    scores = crm.rows("SELECT title, ai_confidence_score FROM deals ORDER BY title")
    assert scores == [("Cold", 0), ("Hot", 100)]
    assert crm.rows("SELECT title, priority FROM tasks") == [("Call today: Hot is hot", "urgent")]
    assert "Nothing to do" in again
    assert "Save score" not in again


def test_a_deal_that_is_stuck_gets_a_task_once_and_is_in_the_digest(
    n8n: N8n, crm: Crm, mailbox: Mailbox, tmp_path: Path
) -> None:
    lines = [
        f"W{number},Won {number},Acme,1000,signed,{in_days(-90)},{in_days(-80 + number)},{in_days(-60)},{in_days(-60)}"
        for number in range(6)
    ]
    lines.append(f"S1,Stuck since spring,Acme,5000,sql,{in_days(-200)},,,")
    header = "id,title,company_name,value,stage,sql_at,opportunity_at,signed_at,closed_at"
    (tmp_path / "past.csv").write_text("\n".join((header, *lines)), encoding="utf-8")
    crm.run("import", "deals", str(tmp_path / "past.csv"), "--user", "ada.admin@example.com")
    with imported(n8n, "pipeline-review") as workflow_id:
        assert "Plan next step" in run(n8n, workflow_id, "Every working day")
        again = run(n8n, workflow_id, "Every working day")
    assert "Plan next step" not in again
    assert crm.rows("SELECT title, priority FROM tasks") == [("Get it going, it is stuck: Stuck since spring", "high")]
    (to, subject, text), _ = mailbox.texts()
    assert (to, subject) == ("team@example.com", "Pipeline: 1 open, 1 stuck")
    assert "- Stuck since spring (Ada Admin): 200 days in sql" in text


def test_where_nothing_is_stuck_the_digest_says_so(n8n: N8n, crm: Crm, mailbox: Mailbox) -> None:
    crm.call("create_deal", title="New", company_name="Acme", value=100)
    with imported(n8n, "pipeline-review") as workflow_id:
        assert "Each stuck deal" not in run(n8n, workflow_id, "Every working day")
    ((_, subject, text),) = mailbox.texts()
    assert subject == "Pipeline: 1 open, 0 stuck"
    assert text.endswith("Nothing is stuck.")
    assert crm.rows("SELECT id FROM tasks") == []


@pytest.mark.parametrize(("target", "falls_short"), [("100000", True), ("50000", False)])
def test_a_forecast_below_the_target_is_an_alert_and_a_task(
    n8n: N8n, crm: Crm, mailbox: Mailbox, target: str, *, falls_short: bool
) -> None:
    today = datetime.now(UTC)
    quarter = f"{today.year}-Q{(today.month + 2) // 3}"
    crm.run("target", "set", quarter, target)
    crm.call("create_deal", title="Won", company_name="Acme", value=60_000, stage="signed")
    with imported(n8n, "weekly-forecast") as workflow_id:
        nodes = run(n8n, workflow_id, "Every Monday")
    if falls_short:
        assert [mail[:2] for mail in mailbox.texts()] == [
            ("sales-lead@example.com", f"Forecast for {quarter}: 40000 are missing")
        ]
        assert crm.rows("SELECT title, description FROM tasks") == [
            (f"Forecast for {quarter}: find 40000", "The forecast makes 60.0 % of the target.")
        ]
    else:
        assert "Nothing to do" in nodes
        assert (mailbox.mails, crm.rows("SELECT id FROM tasks")) == ([], [])


def test_a_contract_that_ends_soon_gets_a_renewal_and_a_task_once(n8n: N8n, crm: Crm) -> None:
    for title, days in (("Ends soon", 30), ("Ends later", 200)):
        made = crm.call(
            "create_deal", title=title, company_name="Acme", value=900, stage="signed", contract_end_date=in_days(days)
        )
        assert made["deal"]["status"] == "won"
    with imported(n8n, "renewals") as workflow_id:
        assert "Create renewal" in run(n8n, workflow_id, "Every morning")
        again = run(n8n, workflow_id, "Every morning")
    assert "Nothing to do" in again
    assert "Create renewal" not in again
    renewal = f"Renewal {in_days(30)}: Ends soon"
    assert crm.rows("SELECT title, value, expected_close_date FROM deals WHERE status = 'open'") == [
        (renewal, 90_000, in_days(30))
    ]
    assert crm.rows("SELECT title FROM tasks") == [("Talk about the renewal: Ends soon",)]


def test_a_lead_that_says_too_little_fails_and_the_agent_is_told_why(n8n: N8n, crm: Crm) -> None:
    with imported(n8n, "lead-qualification") as workflow_id:
        error = crm.refusal(
            "run_workflow", by="manager", workflow_id=workflow_id, data={"email": "nobody@acme.example"}
        )
    assert (error["code"], error["node"]) == ("workflow_failed", "Create contact")
    assert 'failed in its node "Create contact": the argument' in error["message"]
    assert crm.rows("SELECT id FROM contacts") == []


def opportunity(crm: Crm) -> tuple[str, str]:
    """A contact, and a deal of theirs."""
    given = {"first_name": "Anna", "last_name": "Berg", "email": "anna.berg@acme.example", "company_name": "Acme"}
    anna = crm.call("create_contact", **given)["contact_id"]
    return anna, crm.call("create_deal", title="Rollout", company_name="Acme", value=900, contact_id=anna)["deal_id"]


def subscription(crm: Crm) -> tuple[str]:
    """Where events are sent, once the trigger has asked for them: it takes a moment after it was activated."""
    (found,) = until(lambda: crm.rows("SELECT url FROM webhooks") or None)
    return found  # type: ignore[no-any-return]


def ended(n8n: N8n, workflow_id: str, count: int) -> list[list[str]]:
    """The names of the nodes of each execution, the oldest first, once so many have succeeded."""

    def look() -> list[list[str]] | None:
        found = n8n.executions(workflow_id)
        assert {run["status"] for run in found} <= {"success", "running", "waiting"}, found
        if [run["status"] for run in found].count("success") < count:
            return None
        runs = [n8n.ended(run["id"])["data"]["resultData"]["runData"] for run in reversed(found)]
        return [list(nodes) for nodes in runs]

    return until(look)  # type: ignore[no-any-return]


def test_a_deal_that_becomes_an_opportunity_is_followed_up_on_several_channels(
    n8n: N8n, crm: Crm, mailbox: Mailbox
) -> None:
    anna, deal = opportunity(crm)
    with imported(n8n, "outreach", Three_days={"amount": 1, "unit": "seconds"}) as workflow_id:
        (url,) = subscription(crm)
        crm.call("move_deal_stage", deal_id=deal, stage="opportunity")
        (nodes,) = ended(n8n, workflow_id, 1)
        forged = httpx2.post(url, json={"type": "deal.stage_changed", "data": {}}, trust_env=False)
    assert forged.status_code == 401
    assert "Plan call" in nodes
    ((to, subject, text),) = mailbox.texts()
    assert (to, subject) == ("anna.berg@acme.example", "Next steps: Rollout")
    assert text.startswith("Hello Anna,")
    assert crm.rows("SELECT deal_id, contact_id FROM activities WHERE type = 'email'") == crm.rows(
        "SELECT id, contact_id FROM deals"
    )
    by_hand = "SELECT title FROM tasks WHERE title NOT LIKE 'Follow up on the proposal%' ORDER BY title"
    assert crm.rows(by_hand) == [
        ("Call about Rollout: did the mail arrive?",),
        ("Connect with Anna Berg on LinkedIn",),
    ]
    assert crm.call("search_tasks", contact_id=anna)["total"] >= 2
    assert crm.rows("SELECT id FROM webhooks") == []


def test_other_stages_start_no_outreach_and_a_deal_that_has_moved_on_gets_no_call(
    n8n: N8n, crm: Crm, mailbox: Mailbox
) -> None:
    _, deal = opportunity(crm)
    with imported(n8n, "outreach", Three_days={"amount": 5, "unit": "seconds"}) as workflow_id:
        subscription(crm)
        crm.call("move_deal_stage", deal_id=deal, stage="opportunity")
        until(lambda: crm.rows("SELECT 1 FROM tasks WHERE title LIKE 'Connect with%'") or None)
        crm.call("move_deal_stage", deal_id=deal, stage="verbal")
        first, second = ended(n8n, workflow_id, 2)
    assert (first[-1], second) == (
        "Nothing to do",
        ["Deal moved", "Is it an opportunity now?", "Nothing to do"],
    )
    assert len(mailbox.mails) == 1
    assert crm.rows("SELECT 1 FROM tasks WHERE title LIKE 'Call about%'") == []
