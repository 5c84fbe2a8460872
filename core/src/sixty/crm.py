"""The shared words of the CRM: stages, events, views and extension points. No tables, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, get_args, runtime_checkable

import sqlalchemy as sa

from sixty.events import Event
from sixty.extensions import Point
from sixty.storage.columns import Cents, Id, Instant
from sixty.views import View

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

__all__ = [
    "ACTIVITIES",
    "COMPANIES",
    "CONTACTS",
    "DEALS",
    "ENRICHERS",
    "EVENTS",
    "PEOPLE",
    "STAGES",
    "STAGE_CHANGES",
    "TASKS",
    "VIEWS",
    "WON_STAGE",
    "ActivityCompleted",
    "ActivityCreated",
    "ContactCreated",
    "DealCreated",
    "DealLost",
    "DealStageChanged",
    "DealWon",
    "Enricher",
    "Findings",
    "Stage",
    "Subject",
    "TaskCompleted",
    "TaskCreated",
]


Stage = Literal["sql", "opportunity", "verbal", "signed"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""In the order of the pipeline."""
WON_STAGE: Stage = "signed"
"""A deal is won exactly while it is in it."""


@dataclass(frozen=True, kw_only=True)
class DealCreated(Event):
    """A deal was created."""

    name: ClassVar[str] = "deal.created"
    title: str
    company_name: str | None = None
    stage: str
    value: Decimal | None = None
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class DealStageChanged(Event):
    """A deal entered another stage, in whichever direction."""

    name: ClassVar[str] = "deal.stage_changed"
    title: str
    company_name: str | None = None
    from_stage: str
    to_stage: str
    value: Decimal | None = None
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class DealWon(Event):
    """A deal was won: it entered the last stage."""

    name: ClassVar[str] = "deal.won"
    title: str
    company_name: str | None = None
    value: Decimal | None = None
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class DealLost(Event):
    """A deal was lost, in the stage it was in."""

    name: ClassVar[str] = "deal.lost"
    title: str
    company_name: str | None = None
    stage: str
    reason: str | None = None
    value: Decimal | None = None
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ActivityCreated(Event):
    """An activity was logged, and its `status` is completed, or scheduled."""

    name: ClassVar[str] = "activity.created"
    type: str
    status: str
    description: str
    deal_id: str | None = None
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ActivityCompleted(Event):
    """An activity that had been scheduled was held."""

    name: ClassVar[str] = "activity.completed"
    type: str
    description: str
    deal_id: str | None = None
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContactCreated(Event):
    """A contact was created."""

    name: ClassVar[str] = "contact.created"
    email: str
    company_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class TaskCreated(Event):
    """A task was created."""

    name: ClassVar[str] = "task.created"
    title: str
    deal_id: str | None = None
    contact_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class TaskCompleted(Event):
    """A task was completed."""

    name: ClassVar[str] = "task.completed"
    title: str
    deal_id: str | None = None
    contact_id: str | None = None


EVENTS: tuple[type[Event], ...] = (
    DealCreated,
    DealStageChanged,
    DealWon,
    DealLost,
    ActivityCreated,
    ActivityCompleted,
    ContactCreated,
    TaskCreated,
    TaskCompleted,
)

PEOPLE = View(
    "people", id=Id, name=sa.String, email=sa.String, role=sa.String, team_id=Id, team=sa.String, active=sa.Boolean
)
"""Everyone in the organisation; readable by everyone in it. Who is not active has left, and what they own stays."""

DEALS = View(
    "deals",
    id=Id,
    owner_id=Id,
    title=sa.String,
    company_name=sa.String,
    contact_id=Id,
    stage=sa.String,
    status=sa.String,
    value=Cents,
    probability=sa.Float,
    expected_close_date=sa.Date,
    contract_end_date=sa.Date,
    stage_entered_at=Instant,
    path=sa.String,
    opened_at=Instant,
    closed_at=Instant,
    created_at=Instant,
    updated_at=Instant,
)
"""`probability` weighs the stage. `stage_entered_at`, `opened_at` and `closed_at` are business time: an import may date
them back. `path` has the stages that the deal has entered, in order and with a space between them; of each only the
first and the last time, which is all that it takes to say what a deal reached and whether it went on from there."""

STAGE_CHANGES = View(
    "stage_changes",
    deal_id=Id,
    owner_id=Id,
    from_stage=sa.String,
    to_stage=sa.String,
    entered_at=Instant,
    left_at=Instant,
)
"""Each stay of a deal in a stage; `left_at` is null for the present one, `from_stage` for the first."""

ACTIVITIES = View(
    "activities",
    id=Id,
    owner_id=Id,
    type=sa.String,
    status=sa.String,
    description=sa.String,
    deal_id=Id,
    contact_id=Id,
    scheduled_at=Instant,
    completed_at=Instant,
    created_at=Instant,
)

CONTACTS = View(
    "contacts",
    id=Id,
    owner_id=Id,
    first_name=sa.String,
    last_name=sa.String,
    email=sa.String,
    company_id=Id,
    created_at=Instant,
)

COMPANIES = View(
    "companies", id=Id, owner_id=Id, name=sa.String, domain=sa.String, industry=sa.String, created_at=Instant
)

TASKS = View(
    "tasks",
    id=Id,
    owner_id=Id,
    title=sa.String,
    status=sa.String,
    priority=sa.String,
    due_date=sa.Date,
    deal_id=Id,
    contact_id=Id,
    completed_at=Instant,
    created_at=Instant,
)

VIEWS: tuple[View, ...] = (PEOPLE, DEALS, STAGE_CHANGES, ACTIVITIES, CONTACTS, COMPANIES, TASKS)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The person that an enricher is asked about, as the CRM knows them; what is unknown is None."""

    first_name: str
    last_name: str
    email: str
    company_name: str | None = None
    domain: str | None = None
    role: str | None = None
    phone: str | None = None
    linkedin_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a source knows of somebody. Empty when it knows nothing."""

    contact: Mapping[str, str] = field(default_factory=dict)
    """Fields of the contact: `role`, `phone`, `linkedin_url`, `city`, `region`, `country`."""
    social_profiles: Mapping[str, str] = field(default_factory=dict)
    """Addresses or handles, by network: `linkedin`, `twitter`, `github`."""
    company: Mapping[str, Any] = field(default_factory=dict)
    """Fields of their company: `name`, `domain`, `industry`, `size` (of people: a number, or a range such as `11-50`)
    and `revenue` (of a year, a number)."""


@runtime_checkable
class Enricher(Protocol):
    """A source of what is known about people. It has no part in any transaction and may use the network."""

    source: str
    """Its name, as callers choose it."""

    async def enrich(self, subject: Subject, settings: Any) -> Findings:
        """What it knows of them; `settings` are those of the pack that adds it.

        Raises `Unavailable`, which says why and what to do, when it cannot be asked.
        """
        ...


ENRICHERS: Point[Enricher] = Point("enrichers", Enricher)  # type: ignore[type-abstract]
"""The sources that `enrich_contact` can ask."""
