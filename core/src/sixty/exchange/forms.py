"""What a pack declares so that its records can come in from a file and go out to one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from sixty.exchange.cells import AtMoment
from sixty.extensions import Point
from sixty.values import RecordId

if TYPE_CHECKING:
    from sixty.context import Call
    from sixty.kinds import Kind
    from sixty.storage.statements import Row

__all__ = ["FORMS", "Form", "Line", "Preset"]

Put = Callable[[Any, "Row | None", "Call"], Awaitable["Row"]]
Take = Callable[[Sequence["Row"], "Call"], Awaitable[Sequence["Line"]]]


class Line(BaseModel):
    """What the lines of all forms derive from: fields whose types are those of `cells.py`, or of `sixty.values`.

    A field that the file does not have is not in `model_fields_set`; one that it has and that is empty there is None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: RecordId | None = None
    owner: str | None = None
    """In a file an e-mail address or a name; for `put` the id of that user."""
    created_at: AtMoment = None


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
    line: type[Line]
    """A line of a file: its fields, with their types. What is empty or left out is None."""
    put: Put
    """A line becomes a record: a new one, or the one given, with what the line says and the dates that it says.

    It makes one with `call.records.adopt`, from the line's own `id`, `owner` and `created_at`, and raises a
    `SixtyError` that names the field. Nothing reacts to what it does: it happened long ago. Of a record that is there
    only those fields change that are in the line's `model_fields_set`.
    """
    take: Take
    """Records, in the order of their ids, become lines in the same order; putting one in gives the same record.

    `id`, `owner` and `created_at` are left to the core.
    """
    pointers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The fields that point at records, each with the kind that it points at.

    In a file they are ids, or the keys under which the same source was imported, of contacts also addresses; for `put`
    they are ids.
    """
    written: Sequence[str] | None = None
    """The fields that an export has, in order, besides `id`, `owner` and `created_at`; None: all of them."""
    sums: tuple[str, str] | None = None
    """An amount and what it is summed up by, as columns of the record: for what an import says at its end."""
    presets: Mapping[str, Preset] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the CRM: `hubspot`, `salesforce`, `pipedrive`."""


FORMS: Point[Form] = Point("forms", Form)
"""The kinds of records that can be imported and exported."""
