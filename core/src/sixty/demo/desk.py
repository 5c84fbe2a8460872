"""The part of the tour that is about the sales desk: what happens by itself, what is on, and who is whom.

Each step is taken where the packs that it needs are installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.demo.guide import Caller, Guide

__all__ = ["lead"]

SHOWN = 5
"""Lines of a list that are printed."""


async def lead(guide: Guide, seller: Caller, admin: Caller) -> None:
    """Every step has been taken for which the tools are there."""
    tools = await seller.tools()
    if {"move_deal_stage", "search_activities", "search_tasks"} <= tools:
        await _chain(guide, seller)
    if {"get_upcoming_activities", "get_overdue_tasks"} <= tools:
        await _day(guide, seller, admin)
    if {"find_duplicate_contacts", "merge_contacts", "get_contact_timeline"} <= tools:
        primary = await _duplicate(guide, seller)
        await _timeline(guide, admin, primary)


async def _chain(guide: Guide, seller: Caller) -> None:
    guide.step(f"{seller} moves a new deal to opportunity, and the rest happens by itself")
    deal = await seller.call("create_deal", title="Pilot with the Oslo office", company_name="Aurora Clinics")
    await seller.call("move_deal_stage", deal_id=deal["deal_id"], stage="opportunity", reason="Budget confirmed")
    logged = (await seller.call("search_activities", deal_id=deal["deal_id"]))["activities"]
    guide.expect("the proposal is logged", [activity["type"] for activity in logged] == ["proposal_sent"], logged)
    made = (await seller.call("search_tasks", deal_id=deal["deal_id"]))["tasks"]
    guide.list(f"{task['title']}, due {task['due_date']}" for task in made)
    followed = [task["related_activity_id"] for task in made] == [logged[0]["id"]]
    guide.expect("there is one task, to follow up on it", followed, made)


async def _day(guide: Guide, seller: Caller, admin: Caller) -> None:
    guide.step(f"{seller} asks what is on, and {admin} what is late")
    upcoming = await seller.call("get_upcoming_activities", days_ahead=14)
    guide.list(_planned(activity) for activity in upcoming["activities"][:SHOWN])
    guide.expect("something is planned", upcoming["total"] > 0, upcoming)
    overdue = await admin.call("get_overdue_tasks")
    guide.list(f"{task['title']}, due {task['due_date']}" for task in overdue["tasks"][:SHOWN])
    late = [task["days_overdue"] for task in overdue["tasks"]]
    guide.expect("the latest come first", late == sorted(late, reverse=True) != [], overdue)


async def _duplicate(guide: Guide, seller: Caller) -> str:
    """Somebody who is there twice is merged, and that is taken back; the id of the one that stays."""
    guide.step(f"{seller} looks for people who are there twice")
    found = await seller.call("find_duplicate_contacts")
    pairs = found["duplicates"]
    guide.list(_pair(pair) for pair in pairs[:SHOWN])
    guide.expect("there are some", found["duplicate_count"] > 0, found)
    primary, duplicate = pairs[0]["contact1"]["id"], pairs[0]["contact2"]["id"]

    guide.step(f"{seller} merges the first two, and takes that back")
    merged = await seller.call("merge_contacts", primary_id=primary, duplicate_ids=[duplicate])
    led = await seller.call("get_record", id=duplicate)
    guide.expect("the id that was merged leads to the one that stays", led["record"]["id"] == primary, led)
    await seller.call("undo_change", change_id=merged["change_id"])
    back = await seller.call("get_record", id=duplicate)
    guide.expect("both are there again", back["record"]["id"] == duplicate, back)
    return str(primary)


async def _timeline(guide: Guide, admin: Caller, contact_id: str) -> None:
    guide.step(f"{admin} looks at what happened with this person")
    told = await admin.call("get_contact_timeline", contact_id=contact_id)
    entries = told["entries"]
    guide.list(f"{_moment(entry['at'])}  {entry['kind']:<8} {entry['title']}" for entry in entries[:SHOWN])
    moments = [entry["at"] for entry in entries]
    guide.expect("the newest comes first", len(moments) > 0 and moments == sorted(moments, reverse=True), told)


def _planned(activity: Mapping[str, Any]) -> str:
    about = activity.get("contact_name") or activity.get("deal_title")
    return f"{_moment(activity['scheduled_at'])}  {activity['type']:<8} {activity['description']}" + (
        f" ({about})" if about else ""
    )


def _person(contact: Mapping[str, Any]) -> str:
    return f"{contact['name']} <{contact['email']}>"


def _pair(pair: Mapping[str, Any]) -> str:
    return f"{pair['similarity']:.2f}  {_person(pair['contact1'])} and {_person(pair['contact2'])}"


def _moment(text: str) -> str:
    return text[:16].replace("T", " ")
