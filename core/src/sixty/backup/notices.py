"""Notices: an operator's own URL is told of each backup that was made, and of each that could not be.

They are signed, and tried again, as the events of webhooks are. Their URL is a setting, so it may be of any network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sixty.errors import Unavailable
from sixty.jobs.enqueuing import enqueued
from sixty.jobs.job import job
from sixty.jobs.work import Work
from sixty.values import Arguments, Moment
from sixty.webhooks.body import body_of
from sixty.webhooks.reporting import report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sixty.host import Host

__all__ = ["Notice", "notify", "send_notice"]

TIMEOUT = 60
"""Seconds that one try may take."""

Type = Literal["backup.made", "backup.failed"]


class Notice(Arguments):
    """What has happened."""

    type: Type
    at: Moment
    data: dict[str, Any]


@job(
    "send_notice",
    retry=lambda host: host.settings.webhook_retries,
    timeout=TIMEOUT,
    here=lambda host: host.settings.backup_notice_url is not None,
)
async def send_notice(args: Notice, work: Work) -> None:
    """Tell whoever looks after backups what became of one."""
    settings = work.host.settings
    if settings.backup_notice_url is None:
        raise Unavailable("SIXTY_BACKUP_NOTICE_URL is not set here")
    body = body_of(args.type, args.at, args.data)
    secret = settings.backup_notice_secret
    await report(settings.backup_notice_url, f"msg_{work.id}", body, secret=secret, now=work.now)


async def notify(host: Host, kind: Type, at: datetime, data: Mapping[str, Any], key: str) -> None:
    """The operator is told, if they want to be; once for each `key`."""
    if host.settings.backup_notice_url is None:
        return
    name = host.registry.job_names[send_notice]
    notice = Notice(type=kind, at=at, data=dict(data))
    write = enqueued(name, notice, now=host.clock(), due_at=None, queue=None, lane=None, key=key)
    await host.database.apply([write])
    host.worker.wake()
