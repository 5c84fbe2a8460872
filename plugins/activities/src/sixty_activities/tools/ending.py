"""The tools that end a scheduled activity, or give it another time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sixty import Arguments, Call, Conflict, LongText, Moment, RecordId, tool
from sixty.crm import ActivityCompleted
from sixty_activities.models import Activity, ActivityRescheduled, ActivitySaved, RescheduledActivity
from sixty_activities.rules import Ending, ended_already, named, spoken
from sixty_activities.tables import ACTIVITY
from sixty_activities.tools.types import Version

if TYPE_CHECKING:
    from sixty import Row

__all__ = ["complete_activity", "reschedule_activity"]


class CompleteActivity(Arguments):
    """The arguments of `complete_activity`."""

    activity_id: RecordId
    outcome: LongText | None = None
    notes: LongText | None = None
    status: Ending = "completed"
    expected_version: Version | None = None


class RescheduleActivity(Arguments):
    """The arguments of `reschedule_activity`."""

    activity_id: RecordId
    scheduled_at: Moment
    reason: LongText | None = None
    expected_version: Version | None = None


@tool("complete_activity", permission="activities:update", effect="update")
async def complete_activity(args: CompleteActivity, call: Call) -> ActivitySaved:
    """Say that a scheduled activity was held, just now, or is cancelled. notes are added to those it has."""
    before = await _writable(call, args.activity_id, args.expected_version)
    name = named(before["type"], before["description"])
    if ended_already(name, before["status"], args.status):
        message = f"{name} is {args.status} already; nothing changed"
        return ActivitySaved(message=message, activity=Activity.model_validate(before))
    values: dict[str, Any] = {"status": args.status}
    if args.outcome is not None:
        values["outcome"] = args.outcome
    if args.notes is not None:
        values["notes"] = args.notes if before["notes"] is None else f"{before['notes']}\n\n{args.notes}"
    if args.status == "completed":
        values |= {"completed_at": call.now, "happens_at": call.now}
    after = await call.records.update(ACTIVITY, before["id"], values)
    if args.status == "completed":
        call.publish(_completed(after))
    return ActivitySaved(message=f"{name} is {args.status}", activity=Activity.model_validate(after))


@tool("reschedule_activity", permission="activities:update", effect="update")
async def reschedule_activity(args: RescheduleActivity, call: Call) -> ActivityRescheduled:
    """Give a scheduled activity another time."""
    before = await _writable(call, args.activity_id, args.expected_version)
    name, previous = named(before["type"], before["description"]), before["scheduled_at"]
    if before["status"] != "scheduled":
        msg = f"{name} is {before['status']} and has no time to change; create_activity schedules another"
        raise Conflict(msg, status=before["status"])
    when = spoken(args.scheduled_at, call.timezone)
    after, message = before, f"{name} is scheduled for {when} already; nothing changed"
    if args.scheduled_at != previous:
        time = {"scheduled_at": args.scheduled_at, "happens_at": args.scheduled_at}
        after = await call.records.update(ACTIVITY, before["id"], {**time, "reschedule_reason": args.reason})
        message = f"{name} moved from {spoken(previous, call.timezone)} to {when}"
    activity = RescheduledActivity.model_validate({**after, "previous_scheduled_at": previous})
    return ActivityRescheduled(message=message, activity=activity)


async def _writable(call: Call, activity_id: str, expected_version: int | None) -> Row:
    """The activity, which the caller may change and which is at that version."""
    return await call.records.update(ACTIVITY, activity_id, {}, expected_version=expected_version)


def _completed(activity: Row) -> ActivityCompleted:
    return ActivityCompleted(
        record_id=activity["id"],
        owner_id=activity["owner_id"],
        type=activity["type"],
        description=activity["description"],
        deal_id=activity["deal_id"],
        contact_id=activity["contact_id"],
    )
