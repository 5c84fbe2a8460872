"""Deals as lines of files: what a line says, and how it becomes a deal with its past."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, ConfigDict

from sixty import Id, Invalid, LongText, Text
from sixty.exchange import Amount, AtMoment, Form, Key, Line, OnDay, Parts, Whole
from sixty_deals.past import Past, Stay, Told, past
from sixty_deals.presets import PRESETS
from sixty_deals.rules import STAGES, Stage, Status
from sixty_deals.tables import DEAL, STAY, deal_stages

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from decimal import Decimal
    from zoneinfo import ZoneInfo

    from sixty import Call, Row

__all__ = ["FORM", "DealLine"]


def _positive(value: Decimal | None) -> Decimal | None:
    if value is not None and value < 0:
        msg = f"must not be negative, got {value}"
        raise ValueError(msg)
    return value


def _percent(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= 100:  # noqa: PLR2004 - per cent
        msg = "must be between 0 and 100"
        raise ValueError(msg)
    return value


Worth = Annotated[Amount, AfterValidator(_positive)]


class StayLine(BaseModel):
    """A stay, as an export has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    entered_at: AtMoment
    left_at: AtMoment = None
    from_stage: Stage | None = None
    reason: LongText | None = None


class DealLine(Line):
    """A line about a deal. `close_date` is when it was closed, or of an open one the day on which that is expected."""

    title: Text
    company_name: Text | None = None
    value: Worth = None
    stage: Stage | None = None
    status: Status | None = None
    lost_reason: LongText | None = None
    expected_close_date: OnDay = None
    notes: LongText | None = None
    monthly_mrr: Worth = None
    one_off_revenue: Worth = None
    contact: Key | None = None
    contract_end_date: OnDay = None
    ai_confidence_score: Annotated[Whole, AfterValidator(_percent)] = None
    opened_at: AtMoment = None
    closed_at: AtMoment = None
    won_at: AtMoment = None
    lost_at: AtMoment = None
    close_date: AtMoment = None
    sql_at: AtMoment = None
    opportunity_at: AtMoment = None
    verbal_at: AtMoment = None
    signed_at: AtMoment = None
    stages: Annotated[list[StayLine] | None, Parts] = None


_PLAIN = (
    "title",
    "company_name",
    "value",
    "expected_close_date",
    "notes",
    "monthly_mrr",
    "one_off_revenue",
    "contract_end_date",
    "ai_confidence_score",
)
"""What a deal has as the line says it."""
_SETTLED = ("stage", "status", "lost_reason", "opened_at", "closed_at")
_stays_of = (
    sa.select(deal_stages)
    .where(deal_stages.c.deal_id.between(sa.bindparam("first", type_=Id), sa.bindparam("last", type_=Id)))
    .order_by(deal_stages.c.deal_id, deal_stages.c.entered_at, deal_stages.c.id)
)


async def put(line: DealLine, row: Row | None, call: Call) -> Row:
    """The deal that a line is about, as it says."""
    if row is None:
        return await _adopted(line, call)
    before = _in_order(await call.records.details(STAY, row["id"]))
    was = Past(**{name: row[name] for name in _SETTLED}, stays=tuple(_stay(one) for one in before))
    told = past(_told(line), call.now, call.timezone, was)
    values = {**_values(line, told, line.model_fields_set, call.timezone), **told.columns}
    if line.owner is not None:
        values["owner_id"] = line.owner
    after = await call.records.update(DEAL, row["id"], values)
    await _set_stays(call, after, before, told.stays)
    return after


async def _adopted(line: DealLine, call: Call) -> Row:
    told = past(_told(line), call.now, call.timezone)
    values = _values(line, told, DealLine.model_fields, call.timezone)
    known = {name: value for name, value in {**values, **told.columns}.items() if value is not None}
    deal = await call.records.adopt(DEAL, known, owner_id=line.owner, id=line.id, created_at=line.created_at)
    for stay in told.stays:
        await call.records.add_detail(STAY, deal["id"], stay.columns)
    return deal


async def take(rows: Sequence[Row], call: Call) -> list[DealLine]:
    """The lines of deals, with all their stays."""
    if not rows:
        return []
    stays: dict[str, list[Stay]] = {}
    for stay in await call.rows(_stays_of, {"first": rows[0]["id"], "last": rows[-1]["id"]}):
        stays.setdefault(stay["deal_id"], []).append(_stay(stay))
    return [
        DealLine(
            **{name: row[name] for name in (*_PLAIN, *_SETTLED)},
            contact=row["contact_id"],
            stages=[StayLine.model_validate(stay.columns) for stay in stays.get(row["id"], ())],
        )
        for row in rows
    ]


def _told(line: DealLine) -> Told:
    """What a line says of the deal's past."""
    status = line.status or _closing(line)
    closed = {"won": line.won_at, "lost": line.lost_at}.get(status or "") or line.close_date
    return Told(
        stage=line.stage,
        status=status,
        lost_reason=line.lost_reason or None,
        opened_at=line.opened_at,
        closed_at=line.closed_at or (closed if status in ("won", "lost") else None),
        created_at=line.created_at,
        entered={stage: at for stage in STAGES if (at := getattr(line, f"{stage}_at")) is not None},
        stays=[_stay_of(one) for one in line.stages] if line.stages else None,
    )


def _closing(line: DealLine) -> Status | None:
    """The status of a line that says it by other means only."""
    if line.stage == STAGES[-1]:
        return "won"
    if line.stage is None and (line.won_at is None) != (line.lost_at is None):
        return "won" if line.won_at is not None else "lost"
    return None


def _stay_of(line: StayLine) -> Stay:
    if line.entered_at is None:
        raise Invalid("stages: each stay has an entered_at", field="stages")
    return Stay(line.stage, line.entered_at, line.left_at, line.from_stage, line.reason)


def _stay(row: Row) -> Stay:
    return Stay(row["stage"], row["entered_at"], row["left_at"], row["from_stage"], row["reason"])


def _values(line: DealLine, told: Past, said: Container[str], zone: ZoneInfo) -> dict[str, Any]:
    """What the line says of the columns that stand for themselves."""
    values = {name: getattr(line, name) for name in _PLAIN if name in said}
    if "contact" in said:
        values["contact_id"] = line.contact
    if line.close_date is not None and line.expected_close_date is None and told.status == "open":
        values["expected_close_date"] = line.close_date.astimezone(zone).date()
    return values


def _in_order(stays: Sequence[Row]) -> list[Row]:
    return sorted(stays, key=lambda stay: (stay["entered_at"], stay["id"]))


async def _set_stays(call: Call, deal: Row, before: Sequence[Row], stays: Sequence[Stay]) -> None:
    """The deal has these stays: those that it had are changed where they differ, in order."""
    for row, stay in zip(before, stays, strict=False):
        wanted = stay.columns
        if changed := {name: value for name, value in wanted.items() if row[name] != value}:
            await call.records.update_detail(STAY, row, changed)
    for stay in stays[len(before) :]:
        await call.records.add_detail(STAY, deal["id"], stay.columns)
    for row in before[len(stays) :]:
        await call.records.remove_detail(STAY, row)


FORM = Form(
    name="deals",
    kind=DEAL,
    line=DealLine,
    put=put,
    take=take,
    presets=MappingProxyType(PRESETS),
    pointers=MappingProxyType({"contact": "contact"}),
    written=(*_PLAIN[:3], *_SETTLED, *_PLAIN[3:], "contact", "stages"),
    sums=("value", "status"),
)
