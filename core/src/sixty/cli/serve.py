"""`sixty serve`: serve MCP until told to stop."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, redirect_stdout
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from sixty.cli.opening import active
from sixty.config import load_settings
from sixty.host import Host
from sixty.signals.calls import log_call, log_failure
from sixty.signals.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from sixty.config import Settings

__all__ = ["serve"]


@click.command()
@click.option("--transport", type=click.Choice(["stdio", "http"]), default="stdio", show_default=True)
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8060, show_default=True)
@click.option(
    "--anonymous-as",
    metavar="EMAIL",
    help="Serve whoever brings no credential as this user; for development, on loopback only.",
)
def serve(transport: str, address: str, port: int, anonymous_as: str | None) -> None:
    """Serve MCP over standard input and output, or over HTTP.

    Over stdio, SIXTY_TOKEN says who is calling.
    """
    if anonymous_as is not None and transport == "stdio":
        raise click.UsageError("--anonymous-as is for HTTP; over stdio, SIXTY_TOKEN says who is calling")
    if anonymous_as is not None and not _is_loopback(address):
        raise click.UsageError(f"--anonymous-as is for loopback only, and {address} can be reached from elsewhere")
    settings = load_settings()
    log(settings)
    if transport == "stdio":
        asyncio.run(_serve_stdio(settings))
    else:
        _run_fast(settings, address, port, anonymous_as)


def _run_fast(settings: Settings, address: str, port: int, anonymous_as: str | None) -> None:
    factory: Callable[[], asyncio.AbstractEventLoop]
    try:
        from uvloop import new_event_loop as factory  # noqa: PLC0415 - stdio starts faster without it
    except ImportError:  # there is none for Windows
        factory = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve_http(settings, address, port, anonymous_as))


async def _serve_stdio(settings: Settings) -> None:
    from sixty.server.stdio import serve_stdio  # noqa: PLC0415 - one transport is imported, not all

    async with AsyncExitStack() as stack:
        with redirect_stdout(sys.stderr):  # what a plugin prints while it loads is not for the client
            host = await stack.enter_async_context(Host.open(settings))
        host.call_observers.append(log_failure)  # no more: its client may never read what is logged
        await stack.enter_async_context(host.working())
        await serve_stdio(host)


async def _serve_http(settings: Settings, address: str, port: int, anonymous_as: str | None) -> None:
    from sixty.server.http import serve_http  # noqa: PLC0415 - as above

    async with Host.open(settings) as host:
        if anonymous_as is not None:
            anonymous_as = active(await host.identity.directory(), anonymous_as).email
        host.call_observers.append(log_call)
        async with host.working():
            await serve_http(host, address, port, anonymous_as=anonymous_as)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"
