"""Texts that a spreadsheet would run as formulas, and how they stand in a csv file.

A text that begins with one of `RISKY`, or that is nothing but white space, has a `'` put before it. Since that holds
for one that begins with `'` as well, taking off one `'` gives every text back exactly.
"""

from __future__ import annotations

__all__ = ["RISKY", "neutral", "plain"]

RISKY = "=+-@\t\r'"
"""What a cell must not begin with."""


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet runs, and that is not taken for an empty one."""
    return f"'{text}" if text and (text[0] in RISKY or text.isspace()) else text


def plain(cell: str) -> str:
    """The inverse of `neutral`; a `'` alone is a text with nothing in it, which is something else than no text."""
    rest = cell[1:]
    return rest if cell[:1] == "'" and (not rest or rest[0] in RISKY or rest.isspace()) else cell
