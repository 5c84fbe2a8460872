"""Schedules: jobs that come again and again, at the times that a cron expression names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sixty.errors import Invalid, PluginError
from sixty.jobs.job import NAME
from sixty.jobs.ticks import check_cron

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sixty.host import Host
    from sixty.jobs.job import Job

__all__ = ["Schedule"]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """When a job of the same pack is done by itself: `cron` has minute, hour, day, month and weekday.

    Its times are in the organisation's time zone. A time that passes while nothing runs is made up for once.
    """

    name: str
    cron: str | Callable[[Host], str]
    """Or what finds it in settings."""
    job: Job
    payload: Mapping[str, Any] = field(default_factory=dict)

    def times(self, host: Host) -> str:
        """The cron expression of its times."""
        return self.cron if isinstance(self.cron, str) else self.cron(host)

    def check(self, jobs: tuple[Job, ...]) -> None:
        """Raise `PluginError` unless it is a schedule of one of these jobs; called when the plugin loads."""
        if not NAME.fullmatch(self.name):
            raise PluginError(f"the name {self.name!r} of a schedule must be snake_case, at most 64 characters")
        if self.job not in jobs:
            raise PluginError(f"the schedule {self.name} is of the job {self.job.name}, which `sixty_jobs` must return")
        try:
            if isinstance(self.cron, str):
                check_cron(self.cron)
            self.job.parse(self.payload, {})
        except (ValueError, Invalid) as error:
            raise PluginError(f"the schedule {self.name}: {error}") from error
