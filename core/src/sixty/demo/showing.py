"""The demo from its beginning to its end: load, serve, lead the tour, say how to connect, and keep serving."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

from sixty.config import load_settings
from sixty.demo import snippets
from sixty.demo.leading import Place
from sixty.demo.loading import load
from sixty.demo.tour import tour
from sixty.host import Host
from sixty.permissions import ROLES
from sixty.server.http import PATH, listening

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from sixty.demo.loading import Loaded

__all__ = ["show"]

_WILDCARDS = {"//0.0.0.0:": "//127.0.0.1:", "//[::]:": "//[::1]:"}


async def show(
    file: Path,
    address: str,
    port: int,
    console: Console,
    *,
    tour_only: bool,
    plugins: Sequence[tuple[str, object]] | None = None,
) -> bool:
    """The demo has been given in a new database, `file`, an absolute path; whether the tour came out as expected.

    Unless it is the tour only, it is served until SIGINT or SIGTERM. `plugins` are the packs, by name, if not the
    installed ones.
    """
    database_url = f"sqlite+aiosqlite:///{file}"
    now = datetime.now(UTC)
    console.print(f"Loading a demo organisation into {file} ...")
    started = perf_counter()
    loaded = await load(database_url, now, plugins)
    contents = ", ".join(f"{count} {what}" for what, count in loaded.contents.items())
    console.print(f"  {contents}: {loaded.calls} calls in {perf_counter() - started:.1f} s")
    # the settings of the environment are for the real organisation, whose database they name
    async with (
        Host.open(load_settings({}, database_url=database_url), environ={}, plugins=plugins) as host,
        host.working(),
        listening(host, address, port) as served,
    ):
        for wildcard, loopback in _WILDCARDS.items():
            served = served.replace(wildcard, loopback)  # noqa: PLW2901 - what is listened on can be no destination
        console.print(f"Serving {served}{PATH}")
        came_out = await tour(served + PATH, loaded.badges, now.date(), console, Place(database_url, file.parent))
        if came_out:
            console.print("\nThe tour is over; every step came out as expected.", style="bold green")
        else:
            console.print("\nThe tour ended early: a step did not come out as expected.", style="bold red")
        if not tour_only:
            stop = _interruption()
            _print_ways_in(served + PATH, database_url, loaded, console)
            await stop.wait()
            console.print(f"\nStopped. The organisation stays in {file} until the next demo.")
    return came_out


def _print_ways_in(url: str, database_url: str, loaded: Loaded, console: Console) -> None:
    """Print how to connect. What is to be copied stands at the beginning of its line."""
    key = loaded.badges["user"].key
    console.print("\nThe server", style="bold")
    console.print(url)
    console.print("\nA key for each role", style="bold")
    for role in ROLES:
        badge = loaded.badges[role]
        console.print(f"{role:<8} {badge.key}  {badge.user.name}")
    for title, snippet in (
        (
            "Claude Desktop: put into claude_desktop_config.json (Settings, Developer, Edit Config)",
            snippets.claude_desktop(database_url, key),
        ),
        ("Claude Code: run this command", snippets.claude_code(url, key)),
        ("Python: a client of your own, with the package mcp", snippets.python_client(url, key)),
    ):
        console.print(f"\n{title}", style="bold")
        console.print(snippet.rstrip())
    console.print("\nServing until you press Ctrl-C.", style="bold")


def _interruption() -> asyncio.Event:
    """Comes about when somebody wants it to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows has no such signals, and ends by KeyboardInterrupt
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    return stop
