"""Migrations: each pack's own history, whole or not at all, and one that begins after its tables were made."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sixty.errors import PluginError
from sixty.kinds import Tables
from sixty.registry import Pack
from sixty.storage.database import open_database
from sixty.storage.migrations import DECLARED, head_of, status, upgrade

if TYPE_CHECKING:
    from pathlib import Path

FIRST = """
    import sqlalchemy as sa
    from alembic import op

    revision = "0001"
    down_revision = None

    def upgrade():
        op.create_table("things", sa.Column("id", sa.Integer, primary_key=True))

    def downgrade():
        op.drop_table("things")
"""
SECOND = """
    import sqlalchemy as sa
    from alembic import op

    revision = "0002"
    down_revision = "0001"

    def upgrade():
        op.add_column("things", sa.Column("colour", sa.Text))

    def downgrade():
        op.drop_column("things", "colour")
"""
BROKEN = """
    import sqlalchemy as sa
    from alembic import op

    revision = "0002"
    down_revision = "0001"

    def upgrade():
        op.create_table("halves", sa.Column("id", sa.Integer, primary_key=True))
        op.execute(sa.text("SELECT * FROM nowhere"))

    def downgrade():
        pass
"""


def things(folder: Path | None = None, **revisions: str) -> Pack:
    metadata = sa.MetaData()
    sa.Table("things", metadata, sa.Column("id", sa.Integer, primary_key=True))
    if folder is not None:
        folder.mkdir(exist_ok=True)
        for name, content in revisions.items():
            (folder / f"{name}.py").write_text(dedent(content))
    return Pack("things", "1", "", object(), tables=Tables(metadata, migrations=folder))


async def test_a_pack_without_migrations_gets_its_tables_as_declared(database_url: str) -> None:
    assert await upgrade(database_url, [things()]) == {}
    (found,) = await status(database_url, [things()])
    assert (found.current, found.head) == (DECLARED, DECLARED)


async def test_a_history_that_begins_later_takes_the_declared_tables_for_its_first_revision(
    database_url: str, tmp_path: Path
) -> None:
    await upgrade(database_url, [things()])
    pack = things(tmp_path / "migrations", first=FIRST, second=SECOND)
    assert await upgrade(database_url, [pack]) == {}
    (found,) = await status(database_url, [pack])
    assert found.current == "0002"
    database = await open_database(database_url)
    assert await database.rows(sa.text("SELECT id, colour FROM things")) == []
    await database.close()


async def test_a_migration_that_fails_half_way_leaves_nothing_and_names_its_pack(
    database_url: str, tmp_path: Path
) -> None:
    await upgrade(database_url, [things(tmp_path / "migrations", first=FIRST)])
    pack = things(tmp_path / "migrations", second=BROKEN)
    failed = await upgrade(database_url, [pack])
    assert "nowhere" in failed["things"]
    (found,) = await status(database_url, [pack])
    assert (found.current, found.head) == ("0001", "0002")
    (tmp_path / "migrations" / "second.py").write_text(dedent(SECOND))
    assert await upgrade(database_url, [pack]) == {}


async def test_a_migration_that_is_done_is_not_done_again(database_url: str, tmp_path: Path) -> None:
    pack = things(tmp_path / "migrations", first=FIRST)
    assert await upgrade(database_url, [pack]) == {}
    assert await upgrade(database_url, [pack]) == {}


def test_a_history_must_have_one_head(tmp_path: Path) -> None:
    pack = things(tmp_path / "migrations", first=FIRST, second=SECOND, third=SECOND.replace("0002", "0003"))
    with pytest.raises(PluginError, match="2 heads, and must have one"):
        head_of(pack)
