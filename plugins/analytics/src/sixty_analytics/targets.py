"""Targets: what is to be won in a period, by the organisation, a team or a user; and who may see which."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import Id, Invalid, NotFound, new_id
from sixty.crm import DEALS
from sixty_analytics.periods import period
from sixty_analytics.tables import targets

if TYPE_CHECKING:
    from datetime import date

    from sixty import Call
    from sixty.host import Host

__all__ = ["Holder", "Target", "amount_of", "list_targets", "may_see", "remove_target", "set_target", "targets_of"]

MOST = Decimal(10) ** 12
"""The largest target, in the organisation's currency."""

_SAME = (
    targets.c.period == sa.bindparam("wanted"),
    targets.c.team_id.is_not_distinct_from(sa.bindparam("team", type_=Id)),
    targets.c.user_id.is_not_distinct_from(sa.bindparam("user", type_=Id)),
)
_REMOVE = sa.delete(targets).where(*_SAME)
_INSERT = sa.insert(targets)
_ALL = sa.select(targets).order_by(targets.c.period, targets.c.id)
_BETWEEN = _ALL.where(targets.c.period >= sa.bindparam("first"), targets.c.period < sa.bindparam("after"))


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a target is: a team's, a user's, or with neither the organisation's."""

    team_id: str | None = None
    user_id: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        """What a statement is given of it."""
        return {"team": self.team_id, "user": self.user_id}


@dataclass(frozen=True, slots=True)
class Target:
    """What a holder is to win in the period of that name."""

    period: str
    holder: Holder
    amount: Decimal


def amount_of(text: str) -> Decimal:
    """The amount that somebody has typed. Raises `Invalid`."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or not 0 < amount <= MOST or amount * 100 != (amount * 100).to_integral_value():
        rule = f"a number above 0 and at most {MOST:f}, with at most two decimals, such as 250000"
        raise Invalid(f"amount must be {rule}, got {text[:40]!r}", field="amount", given=text[:40])
    return amount


async def set_target(host: Host, target: Target) -> None:
    """The holder has this target for the period, in place of any before. Raises `Invalid` for a bad period."""
    name = period(target.period).name
    row = {"id": new_id(), "period": name, "amount": target.amount, "set_at": host.clock()}
    of = {"team_id": target.holder.team_id, "user_id": target.holder.user_id}
    async with host.database.transaction() as transaction:
        await transaction.execute(_REMOVE, {"wanted": name, **target.holder.values})
        await transaction.execute(_INSERT, row | of)


async def remove_target(host: Host, name: str, holder: Holder) -> None:
    """The holder has no target for the period any more. Raises `NotFound` where there was none."""
    wanted = period(name).name
    async with host.database.transaction() as transaction:
        removed = await transaction.execute(_REMOVE, {"wanted": wanted, **holder.values})
    if not removed:
        raise NotFound(f"there is no such target for {wanted}; `sixty target list` shows those that there are")


async def list_targets(host: Host) -> list[Target]:
    """Every target, in the order of the periods' names."""
    return [_target(row) for row in await host.database.rows(_ALL)]


async def targets_of(call: Call, first: date, last: date) -> dict[tuple[str, Holder], Decimal]:
    """The targets that the caller may see for periods of the years of two days, by period and holder."""
    years = {"first": f"{first.year:04}", "after": f"{last.year + 1:04}"}  # names of periods begin with their year
    found = [_target(row) for row in await call.rows(_BETWEEN, years)]
    return {(target.period, target.holder): target.amount for target in found if may_see(call, target.holder)}


def may_see(call: Call, holder: Holder) -> bool:
    """Whether the caller may read every deal that counts towards a holder's target."""
    if holder.user_id is not None:
        return call.sees(DEALS, holder.user_id)
    members = [user.id for user in call.directory.users.values() if user.team_id == holder.team_id is not None]
    return all(call.sees(DEALS, member) for member in members or (None,))  # those of nobody are in `all` alone


def _target(row: dict[str, Any]) -> Target:
    return Target(row["period"], Holder(row["team_id"], row["user_id"]), row["amount"])
