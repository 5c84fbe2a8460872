"""A call of every tool that there is: with what it is called, and what must come of it, in the answer or the database.

Each makes the records that it needs, so that it can be made in any order and several times.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm import Crm

__all__ = ["CASES", "Case"]

Answer = dict[str, Any]
Case = Callable[["Crm"], tuple[dict[str, Any], Callable[[Answer], bool]]]
"""The arguments, and whether an answer and what is in the database are as they must be."""
CASES: dict[str, Case] = {}
"""By tool."""
_numbers = count(1)


def _case(function: Case) -> Case:
    CASES[function.__name__] = function
    return function


def _contact(crm: Crm, **more: Any) -> str:
    number = next(_numbers)
    names = {"first_name": f"Anna{number}", "last_name": f"Berg{number}", "email": f"anna{number}@acme{number}.example"}
    return str(crm.call("create_contact", **{**names, "company_name": f"Acme {number}", **more})["contact_id"])


def _deal(crm: Crm, **more: Any) -> str:
    made = crm.call("create_deal", **{"title": f"Deal {next(_numbers)}", "company_name": "Acme", "value": 1000, **more})
    return str(made["deal_id"])


def _activity(crm: Crm, **more: Any) -> str:
    given = {"type": "meeting", "description": f"Meeting {next(_numbers)}", "scheduled_at": "tomorrow", **more}
    return str(crm.call("create_activity", **given)["activity_id"])


def _task(crm: Crm, **more: Any) -> str:
    return str(crm.call("create_task", **{"title": f"Task {next(_numbers)}", **more})["task_id"])


def _admin(crm: Crm) -> str:
    ((user_id,),) = crm.rows("SELECT lower(hex(id)) FROM users WHERE role = 'admin'")
    parts = (user_id[:8], user_id[8:12], user_id[12:16], user_id[16:20], user_id[20:])
    return "-".join(parts)


# deals


@_case
def create_deal(crm: Crm) -> Any:
    anna = _contact(crm)
    given = {"title": f"Made in n8n {next(_numbers)}", "company_name": "Acme", "value": 1234.5, "contact_id": anna}
    made = "SELECT value FROM deals WHERE title = ?"
    return given, lambda answer: answer["deal"]["contact_id"] == anna and crm.rows(made, given["title"]) == [(123_450,)]


@_case
def update_deal(crm: Crm) -> Any:
    deal = _deal(crm, notes="Old")
    given = {"deal_id": deal, "updates": {"value": 2000, "expected_close_date": "2027-03-31"}}
    return given, lambda _: crm.call("get_record", id=deal)["record"].items() >= given["updates"].items()


@_case
def delete_deal(crm: Crm) -> Any:
    title = f"A mistake {next(_numbers)}"
    given = {"deal_id": _deal(crm, title=title), "reason": "Made by mistake"}
    return given, lambda _: crm.rows("SELECT id FROM deals WHERE title = ?", title) == []


@_case
def move_deal_stage(crm: Crm) -> Any:
    deal = _deal(crm)
    given = {"deal_id": deal, "stage": "verbal", "reason": "They said yes"}
    return given, lambda _: crm.call("get_record", id=deal)["record"]["stage"] == "verbal"


@_case
def split_deal_revenue(crm: Crm) -> Any:
    deal = _deal(crm)
    given = {"deal_id": deal, "monthly_mrr": 100, "one_off_revenue": 500}
    return given, lambda _: crm.call("get_record", id=deal)["record"]["monthly_mrr"] == 100


@_case
def search_deals(crm: Crm) -> Any:
    title = f"Findable {next(_numbers)}"
    _deal(crm, title=title, expected_close_date="tomorrow")
    given = {"query": title, "status": "open", "date_range": {"start": "today", "end": "+2_days"}}
    return given, lambda answer: answer["deals"][0]["title"] == title


@_case
def forecast_revenue(crm: Crm) -> Any:
    _deal(crm, expected_close_date="today")
    return {"period": "year", "backtest": False}, lambda answer: answer["deal_count"] >= 1


@_case
def get_deal_history(crm: Crm) -> Any:
    deal = _deal(crm)
    crm.call("move_deal_stage", deal_id=deal, stage="opportunity")
    return {"deal_id": deal}, lambda answer: [stay["stage"] for stay in answer["stages"]] == ["sql", "opportunity"]


# contacts


@_case
def create_contact(crm: Crm) -> Any:
    number = next(_numbers)
    given = {
        "first_name": "Ben",
        "last_name": "Ode",
        "email": f"ben{number}@globex{number}.example",
        "company_name": f"Globex {number}",
        "address": {"city": "Oslo", "country": "Norway"},
    }
    return (
        given,
        lambda answer: (
            answer["contact"]["address"] == given["address"]
            and crm.rows("SELECT first_name FROM contacts WHERE email = ?", given["email"]) == [("Ben",)]
        ),
    )


@_case
def update_contact(crm: Crm) -> Any:
    anna = _contact(crm)
    given = {"contact_id": anna, "updates": {"role": "Head of Sales", "address": {"city": "Bergen"}}}
    return given, lambda _: crm.call("get_record", id=anna)["record"].items() >= given["updates"].items()


@_case
def update_company(crm: Crm) -> Any:
    company = crm.call("get_record", id=_contact(crm))["record"]["company_id"]
    given = {"company_id": company, "updates": {"industry": "Shipping", "size": 120}}
    return given, lambda _: crm.call("get_record", id=company)["record"].items() >= given["updates"].items()


@_case
def search_contacts(crm: Crm) -> Any:
    email = crm.call("get_record", id=_contact(crm))["record"]["email"]
    return {"email": email}, lambda answer: [found["email"] for found in answer["contacts"]] == [email]


@_case
def enrich_contact(crm: Crm) -> Any:
    given = {"contact_id": _contact(crm), "sources": ["internal", "linkedin"]}
    return given, lambda answer: [source["source"] for source in answer["sources"]] == given["sources"]


@_case
def find_duplicate_contacts(crm: Crm) -> Any:
    number = next(_numbers)
    for first in ("Françoise", "Francoise"):
        _contact(crm, first_name=first, last_name=f"Lefevre{number}", company_name=f"Twins {number}")
    return {"threshold": 0.8}, lambda answer: len(answer["duplicates"]) >= 1


@_case
def merge_contacts(crm: Crm) -> Any:
    kept, gone = _contact(crm), _contact(crm, role="Buyer")
    given = {"primary_id": kept, "duplicate_ids": [gone], "field_choices": {"role": gone}}
    return (
        given,
        lambda answer: answer["contact"]["role"] == "Buyer" and crm.call("get_record", id=gone)["record"]["id"] == kept,
    )


@_case
def get_contact_timeline(crm: Crm) -> Any:
    anna = _contact(crm)
    _task(crm, contact_id=anna)
    given = {"contact_id": anna, "kinds": ["task", "deal"]}
    return given, lambda answer: [entry["kind"] for entry in answer["entries"]] == ["task"]


# activities


@_case
def create_activity(crm: Crm) -> Any:
    text = f"Called from n8n {next(_numbers)}"
    given = {"type": "call", "description": text, "deal_id": _deal(crm), "duration_minutes": 15}
    made = "SELECT type, duration_minutes FROM activities WHERE description = ?"
    return given, lambda _: crm.rows(made, text) == [("call", 15)]


@_case
def bulk_schedule_activities(crm: Crm) -> Any:
    text = f"Many {next(_numbers)}"
    planned = {"type": "call", "description": text, "scheduled_at": "tomorrow"}
    given = {"activities": [planned, {"type": "visit", "description": "Drop in"}]}
    return (
        given,
        lambda answer: (
            [result["success"] for result in answer["results"]] == [True, False]
            and crm.rows("SELECT type FROM activities WHERE description = ?", text) == [("call",)]
        ),
    )


@_case
def search_activities(crm: Crm) -> Any:
    deal = _deal(crm)
    activity = _activity(crm, deal_id=deal)
    given = {"deal_id": deal, "status": "scheduled"}
    return given, lambda answer: [found["id"] for found in answer["activities"]] == [activity]


@_case
def get_upcoming_activities(crm: Crm) -> Any:
    activity = _activity(crm)
    given = {"days_ahead": 3, "include_overdue": False}
    return given, lambda answer: activity in [found["id"] for found in answer["activities"]]


@_case
def complete_activity(crm: Crm) -> Any:
    activity = _activity(crm)
    given = {"activity_id": activity, "outcome": "They want a pilot"}
    return given, lambda _: crm.call("get_record", id=activity)["record"]["status"] == "completed"


@_case
def reschedule_activity(crm: Crm) -> Any:
    activity = _activity(crm)
    given = {"activity_id": activity, "scheduled_at": "2027-03-01T10:00:00+01:00", "reason": "She is ill"}
    return given, lambda _: crm.call("get_record", id=activity)["record"]["scheduled_at"].startswith(
        "2027-03-01T09:00:00"
    )


@_case
def get_activity_metrics(crm: Crm) -> Any:
    crm.call("create_activity", type="call", description="Counted")
    return {"start": "today", "group_by": "type"}, lambda answer: answer["totals"]["count"] >= 1


# tasks


@_case
def create_task(crm: Crm) -> Any:
    title = f"Made in n8n {next(_numbers)}"
    given = {"title": title, "priority": "urgent", "due_date": "2027-01-31", "contact_id": _contact(crm)}
    made = "SELECT priority, due_date FROM tasks WHERE title = ?"
    return given, lambda _: crm.rows(made, title) == [("urgent", "2027-01-31")]


@_case
def assign_task(crm: Crm) -> Any:
    task, admin = _task(crm), _admin(crm)
    return {"task_id": task, "assignee_id": admin}, lambda answer: answer["task"]["owner_id"] == admin


@_case
def complete_task(crm: Crm) -> Any:
    task, after = _task(crm), f"Ask again {next(_numbers)}"
    given = {"task_id": task, "outcome": "Sent", "follow_up": {"title": after, "due_in_days": 14}}
    return (
        given,
        lambda _: (
            crm.call("get_record", id=task)["record"]["status"] == "completed"
            and len(crm.rows("SELECT id FROM tasks WHERE title = ?", after)) == 1
        ),
    )


@_case
def get_overdue_tasks(crm: Crm) -> Any:
    task = _task(crm, due_date="-3_days")
    return {}, lambda answer: task in [found["id"] for found in answer["tasks"]]


@_case
def search_tasks(crm: Crm) -> Any:
    deal = _deal(crm)
    task = _task(crm, deal_id=deal)
    return {"deal_id": deal, "status": "open"}, lambda answer: [found["id"] for found in answer["tasks"]] == [task]


@_case
def bulk_update_tasks(crm: Crm) -> Any:
    tasks = [_task(crm), _task(crm)]
    given = {"task_ids": tasks, "updates": {"priority": "low", "due_date": "2027-02-01"}}
    return given, lambda _: all(
        crm.call("get_record", id=task)["record"].items() >= given["updates"].items() for task in tasks
    )


# figures


@_case
def get_pipeline_metrics(crm: Crm) -> Any:
    _deal(crm)
    return {}, lambda answer: answer["totals"]["count"] >= 1


@_case
def calculate_conversion_rates(crm: Crm) -> Any:
    _deal(crm, stage="opportunity")
    return {"start": "-1_month", "end": "today"}, lambda answer: answer["stages"][0]["from"] == "sql"


@_case
def get_team_performance(crm: Crm) -> Any:
    _deal(crm, stage="signed")
    return {"start": "-1_month", "end": "today"}, lambda answer: len(answer["members"]) >= 1


@_case
def generate_reports(crm: Crm) -> Any:
    _deal(crm)
    given = {"report": "pipeline", "format": "csv"}
    return given, lambda answer: answer["report"]["tables"][0]["name"] == "stages"


@_case
def get_activity_heatmap(crm: Crm) -> Any:
    crm.call("create_activity", type="call", description="Counted")
    return {"timezone": "Europe/Oslo"}, lambda answer: len(answer["heatmap"]) == 7


# of any kind


@_case
def search_crm(crm: Crm) -> Any:
    word = f"Zebra{next(_numbers)}"
    deal = _deal(crm, title=word)
    return {"query": word, "kinds": ["deal"]}, lambda answer: [found["id"] for found in answer["results"]] == [deal]


@_case
def get_record(crm: Crm) -> Any:
    deal = _deal(crm)
    return {"id": deal}, lambda answer: (answer["kind"], answer["record"]["id"]) == ("deal", deal)


@_case
def delete_record(crm: Crm) -> Any:
    title = f"A mistake {next(_numbers)}"
    return {"id": _task(crm, title=title)}, lambda _: crm.rows("SELECT id FROM tasks WHERE title = ?", title) == []


@_case
def undo_change(crm: Crm) -> Any:
    deal = _deal(crm)
    changed = crm.call("update_deal", deal_id=deal, updates={"value": 77})
    given = {"change_id": changed["change_id"]}
    return given, lambda _: crm.call("get_record", id=deal)["record"]["value"] == 1000


@_case
def explain_access(crm: Crm) -> Any:
    return {"tool": "delete_deal", "record_id": _deal(crm)}, lambda answer: answer["allowed"] is True


# workflows


@_case
def list_workflows(_crm: Crm) -> Any:
    return {"query": "operation", "limit": 5}, lambda answer: "operation" in answer["workflows"][0]["name"]


@_case
def run_workflow(crm: Crm) -> Any:
    found = crm.call("list_workflows", query="echo")["workflows"][0]
    given = {"workflow_id": found["workflow_id"], "data": {"word": "hello"}}
    return given, lambda answer: (answer["status"], answer["result"]) == ("success", [{"word": "hello"}])
