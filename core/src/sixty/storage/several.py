"""Statements about several ids, of which each is compiled, and kept by drivers, for a few sizes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty.storage.columns import Id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["chunks", "several"]

SIZES = (8, 64, 500)
"""For how many ids there are statements: the smallest that has room for all is filled up."""


def several(size: int) -> list[sa.BindParameter[str]]:
    """So many ids, for `column.in_(…)`. Build a statement once for each size, as by `lru_cache`."""
    return [sa.bindparam(f"id{place}", type_=Id) for place in range(size)]


def chunks(ids: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """All ids, each as one of the values of a statement for so many."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), SIZES[-1]):
        chunk = ordered[start : start + SIZES[-1]]
        size = next(size for size in SIZES if size >= len(chunk))
        filled = chunk + chunk[-1:] * (size - len(chunk))
        yield size, {f"id{place}": record_id for place, record_id in enumerate(filled)}
