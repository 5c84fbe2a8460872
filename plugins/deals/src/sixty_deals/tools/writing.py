"""The tools that change deals. A deal's stays in stages and its events follow from where it stood and stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, WithJsonSchema

from sixty import Arguments, Call, Day, Invalid, LongText, Money, RecordId, Text, tool
from sixty.crm import DealCreated as Created
from sixty.crm import DealLost, DealStageChanged, DealWon
from sixty_deals.models import Deal, DealCreated, DealDeleted, DealMoved, DealSaved, MovedDeal
from sixty_deals.rules import Stage, Standing, Status, ltv, path_of, settle, spoken, worth
from sixty_deals.tables import DEAL, STAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from sixty import Row

__all__ = ["create_deal", "delete_deal", "move_deal_stage", "split_deal_revenue", "update_deal"]

_MOST = 10_000_000
Amount = Annotated[
    Money,
    Field(gt=0, le=_MOST),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": _MOST}),
]
Version = Annotated[int, Field(ge=1)]


class DealFields(Arguments):
    """What a deal may be given, when it is made and later."""

    title: Text | None = None
    company_name: Text | None = None
    value: Amount | None = None
    stage: Stage | None = None
    expected_close_date: Day | None = None
    notes: LongText | None = None
    monthly_mrr: Amount | None = None
    one_off_revenue: Amount | None = None
    owner_id: RecordId | None = None
    contact_id: RecordId | None = None
    contract_end_date: Day | None = None
    ai_confidence_score: Annotated[int, Field(ge=0, le=100)] | None = None


class CreateDeal(DealFields):
    """The arguments of `create_deal`."""

    title: Text
    company_name: Text
    stage: Stage = "sql"


class DealUpdates(DealFields):
    """What `update_deal` changes: what is given, null included."""

    status: Status | None = None
    lost_reason: LongText | None = None


class UpdateDeal(Arguments):
    """The arguments of `update_deal`."""

    deal_id: RecordId
    updates: DealUpdates
    expected_version: Version | None = None


class DeleteDeal(Arguments):
    """The arguments of `delete_deal`."""

    deal_id: RecordId
    reason: LongText | None = None


class MoveDealStage(Arguments):
    """The arguments of `move_deal_stage`."""

    deal_id: RecordId
    stage: Stage
    reason: LongText | None = None
    expected_version: Version | None = None


class SplitDealRevenue(Arguments):
    """The arguments of `split_deal_revenue`."""

    deal_id: RecordId
    monthly_mrr: Amount
    one_off_revenue: Amount
    expected_version: Version | None = None


_STANDING = ("stage", "status", "closed_at", "lost_reason")
_SETTLED = ("stage", "status", "lost_reason")
_LASTING = ("title", "company_name", "stage", "status", "owner_id")
"""What every deal has, so that null clears none of it."""
_PLAIN = tuple(name for name in DealFields.model_fields if name not in ("stage", "owner_id"))


@tool("create_deal", permission="deals:create", effect="create")
async def create_deal(args: CreateDeal, call: Call) -> DealCreated:
    """Create a deal. You own it unless owner_id says otherwise. Without a value, a split of the revenue gives one."""
    standing = Standing.entering(args.stage, call.now)
    values = {name: given for name in _PLAIN if (given := getattr(args, name)) is not None}
    values |= {**_columns(standing), **_position(call, [args.stage]), "opened_at": call.now}
    deal = await call.records.add(DEAL, values, owner_id=args.owner_id)
    await call.records.add_detail(STAY, deal["id"], {"stage": args.stage, "entered_at": call.now})
    call.publish(Created(**_facts(deal), stage=deal["stage"]))
    if deal["status"] == "won":
        call.publish(DealWon(**_facts(deal)))
    return DealCreated(
        message=f'Deal "{deal["title"]}" created successfully in {deal["stage"]} stage',
        deal_id=deal["id"],
        deal=Deal.model_validate(deal),
    )


@tool("update_deal", permission="deals:update", effect="update")
async def update_deal(args: UpdateDeal, call: Call) -> DealSaved:
    """Change fields of a deal; null clears one.

    A stage is a move. Status won moves to signed; lost keeps the stage and takes a lost_reason; open reopens it.
    """
    given = {name: getattr(args.updates, name) for name in sorted(args.updates.model_fields_set)}
    _check_given(given)
    before = await call.records.get(DEAL, args.deal_id)
    after, spent = await _save(call, before, given, args.expected_version)
    return DealSaved(message=_told(before, after, spent), deal=Deal.model_validate(after))


@tool("move_deal_stage", permission="deals:update", effect="update")
async def move_deal_stage(args: MoveDealStage, call: Call) -> DealMoved:
    """Move a deal to any stage, forwards or backwards. Entering signed wins it; any other reopens a closed deal."""
    before = await call.records.get(DEAL, args.deal_id)
    after, spent = await _save(call, before, {"stage": args.stage}, args.expected_version, args.reason)
    deal = MovedDeal.model_validate({**after, "previous_stage": before["stage"]})
    return DealMoved(message=_told(before, after, spent), deal=deal)


@tool("split_deal_revenue", permission="deals:split_revenue", effect="update")
async def split_deal_revenue(args: SplitDealRevenue, call: Call) -> DealSaved:
    """Split a deal's revenue into monthly and one-off; for admins.

    ltv = monthly_mrr * 3 + one_off_revenue, which is the value of a deal that has none.
    """
    split = {"monthly_mrr": args.monthly_mrr, "one_off_revenue": args.one_off_revenue}
    deal = await call.records.update(DEAL, args.deal_id, split, expected_version=args.expected_version)
    message = (
        f'Deal "{deal["title"]}" brings {args.monthly_mrr:,.2f} a month and {args.one_off_revenue:,.2f} once, '
        f"a lifetime value of {ltv(args.monthly_mrr, args.one_off_revenue):,.2f}"
    )
    return DealSaved(message=message, deal=Deal.model_validate(deal))


@tool("delete_deal", permission="deals:delete", effect="destroy", rate="strict")
async def delete_deal(args: DeleteDeal, call: Call) -> DealDeleted:
    """Delete a deal. undo_change, with the change_id of the answer, brings it back."""
    deal = await call.records.delete(DEAL, args.deal_id)
    message = f'Deal "{deal["title"]}" deleted; undo_change brings it back'
    return DealDeleted(message=message, deal_id=deal["id"])


def _check_given(given: Mapping[str, Any]) -> None:
    """Raise `Invalid` unless there is something to update, and nothing is cleared that every deal has."""
    if not given:
        allowed = list(DealUpdates.model_fields)
        msg = f"updates is empty; it may have {', '.join(allowed)}"
        raise Invalid(msg, field="updates", allowed=allowed)
    for name in _LASTING:
        if name in given and given[name] is None:
            msg = f"updates.{name} cannot be cleared: every deal has one; give another or leave it out"
            raise Invalid(msg, field=f"updates.{name}")


async def _save(
    call: Call, before: Row, given: Mapping[str, Any], expected_version: int | None, reason: str | None = None
) -> tuple[Row, timedelta | None]:
    """The deal with what was given, its stays kept and its events published; the time spent in the stage it left."""
    values = {name: value for name, value in given.items() if name not in _SETTLED}
    standing = Standing(**{name: before[name] for name in _STANDING})
    settled = settle(
        standing, call.now, stage=given.get("stage"), status=given.get("status"), reason=given.get("lost_reason")
    )
    values |= _columns(settled)
    stays: list[Row] = []
    if settled.stage != before["stage"]:
        values |= _position(call, [*before["path"].split(), settled.stage])
        stays = await call.records.details(STAY, before["id"])
    if "lost_reason" in given:
        values["lost_reason"] = given["lost_reason"]
    after = await call.records.update(DEAL, before["id"], values, expected_version=expected_version)
    spent = None
    if after["stage"] != before["stage"]:
        spent = await _enter(call, before, after, stays, reason)
    if after["status"] == "lost" != before["status"]:
        call.publish(DealLost(**_facts(after), stage=after["stage"], reason=after["lost_reason"]))
    return after, spent


async def _enter(call: Call, before: Row, after: Row, stays: Sequence[Row], reason: str | None) -> timedelta:
    """The last of the stays, in the stage left, has ended, and one in the stage entered has begun; how long it was."""
    since = call.now
    for stay in stays:
        if stay["left_at"] is None:
            await call.records.update_detail(STAY, stay, {"left_at": call.now})
            since = stay["entered_at"]
    entered = {"stage": after["stage"], "from_stage": before["stage"], "entered_at": call.now, "reason": reason}
    await call.records.add_detail(STAY, after["id"], entered)
    call.publish(DealStageChanged(**_facts(after), from_stage=before["stage"], to_stage=after["stage"]))
    if after["status"] == "won":
        call.publish(DealWon(**_facts(after)))
    return call.now - since


def _columns(standing: Standing) -> dict[str, Any]:
    return {name: getattr(standing, name) for name in _STANDING}


def _position(call: Call, stages: list[str]) -> dict[str, Any]:
    """Where a deal is that enters the last of these stages now."""
    return {"stage_entered_at": call.now, "path": path_of(stages)}


def _facts(deal: Row) -> dict[str, Any]:
    """What every event about a deal says."""
    return {
        "record_id": deal["id"],
        "owner_id": deal["owner_id"],
        "title": deal["title"],
        "company_name": deal["company_name"],
        "value": worth(deal["value"], deal["monthly_mrr"], deal["one_off_revenue"]),
        "contact_id": deal["contact_id"],
    }


def _told(before: Row, after: Row, spent: timedelta | None) -> str:
    """What has happened to a deal, as one sentence."""
    name = f'Deal "{after["title"]}"'
    if after["version"] == before["version"]:
        return f"{name} is already so, in {after['stage']}; nothing changed"
    done = "updated"
    if spent is not None:
        done = f"moved from {before['stage']} to {after['stage']} after {spoken(spent)}"
    if after["status"] == before["status"]:
        return f"{name} {done}"
    outcome = "reopened" if after["status"] == "open" else after["status"]
    return f"{name} {done}, and is {outcome}"
