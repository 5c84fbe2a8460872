"""How other CRMs name the columns of activities in their exports.

HubSpot has a file for each type, without a column that says which: it takes `--set type=call`.
"""

from __future__ import annotations

from types import MappingProxyType

from sixty.exchange import Preset

__all__ = ["PRESETS"]

_ENDED = {"completed": {"status": "completed"}, "done": {"status": "completed"}}

PRESETS = MappingProxyType(
    {
        "hubspot": Preset(
            columns={
                "type": ("Activity type", "Activity Type"),
                "description": ("Call Title", "Call title", "Meeting name", "Email subject", "Task Title"),
                "status": ("Meeting outcome",),
                "deal": ("Associated Deal IDs",),
                "contact": ("Associated Contact IDs",),
                "scheduled_at": ("Start Time", "Meeting start time"),
                "completed_at": ("Activity date",),
                "notes": ("Call notes", "Meeting description", "Email body", "Note body"),
                "owner": ("Activity assigned to",),
                "created_at": ("Create Date",),
            },
            values={
                "status": {
                    **_ENDED,
                    "scheduled": {"status": "scheduled"},
                    "canceled": {"status": "cancelled"},
                    "no_show": {"status": "cancelled"},
                    "no show": {"status": "cancelled"},
                },
            },
            key="Record ID",
        ),
        "salesforce": Preset(
            columns={
                "type": ("Task Subtype", "TaskSubtype", "Activity Type", "Type"),
                "description": ("Subject",),
                "status": ("Status",),
                "deal": ("Opportunity ID",),
                "contact": ("Contact ID",),
                "scheduled_at": ("Start", "Due Date", "Date", "ActivityDate"),
                "completed_at": ("Completed Date/Time", "CompletedDateTime", "Date", "Due Date"),
                "notes": ("Full Comments", "Comments", "Description"),
                "owner": ("Assigned",),
                "created_at": ("Created Date", "CreatedDate"),
            },
            values={
                "type": {"list email": {"type": "email"}, "event": {"type": "meeting"}, "cadence": {"type": "task"}},
                "status": {
                    **_ENDED,
                    "open": {"status": "scheduled"},
                    "not started": {"status": "scheduled"},
                    "in progress": {"status": "scheduled"},
                    "waiting on someone else": {"status": "scheduled"},
                    "deferred": {"status": "scheduled"},
                },
            },
            key="Activity ID",
            dates=("%m/%d/%Y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y, %I:%M %p"),
        ),
        "pipedrive": Preset(
            columns={
                "type": ("Activity - Type", "Type"),
                "description": ("Activity - Subject", "Subject"),
                "status": ("Activity - Done", "Done"),
                "deal": ("Activity - Deal ID", "Deal ID"),
                "contact": ("Activity - Contact person ID", "Contact person ID"),
                "scheduled_at": ("Activity - Due date", "Due date"),
                "duration_minutes": ("Activity - Duration", "Duration"),
                "completed_at": ("Activity - Marked as done time", "Marked as done time"),
                "notes": ("Activity - Note", "Note"),
                "owner": ("Activity - Assigned to user", "Assigned to user"),
                "created_at": ("Activity - Add time", "Activity - Creation date"),
            },
            values={
                "type": {"lunch": {"type": "meeting"}, "deadline": {"type": "task"}},
                "status": {
                    **_ENDED,
                    "undone": {"status": "scheduled"},
                    "to do": {"status": "scheduled"},
                    "not done": {"status": "scheduled"},
                },
            },
            key="Activity - ID",
        ),
    }
)
