"""What another file says of the owners in a file: their addresses, and their teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty.errors import Misfit, nearest
from sixty.exchange.files import TextFile
from sixty.exchange.owners import Said, folded
from sixty.exchange.rows import opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["people_at", "people_in"]

FIELDS = ("name", "email", "team")


def people_at(path: Path, columns: Mapping[str, str]) -> dict[str, Said]:
    """What a csv file says of people, as `people_in`; `columns` are those of their fields, by default their names."""
    for name in columns:
        if name not in FIELDS:
            raise Misfit(f"--people-map: people have no {name!r}{nearest(name, FIELDS)}; they have {', '.join(FIELDS)}")
    with opened(TextFile.at(path), form="csv") as table:
        places: dict[str, int] = {}
        for name in FIELDS:
            column = columns.get(name, name)
            if column in table.columns:
                places[name] = list(table.columns).index(column)
            elif name in columns:
                close = nearest(column, table.columns)
                raise Misfit(f"--people-map {name}={column}: the file has no column {column!r}{close}")
        if not {"name", "email"} & places.keys():
            shown = ", ".join(table.columns)
            raise Misfit(f"--people: say which column has the names: --people-map name=COLUMN; the columns are {shown}")
        return people_in(
            {name: row.cells[at].strip() or None for name, at in places.items()}
            for row in table.rows
            if row.problem is None
        )


def people_in(rows: Iterable[Mapping[str, str | None]]) -> dict[str, Said]:
    """What a file of people says of them, by name and by address. `Misfit` if it says two things of one."""
    found: dict[str, Said] = {}
    for row in rows:
        said = Said.of(row.get("name"), row.get("email"), row.get("team"))
        for text in (said.name, said.email):
            if text is not None and found.setdefault(folded(text), said) != said:
                raise Misfit(f"--people: the file says two things of {text!r}")
    return found
