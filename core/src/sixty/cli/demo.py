"""`sixty demo`: an organisation to play with, and a tour of it."""

from __future__ import annotations

import asyncio
import socket
from errno import EADDRINUSE
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from sixty.cli.opening import exit_with
from sixty.config import load_settings
from sixty.errors import OperatorError
from sixty.signals.logs import log

__all__ = ["demo"]

FOLDER = ".sixty-demo"
"""Where the databases of demos are, below the current folder: one for each port."""


@click.command()
@click.option(
    "--tour", "tour_only", is_flag=True, help="End after the tour: with status 0 if every step came out as expected."
)
@click.option("--host", "address", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8060, show_default=True, help="0 is any free one.")
def demo(*, tour_only: bool, address: str, port: int) -> None:
    """Serve a demo organisation over HTTP, lead a tour of it, and say how to connect.

    It lives in a database of its own, in the folder .sixty-demo, and is made afresh each time. No setting of the
    environment has an effect on it.
    """
    _check_free(address, port)
    log(load_settings({}, log_level="warning"))
    if tour_only:
        with TemporaryDirectory(prefix="sixty-demo-") as folder:
            exit_with(_status(Path(folder) / "demo.db", address, port, tour_only=True))
    exit_with(_status(_fresh(Path.cwd() / FOLDER / f"demo-{port}.db"), address, port, tour_only=False))


def _status(file: Path, address: str, port: int, *, tour_only: bool) -> int:
    """Give the demo; 0 if the tour came out as expected, 1 if it did not."""
    from rich.console import Console  # noqa: PLC0415 - `sixty --help` imports every command

    from sixty.demo.showing import show  # noqa: PLC0415 - as above

    console = Console(markup=False, highlight=False, soft_wrap=True)
    return 0 if asyncio.run(show(file, address, port, console, tour_only=tour_only)) else 1


def _check_free(address: str, port: int) -> None:
    """Raise `OperatorError` if the address cannot be had: before anything is loaded, or taken from who has it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, port), family=family).close()
    except OSError as error:
        if error.errno == EADDRINUSE:
            raise OperatorError(
                f"port {port} of {address} is in use; choose another one with --port, for example --port {port + 1}"
            ) from error
        raise OperatorError(
            f"cannot listen on {address}:{port}: {error}; choose another address with --host"
        ) from error


def _fresh(file: Path) -> Path:
    """The file, which is not there any more, in a folder that is."""
    try:
        file.parent.mkdir(exist_ok=True)
        for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
            file.with_name(name).unlink(missing_ok=True)
    except OSError as error:
        raise OperatorError(f"cannot write {file}: {error.strerror}; run the demo in a folder of your own") from error
    return file
