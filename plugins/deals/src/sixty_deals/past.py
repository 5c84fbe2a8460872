"""What a line of another system says of a deal's past, as stays in stages. No database and no protocol here.

Nothing is made up: a deal has the stays whose dates are known, and the one that it is in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from sixty import Invalid
from sixty_deals.rules import STAGES, WON_STAGE, Stage, Status, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

__all__ = ["Past", "Stay", "Told", "past"]

_NOTHING: Mapping[Stage, datetime] = {}
_COLUMNS = ("stage", "entered_at", "left_at", "from_stage", "reason")


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in a stage; `left_at` is None for the last one, `from_stage` for the first."""

    stage: Stage
    entered_at: datetime
    left_at: datetime | None = None
    from_stage: Stage | None = None
    reason: str | None = None

    @property
    def columns(self) -> dict[str, object]:
        """The same as columns of a stay."""
        return {name: getattr(self, name) for name in _COLUMNS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a line says; None is what it does not say."""

    stage: Stage | None = None
    status: Status | None = None
    lost_reason: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    created_at: datetime | None = None
    entered: Mapping[Stage, datetime] = field(default_factory=lambda: _NOTHING)
    """When it entered stages."""
    stays: Sequence[Stay] | None = None
    """All its stays, where they are known; `entered` then says nothing."""


@dataclass(frozen=True, slots=True)
class Past:
    """Where a deal stands, and how it came there."""

    stage: Stage
    status: Status
    lost_reason: str | None
    opened_at: datetime
    closed_at: datetime | None
    """Also None where a deal is won or lost, and nobody knows when."""
    stays: tuple[Stay, ...]

    @property
    def columns(self) -> dict[str, object]:
        """The same as columns of a deal."""
        return {
            "stage": self.stage,
            "status": self.status,
            "lost_reason": self.lost_reason,
            "opened_at": self.opened_at,
            "closed_at": self.closed_at,
            "stage_entered_at": self.stays[-1].entered_at,
            "path": path_of(stay.stage for stay in self.stays),
        }


def past(told: Told, now: datetime, zone: ZoneInfo, before: Past | None = None) -> Past:
    """What a line says of a deal; what it does not say stays as it was `before`, where there was something.

    A day without a time, which is midnight in `zone`, is not before a moment of the same day. Raises `Invalid` for
    what contradicts itself, naming the field.
    """
    told = _in_days(told, zone)
    stage, status = _standing(told, before)
    opened_at = told.opened_at or (before.opened_at if before is not None else _earliest(told) or now)
    closed_at = _closed_at(told, status, before, now)
    if status == "won" and told.closed_at is not None and WON_STAGE not in told.entered:
        told = replace(told, entered={**told.entered, WON_STAGE: told.closed_at})  # it is won by entering it
    if told.lost_reason is not None and status != "lost":
        msg = f"lost_reason belongs to a lost deal, and this one is {status}"
        raise Invalid(msg, field="lost_reason", given=told.lost_reason[:80])
    reason = told.lost_reason or (before.lost_reason if before is not None and status == "lost" else None)
    standing = Past(stage, status, reason, opened_at, closed_at, ())
    deal = replace(standing, stays=_stays(told, standing, before, now))
    _check(deal, now)
    return deal


def _in_days(told: Told, zone: ZoneInfo) -> Told:
    """The same, where a bare day is not before what happened on that day."""
    opened_at = told.opened_at
    entered: dict[Stage, datetime] = {}
    latest = opened_at
    for stage, at in sorted(told.entered.items(), key=_in_order):
        entered[stage] = _lifted(at, latest, zone)
        latest = max(entered[stage], latest or entered[stage])
    closed_at = None if told.closed_at is None else _lifted(told.closed_at, latest, zone)
    if closed_at is not None and WON_STAGE in entered:
        entered[WON_STAGE] = _lifted(entered[WON_STAGE], closed_at, zone)
    return replace(told, entered=entered, closed_at=closed_at)


def _lifted(at: datetime, floor: datetime | None, zone: ZoneInfo) -> datetime:
    """A bare day of a moment that it would be before, as that moment."""
    if floor is None or at >= floor or floor - at > timedelta(days=2):
        return at
    local = at.astimezone(zone)
    bare = (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    return floor if bare and local.date() == floor.astimezone(zone).date() else at


def _in_order(entry: tuple[Stage, datetime]) -> tuple[datetime, int]:
    """By time; what happened at the same time, in the order of the pipeline."""
    return entry[1], STAGES.index(entry[0])


def _standing(told: Told, before: Past | None) -> tuple[Stage, Status]:
    """The stage and status: a deal is won exactly while it is in `signed`."""
    stage, status = told.stage, told.status
    if stage is None and status is None and before is not None and not told.entered and not told.stays:
        return before.stage, before.status
    if stage is None:
        stage = _last_stage(told, status, before)
    if status is None:
        kept = before.status if before is not None and before.stage == stage else "open"
        status = "won" if stage == WON_STAGE else kept
    if (stage == WON_STAGE) != (status == "won"):
        msg = f"stage {stage} and status {status} contradict each other: a deal is won exactly while in {WON_STAGE}"
        raise Invalid(msg, field="status", given=status)
    return stage, status


def _last_stage(told: Told, status: Status | None, before: Past | None) -> Stage:
    """The stage of a line that names none."""
    if status == "won":
        return WON_STAGE
    if told.stays:
        return told.stays[-1].stage
    dated = [stage for stage, _ in sorted(told.entered.items(), key=_in_order) if stage != WON_STAGE or status is None]
    if dated:
        return dated[-1]
    if before is not None and before.stage != WON_STAGE:
        return before.stage
    if status is None:
        msg = f"stage is missing: say in which one the deal is ({', '.join(STAGES)}), or that it is won or lost"
        raise Invalid(msg, field="stage", allowed=list(STAGES))
    return STAGES[0]


def _earliest(told: Told) -> datetime | None:
    """The first date that a line names."""
    stays = [stay.entered_at for stay in told.stays or ()]
    known = (*told.entered.values(), *stays, told.closed_at, told.created_at)
    return min((at for at in known if at is not None), default=None)


def _closed_at(told: Told, status: Status, before: Past | None, now: datetime) -> datetime | None:
    if status == "open":
        if told.closed_at is not None:
            msg = "closed_at is when a deal was won or lost, and this one is open; close_date may be the day expected"
            raise Invalid(msg, field="closed_at", given=told.closed_at.isoformat())
        return None
    if told.closed_at is not None:
        return told.closed_at
    if status == "won" and not told.stays and (signed := told.entered.get(WON_STAGE)) is not None:
        return signed
    if before is None:
        return None
    return before.closed_at if before.status == status else now


def _stays(told: Told, standing: Past, before: Past | None, now: datetime) -> tuple[Stay, ...]:
    """All stays: those that the line dates instead of earlier ones of the same stage, and the present one."""
    if told.stays:
        return tuple(told.stays)
    earlier = before.stays if before is not None else ()
    known = {(stay.stage, stay.entered_at) for stay in earlier}
    news = {one: at for one, at in told.entered.items() if (one, at) not in known}
    kept = [stay for stay in earlier if stay.stage not in news]
    reasons = {stay.stage: stay.reason for stay in earlier}
    dated = [Stay(one, at, reason=reasons.get(one)) for one, at in news.items()]
    stays = kept if not dated else sorted((*kept, *dated), key=lambda stay: _in_order((stay.stage, stay.entered_at)))
    if not stays or (standing.stage not in told.entered and stays[-1].stage != standing.stage):
        latest = max((stay.entered_at for stay in stays), default=standing.opened_at)
        # a new deal has been there since at least then, and nobody knows better; any other one has come there since
        since = standing.opened_at if before is None else standing.closed_at or now
        stays.append(Stay(standing.stage, max(latest, since)))
    return _joined(stays)


def _joined(stays: Iterable[Stay]) -> tuple[Stay, ...]:
    """The stays, each of which ends where the next one begins. One in the stage that a deal is in already is none."""
    merged: list[Stay] = []
    for stay in stays:
        if not merged or merged[-1].stage != stay.stage:
            merged.append(stay)
    following = [stay.entered_at for stay in merged[1:]]
    earlier = [stay.stage for stay in merged[:-1]]
    return tuple(
        replace(stay, left_at=left_at, from_stage=from_stage)
        for stay, left_at, from_stage in zip(merged, (*following, None), (None, *earlier), strict=True)
    )


def _check(deal: Past, now: datetime) -> None:
    """Raise `Invalid` unless all of it fits together."""
    dates = {"closed_at": deal.closed_at, "opened_at": deal.opened_at, f"{deal.stage}_at": deal.stays[-1].entered_at}
    for name, at in dates.items():
        if at is not None and at > now:
            raise Invalid(f"{name} must not be later than now, got {at.isoformat()}", field=name, given=at.isoformat())
    opened_at, closed_at, last = deal.opened_at.isoformat(), deal.closed_at, deal.stays[-1]
    if closed_at is not None and closed_at < deal.opened_at:
        msg = f"closed_at {closed_at.isoformat()} is before opened_at {opened_at}"
        raise Invalid(msg, field="closed_at", given=closed_at.isoformat())
    if last.stage != deal.stage:
        msg = f"the deal is in {deal.stage}, and it entered {last.stage} later, at {last.entered_at.isoformat()}"
        raise Invalid(msg, field="stage", given=deal.stage)
    if any(later.entered_at < earlier.entered_at for earlier, later in pairwise(deal.stays)):
        raise Invalid("stages must be in the order in which they were entered", field="stages")
    for stay in deal.stays:
        entered_at = stay.entered_at.isoformat()
        if stay.entered_at < deal.opened_at:
            msg = f"it entered {stay.stage} at {entered_at}, before it was opened, {opened_at}"
            raise Invalid(msg, field=f"{stay.stage}_at", given=entered_at)
        if closed_at is not None and stay.entered_at > closed_at:
            msg = f"it entered {stay.stage} at {entered_at}, after it was {deal.status}, {closed_at.isoformat()}"
            raise Invalid(msg, field=f"{stay.stage}_at", given=entered_at)
