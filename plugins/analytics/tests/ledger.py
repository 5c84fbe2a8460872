"""Stand-ins for the packs that keep deals, activities and tasks, and a way to write their rows as a test wants them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import (
    Arguments,
    Call,
    Detail,
    Kind,
    Permissions,
    Published,
    Record,
    Result,
    Tables,
    detail_table,
    hookimpl,
    new_id,
    record_table,
    tool,
)
from sixty.crm import ACTIVITIES, DEALS, STAGE_CHANGES, WON_STAGE
from sixty.kinds import SPINE
from sixty.storage.statements import Write
from sixty.tables import records

if TYPE_CHECKING:
    from decimal import Decimal

    from sixty import View
    from sixty.testing import Organisation

WEIGHTS = {"sql": 0.1, "opportunity": 0.3, "verbal": 0.75, "signed": 1.0}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""When every row was written: a time that no figure may use."""


def _columns(view: View, *without: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name, kind in view.columns.items() if name not in (*SPINE, *without)]


_metadata = sa.MetaData()
deals = record_table("deals", _metadata, *_columns(DEALS, "probability"))
stays = detail_table("stays", _metadata, "deal_id", *_columns(STAGE_CHANGES, "deal_id"))
DEAL = Kind("deal", deals, Record, resource="deals", title="title")

_diary = sa.MetaData()
activities = record_table("activities", _diary, *_columns(ACTIVITIES))
ACTIVITY = Kind("activity", activities, Record, resource="activities", title="description")


def _actions(resource: str) -> dict[str, str]:
    return {action: f"They may {action} {resource}" for action in ("read", "create", "update", "delete")}


_weight = sa.case({stage: sa.literal(share, sa.Float) for stage, share in WEIGHTS.items()}, value=deals.c.stage)
_deals = sa.select(*(_weight.label(name) if name == "probability" else deals.c[name] for name in DEALS.columns))
_stays = sa.select(*((deals if name == "owner_id" else stays).c[name] for name in STAGE_CHANGES.columns)).join_from(
    stays, deals, deals.c.id == stays.c.deal_id
)

pack = ModuleType("ledger_of_deals")
pack.sixty_tables = hookimpl(  # type: ignore[attr-defined]
    lambda: Tables(_metadata, kinds=(DEAL,), details=(Detail(stays, DEAL, "deal_id"),))
)
pack.sixty_permissions = hookimpl(  # type: ignore[attr-defined]
    lambda: (Permissions("deals", _actions("deals"), {"manager": ("deals:read",)}),)
)
pack.sixty_views = hookimpl(lambda: (Published(DEALS, _deals), Published(STAGE_CHANGES, _stays)))  # type: ignore[attr-defined]

diary = ModuleType("diary_of_activities")
diary.sixty_tables = hookimpl(lambda: Tables(_diary, kinds=(ACTIVITY,)))  # type: ignore[attr-defined]
diary.sixty_permissions = hookimpl(  # type: ignore[attr-defined]
    lambda: (
        Permissions(
            "activities",
            _actions("activities"),
            {"manager": ("activities:read:team",)},
        ),
    )
)
diary.sixty_views = hookimpl(  # type: ignore[attr-defined]
    lambda: (Published(ACTIVITIES, sa.select(*(activities.c[name] for name in ACTIVITIES.columns))),)
)


class CreateTask(Arguments):
    title: str
    description: str
    priority: str
    deal_id: str
    assignee_id: str | None = None


@tool("create_task", permission="tasks:create", effect="create")
async def create_task(args: CreateTask, call: Call) -> Result:
    """Create a task."""
    return Result(message=args.title)


tasks = ModuleType("list_of_tasks")
tasks.sixty_tools = hookimpl(lambda: (create_task,))  # type: ignore[attr-defined]
tasks.sixty_permissions = hookimpl(  # type: ignore[attr-defined]
    lambda: (Permissions("tasks", {"create": "Create tasks"}, {"manager": ("tasks:create:team",)}),)
)


