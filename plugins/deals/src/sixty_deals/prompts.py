"""What people start: a look at the contracts that end soon. And what completes the stages that they type."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
from pydantic import Field, StringConstraints

from sixty import Arguments, Call, Completing, Id, completion, counted, prompt
from sixty_deals.rules import STAGES
from sixty_deals.tables import WORTH, deals

if TYPE_CHECKING:
    from sixty import Row

__all__ = ["complete_stage", "renewals"]

MOST = 50
"""Contracts that one prompt lays out."""


class Renewals(Arguments):
    """The arguments of `renewals`, as people type them."""

    days: Annotated[str, StringConstraints(pattern="^[0-9]{1,4}$")] = Field(
        "90", description="How far to look ahead, in days; 90 unless given"
    )
    owner: str = Field("", max_length=254, description="Whose, by e-mail address; everybody's unless given")


@prompt("renewals", permission="deals:read")
async def renewals(args: Renewals, call: Call) -> str:
    """Prepare the renewals: won deals whose contract ends soon, and what to do about each."""
    last = call.today + timedelta(days=int(args.days))
    owner_id = call.user_of(args.owner) if args.owner else None
    values = {"first": call.today, "last": last, "owner_id": owner_id, "most": MOST + 1}
    found = await call.rows(_ending(of_owner=owner_id is not None), values)
    whose = "" if owner_id is None else f" of {call.directory.name_of(owner_id)}"
    window = f"from {call.today} to {last} ({call.timezone.key})"
    if not found:
        return (
            f"No contract{whose} that I can see ends {window}. Tell me so, and whether won deals lack a "
            "contract_end_date: search_deals with status won shows them."
        )
    listed = "\n".join(_line(row, call) for row in found[:MOST])
    more = f"\nThere are more; these are the first {MOST}." if len(found) > MOST else ""
    contracts = counted(len(found[:MOST]), "contract")
    return f"{contracts}{whose}, of won deals, ending {window}, soonest first:\n{listed}{more}\n\n{_wish(call)}"


@completion("stage", permission="deals:read")
async def complete_stage(args: Completing, call: Call) -> list[str]:  # noqa: ARG001 - the same for everybody
    """The stages of the pipeline, in order."""
    return [stage for stage in STAGES if stage.startswith(args.value.strip().lower())]


@lru_cache
def _ending(*, of_owner: bool) -> sa.Select[Any]:
    ends = deals.c.contract_end_date
    conditions = [
        deals.c.status == "won",
        ends >= sa.bindparam("first", type_=sa.Date),
        ends <= sa.bindparam("last", type_=sa.Date),
    ]
    if of_owner:
        conditions.append(deals.c.owner_id == sa.bindparam("owner_id", type_=Id))
    columns = (deals.c.id, deals.c.title, deals.c.company_name, ends, deals.c.owner_id, WORTH.label("worth"))
    statement = sa.select(*columns).where(*conditions).order_by(ends, deals.c.id)
    return statement.limit(sa.bindparam("most", type_=sa.Integer))


def _line(row: Row, call: Call) -> str:
    left = (row["contract_end_date"] - call.today).days
    worth = "worth unknown" if row["worth"] is None else f"worth {row['worth']:,.2f}"
    owner = call.directory.name_of(row["owner_id"]) or "nobody"
    return (
        f'- {row["contract_end_date"]} (in {counted(left, "day")}): "{row["title"]}", {row["company_name"]}, '
        f"{worth}, owner {owner}, id {row['id']}"
    )


def _wish(call: Call) -> str:
    """What the agent is asked to do, with the tools that the caller has."""
    wish = "Look at the history of each with get_deal_history"
    if call.may_call("search_activities"):
        wish += ", and at what was last done with search_activities"
    wish += ". Then tell me for each how likely a renewal is and why, and what to do next."
    if call.may_call("create_deal"):
        wish += " Once I agree, create a deal for each renewal with create_deal"
        wish += ", and a task 60 days before the end with create_task." if call.may_call("create_task") else "."
    return wish
