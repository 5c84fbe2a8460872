"""What the pack stores: items."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from sixty import Kind, Record, Searchable, Tables, record_table

metadata = sa.MetaData()

things = record_table(  # these columns, and id, owner_id, version, created_at, updated_at
    "things",
    metadata,
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("body", sa.Text),
)


class ThingRecord(Record):
    """How one is shown."""

    title: str
    body: str | None = None


THING = Kind(
    "thing",
    table=things,
    model=ThingRecord,
    resource="things",  # whose permissions govern it
    title="title",
    finder="find_things",
)
SEARCHABLE = Searchable(THING, title="title", body=("body",))
TABLES = Tables(metadata, kinds=(THING,), migrations=Path(__file__).parent / "migrations")
