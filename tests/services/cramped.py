"""`sixty`, with a full disk while a file is there: `python cramped.py FILE serve …`.

A full database cannot grow, which is what `max_page_count` says. It counts for one connection, so it is said here, on
each connection, before each transaction that writes.
"""

from __future__ import annotations

import sqlite3
import sys
from functools import partial
from pathlib import Path
from typing import Any

FULL, UNBOUNDED = 1, 2**30
"""Pages at the most: the size that it has already, and SQLite's own limit."""
_is_full = Path(sys.argv.pop(1)).exists


class Cramped(sqlite3.Connection):
    """A connection on which the disk may be full."""

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        """Run a statement."""
        if sql == "BEGIN IMMEDIATE":
            super().execute(f"PRAGMA max_page_count={FULL if _is_full() else UNBOUNDED}").close()
        return super().execute(sql, *arguments)


sqlite3.connect = partial(sqlite3.connect, factory=Cramped)  # type: ignore[assignment]

from sixty_command import main  # noqa: E402 - after the line above

main()
