"""How other CRMs name the columns of tasks in their exports."""

from __future__ import annotations

from types import MappingProxyType

from sixty.exchange import Preset

__all__ = ["PRESETS"]

_PRIORITIES = {"none": {"priority": "medium"}, "normal": {"priority": "medium"}}
_STATUSES = {
    "done": {"status": "completed"},
    "to do": {"status": "open"},
    "undone": {"status": "open"},
    "not done": {"status": "open"},
    "not started": {"status": "open"},
    "not_started": {"status": "open"},
    "in progress": {"status": "open"},
    "in_progress": {"status": "open"},
    "waiting": {"status": "open"},
    "waiting on someone else": {"status": "open"},
    "deferred": {"status": "open"},
}

PRESETS = MappingProxyType(
    {
        "hubspot": Preset(
            columns={
                "title": ("Task Title", "Task title"),
                "description": ("Notes", "Task notes"),
                "status": ("Task Status", "Task status"),
                "priority": ("Priority",),
                "due_date": ("Due date", "Activity date"),
                "deal": ("Associated Deal IDs",),
                "contact": ("Associated Contact IDs",),
                "completed_at": ("Completed at", "Due date", "Activity date"),
                "owner": ("Activity assigned to", "Assigned to"),
                "created_at": ("Create Date",),
            },
            values={"status": _STATUSES, "priority": _PRIORITIES},
            key="Record ID",
        ),
        "salesforce": Preset(
            columns={
                "title": ("Subject",),
                "description": ("Full Comments", "Comments", "Description"),
                "status": ("Status",),
                "priority": ("Priority",),
                "due_date": ("Due Date", "Date", "ActivityDate"),
                "deal": ("Opportunity ID",),
                "contact": ("Contact ID",),
                "completed_at": ("Completed Date/Time", "CompletedDateTime", "Due Date", "Date", "ActivityDate"),
                "owner": ("Assigned",),
                "created_at": ("Created Date", "CreatedDate"),
            },
            values={"status": _STATUSES, "priority": _PRIORITIES},
            key="Activity ID",
            dates=("%m/%d/%Y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y, %I:%M %p"),
        ),
        "pipedrive": Preset(
            columns={
                "title": ("Activity - Subject", "Subject"),
                "description": ("Activity - Note", "Note"),
                "status": ("Activity - Done", "Done"),
                "priority": ("Activity - Priority", "Priority"),
                "due_date": ("Activity - Due date", "Due date"),
                "deal": ("Activity - Deal ID", "Deal ID"),
                "contact": ("Activity - Contact person ID", "Contact person ID"),
                "completed_at": ("Activity - Marked as done time", "Marked as done time"),
                "owner": ("Activity - Assigned to user", "Assigned to user"),
                "created_at": ("Activity - Add time", "Activity - Creation date"),
            },
            values={"status": _STATUSES, "priority": _PRIORITIES},
            key="Activity - ID",
        ),
    }
)
"""Where a file does not say when a task was completed, it was when it was due."""
