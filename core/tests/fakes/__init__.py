"""Small packs for the kernel's tests. Each module is a plugin as anybody would write it."""

from __future__ import annotations

from fakes import notes, pins, sums, world

__all__ = ["ALL"]

ALL: tuple[tuple[str, object], ...] = (("notes", notes), ("pins", pins), ("sums", sums), ("world", world))
