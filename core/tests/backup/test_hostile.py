"""Files that somebody has made to do harm, in a place of backups that they can write to."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from sixty.backup import programs
from sixty.backup.archive import open_archive
from sixty.backup.making import source_at
from sixty.backup.manifest import Contents, Manifest
from sixty.backup.places import Folder
from sixty.backup.programs import folder_for
from sixty.backup.stopping import Stop
from sixty.errors import BackupError
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from pathlib import Path


UNGUARDED = r"""REAL/pg_restore "$@" | sed '/^\\\(un\)\{0,1\}restrict /d'"""
"""What pg_restore wrote before August 2025."""
UNGUARDING = r"""sed 's/^\\restrict /\\restrict_/' | REAL/psql "$@" """
"""What psql knew before then."""


@pytest.fixture
def postgres_url(database_url: str) -> str:
    if not database_url.startswith("postgresql"):
        pytest.skip("files of SQLite hold no commands")
    return database_url


def replaced(folder: Path, name: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the programs is this line, in which `REAL` is the folder of all others."""
    real = folder_for(10)
    folder.mkdir()
    for each in programs.PROGRAMS:
        (folder / each).symlink_to(real / each)
    (folder / name).unlink()
    (folder / name).write_text(f"#!/bin/sh\n{line.replace('REAL', str(real))}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_dump_cannot_run_programs_where_it_is_restored(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, dump, ran = source_at(postgres_url), tmp_path / "dump", tmp_path / "ran"
    source.dump(dump, Stop())
    content = dump.read_bytes()
    where = content.index(b"CREATE TABLE public.audit (")
    command = f"\n\\! touch '{ran}'\n".encode()
    dump.write_bytes(content[:where] + command + content[where + len(command) :])
    with pytest.raises(BackupError, match="psql"):
        source.check(dump, Stop())
    assert not ran.exists()
    replaced(tmp_path / "old", "pg_restore", UNGUARDED, monkeypatch)
    with pytest.raises(BackupError, match="psql"):
        source.check(dump, Stop())
    assert not ran.exists()


def test_programs_that_cannot_be_kept_from_it_are_not_used(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, dump = source_at(postgres_url), tmp_path / "dump"
    source.dump(dump, Stop())
    replaced(tmp_path / "old", "psql", UNGUARDING, monkeypatch)
    with pytest.raises(BackupError, match="psql is too old to restore a dump safely"):
        source.check(dump, Stop())


def test_a_payload_that_grows_beyond_what_the_manifest_says_fills_no_disk(tmp_path: Path) -> None:
    nothing = Contents(organisation="0" * 8, versions={}, counts={}, audit={})
    manifest = Manifest(made_at=MORNING, database="sqlite", packs={}, contents=nothing, size=10, sha256="0" * 64)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sixty.db", bytes(64 << 20))
        archive.writestr("manifest.json", manifest.to_json())
    with pytest.raises(BackupError, match="is not as it was made"):
        open_archive(tmp_path / "bomb.zip", tmp_path / "payload", Stop())
    assert (tmp_path / "payload").stat().st_size <= 1 << 20


def test_folders_of_others_beside_backups_stay(folder: Path) -> None:
    demo, left = folder / ".sixty-demo", folder / ".sixty-work-abcdefgh"
    for each in (demo, left):
        each.mkdir()
        os.utime(each, (0, 0))
    with Folder(folder).workspace():
        pass
    assert demo.is_dir()
    assert not left.exists()
