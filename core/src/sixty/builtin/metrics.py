"""The core's own metrics, declared like those of any pack. A further one is a further line."""

from __future__ import annotations

from importlib.metadata import version

import sqlalchemy as sa

from sixty.backup.remembering import LAST_BACKUP
from sixty.signals.metrics import Gauge, Metric, Reading
from sixty.tables import jobs

__all__ = ["METRICS"]

# one state at a time, spelt as its partial index spells it: what is done is not looked through
_JOBS = sa.union_all(
    *(
        sa.select(sa.literal_column(f"'{state}'", sa.String).label("state"), sa.func.count().label("value"))
        .select_from(jobs)
        .where(jobs.c.state == sa.literal_column(f"'{state}'"))
        for state in ("waiting", "running", "failed")
    )
)

METRICS: tuple[Metric, ...] = (
    Gauge(name="sixty_jobs", description="Jobs in the database, by state.", select=_JOBS),
    Gauge(
        name="sixty_backup_timestamp_seconds",
        description="The moment of which the newest good backup is; nothing if there never was one.",
        select=LAST_BACKUP,
    ),
    Reading(
        name="sixty_audit_waiting",
        description="Lines of the audit trail in memory that wait to be written.",
        read=lambda host: host.audit.waiting,
    ),
    Reading(
        name="sixty_audit_lost_total",
        description="Lines of the audit trail that were lost because the database took none for too long.",
        read=lambda host: host.audit.lost,
    ),
    Reading(
        name="sixty_audit_unsealed",
        description="Lines of the audit trail that were committed and not yet sealed, as last seen from here.",
        read=lambda host: host.sealer.unsealed,
    ),
    Reading(
        name="sixty_limits_shared",
        description="1 while rate limits are counted in Redis, 0 while they are not; nothing where there is no Redis.",
        read=lambda host: host.limits.shared,
    ),
    Reading(
        name="sixty_database_connections",
        description="Connections of this process to Postgres, by state.",
        label="state",
        read=lambda host: host.database.connections or None,
    ),
    Reading(
        name="sixty_build_info",
        description="1, and the version that runs.",
        label="version",
        read=lambda _: {version("sixty-core"): 1},
    ),
)
