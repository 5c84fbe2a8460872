"""Notices: an operator's own URL is told of each backup that was made, and of each that could not be.

They are signed, and tried again, as the events of webhooks are. Their URL is a setting, so it may be of any network.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Literal

from sixty.errors import Unavailable
from sixty.jobs.enqueuing import enqueued
from sixty.jobs.job import job
from sixty.jobs.work import Work
from sixty.values import Arguments, Moment
from sixty.webhooks.body import body_of
from sixty.webhooks.signing import signed_headers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sixty.host import Host

__all__ = ["Notice", "notify", "send_notice"]

TIMEOUT = 60
"""Seconds that one try may take."""
ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))

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
    from sixty.webhooks.sending import post  # noqa: PLC0415 - only who sends needs an HTTP client

    settings, now = work.host.settings, work.now
    url, secret = settings.backup_notice_url, settings.backup_notice_secret
    if url is None:
        raise Unavailable("SIXTY_BACKUP_NOTICE_URL is not set here")
    body = body_of(args.type, args.at, args.data)
    signed = signed_headers(f"msg_{work.id}", now, body, [secret] if secret is not None else [])
    headers = {name: value for name, value in signed.items() if value}
    answer = await post(url, body, headers, networks=ANYWHERE, now=now)
    if not answer.is_received:
        raise Unavailable(answer.words)


async def notify(host: Host, kind: Type, at: datetime, data: Mapping[str, Any], key: str) -> None:
    """The operator is told, if they want to be; once for each `key`."""
    if host.settings.backup_notice_url is None:
        return
    name = host.registry.job_names[send_notice]
    notice = Notice(type=kind, at=at, data=dict(data))
    write = enqueued(name, notice, now=host.clock(), due_at=None, queue=None, lane=None, key=key)
    await host.database.apply([write])
    host.worker.wake()
