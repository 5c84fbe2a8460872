"""The lines that did not go in, in a file of their own: each as it was, and why."""

from __future__ import annotations

import csv
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import orjson

from sixty.errors import OperatorError
from sixty.exchange.formulas import neutral
from sixty.exchange.rows import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TextIO

__all__ = ["Rejects"]


class Rejects:
    """Writes them to a csv file with the delimiter of the file that they come from; without any, no file is made."""

    def __init__(self, path: Path | None, columns: Sequence[str], delimiter: str | None) -> None:
        """Without a path they are counted and shown, and written nowhere."""
        self.path = path
        self.count = 0
        self._columns = columns
        self._delimiter = delimiter or ","
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def add(self, cells: Sequence[Any], reason: str) -> None:
        """One more."""
        self.count += 1
        if self.path is None:
            return
        try:
            if self._file is None:
                self._file = self.path.open("w", encoding="utf-8", errors="replace", newline="")
                self._write(["reason", *self._columns])
            self._write([reason, *(_text(cell) for cell in cells)])
        except OSError as error:
            raise OperatorError(
                f"cannot write {self.path}: {error.strerror}; say another place with --rejects"
            ) from error

    def _write(self, cells: Sequence[str]) -> None:
        csv.writer(self._file, delimiter=self._delimiter, lineterminator="\n").writerow([neutral(one) for one in cells])  # type: ignore[arg-type]


def _text(cell: Any) -> str:
    if cell is None or cell is ABSENT:
        return ""
    return cell if isinstance(cell, str) else orjson.dumps(cell, default=str).decode()
