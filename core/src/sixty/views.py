"""Views: relations that a pack publishes for others to query, as promises of columns.

A `View` stands for the relation in statements (`DEALS.c.value`); the kernel puts in what the publishing pack
selects, limited to what the caller may read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty.errors import PluginError, nearest

if TYPE_CHECKING:
    from sqlalchemy.sql import ColumnCollection, Select

__all__ = ["Published", "View"]


class View:
    """The promise: a name, and columns with their types."""

    def __init__(self, name: str, /, **columns: Any) -> None:
        self.name = name
        self.columns = {key: sa.types.to_instance(kind) for key, kind in columns.items()}
        self.table = sa.table(f"view_{name}", *(sa.column(key, kind) for key, kind in self.columns.items()))

    @property
    def c(self) -> ColumnCollection[str, Any]:
        """The columns, for use in statements."""
        return self.table.c

    def __repr__(self) -> str:
        return f"View({self.name!r})"


@dataclass(frozen=True, eq=False)
class Published:
    """A view and the select, over the pack's own tables, that keeps its promise."""

    view: View
    select: Select[Any]

    def check(self) -> None:
        """Raise `PluginError` unless the select has every promised column with the promised type."""
        have = {key: column.type for key, column in self.select.selected_columns.items()}
        for key, kind in self.view.columns.items():
            if key not in have:
                msg = f"the view {self.view.name} lacks the column {key}{nearest(key, have)}"
                raise PluginError(msg)
            if have[key]._type_affinity is not kind._type_affinity:  # noqa: SLF001 - what SQLAlchemy compares types by
                msg = f"the view {self.view.name} promises {key} as {kind!r}, and it is {have[key]!r}"
                raise PluginError(msg)
