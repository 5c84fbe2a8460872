"""The core's own pack: what every kind of record can do, registered like any other plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty import crm, tables
from sixty.audit.retention import RETENTION, remove_old_lines
from sixty.audit.sink import send_seal
from sixty.backup.notices import send_notice
from sixty.backup.scheduled import AUDIT_COPIES, BACKUPS, copy_audit, make_backup
from sixty.builtin.access import explain_access
from sixty.builtin.history import HISTORY_COMPLETION, record_history
from sixty.builtin.metrics import METRICS
from sixty.builtin.people import PEOPLE_COMPLETIONS, me, team
from sixty.builtin.records import delete_record, get_record, undo_change
from sixty.builtin.search import search_crm
from sixty.clearing import CLEARING, clear_expired
from sixty.hookspecs import hookimpl
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
    return [deliver, clear_expired, remove_old_lines, send_seal, make_backup, send_notice, copy_audit]


@hookimpl
def sixty_schedules() -> list[Schedule]:
    return [CLEARING, RETENTION, BACKUPS, AUDIT_COPIES]


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
