"""A pack beside contacts: it keeps whatever happens, publishes it as activities, tasks and deals, and puts rows in."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from sixty import (
    Arguments,
    Call,
    Cents,
    Id,
    Instant,
    Kind,
    Moment,
    Permissions,
    Published,
    Record,
    RecordId,
    Result,
    Tables,
    Tool,
    hookimpl,
    pointer,
    record_table,
    tool,
)
from sixty.crm import ACTIVITIES, DEALS, TASKS
from sixty_contacts.names import name_key
from sixty_contacts.tables import COMPANY, CONTACT

metadata = sa.MetaData()
happenings = record_table(
    "happenings",
    metadata,
    sa.Column("what", sa.String(20), nullable=False),
    sa.Column("type", sa.String(20)),
    sa.Column("title", sa.String(20_000), nullable=False),
    pointer("contact_id", kind="contact"),
    sa.Column("scheduled_at", Instant),
    sa.Column("completed_at", Instant),
)


class Happening(Record):
    what: str
    title: str


HAPPENING = Kind("happening", happenings, Happening, resource="happenings", title="title")


def _nothing(type_: Any) -> sa.ColumnElement[Any]:
    return sa.cast(sa.null(), type_)


def _published() -> tuple[Published, ...]:
    c = happenings.c
    given = {
        "description": c.title,
        "company_name": c.title,
        "stage": c.type,
        "status": c.type,
        "priority": c.type,
        "probability": sa.literal(0.5, sa.Float),
        "path": c.type,
        "stage_entered_at": c.created_at,
        "opened_at": c.created_at,
        "closed_at": c.completed_at,
        "deal_id": _nothing(Id),
        "value": _nothing(Cents),
        "expected_close_date": _nothing(sa.Date),
        "contract_end_date": _nothing(sa.Date),
        "due_date": _nothing(sa.Date),
    }
    views = (("activity", ACTIVITIES), ("task", TASKS), ("deal", DEALS))
    return tuple(
        Published(
            view,
            sa.select(*(given.get(name, c.get(name)).label(name) for name in view.columns)).where(c.what == what),
        )
        for what, view in views
    )


class Put(Arguments):
    values: dict[str, Any]
    owner_id: RecordId | None = None


class PutHappening(Arguments):
    what: Literal["activity", "task", "deal"]
    title: str
    contact_id: RecordId
    type: str | None = None
    scheduled_at: Moment | None = None
    completed_at: Moment | None = None


class Made(Result):
    id: RecordId


@tool("put_contact", permission="happenings:create", effect="create")
async def put_contact(args: Put, call: Call) -> Made:
    """Put a contact in."""
    names = f"{args.values['first_name']} {args.values['last_name']}"
    row = await call.records.add(CONTACT, {"full_name": names, **args.values}, owner_id=args.owner_id)
    return Made(message="Made", id=row["id"])


@tool("put_company", permission="happenings:create", effect="create")
async def put_company(args: Put, call: Call) -> Made:
    """Put a company in."""
    values = {"name_key": name_key(args.values["name"]), **args.values}
    row = await call.records.add(COMPANY, values, owner_id=args.owner_id)
    return Made(message="Made", id=row["id"])


class Edit(Arguments):
    id: RecordId
    kind: Literal["contact", "company"] = "contact"
    values: dict[str, Any]


@tool("edit", permission="happenings:create", effect="update")
async def edit(args: Edit, call: Call) -> Made:
    """Change a contact or a company."""
    row = await call.records.update({"contact": CONTACT, "company": COMPANY}[args.kind], args.id, args.values)
    return Made(message="Changed", id=row["id"])


@tool("put_happening", permission="happenings:create", effect="create")
async def put_happening(args: PutHappening, call: Call) -> Made:
    """Put an activity, a task or a deal in."""
    row = await call.records.add(HAPPENING, args.model_dump())
    return Made(message="Made", id=row["id"])


@hookimpl
def sixty_tables() -> Tables:
    return Tables(metadata, kinds=(HAPPENING,))


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    return put_contact, put_company, edit, put_happening


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    grants = {"user": ("happenings:create", "happenings:read:own"), "manager": ("happenings:read:team",)}
    return (Permissions("happenings", {"read": "See what happens", "create": "Put things in"}, grants),)


@hookimpl
def sixty_views() -> tuple[Published, ...]:
    return _published()
