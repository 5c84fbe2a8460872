"""What a pack declares so that its records can come in from a file and go out to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sixty.extensions import Point

if TYPE_CHECKING:
    from pydantic import BaseModel

    from sixty.context import Call
    from sixty.kinds import Kind
    from sixty.storage.statements import Row

__all__ = ["FORMS", "Form", "Preset"]

Put = Callable[[Any, "Row | None", "Call"], Awaitable["Row"]]
Take = Callable[[Sequence["Row"], "Call"], Awaitable[Sequence["BaseModel"]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How another CRM writes its export of one kind of record."""

    columns: Mapping[str, Sequence[str]]
    """For each field the columns that may have it; the first one that the file has counts."""
    values: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=lambda: MappingProxyType({}))
    """For a field and a value of the file, in lower case: what it says, also of other fields."""
    templates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """For a field, a text with `{column}` in it."""
    key: str | None = None
    """The column that tells the records apart."""
    dates: Sequence[str] = ()
    """The formats of dates and times, as `strptime` has them, beside ISO 8601."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Form:
    """How records of one kind come in from a file and go out to one. A pack adds it at `FORMS`."""

    name: str
    """What people type: `deals`."""
    kind: Kind
    line: type[BaseModel]
    """A line of a file: its fields, with their types. What is empty or left out is None.

    `id`, `owner` and `created_at` are fields of every form, and the core's to fill and to write.
    """
    put: Put
    """A line becomes a record: a new one, or the one given, with what the line says and the dates that it says.

    It checks everything before it writes anything, and raises a `SixtyError` that names the field. Nothing reacts to
    what it does: it happened long ago.
    """
    take: Take
    """Records become lines, in the same order; putting a line in again gives the same record."""
    presets: Mapping[str, Preset] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the CRM: `hubspot`, `salesforce`, `pipedrive`."""


FORMS: Point[Form] = Point("forms", Form)
"""The kinds of records that can be imported and exported."""
