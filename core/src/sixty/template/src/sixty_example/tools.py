"""What agents can do with items."""

from __future__ import annotations

import sqlalchemy as sa

from sixty import Arguments, Call, Cursor, Limit, LongText, Order, Page, Result, ShownId, Text, page, tool
from sixty_example.tables import THING, ThingRecord, things


class AddThing(Arguments):
    """What `add_thing` takes."""

    title: Text
    body: LongText | None = None


class ThingAdded(Result):
    """What `add_thing` answers."""

    thing_id: ShownId
    thing: ThingRecord


@tool("add_thing", permission="things:create", effect="create")
async def add_thing(args: AddThing, call: Call) -> ThingAdded:
    """Add one item, which whoever adds it owns."""
    row = await call.records.add(THING, args.model_dump())
    added = ThingRecord.model_validate(row)
    return ThingAdded(
        message=f'Added the item "{added.title}"',
        thing_id=added.id,
        thing=added,
    )


class FindThings(Arguments):
    """What `find_things` takes."""

    limit: Limit = 25
    cursor: Cursor | None = None


class ThingsFound(Page):
    """What `find_things` answers."""

    things: list[ThingRecord]


EVERY = sa.select(things)  # made once: a statement is compiled once per object
NEWEST = (Order(things.c.updated_at, descending=True), Order(things.c.id))


@tool("find_things", permission="things:read", effect="read")
async def find_things(args: FindThings, call: Call) -> ThingsFound:
    """List items, the newest first. search_crm finds them by words."""
    found = await page(call, EVERY, {}, order=NEWEST, limit=args.limit, cursor=args.cursor)
    listed = [ThingRecord.model_validate(row) for row in found.rows]
    return ThingsFound(
        message=f"Items found: {found.total}",
        things=listed,
        **found.fields(),
    )


TOOLS = (add_thing, find_things)
