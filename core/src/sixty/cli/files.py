"""The files that commands write: in a format that their user or their name says, and there once they are whole."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from sixty.errors import OperatorError
from sixty.exchange.writing import FORMATS, writer
from sixty.values import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from sixty.exchange.writing import Format

__all__ = ["export_to", "in_format"]

PRIVATE, USUAL = 0o600, 0o666
"""Who may read a file: its owner alone, or whom the user's own mask allows."""


in_format = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="csv, or lines of JSON; by default what the name of the file ends with, and else csv.",
)
"""The option of every command that writes lines."""


async def export_to(
    path: Path | None,
    form: Format | None,
    columns: Sequence[str],
    pages: AsyncIterator[Sequence[object]],
    *,
    one: str,
    private: bool = False,
) -> None:
    """All pages are in the file, or on standard output, as lines with these columns; `one` is what each line is."""
    count = 0
    with _writing(path, private=private) as file:
        lines = writer(form or _told_by(path), file, columns)
        async for page in pages:
            lines.write(page)
            count += len(page)
    if path is not None:
        click.echo(f"{counted(count, one)} exported to {path}")


def _told_by(path: Path | None) -> Format:
    """The format that the name of a file says."""
    return "jsonl" if path is not None and path.suffix.lower() in (".jsonl", ".ndjson") else "csv"


@contextmanager
def _writing(path: Path | None, *, private: bool = False) -> Iterator[TextIO]:
    """Where to write; a file takes its name, and the place of one that has it, when it is whole. None: standard output.

    Raises `OperatorError` where it cannot be written.
    """
    if path is None:
        out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
        try:
            yield out
            out.flush()
        finally:
            out.detach()
        return
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)  # one that was left behind might be open to others
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE if private else USUAL),
                "w",
                encoding="utf-8",
                newline="",
            ) as file:
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise OperatorError(f"cannot write {path}: {error.strerror}") from error
