"""How activities come in from files, and go out to them."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from sixty import Extension, Invalid, LongText
from sixty.exchange import FORMS, AtMoment, Form, Key, Line, Whole
from sixty_activities.presets import PRESETS
from sixty_activities.rules import Status
from sixty_activities.tables import ACTIVITY
from sixty_activities.tools.creating import LONGEST, Description
from sixty_activities.tools.types import GivenType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sixty import Call, Row

__all__ = ["ADDED", "ActivityLine", "standing"]

_FIELDS = (
    "type",
    "description",
    "scheduled_at",
    "duration_minutes",
    "completed_at",
    "outcome",
    "notes",
    "reschedule_reason",
)
_POINTERS = {"deal": "deal_id", "contact": "contact_id"}
_STANDING = ("status", "scheduled_at", "completed_at")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_MINUTE = 60


def _minutes(value: Any) -> Any:
    """The minutes, begun ones too, of a time such as `1:30` or `0:12:30`."""
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value
    return int(found[1]) * _MINUTE + int(found[2]) + (found[3] is not None and int(found[3]) > 0)


def _lasting(minutes: int | None) -> int | None:
    """How long it took; 0 says nothing."""
    if minutes is not None and not 0 <= minutes <= LONGEST:
        msg = f"must be at most {LONGEST} minutes"
        raise ValueError(msg)
    return minutes or None


class ActivityLine(Line):
    """An activity in a file. Without a status it is completed if it has a `completed_at`, and else scheduled."""

    type: GivenType
    status: Status | None = None
    description: Description
    deal: Key | None = None
    contact: Key | None = None
    scheduled_at: AtMoment = None
    duration_minutes: Annotated[Whole, BeforeValidator(_minutes), AfterValidator(_lasting)] = None
    completed_at: AtMoment = None
    outcome: LongText | None = None
    notes: LongText | None = None
    reschedule_reason: LongText | None = None


def standing(said: Mapping[str, Any]) -> dict[str, Any]:
    """Where an activity stands, and its times. `Invalid` if nothing says when it happens.

    One that was completed nobody knows when took place when it was scheduled; only a completed one has a time of
    completion.
    """
    completed_at, scheduled_at = said.get("completed_at"), said.get("scheduled_at")
    status = said.get("status") or ("scheduled" if completed_at is None else "completed")
    happened = (completed_at or scheduled_at) if status == "completed" else None
    happens_at = happened or scheduled_at
    if happens_at is None:
        needed = "completed_at" if status == "completed" else "scheduled_at"
        msg = f"{needed} is missing: without it nobody knows when this {status} activity happens; map or set it"
        raise Invalid(msg, field=needed)
    return {"status": status, "completed_at": happened, "happens_at": happens_at}


def _later(before: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """What an activity says of where it stands, with what a line adds: a time of completion tells that it was held."""
    after = {**{name: before[name] for name in _STANDING}, **given}
    if "completed_at" in given and "status" not in given and before["status"] != "cancelled":
        after["status"] = None
    return after


async def _put(line: ActivityLine, before: Row | None, call: Call) -> Row:
    said = {name: getattr(line, name) for name in _FIELDS if name in line.model_fields_set}
    said |= {column: getattr(line, name) for name, column in _POINTERS.items() if name in line.model_fields_set}
    given = {name: getattr(line, name) for name in _STANDING if name in line.model_fields_set}
    if before is None:
        columns = {**said, **standing(given)}
        return await call.records.adopt(ACTIVITY, columns, id=line.id, owner_id=line.owner, created_at=line.created_at)
    if given:
        said |= standing(_later(before, given))
    if line.owner is not None:
        said["owner_id"] = line.owner
    return await call.records.update(ACTIVITY, before["id"], said)


async def _take(rows: Sequence[Row], _call: Call) -> list[ActivityLine]:
    names = {name: name for name in ("status", *_FIELDS)} | _POINTERS
    return [ActivityLine.model_construct(**{name: row[column] for name, column in names.items()}) for row in rows]


ADDED = (
    Extension(
        FORMS,
        Form(
            name="activities",
            kind=ACTIVITY,
            line=ActivityLine,
            put=_put,
            take=_take,
            pointers=MappingProxyType({"deal": "deal", "contact": "contact"}),
            presets=PRESETS,
        ),
    ),
)
"""Activities, logged and scheduled."""
