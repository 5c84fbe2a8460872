"""The files that commands write: there once they are whole."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from sixty.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sixty.exchange.writing import Format

__all__ = ["told_by", "writing"]

PRIVATE, USUAL = 0o600, 0o666
"""Who may read a file: its owner alone, or whom the user's own mask allows."""


def told_by(path: Path | None) -> Format:
    """The format that the name of a file says."""
    return "jsonl" if path is not None and path.suffix.lower() in (".jsonl", ".ndjson") else "csv"


@contextmanager
def writing(path: Path | None, *, private: bool = False) -> Iterator[TextIO]:
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
