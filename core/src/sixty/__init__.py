"""Everything that the author of a plugin imports."""

from __future__ import annotations

from sixty.completions import ids_of
from sixty.config import PackSettings
from sixty.context import Call
from sixty.conversation import Answer
from sixty.days import DateRange
from sixty.errors import Conflict, Forbidden, Invalid, NotFound, SixtyError, Unavailable, nearest
from sixty.events import Event, Reaction, on
from sixty.extensions import Extended, Extension, Point
from sixty.hookspecs import hookimpl
from sixty.ids import new_id
from sixty.jobs.job import GiveUp, Job, RetryLater, job
from sixty.jobs.schedule import Schedule
from sixty.jobs.work import Work
from sixty.kinds import Detail, Guard, Kind, Searchable, Tables, detail_table, pointer, record_table
from sixty.paging import Order, PageOf, page
from sixty.permissions import Permissions, Scope
from sixty.prompts import Completing, Completion, Prompt, completion, prompt
from sixty.resources import Resource, resource
from sixty.signals.metrics import Counter, Gauge, Histogram, Metric, Reading
from sixty.storage.columns import Cents, Id, Instant, Json
from sixty.storage.functions import epoch
from sixty.storage.statements import Row
from sixty.tools import Tool, tool
from sixty.values import (
    Arguments,
    Cursor,
    Day,
    Limit,
    LongText,
    Moment,
    Money,
    Page,
    Record,
    RecordId,
    Result,
    ShownId,
    Text,
    counted,
    shown,
)
from sixty.views import Published, View

__all__ = [
    "Answer",
    "Arguments",
    "Call",
    "Cents",
    "Completing",
    "Completion",
    "Conflict",
    "Counter",
    "Cursor",
    "DateRange",
    "Day",
    "Detail",
    "Event",
    "Extended",
    "Extension",
    "Forbidden",
    "Gauge",
    "GiveUp",
    "Guard",
    "Histogram",
    "Id",
    "Instant",
    "Invalid",
    "Job",
    "Json",
    "Kind",
    "Limit",
    "LongText",
    "Metric",
    "Moment",
    "Money",
    "NotFound",
    "Order",
    "PackSettings",
    "Page",
    "PageOf",
    "Permissions",
    "Point",
    "Prompt",
    "Published",
    "Reaction",
    "Reading",
    "Record",
    "RecordId",
    "Resource",
    "Result",
    "RetryLater",
    "Row",
    "Schedule",
    "Scope",
    "Searchable",
    "ShownId",
    "SixtyError",
    "Tables",
    "Text",
    "Tool",
    "Unavailable",
    "View",
    "Work",
    "completion",
    "counted",
    "detail_table",
    "epoch",
    "hookimpl",
    "ids_of",
    "job",
    "nearest",
    "new_id",
    "on",
    "page",
    "pointer",
    "prompt",
    "record_table",
    "resource",
    "shown",
    "tool",
]
