"""Migrations: each pack's own history, whole or not at all, and what they leave is what is declared."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import ALL, pins

from sixty import builtin
from sixty.errors import PluginError
from sixty.lifecycle import load
from sixty.storage.alembic import downgrade_pack, upgrade_packs
from sixty.storage.migrations import head_of, status, upgrade
from sixty.tables import metadata, pointers
from sixty.testing.inspection import differences, in_database

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.registry import Pack


def packs(*plugins: tuple[str, object]) -> list[Pack]:
    return [load(name, plugin, {}) for name, plugin in (("core", builtin), *(plugins or ALL))]


def tables(connection: sa.Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names())


async def test_the_cores_migrations_make_what_it_declares(database_url: str) -> None:
    found = await in_database(database_url, lambda connection: differences(connection, metadata))
    own_to_a_database = {
        ("remove_column", "document"),
        ("remove_index", "ix_search_document"),
        ("remove_index", "ix_search_newest"),
    }
    left = [item for item in found if (item[0], getattr(item[-1], "name", None)) not in own_to_a_database]
    assert left == []


async def test_every_pack_has_a_version_of_its_own(database_url: str) -> None:
    found = {item.pack: (item.current, item.head) for item in await status(database_url, packs())}
    assert {"notes": ("declared", "declared"), "pins": ("0002_marks", "0002_marks")}.items() <= found.items()
    assert found["core"][0] == found["core"][1] is not None


async def test_migrating_again_does_nothing(database_url: str) -> None:
    before = await in_database(database_url, tables)
    assert await upgrade(database_url, packs()) == {}
    assert await upgrade_packs(database_url, packs()) == {}
    assert await in_database(database_url, tables) == before


async def test_tables_that_a_newer_version_has_migrated_are_left_as_they_are(database_url: str) -> None:
    def say(connection: sa.Connection) -> None:
        connection.execute(sa.text("UPDATE alembic_version_pins SET version_num = '0003_later'"))
        connection.commit()

    await in_database(database_url, say)
    found = {item.pack: (item.current, item.state) for item in await status(database_url, packs())}
    assert found["pins"] == ("0003_later", "ahead")
    assert {state for pack, (_, state) in found.items() if pack != "pins"} == {"up to date"}
    assert await upgrade(database_url, packs()) == {}
    assert {item.pack: item.current for item in await status(database_url, packs())}["pins"] == "0003_later"


async def test_a_pack_that_goes_takes_its_tables_and_nothing_else(database_url: str) -> None:
    before = await in_database(database_url, tables)
    (pack,) = [pack for pack in packs() if pack.name == "pins"]
    await downgrade_pack(database_url, pack)
    assert before - await in_database(database_url, tables) == {"pins", "pin_marks"}
    assert (await status(database_url, [pack]))[0].current is None
    await upgrade(database_url, [pack])
    assert await in_database(database_url, tables) == before


async def test_the_core_goes_and_comes_back_whole(database_url: str) -> None:
    before = await in_database(database_url, tables)
    core, *others = packs()
    for pack in reversed(others):
        await downgrade_pack(database_url, pack)
    await downgrade_pack(database_url, core)
    left = {name for name in await in_database(database_url, tables) if not name.startswith("alembic_version")}
    assert left == set()
    assert await upgrade(database_url, [core, *others]) == {}
    assert await in_database(database_url, tables) == before


async def test_two_processes_that_start_together_migrate_once(tmp_path: Path, database_url: str) -> None:
    (pack,) = [pack for pack in packs() if pack.name == "pins"]
    await downgrade_pack(database_url, pack)
    assert await asyncio.gather(*(upgrade(database_url, packs()) for _ in range(3))) == [{}, {}, {}]


async def test_every_pointer_is_known_to_the_core(database_url: str) -> None:
    def read(connection: sa.Connection) -> set[tuple[str, str, str]]:
        return {tuple(row) for row in connection.execute(sa.select(pointers)).all()}  # type: ignore[misc]

    assert await in_database(database_url, read) == {
        ("notes", "about_id", "notes"),
        ("note_lines", "note_id", "notes"),
        ("pins", "note_id", "pins"),
        ("pin_marks", "pin_id", "pins"),
        ("pin_marks", "on_id", "pins"),
    }


@pytest.mark.parametrize(
    ("files", "head"),
    [
        ({"1.py": 'revision = "a"\ndown_revision = None\n'}, "a"),
        (
            {
                "1.py": "revision: str = 'a'\ndown_revision: str | None = None\n",
                "2.py": "revision='b'\ndown_revision='a'",
            },
            "b",
        ),
        ({"1.py": 'revision = "a"\ndown_revision = None\n', "__init__.py": '"""Nothing."""\n'}, "a"),
        ({}, None),
        ({"1.py": 'revision = "a"\n', "2.py": 'revision = "b"\n'}, None),
    ],
)
def test_the_newest_revision_is_read_without_importing_any(
    tmp_path: Path, files: dict[str, str], head: str | None
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    declared: Any = type("Declared", (), {"name": "things", "tables": type("Tables", (), {"migrations": tmp_path})})
    if head is None:
        with pytest.raises(PluginError, match="heads, and must have one"):
            head_of(declared)
    else:
        assert head_of(declared) == head


def test_a_pack_without_tables_has_no_version() -> None:
    (pack,) = [pack for pack in packs() if pack.name == "world"]
    assert head_of(pack) is None
    assert pins.sixty_tables().migrations is not None
