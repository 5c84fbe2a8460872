"""A day at a sales desk, as calls of every tool: the examples of docs/tools.md."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fake_n8n import webhook

if TYPE_CHECKING:
    from reference import Told

__all__ = ["tell"]


async def tell(told: Told) -> None:
    """Every tool of every pack is called at least once; its first call is its example."""
    contact_id = await _meet(told)
    deal_id = await _sell(told, contact_id)
    await _talk(told, contact_id, deal_id)
    await _do(told, contact_id, deal_id)
    await _tidy(told, contact_id)
    await _look(told, contact_id, deal_id)
    await _count(told)
    await _automate(told)


async def _meet(told: Told) -> str:
    """Somebody is met, and looked up; the id of the contact."""
    say = told.say
    met = await say(
        "create_contact",
        first_name="Anna",
        last_name="Berg",
        email="anna.berg@acme.example",
        company_name="Acme",
        role="Head of Purchasing",
        phone="+47 22 33 44 55",
    )
    contact_id: str = met["contact_id"]
    address = {"city": "Oslo", "country": "Norway"}
    await say("update_contact", contact_id=contact_id, updates={"role": "Chief Financial Officer", "address": address})
    updates = {"domain": "acme.example", "industry": "Manufacturing", "size": 1200}
    await say("update_company", company_id=met["company_id"], updates=updates)
    await say("search_contacts", query="berg", company_name="Acme")
    return contact_id


async def _sell(told: Told, contact_id: str) -> str:
    """A deal comes up; its id."""
    say, clock = told.say, told.organisation.clock
    made = await say(
        "create_deal",
        title="Enterprise License",
        company_name="Acme",
        value=50_000,
        expected_close_date="2026-03-31",
        contact_id=contact_id,
    )
    deal_id: str = made["deal_id"]
    clock.advance(timedelta(days=2))
    await say("move_deal_stage", deal_id=deal_id, stage="opportunity", reason="Budget confirmed")
    changed = await say("update_deal", deal_id=deal_id, updates={"value": 45_000, "notes": "Wants a pilot first"})
    await say("undo_change", change_id=changed["change_id"])
    await say("split_deal_revenue", by="admin", deal_id=deal_id, monthly_mrr=4_000, one_off_revenue=38_000)
    await say("search_deals", query="enterprise", stage="opportunity")
    await say("forecast_revenue", period="quarter")
    await say("get_deal_history", deal_id=deal_id)
    return deal_id


async def _talk(told: Told, contact_id: str, deal_id: str) -> None:
    """Calls are made and meetings held."""
    say, clock = told.say, told.organisation.clock
    about = {"contact_id": contact_id, "deal_id": deal_id}
    planned = await say(
        "create_activity",
        type="meeting",
        description="Go through the offer",
        scheduled_at="2026-03-06T14:00:00+01:00",
        duration_minutes=60,
        **about,
    )
    await say(
        "bulk_schedule_activities",
        activities=[
            {"type": "call", "description": "Ask for the budget", "scheduled_at": "tomorrow", **about},
            {"type": "visit", "description": "Drop in"},
        ],
    )
    await say("get_upcoming_activities", days_ahead=7)
    later = "2026-03-09T14:00:00+01:00"
    await say("reschedule_activity", activity_id=planned["activity_id"], scheduled_at=later, reason="She is ill")
    clock.advance(timedelta(days=5, hours=6))
    await say("complete_activity", activity_id=planned["activity_id"], outcome="They want a pilot with 50 seats")
    await say("search_activities", query="offer", type="meeting")
    await say("get_activity_metrics", start="2026-03-01", end="2026-03-31", group_by="type")


async def _do(told: Told, contact_id: str, deal_id: str) -> None:
    """Tasks are given and done."""
    say, organisation = told.say, told.organisation
    made = await say("create_task", title="Send the contract", priority="high", deal_id=deal_id, contact_id=contact_id)
    await say("search_tasks", deal_id=deal_id, status="open")
    await say("get_overdue_tasks")
    follow_up = {"title": "Ask whether it is signed", "due_in_days": 14}
    done = await say("complete_task", task_id=made["task_id"], outcome="Sent by mail", follow_up=follow_up)
    manager = organisation.as_role("manager").user_id
    await say("assign_task", by="manager", task_id=done["follow_up_task_id"], assignee_id=manager)
    open_ones = await organisation.as_role("user").call("search_tasks", status="open")
    ids = [task["id"] for task in open_ones["tasks"]]
    await say("bulk_update_tasks", task_ids=ids, updates={"due_date": "+3_days", "priority": "low"})


async def _tidy(told: Told, contact_id: str) -> None:
    """Somebody is there twice."""
    say, user = told.say, told.organisation.as_role("user")
    twin = {"first_name": "Ana", "last_name": "Berg", "email": "a.berg@acme.example", "phone": "22 33 44 55"}
    twice = await user.call("create_contact", **twin, company_name="ACME", address={"country": "Norway"})
    await say("find_duplicate_contacts")
    await say("merge_contacts", primary_id=contact_id, duplicate_ids=[twice["contact_id"]])
    await say("enrich_contact", contact_id=contact_id, sources=["internal", "hunter"])
    await say("get_contact_timeline", contact_id=contact_id, kinds=["activity", "task", "deal"])


async def _look(told: Told, contact_id: str, deal_id: str) -> None:
    """What can be done with a record of any kind."""
    say, user = told.say, told.organisation.as_role("user")
    await say("search_crm", query="acme")
    await say("get_record", id=contact_id)
    await say("explain_access", tool="delete_deal", record_id=deal_id)
    mistake = await user.call("create_deal", title="A mistake", company_name="Nobody")
    await say("delete_deal", by="manager", deal_id=mistake["deal_id"], reason="Made by mistake")
    mistake = await user.call("create_task", title="A mistake")
    await say("delete_record", id=mistake["task_id"])


async def _count(told: Told) -> None:
    """A quarter later there is something to count."""
    say, organisation = told.say, told.organisation
    admin, clock = organisation.as_role("admin"), organisation.clock
    for number, fate in enumerate(("signed", "lost", "signed", "verbal"), start=1):
        made = await admin.call(
            "create_deal", title=f"Rollout, part {number}", company_name="Northgate Hospitals", value=20_000 * number
        )
        clock.advance(timedelta(days=6))
        await admin.call("move_deal_stage", deal_id=made["deal_id"], stage="opportunity")
        clock.advance(timedelta(days=3 * number))
        end = {"status": "lost", "lost_reason": "No budget"} if fate == "lost" else {"stage": fate}
        await admin.call("update_deal", deal_id=made["deal_id"], updates=end)
    clock.advance(timedelta(days=2))
    days = {"start": "2026-03-01", "end": "2026-04-30"}
    await say("get_pipeline_metrics", by="admin")
    await say("calculate_conversion_rates", by="admin", **days)
    await say("get_team_performance", by="admin", **days)
    await say("get_activity_heatmap", by="admin", **days)
    await say("generate_reports", by="admin", report="pipeline", format="html")


async def _automate(told: Told) -> None:
    """A workflow is there for new leads, and one for Mondays."""
    say, n8n = told.say, told.n8n
    lead = n8n.add("Lead qualification", webhook("lead"), description="Scores a lead, and makes a deal of a good one")
    n8n.add("Weekly forecast", {"name": "Mondays", "type": "n8n-nodes-base.scheduleTrigger", "parameters": {}})
    n8n.runs(lead, items=[{"qualified": True, "score": 80}])
    await say("list_workflows", by="manager")
    await say("run_workflow", by="manager", workflow_id=lead, data={"email": "anna.berg@acme.example"})
