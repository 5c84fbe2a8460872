"""The pack alone, whatever else is installed; and a small CRM of deals and contacts to go with it, for who asks."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from sixty import (
    Arguments,
    Call,
    Cents,
    Event,
    Instant,
    Kind,
    Permissions,
    Published,
    Reaction,
    Record,
    RecordId,
    Result,
    Tables,
    Text,
    Tool,
    hookimpl,
    on,
    pointer,
    record_table,
    tool,
)
from sixty.crm import CONTACTS, DEALS, ActivityCompleted, ActivityCreated, DealStageChanged
from sixty_activities import plugin

metadata = sa.MetaData()
deals = record_table(
    "stub_deals",
    metadata,
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("stage", sa.String(20), nullable=False),
    pointer("contact_id", kind="contact"),
)
contacts = record_table(
    "stub_contacts",
    metadata,
    sa.Column("first_name", sa.String(255), nullable=False),
    sa.Column("last_name", sa.String(255), nullable=False),
)


class Deal(Record):
    title: str


class Contact(Record):
    last_name: str


DEAL = Kind("deal", deals, Deal, resource="deals", title="title")
CONTACT = Kind("contact", contacts, Contact, resource="contacts", title="last_name")


class AddDeal(Arguments):
    title: Text
    stage: Text = "sql"
    contact_id: RecordId | None = None
    owner_id: RecordId | None = None


class MoveDeal(Arguments):
    deal_id: RecordId
    stage: Text


class AddContact(Arguments):
    first_name: Text
    last_name: Text
    owner_id: RecordId | None = None


class Merge(Arguments):
    primary_id: RecordId
    duplicate_id: RecordId


class Made(Result):
    id: str


@tool("add_deal", permission="deals:create", effect="create")
async def add_deal(args: AddDeal, call: Call) -> Made:
    """Add a deal."""
    values = {"title": args.title, "stage": args.stage, "contact_id": args.contact_id}
    made = await call.records.add(DEAL, values, owner_id=args.owner_id)
    return Made(message="Added", id=made["id"])


@tool("move_deal", permission="deals:update", effect="update")
async def move_deal(args: MoveDeal, call: Call) -> Made:
    """Move a deal."""
    before = await call.records.get(DEAL, args.deal_id)
    after = await call.records.update(DEAL, args.deal_id, {"stage": args.stage})
    call.publish(
        DealStageChanged(
            record_id=after["id"],
            owner_id=after["owner_id"],
            title=after["title"],
            company_name="Acme",
            from_stage=before["stage"],
            to_stage=after["stage"],
            contact_id=after["contact_id"],
        )
    )
    return Made(message="Moved", id=after["id"])


@tool("add_contact", permission="contacts:create", effect="create")
async def add_contact(args: AddContact, call: Call) -> Made:
    """Add a contact."""
    values = {"first_name": args.first_name, "last_name": args.last_name}
    made = await call.records.add(CONTACT, values, owner_id=args.owner_id)
    return Made(message="Added", id=made["id"])


@tool("merge_two", permission="contacts:merge", effect="destroy")
async def merge_two(args: Merge, call: Call) -> Made:
    """Merge two contacts."""
    made, _ = await call.records.merge(CONTACT, args.primary_id, [args.duplicate_id], {})
    return Made(message="Merged", id=made["id"])


class Crm:
    """Deals and contacts: a user sees their own, a manager all deals and the contacts of the team."""

    @hookimpl
    def sixty_tables(self) -> Tables:
        return Tables(metadata, kinds=(DEAL, CONTACT))

    @hookimpl
    def sixty_tools(self) -> list[Tool]:
        return [add_deal, move_deal, add_contact, merge_two]

    @hookimpl
    def sixty_permissions(self) -> list[Permissions]:
        actions = {"read": "See them", "create": "Add some", "update": "Change them", "delete": "Delete them"}
        return [
            Permissions("deals", actions, {"user": ("deals:*:own",), "manager": ("deals:read", "deals:update")}),
            Permissions(
                "contacts",
                {**actions, "merge": "Merge some"},
                {"user": ("contacts:*:own",), "manager": ("contacts:*:team",)},
            ),
        ]

    @hookimpl
    def sixty_views(self) -> list[Published]:
        nothing: dict[str, Any] = {"status": sa.String, "company_name": sa.String, "value": Cents}
        nothing |= {"probability": sa.Float, "expected_close_date": sa.Date, "contract_end_date": sa.Date}
        nothing |= {"opened_at": Instant, "closed_at": Instant, "stage_entered_at": Instant, "path": sa.String}
        empty = [sa.null().cast(kind).label(name) for name, kind in nothing.items()]
        of_deals = sa.select(deals, *empty)
        of_contacts = sa.select(
            contacts,
            (contacts.c.first_name + sa.literal("@acme.example", sa.String)).label("email"),
            contacts.c.id.label("company_id"),
        )
        return [Published(DEALS, of_deals), Published(CONTACTS, of_contacts)]


class Listener:
    """A pack that hears what activities publish."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @hookimpl
    def sixty_reactions(self) -> list[Reaction]:
        async def hear(event: Event, call: Call) -> None:
            """Remember it."""
            self.heard.append(event)

        return [on(kind)(hear) for kind in (ActivityCreated, ActivityCompleted)]

    def names(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return [event.name for event in heard]


CRM = Crm()
LISTENER = Listener()


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    return (("activities", plugin),)


@pytest.fixture
def with_crm() -> tuple[tuple[str, object], ...]:
    """The pack with deals, contacts and somebody who listens: what a module may serve."""
    LISTENER.heard.clear()
    return (("activities", plugin), ("crm", CRM), ("listener", LISTENER))


@pytest.fixture
def listener() -> Listener:
    LISTENER.heard.clear()
    return LISTENER
