"""The core's own pack: what every kind of record can do, registered like any other plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty import crm, tables
from sixty.builtin.access import explain_access
from sixty.builtin.history import HISTORY_COMPLETION, record_history
from sixty.builtin.metrics import METRICS
from sixty.builtin.people import PEOPLE_COMPLETIONS, me, team
from sixty.builtin.records import delete_record, get_record, undo_change
from sixty.builtin.search import search_crm
from sixty.hookspecs import hookimpl
from sixty.jobs.clearing import EVERY_NIGHT, remove_old_jobs
from sixty.kinds import Tables
from sixty.permissions import Permissions
from sixty.views import Published
from sixty.webhooks.delivering import deliver
from sixty.webhooks.fanning import tell_subscribers

if TYPE_CHECKING:
    from sixty.events import Reaction
    from sixty.jobs.job import Job
    from sixty.jobs.schedule import Schedule
    from sixty.prompts import Completion
    from sixty.resources import Resource
    from sixty.signals.metrics import Metric
    from sixty.tools import Tool


@hookimpl
def sixty_tools() -> list[Tool]:
    return [search_crm, get_record, delete_record, undo_change, explain_access]


@hookimpl
def sixty_resources() -> list[Resource]:
    return [me, team, record_history]


@hookimpl
def sixty_completions() -> list[Completion]:
    return [*PEOPLE_COMPLETIONS, HISTORY_COMPLETION]


@hookimpl
def sixty_jobs() -> list[Job]:
    return [deliver, remove_old_jobs]


@hookimpl
def sixty_schedules() -> list[Schedule]:
    return [EVERY_NIGHT]


@hookimpl
def sixty_metrics() -> tuple[Metric, ...]:
    return METRICS


@hookimpl
def sixty_tables() -> Tables:
    return Tables(tables.metadata, migrations=Path(tables.__file__).parent / "migrations")


@hookimpl
def sixty_permissions() -> list[Permissions]:
    return [
        Permissions(
            "access",
            actions={"explain": "Ask why somebody else may or may not do something"},
            grants={"admin": ("*:*",)},
        ),
        Permissions(
            "webhooks",
            actions={"manage": "Have events sent to a URL, and see and change where they go"},
            grants={"user": ("webhooks:manage:own",)},
        ),
    ]


@hookimpl
def sixty_reactions() -> list[Reaction]:
    return [tell_subscribers]


@hookimpl
def sixty_views() -> list[Published]:
    users, teams = tables.users, tables.teams
    people = sa.select(
        users.c.id,
        users.c.name,
        users.c.email,
        users.c.role,
        users.c.team_id,
        teams.c.name.label("team"),
        users.c.disabled_at.is_(None).label("active"),
    ).outerjoin_from(users, teams)
    return [Published(crm.PEOPLE, people)]
