"""A pack beside contacts that keeps deals, and nothing else."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sixty import (
    Arguments,
    Call,
    Kind,
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
from sixty.crm import DEALS

metadata = sa.MetaData()
bargains = record_table("bargains", metadata, sa.Column("title", sa.String(255)), pointer("contact_id", kind="contact"))


class Bargain(Record):
    title: str


DEAL = Kind("deal", bargains, Bargain, resource="bargains", title="title")


class AddDeal(Arguments):
    contact_id: RecordId


class Added(Result):
    id: RecordId


@tool("add_deal", permission="bargains:create", effect="create")
async def add_deal(args: AddDeal, call: Call) -> Added:
    """Add a deal with a contact."""
    row = await call.records.add(DEAL, {"title": "Deal", "contact_id": args.contact_id})
    return Added(message="Added", id=row["id"])


@hookimpl
def sixty_tables() -> Tables:
    return Tables(metadata, kinds=(DEAL,))


@hookimpl
def sixty_tools() -> tuple[Tool, ...]:
    return (add_deal,)


@hookimpl
def sixty_permissions() -> tuple[Permissions, ...]:
    actions = {"read": "See deals", "create": "Add deals"}
    return (Permissions("bargains", actions, {"user": ("bargains:create", "bargains:read:own")}),)


@hookimpl
def sixty_views() -> tuple[Published, ...]:
    def column(name: str, kind: Any) -> sa.ColumnElement[Any]:
        return bargains.c[name] if name in bargains.c else sa.cast(sa.null(), kind).label(name)

    return (Published(DEALS, sa.select(*(column(name, kind) for name, kind in DEALS.columns.items()))),)
