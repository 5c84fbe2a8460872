"""Files of whatever encoding, line by line: memory stays bounded however large the file or a line of it is."""

from __future__ import annotations

import codecs
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TextIO

from sixty.errors import Misfit, OperatorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["LONGEST_LINE", "TextFile", "TooLong"]

LONGEST_LINE = 1_000_000
"""Characters of a line."""
BLOCK = 1 << 20
"""Bytes that are looked at at a time to find the encoding."""
SAMPLE = 1 << 16
"""Bytes from which an encoding is guessed that is not UTF-8."""

_MARKS = (  # the longer ones first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_USUAL = ("cp1252", "cp1250", "cp1251", "cp932", "gb18030", "big5", "cp949", "cp1253", "cp1254", "cp1255", "cp1256")
"""What spreadsheets write that do not write Unicode, the most frequent first."""


class TooLong(Exception):
    """A line is longer than any may be; the rest of it has been passed over."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file, and the encoding that it is in."""

    path: Path
    encoding: str
    size: int
    """In bytes."""

    @classmethod
    def at(cls, path: Path, encoding: str | None = None) -> TextFile:
        """The file at a path; its encoding is found out where it is not given. `OperatorError` if it cannot be read."""
        try:
            with path.open("rb") as file:
                found = _found(file) if encoding is None else _known(encoding)
            return cls(path, found, path.stat().st_size)
        except OSError as error:
            raise OperatorError(f"cannot read {path}: {error.strerror}") from error

    @contextmanager
    def lines(self) -> Iterator[Lines]:
        """Its lines, from the first one on."""
        # bytes that are no text of the encoding stay what they are, and are refused where a field has them
        wide = self.encoding.startswith(("utf-16", "utf-32"))
        with self.path.open(
            encoding=self.encoding, errors="replace" if wide else "surrogateescape", newline=""
        ) as file:
            yield Lines(file)


class Lines:
    """The lines of an open file, with their ends as they are."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @property
    def bytes_read(self) -> int:
        """About how much of the file has been read."""
        return self._file.buffer.tell()

    def next(self) -> str | None:
        """The next line, or None at the end. `TooLong` for one that is; the next one then follows."""
        line = self._file.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            while len(rest := self._file.readline(LONGEST_LINE)) == LONGEST_LINE and not rest.endswith(("\n", "\r")):
                pass
            raise TooLong
        return line or None


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        msg = f"there is no encoding {encoding!r}; write a name such as utf-8, utf-16, cp1252 or latin-1"
        raise Misfit(msg) from None


def _found(file: BinaryIO) -> str:
    """The encoding that a file says it is in, else UTF-8 if it is, else the one that its bytes look like."""
    start = file.read(SAMPLE)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if (wide := _without_mark(start)) is not None:
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")()
    block, before = start, b""
    while block:
        try:
            decoder.decode(block)  # what is cut off at the very end is not the encoding's fault
        except UnicodeDecodeError as error:
            return _guessed((before + block)[max(0, len(before) + error.start - SAMPLE // 2) :][:SAMPLE])
        block, before = file.read(BLOCK), block[-SAMPLE:]
    return "utf-8"


def _without_mark(start: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of plain text is null."""
    even, odd = start[0::2], start[1::2]
    if odd.count(0) > len(odd) // 2 and not even.count(0):
        return "utf-16-le"
    if even.count(0) > len(even) // 2 and not odd.count(0):
        return "utf-16-be"
    return None


def _guessed(sample: bytes) -> str:
    """The encoding that the bytes look like; where several do, the one that most files are in."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - few files need it

    telling = b"\n".join(line for line in sample.splitlines() if not line.isascii())  # the others are so in all of them
    found = list(from_bytes(telling, cp_isolation=list(_USUAL)))
    if not found:
        return "latin-1"  # in which every byte is something
    least = min(match.chaos for match in found)
    alike = {name for match in found if match.chaos <= least for name in (match.encoding, *match.could_be_from_charset)}
    return codecs.lookup(next(name for name in _USUAL if name in alike)).name
