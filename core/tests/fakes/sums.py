"""Figures over other packs' records, through views alone."""

from __future__ import annotations

import sqlalchemy as sa

from fakes.notes import NOTES
from sixty import Arguments, Call, Money, Permissions, Prompt, Resource, Result, Tool, hookimpl, prompt, resource, tool
from sixty.crm import DEALS, PEOPLE


class Sum(Arguments):
    pass


class Summed(Result):
    total: Money
    notes: int


_SUM = sa.select(
    sa.func.sum(NOTES.c.price, type_=NOTES.c.price.type).label("total"), sa.func.count().label("n")
).select_from(NOTES.table)
_NAMES = sa.select(PEOPLE.c.name, NOTES.c.text).join_from(NOTES.table, PEOPLE.table, NOTES.c.owner_id == PEOPLE.c.id)


@tool("sum_prices", permission="sums:read", effect="read", needs=(NOTES,), aggregates=True)
async def sum_prices(args: Sum, call: Call) -> Summed:
    """Add up the prices of all notes."""
    assert NOTES in call.views
    assert call.views[NOTES] is NOTES.table
    (row,) = await call.rows(_SUM)
    return Summed(message="Added up", total=row["total"] or 0, notes=row["n"])


@resource("sums://prices", name="Prices", permission="sums:read", needs=(NOTES,), aggregates=True)
async def prices(args: Sum, call: Call) -> Summed:
    """The sum of all prices."""
    return await sum_prices.handler(args, call)  # type: ignore[no-any-return]


@resource("sums://deals", name="Deals", permission="sums:read", needs=(DEALS,))
async def no_deals(args: Sum, call: Call) -> str:
    """The sum of deals, which nobody publishes here."""
    raise NotImplementedError


@prompt("price_review", permission="sums:read", needs=(NOTES,), aggregates=True)
async def price_review(args: Sum, call: Call) -> str:
    """Review the prices."""
    summed = await prices.handler(args, call)
    people = [user.name for user in call.directory.users.values() if call.sees(NOTES, user.id)]
    return f"The sum is {summed.total}; you see those of {', '.join(sorted(people))}"


class Named(Result):
    notes: list[list[str]]


@tool("name_notes", permission="sums:read", effect="read", needs=(NOTES, PEOPLE))
async def name_notes(args: Sum, call: Call) -> Named:
    """Say who owns which note."""
    rows = await call.rows(_NAMES)
    return Named(message="Named", notes=sorted([row["name"], row["text"]] for row in rows))


@tool("sum_deals", permission="sums:read", effect="read", needs=(DEALS,))
async def sum_deals(args: Sum, call: Call) -> Result:
    """Add up deals, which nobody publishes here."""
    raise NotImplementedError


@hookimpl
def sixty_tools() -> list[Tool]:
    return [sum_prices, name_notes, sum_deals]


@hookimpl
def sixty_resources() -> list[Resource]:
    return [prices, no_deals]


@hookimpl
def sixty_prompts() -> list[Prompt]:
    return [price_review]


@hookimpl
def sixty_permissions() -> list[Permissions]:
    return [
        Permissions("sums", {"read": "See sums over notes"}, {"user": ("sums:own",), "manager": ("sums:read:team",)})
    ]
