"""An organisation to back up, an empty database to restore it into, and a folder for backups."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sixty.backup.making import back_up, source_at
from sixty.backup.places import Folder
from sixty.backup.stopping import Stop
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sixty.backup.manifest import Made
    from sixty.testing.databases import PostgresTemplates


@pytest.fixture
def plugins() -> tuple[tuple[str, object], ...]:
    from fakes import errands, notes, pins  # noqa: PLC0415 - found by path from here on

    return (("notes", notes), ("pins", pins), ("errands", errands))


@pytest.fixture(autouse=True)
def _needs_programs(request: pytest.FixtureRequest) -> None:
    """Postgres is backed up by programs of its own."""
    if "postgres" in request.node.name and os.environ.get("CI") != "true":
        from sixty.backup.programs import folder_for  # noqa: PLC0415 - as above
        from sixty.errors import BackupError  # noqa: PLC0415 - as above

        try:
            folder_for(10)
        except BackupError as error:
            pytest.skip(str(error))


@pytest.fixture
def empty_url(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database beside that of `database_url`."""
    if database_url.startswith("sqlite"):
        yield f"sqlite+aiosqlite:///{tmp_path / 'restored.db'}"
        return
    templates: PostgresTemplates = request.getfixturevalue("postgres_templates")
    name = f"sixty_test_restored_{secrets.token_hex(6)}"
    templates._clerk.execute(f"CREATE DATABASE {name}").result()
    url = sa.make_url(database_url).set(database=name).render_as_string(hide_password=False)
    yield url
    templates.drop(url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for backups."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


@pytest.fixture
def make(database_url: str, folder: Path) -> Callable[..., Made]:
    """Makes a backup of the database in the folder."""

    def make_one(url: str = database_url, stop: Stop | None = None, *, verify: bool = True) -> Made:
        source, place = source_at(url), Folder(folder)
        return back_up(source, place, packs={"core": "1"}, now=MORNING, stop=stop or Stop(), verify=verify)

    return make_one
