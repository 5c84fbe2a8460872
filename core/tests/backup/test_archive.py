"""The file of a backup: whoever alters or cuts it is found out, or has changed nothing that counts."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixty.backup.archive import open_archive, write_archive
from sixty.backup.manifest import Contents, Manifest
from sixty.backup.stopping import Stop
from sixty.errors import BackupError
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.backup.manifest import Kind

PAYLOAD = bytes(range(256)) * 20
NOTHING = Contents(organisation="0" * 8, versions={}, counts={}, audit={})


def written(folder: Path, kind: Kind, payload: bytes = PAYLOAD) -> tuple[Path, Manifest]:
    source, path = folder / f"{kind}.source", folder / f"{kind}.zip"
    source.write_bytes(payload)

    def manifest(size: int, sha256: str) -> Manifest:
        return Manifest(made_at=MORNING, database=kind, packs={}, contents=NOTHING, size=size, sha256=sha256)

    return path, write_archive(path, source, kind, manifest, Stop())


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Kind, tuple[bytes, Manifest]]]:
    folder = tmp_path_factory.mktemp("archives")
    kinds: tuple[Kind, ...] = ("sqlite", "postgresql")
    made = {kind: written(folder, kind) for kind in kinds}
    return folder, {kind: (path.read_bytes(), manifest) for kind, (path, manifest) in made.items()}


def read(folder: Path, content: bytes) -> tuple[Manifest, bytes] | None:
    """What a file restores, or None if it is refused."""
    path, payload = folder / "read.zip", folder / "payload"
    path.write_bytes(content)
    payload.unlink(missing_ok=True)
    try:
        manifest = open_archive(path, payload, Stop())
    except BackupError:
        return None
    return manifest, payload.read_bytes()


@settings(deadline=None)
@given(data=st.data(), kind=st.sampled_from(["sqlite", "postgresql"]))
def test_a_file_that_was_altered_is_refused_or_restores_the_same(
    archives: tuple[Path, dict[Kind, tuple[bytes, Manifest]]], data: st.DataObject, kind: Kind
) -> None:
    folder, made = archives
    content, manifest = made[kind]
    where = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255))
    found = read(folder, content[:where] + bytes([byte]) + content[where + 1 :])
    assert found in (None, (manifest, PAYLOAD))


@settings(deadline=None)
@given(data=st.data(), kind=st.sampled_from(["sqlite", "postgresql"]))
def test_a_file_that_was_cut_off_is_refused(
    archives: tuple[Path, dict[Kind, tuple[bytes, Manifest]]], data: st.DataObject, kind: Kind
) -> None:
    folder, made = archives
    content, _ = made[kind]
    assert read(folder, content[: data.draw(st.integers(0, len(content) - 1))]) is None


def test_it_is_its_owners_alone_and_opens_with_any_program_for_zip(tmp_path: Path) -> None:
    path, manifest = written(tmp_path, "sqlite")
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["sixty.db", "manifest.json"]
        assert archive.read("sixty.db") == PAYLOAD
        assert json.loads(archive.read("manifest.json"))["sha256"] == manifest.sha256


def forged(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"other_txt": b"x"}, "no backup of Sixty"),
        ({"manifest_json": b"{"}, "no manifest that can be read"),
        (
            {"manifest_json": b'{"format": 2, "sealed": true}'},
            "has the format 2, and this version of Sixty reads up to 1",
        ),
        ({"manifest_json": b"x" * (10 << 20 | 1)}, "the manifest of the backup has"),
    ],
)
def test_what_is_no_backup_of_this_version_is_refused(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    with pytest.raises(BackupError, match=message):
        open_archive(forged(tmp_path / "x.zip", **members), tmp_path / "payload", Stop())


def test_a_payload_that_is_not_the_manifests_is_refused(tmp_path: Path) -> None:
    _, manifest = written(tmp_path, "postgresql")
    path = forged(tmp_path / "x.zip", sixty_dump=PAYLOAD[:-1], manifest_json=manifest.to_json())
    with pytest.raises(BackupError, match="is not as it was made"):
        open_archive(path, tmp_path / "payload", Stop())
