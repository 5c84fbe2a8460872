"""Texts that a spreadsheet would run as formulas, and how they stand in a csv file.

A text that begins with one of `RISKY` has a `'` put before it. One that begins with `'` has as well, so that taking
off one `'` gives every text back exactly.
"""

from __future__ import annotations

__all__ = ["RISKY", "neutral", "plain"]

RISKY = "=+-@\t\r'"
"""What a cell must not begin with."""


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if text[:1] and text[0] in RISKY else text


def plain(cell: str) -> str:
    """The inverse of `neutral`."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in RISKY else cell
