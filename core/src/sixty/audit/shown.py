"""A line as it leaves the house: what signs it in hexadecimal, so that a copy can be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sixty.storage.statements import Row

__all__ = ["SIGNED", "line_shown"]

SIGNED = ("salt", "digest", "mac")
"""The columns that sign a line."""


def line_shown(row: Row) -> dict[str, Any]:
    """The line as JSON has it."""
    return {name: value.hex() if name in SIGNED and value is not None else value for name, value in row.items()}
