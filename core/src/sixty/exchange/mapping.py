"""From columns to fields: what an operator and a preset say, made ready for one file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from sixty.errors import Misfit, nearest
from sixty.exchange.forms import Preset
from sixty.exchange.formulas import plain
from sixty.exchange.rows import ABSENT
from sixty.values import is_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sixty.exchange.forms import Form
    from sixty.exchange.rows import Table

__all__ = ["BESIDE", "Mapper", "Wanted"]

BESIDE = ("owner_email", "team")
"""What the core reads beside the fields of a form: of whom an owner's name speaks."""

_HOLE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_NO_PRESET = Preset(columns={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the operator says of a file."""

    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The column of a field; an empty one for a field that none is."""
    values: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=lambda: MappingProxyType({}))
    """As in `Preset`."""
    templates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """A text for a field, with `{column}` in it, or `{column|what stands for an empty one}`."""
    preset: str | None = None
    key: str | None = None
    """The column that tells the records apart."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a field comes from."""

    field: str
    read: Callable[[Sequence[Any]], Any]
    values: Mapping[str, Mapping[str, str]]
    """What values of the file mean, by value in lower case."""
    words: Mapping[str, str]
    """The values that the field may have, by lower case; empty where it may have any."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """Makes fields of cells."""

    sources: Sequence[_Source]
    key: int | None
    """Where the key is."""
    described: Mapping[str, str]
    """Where each field comes from, in words."""
    keyed: bool
    """Whether every line must have a key."""

    @classmethod
    def of(cls, form: Form, table: Table, wanted: Wanted) -> Mapper:
        """What is wanted, for this file. `Misfit` says what does not fit, and what to write instead."""
        preset = _preset(form, wanted.preset)
        fields = (*form.line.model_fields, *BESIDE)
        for name in (*wanted.columns, *wanted.templates, *wanted.values):
            if name not in fields:
                allowed = ", ".join(fields)
                raise Misfit(f"{form.name} have no field {name!r}{nearest(name, fields)}; they have {allowed}")
        columns = _Columns(table)
        values = {
            name: {**preset.values.get(name, {}), **wanted.values.get(name, {})}
            for name in (*preset.values, *wanted.values)
        }
        sources, described = [], {}
        for name in fields:
            found = _reader(name, columns, wanted, preset)
            if found is None:
                continue
            read, described[name] = found
            words = _words(form.line.model_fields[name].annotation) if name in form.line.model_fields else {}
            sources.append(_Source(name, read, values.get(name, {}), words))
        mapper = cls(sources, columns.key(wanted.key, preset.key), described, bool(wanted.key or preset.key))
        mapper.check_whole(form, columns)
        return mapper

    def check_whole(self, form: Form, columns: _Columns) -> None:
        """Raise `Misfit` unless every field that a line must have comes from somewhere."""
        told = {name for source in self.sources for says in source.values.values() for name in says}
        for name, info in form.line.model_fields.items():
            if info.is_required() and name not in self.described and name not in told:
                raise Misfit(
                    f"nothing says what the {name} of {form.name} is: give --map {name}=COLUMN or "
                    f'--set {name}="{{column}}"; the columns are {columns}'
                )

    def fields(self, cells: Sequence[Any]) -> dict[str, Any]:
        """The fields of a row; None where it says nothing."""
        found: dict[str, Any] = {}
        told: dict[str, str] = {}
        for source in self.sources:
            value = source.read(cells)
            if value is ABSENT:
                continue
            if source.values or source.words:
                folded = "" if value is None else str(value).strip().casefold()
                if (says := source.values.get(folded)) is not None:
                    told.update(says)
                    value = None
                else:
                    value = source.words.get(folded, value)
            found[source.field] = value
        found.update({name: value or None for name, value in told.items()})  # no meaning is said by saying nothing
        return found

    def key_of(self, cells: Sequence[Any]) -> str | None:
        """What the key column has; None where it is empty, or there is none."""
        value = None if self.key is None else cells[self.key]
        return None if value is None or value is ABSENT else str(value).strip() or None


class _Columns:
    """The columns of a file, by name."""

    def __init__(self, table: Table) -> None:
        self._names = [name for name in table.columns if name]
        self._twice = table.twice
        self._place = {name: place for place, name in reversed(list(enumerate(table.columns))) if name}
        self._alike = {_alike(name): name for name in reversed(self._names)}
        self.is_csv = table.delimiter is not None

    def __str__(self) -> str:
        shown = ", ".join(dict.fromkeys(self._names[:30]))
        return f"{shown}, … ({len(self._names)} in all)" if len(self._names) > 30 else shown  # noqa: PLR2004 - a screenful

    def place(self, name: str, what: str) -> int:
        """Where a column is. `Misfit` if there is none of the name, or more than one."""
        column = name if name in self._place else self._alike.get(_alike(name))
        if column is None:
            raise Misfit(f"{what}: the file has no column {name!r}{nearest(name, self._names)}; it has {self}")
        if column in self._twice:
            raise Misfit(f"{what}: the file has several columns {column!r}; name them apart in its first line")
        return self._place[column]

    def like(self, names: Iterable[str]) -> str | None:
        """The first of these names that the file has, in whatever case."""
        return next((found for name in names if (found := self._alike.get(_alike(name))) is not None), None)

    def key(self, wanted: str | None, usual: str | None) -> int | None:
        """Where the key is: the one wanted must be there, the usual one may."""
        if wanted is not None:
            return self.place(wanted, "--key")
        found = self.like(["id"] if usual is None else [usual])
        return None if found is None else self.place(found, "the key")

    def reader(self, place: int) -> Callable[[Sequence[Any]], Any]:
        """What gives the cell at a place, None for an empty one."""
        if not self.is_csv:
            return lambda cells: cells[place]

        def read(cells: Sequence[Any]) -> Any:
            cell = cells[place]
            return plain(cell) if cell and not cell.isspace() else None

        return read


def _reader(
    name: str, columns: _Columns, wanted: Wanted, preset: Preset
) -> tuple[Callable[[Sequence[Any]], Any], str] | None:
    """What reads a field, and the same in words; None where nothing does. What the operator says comes first."""
    if (template := wanted.templates.get(name)) is not None:
        return _filled(name, template, columns), f'"{template}"'
    column = wanted.columns.get(name)
    if column == "":
        return None
    if column is None and name == "id":
        return _own_id(columns, wanted, preset)
    if column is None:
        column = columns.like((*preset.columns.get(name, ()), name))
    if column is None and (template := preset.templates.get(name)) is not None:
        return _filled(name, template, columns), f'"{template}"'
    return None if column is None else (columns.reader(columns.place(column, f"--map {name}={column}")), column)


def _own_id(columns: _Columns, wanted: Wanted, preset: Preset) -> tuple[Callable[[Sequence[Any]], Any], str] | None:
    """What reads the ids of an export of ours. Others call their keys `id`, too: what is no id of ours is none."""
    column = columns.like(["id"])
    if column is None or _alike(wanted.key or preset.key or "") == "id":
        return None
    read = columns.reader(columns.place(column, "id"))

    def own(cells: Sequence[Any]) -> Any:
        value = read(cells)
        return value if isinstance(value, str) and is_id(value.strip()) else None

    return own, column


def _filled(name: str, template: str, columns: _Columns) -> Callable[[Sequence[Any]], str | None]:
    """What fills a template; without any of its columns filled it is empty, and one that fills to nothing is, too."""
    parts: list[tuple[str, Callable[[Sequence[Any]], Any] | None]] = []
    end = 0
    for hole in _HOLE.finditer(template):
        parts.append((template[end : hole.start()], None))
        if hole[1] is None:
            parts.append((hole[0][0], None))
        else:
            column, _, instead = hole[1].partition("|")
            parts.append((instead, columns.reader(columns.place(column, f"--set {name}"))))
        end = hole.end()
    parts.append((template[end:], None))
    constant = all(read is None for _, read in parts)

    def fill(cells: Sequence[Any]) -> str | None:
        filled, said = [], constant
        for text, read in parts:
            value = None if read is None else read(cells)
            empty = value is None or value is ABSENT
            said = said or not empty
            filled.append(text if empty else str(value).strip())
        return "".join(filled).strip() or None if said else None

    return fill


def _preset(form: Form, name: str | None) -> Preset:
    if name is None:
        return _NO_PRESET
    if name not in form.presets:
        known = ", ".join(sorted(form.presets)) or "none"
        raise Misfit(f"{form.name} have no preset {name!r}; there is {known}")
    return form.presets[name]


def _alike(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip()).casefold()


def _words(annotation: Any) -> dict[str, str]:
    """The texts that a field may have where it is a choice, by lower case."""
    if get_origin(annotation) is Literal:
        return {word.casefold(): word for word in get_args(annotation) if isinstance(word, str)}
    return {text: word for part in get_args(annotation) for text, word in _words(part).items()}
