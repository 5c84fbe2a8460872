"""What becomes of deals that were there before a migration."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty import builtin
from sixty.ids import new_id
from sixty.lifecycle import load
from sixty.storage.alembic import downgrade_pack
from sixty.storage.migrations import upgrade
from sixty.tables import records
from sixty.testing.inspection import differences, in_database
from sixty_deals import plugin
from sixty_deals.tables import TABLES, deal_stages, deals

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.registry import Pack

OPENED = datetime(2026, 1, 5, 9, tzinfo=UTC)
MOVED = datetime(2026, 2, 5, 9, tzinfo=UTC)
LATER = ("stage_entered_at", "path")


async def at_first(url: str, folder: Path) -> Pack:
    """The pack, with its tables as its first revision makes them."""
    pack = load("deals", plugin, {})
    assert TABLES.migrations is not None
    shutil.copy(TABLES.migrations / "0001_deals.py", folder)
    await downgrade_pack(url, pack)
    assert await upgrade(url, [replace(pack, tables=replace(TABLES, migrations=folder))]) == {}
    return pack


def put(connection: sa.Connection, deal_id: str) -> None:
    """A deal that was moved on and back."""
    common = {"id": deal_id, "owner_id": None, "version": 3, "created_at": OPENED, "updated_at": MOVED}
    connection.execute(sa.insert(records).values(kind="deal", **common))
    before = sa.table("deals", *(sa.column(c.name, c.type) for c in deals.columns if c.name not in LATER))
    deal = {"title": "Pilot", "company_name": "Acme", "stage": "sql", "status": "open", "opened_at": OPENED}
    connection.execute(sa.insert(before).values(**common, **deal))
    for stage, entered, left in (("sql", OPENED, MOVED), ("verbal", MOVED, MOVED.replace(hour=10))):
        stay = {"id": new_id(), "deal_id": deal_id, "stage": stage, "entered_at": entered, "left_at": left}
        connection.execute(sa.insert(deal_stages).values(**stay))
    last = {"id": new_id(), "deal_id": deal_id, "stage": "sql", "entered_at": MOVED.replace(hour=10)}
    connection.execute(sa.insert(deal_stages).values(**last))
    connection.commit()


async def test_deals_know_where_they_are_as_their_stays_say(database_url: str, tmp_path: Path) -> None:
    pack, deal_id = await at_first(database_url, tmp_path), new_id()
    await in_database(database_url, lambda connection: put(connection, deal_id))
    assert await upgrade(database_url, [load("core", builtin, {}), pack]) == {}

    def look(connection: sa.Connection) -> tuple[Any, ...]:
        found = connection.execute(sa.select(deals).where(deals.c.id == deal_id)).mappings().one()
        return found["path"], found["stage_entered_at"], found["company_name"], found["opened_at"]

    moved_back = MOVED.replace(hour=10)
    assert await in_database(database_url, look) == ("sql verbal sql", moved_back, "Acme", OPENED)
    found = await in_database(database_url, lambda connection: differences(connection, TABLES.metadata))
    assert found == []
