"""The rules of the pipeline: stages, outcomes, worth and forecast. No database and no protocol here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Literal

from sixty import Conflict, Invalid
from sixty.crm import STAGES, WON_STAGE, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

__all__ = [
    "STAGES",
    "WON_STAGE",
    "Period",
    "Projection",
    "Stage",
    "Standing",
    "Status",
    "Window",
    "first_day",
    "ltv",
    "path_of",
    "project",
    "settle",
    "spoken",
    "window",
    "worth",
]

Status = Literal["open", "won", "lost"]
Period = Literal["month", "quarter", "year"]

_CENT = Decimal("0.01")
_MONTHS: Mapping[Period, int] = {"month": 1, "quarter": 3, "year": 12}
_LTV_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a deal stands. It is won exactly while it is in `signed`; a lost deal keeps the stage it was lost in."""

    stage: Stage
    status: Status = "open"
    closed_at: datetime | None = None
    lost_reason: str | None = None

    @classmethod
    def entering(cls, stage: Stage, now: datetime) -> Standing:
        """A new deal in `stage`."""
        return cls(stage, "won", now) if stage == WON_STAGE else cls(stage)

    def moved(self, stage: Stage, now: datetime) -> Standing:
        """The deal in `stage`: won on entering `signed`, open in any other. The stage it is in changes nothing."""
        return self if stage == self.stage else Standing.entering(stage, now)

    def lost(self, reason: str | None, now: datetime) -> Standing:
        """The deal, lost in its stage. `Conflict` in `signed`, where it cannot be anything but won."""
        if self.stage == WON_STAGE:
            msg = f"a deal in {WON_STAGE} is won; say in which other stage it was lost: give stage and status together"
            raise Conflict(msg, field="status", stage=self.stage)
        if self.status == "lost":
            return replace(self, lost_reason=reason if reason is not None else self.lost_reason)
        return replace(self, status="lost", closed_at=now, lost_reason=reason)

    def reopened(self) -> Standing:
        """The deal, open in its stage. `Conflict` in `signed`: only leaving that reopens a won deal."""
        if self.stage == WON_STAGE:
            msg = f"a deal in {WON_STAGE} is won; move it to another stage to reopen it"
            raise Conflict(msg, field="status", stage=self.stage)
        return Standing(self.stage)


def settle(
    standing: Standing,
    now: datetime,
    *,
    stage: Stage | None = None,
    status: Status | None = None,
    reason: str | None = None,
) -> Standing:
    """Where the deal stands after an update of its stage, its status or both; `reason` is why it was lost.

    Raises `Invalid` if they contradict each other, `Conflict` if they contradict where the deal stands.
    """
    if stage is not None and status is not None and (stage == WON_STAGE) != (status == "won"):
        msg = (
            f"stage {stage} and status {status} contradict each other: a deal is won exactly while it is in {WON_STAGE}"
        )
        raise Invalid(msg, field="status", given=status)
    target = WON_STAGE if status == "won" else stage
    after = standing if target is None else standing.moved(target, now)
    if status == "lost":
        after = after.lost(reason, now)
    elif status == "open":
        after = after.reopened()
    elif after.status == "lost":
        after = after.lost(reason, now)
    if reason is not None and after.status != "lost":
        msg = f"lost_reason belongs to a lost deal, and this one is {after.status}; give status lost with it"
        raise Invalid(msg, field="lost_reason", given=reason[:80])
    return after


def path_of(stages: Iterable[str]) -> str:
    """The stages that a deal has entered, in order, with a space between them: of each only the first and last time.

    What it leaves out tells nothing more of how far a deal got and whether it went on from there, so that the path of
    a deal that was moved a thousand times is short, too. Taking the path for the stages gives the same path.
    """
    entered = list(stages)
    last = {stage: place for place, stage in enumerate(entered)}
    first = {stage: place for place, stage in reversed(list(enumerate(entered)))}
    return " ".join(stage for place, stage in enumerate(entered) if place in (first[stage], last[stage]))


def ltv(monthly_mrr: Decimal | None, one_off_revenue: Decimal | None) -> Decimal | None:
    """The lifetime value: three months and what is paid once, an absent one counting 0; None without either."""
    if monthly_mrr is None and one_off_revenue is None:
        return None
    return (monthly_mrr or Decimal(0)) * _LTV_MONTHS + (one_off_revenue or Decimal(0))


def worth(value: Decimal | None, monthly_mrr: Decimal | None, one_off_revenue: Decimal | None) -> Decimal | None:
    """The value of a deal: the one that was given, else its lifetime value, else unknown."""
    return value if value is not None else ltv(monthly_mrr, one_off_revenue)


@dataclass(frozen=True, slots=True)
class Window:
    """Days from `first` to `last`, both included."""

    first: date
    last: date


def first_day(period: Period, day: date) -> date:
    """The first day of the calendar month, quarter or year that a day is in."""
    months = _MONTHS[period]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def window(period: Period, today: date) -> Window:
    """From today to the end of the calendar month, quarter or year that today is in."""
    months = _MONTHS[period]
    months_gone = (today.month - 1) // months * months + months
    following = date(today.year + months_gone // 12, months_gone % 12 + 1, 1)
    return Window(today, following - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Projection:
    """Money expected: in all, and by stage."""

    total: Decimal
    by_stage: Mapping[Stage, Decimal]


def project(sums: Mapping[Stage, Decimal], weights: Mapping[Stage, Decimal]) -> Projection:
    """The sums of each stage, weighted. Each figure is exact and then rounded once, half to even, to the cent."""
    exact = {stage: sums.get(stage, Decimal(0)) * weights[stage] for stage in STAGES}
    return Projection(
        sum(exact.values(), Decimal(0)).quantize(_CENT, ROUND_HALF_EVEN),
        {stage: amount.quantize(_CENT, ROUND_HALF_EVEN) for stage, amount in exact.items()},
    )


def spoken(spent: timedelta) -> str:
    """A time span for people, in its largest unit: `3 days`, `1 hour`, `less than a minute`."""
    seconds = int(spent.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"
