"""`sixty jobs`: what is still to be done, what became of it, and a process that does it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from sixty.cli.opening import with_host
from sixty.cli.output import as_json, print_json, show
from sixty.jobs import control
from sixty.signals.logs import log
from sixty.values import counted

if TYPE_CHECKING:
    from sixty.host import Host

__all__ = ["jobs"]

_SHORT = ("id", "name", "state", "due_at", "attempts", "lane", "error")
_ids = click.argument("job_ids", metavar="ID...", nargs=-1, required=True)


@click.group()
def jobs() -> None:
    """List, show, retry and cancel jobs; do those that are due."""


@jobs.command("list")
@click.option("--state", type=click.Choice(control.STATES), help="Only those in this state.")
@click.option("--name", help="Only those of this name, such as deals.remind.")
@click.option("--queue", help="Only those of this queue.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@as_json
@with_host
async def list_(
    host: Host, state: control.State | None, name: str | None, queue: str | None, limit: int, *, as_json: bool
) -> None:
    """List the newest jobs, the newest first; with --json, with all that is known of them."""
    rows = await control.newest(host.database, state=state, name=name, queue=queue, limit=limit)
    if not as_json:
        rows = [{column: row[column] for column in _SHORT} for row in rows]
    show(rows, as_json=as_json, empty="There are no such jobs." if state or name or queue else "There are no jobs.")


@jobs.command("show")
@click.argument("job_id", metavar="ID")
@as_json
@with_host
async def show_(host: Host, job_id: str, *, as_json: bool) -> None:
    """Show a job."""
    row = await control.find(host.database, job_id)
    user = (await host.identity.directory()).users.get(row["user_id"])
    row = {**row, "user": user.email if user is not None else None}
    if as_json:
        print_json(row)
    else:
        show(
            [{"field": name, "is": value} for name, value in row.items() if value is not None], as_json=False, empty=""
        )


@jobs.command()
@_ids
@with_host
async def retry(host: Host, job_ids: tuple[str, ...]) -> None:
    """Have jobs that failed, were cancelled, or wait for their next try, tried at once, with all tries before them."""
    for job_id in job_ids:
        row = await control.retry(host, job_id)
        click.echo(f"{row['name']} {row['id']} is due now.")


@jobs.command()
@_ids
@with_host
async def cancel(host: Host, job_ids: tuple[str, ...]) -> None:
    """Call off jobs that wait."""
    for job_id in job_ids:
        row = await control.cancel(host, job_id)
        click.echo(f"{row['name']} {row['id']} is cancelled.")


@jobs.command()
@click.option("--once", is_flag=True, help="Do what is due, and end.")
@with_host
async def run(host: Host, *, once: bool) -> None:
    """Do the jobs that are due, as every server does, until told to stop."""
    log(host.settings)
    if once:
        tried = await host.worker.drain()
        what = f"Tried {counted(len(tried), 'job')}: {', '.join(sorted(set(tried)))}." if tried else "Nothing was due."
        click.echo(what)
        return
    stop = asyncio.Event()
    with suppress(NotImplementedError):  # Windows has no such signals, and ends by KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with host.working():
        click.echo("Doing the jobs that are due.", err=True)
        await stop.wait()
