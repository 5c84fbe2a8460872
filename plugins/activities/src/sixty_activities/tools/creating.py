"""The tools that log and schedule activities, one or many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, GetJsonSchemaHandler

from sixty import Arguments, Call, Invalid, LongText, Moment, RecordId, SixtyError, counted, tool
from sixty_activities.making import make
from sixty_activities.models import Activity, ActivityCreated, BulkScheduled, Item
from sixty_activities.rules import named, spoken
from sixty_activities.tools.types import GivenType

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from sixty import Row

__all__ = ["LONGEST", "Description", "bulk_schedule_activities", "create_activity"]

_MOST = 100
LONGEST = 1440
"""Minutes of an activity."""
_QUOTED = 80
"""Characters that an error quotes of something that is no activity."""


def _filled(text: str) -> str:
    text = text.strip()
    if not text:
        msg = "must not be empty"
        raise ValueError(msg)
    return text


Description = Annotated[LongText, Field(json_schema_extra={"minLength": 1}), AfterValidator(_filled)]


class CreateActivity(Arguments):
    """The arguments of `create_activity`."""

    type: GivenType
    description: Description
    deal_id: RecordId | None = None
    contact_id: RecordId | None = None
    scheduled_at: Moment | None = None
    duration_minutes: Annotated[int, Field(ge=1, le=LONGEST)] | None = None
    outcome: LongText | None = None
    notes: LongText | None = None
    owner_id: RecordId | None = None


class _ShownAsActivity:
    """Shows clients what an item has to be; whether it is so is asked of each item by itself."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = handler.resolve_ref_schema(handler(CreateActivity.__pydantic_core_schema__))
        return {name: content for name, content in shown.items() if name != "description"}  # which is for readers here


class BulkScheduleActivities(Arguments):
    """The arguments of `bulk_schedule_activities`."""

    activities: Annotated[list[Annotated[Any, _ShownAsActivity()]], Field(min_length=1, max_length=_MOST)]


@tool("create_activity", permission="activities:create", effect="create")
async def create_activity(args: CreateActivity, call: Call) -> ActivityCreated:
    """Log an activity that has happened just now, or schedule one with scheduled_at."""
    activity = await _create(args, call)
    name = named(activity["type"], activity["description"])
    return ActivityCreated(
        message=f"{name} {_done(activity, call)}",
        activity_id=activity["id"],
        activity=Activity.model_validate(activity),
    )


@tool("bulk_schedule_activities", permission="activities:create", effect="create", rate="bulk")
async def bulk_schedule_activities(args: BulkScheduleActivities, call: Call) -> BulkScheduled:
    """Log or schedule up to 100 activities. Each stands alone: the good ones are kept; results are in order."""
    results = [await _alone(item, call) for item in args.activities]
    successful = sum(result.success for result in results)
    failed = len(results) - successful
    return BulkScheduled(
        message=_told(successful, failed), total=len(results), successful=successful, failed=failed, results=results
    )


async def _create(args: CreateActivity, call: Call) -> Row:
    if args.outcome is not None and args.scheduled_at is not None:
        msg = "outcome is for what has happened; complete_activity takes that of a scheduled activity once it was held"
        raise Invalid(msg, field="outcome", given=args.outcome[:_QUOTED])
    return await make(call, args.model_dump(exclude_none=True, exclude={"owner_id"}), args.owner_id)


async def _alone(item: Any, call: Call) -> Item:
    """What becomes of one of many. A bad one leaves nothing behind, and the others as they are."""
    try:
        if not isinstance(item, dict):
            msg = f"an activity must be an object with a type and a description, got {repr(item)[:_QUOTED]}"
            raise Invalid(msg, field="activities")
        given = create_activity.parse(item, {"now": call.now, "timezone": call.timezone})
        async with call.savepoint():
            activity = await _create(given, call)
    except SixtyError as error:
        return Item(success=False, error=error.to_json())
    return Item(success=True, id=activity["id"])


def _done(activity: Row, call: Call) -> str:
    if activity["status"] == "completed":
        return "logged"
    when = f"scheduled for {spoken(activity['scheduled_at'], call.timezone)}"
    overdue = activity["scheduled_at"] < call.now
    return f"{when}, which has passed; complete_activity says that it was held" if overdue else when


def _told(successful: int, failed: int) -> str:
    if not failed:
        return f"Saved all of {counted(successful, 'activity')}"
    why = "the results say why"
    if not successful:
        return f"Saved none of {counted(failed, 'activity')}; {why}"
    return f"Saved {successful} of {counted(successful + failed, 'activity')}, and {failed} failed; {why}"