@dataclass(frozen=True)
class Deal:
    """A deal as a test writes it: the stages that it entered, each with the moment at which it did."""

    stays: tuple[tuple[str, datetime], ...]
    owner_id: str | None = None
    value: Decimal | None = None
    lost: bool = False
    closed_at: datetime | None = None
    """Of a lost deal. A won one was closed when it was won, unless this says otherwise."""
    undated: bool = False
    """Whether nobody knows when it was closed."""
    opened_at: datetime | None = None
    """If it was not when it entered its first stage."""
    title: str = "Deal"
    contact_id: str | None = None
    expected_close_date: date | None = None
    id: str = field(default_factory=new_id)

    @property
    def stage(self) -> str:
        return self.stays[-1][0]

    @property
    def status(self) -> str:
        return "won" if self.stage == WON_STAGE else "lost" if self.lost else "open"

    @property
    def closed(self) -> datetime | None:
        if self.status == "open" or self.undated:
            return None
        return self.closed_at or self.stays[-1][1]

    @property
    def opened(self) -> datetime:
        return self.opened_at or self.stays[0][1]

    def row(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            **_spine(self.id, self.owner_id),
            "title": self.title,
            "company_name": None,
            "contact_id": self.contact_id,
            "stage": self.stage,
            "status": self.status,
            "value": self.value,
            "expected_close_date": self.expected_close_date,
            "contract_end_date": None,
            "stage_entered_at": self.stays[-1][1],
            "path": " ".join(stage for stage, _ in self.stays),
            "opened_at": self.opened,
            "closed_at": self.closed,
        }

    def stay_rows(self) -> list[dict[str, Any]]:
        """Its stays, as they are stored."""
        left = [entered for _, entered in self.stays[1:]]
        return [
            {
                "id": new_id(),
                "deal_id": self.id,
                "from_stage": self.stays[place - 1][0] if place else None,
                "to_stage": stage,
                "entered_at": entered,
                "left_at": left[place] if place < len(left) else None,
            }
            for place, (stage, entered) in enumerate(self.stays)
        ]


@dataclass(frozen=True)
class Activity:
    """An activity as a test writes it: completed, or scheduled for a time."""

    at: datetime
    owner_id: str | None = None
    type: str = "call"
    status: str = "completed"
    deal_id: str | None = None
    id: str = field(default_factory=new_id)

    def row(self) -> dict[str, Any]:
        """As it is stored."""
        done = self.status == "completed"
        return {
            **_spine(self.id, self.owner_id),
            "type": self.type,
            "status": self.status,
            "description": self.type,
            "deal_id": self.deal_id,
            "contact_id": None,
            "scheduled_at": None if done else self.at,
            "completed_at": self.at if done else None,
        }


def _spine(record_id: str, owner_id: str | None) -> dict[str, Any]:
    return {"id": record_id, "owner_id": owner_id, "version": 1, "created_at": LONG_AGO, "updated_at": LONG_AGO}


async def keep(sixty: Organisation, *given: Deal | Activity) -> None:
    """These deals and activities are there, beside those that were."""
    writes: list[Write] = []
    for one in given:
        kind = "deal" if isinstance(one, Deal) else "activity"
        spine = {**_spine(one.id, one.owner_id), "kind": kind, "deleted_at": None, "merged_into": None}
        writes.append(Write(sa.insert(records), spine))
        writes.append(Write(sa.insert(deals if isinstance(one, Deal) else activities), one.row()))
        writes += [Write(sa.insert(stays), row) for row in (one.stay_rows() if isinstance(one, Deal) else ())]
    if writes:
        await sixty.host.database.apply(writes)


async def clear(sixty: Organisation) -> None:
    """There are no deals and no activities."""
    await sixty.host.database.apply([Write(sa.delete(table), {}) for table in (stays, activities, deals, records)])
