"""Places for files: a folder and a bucket behave alike."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from sixty.backup.bucket import Bucket
from sixty.backup.places import Folder, place_at
from sixty.errors import BackupError, ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from sixty.backup.places import Place


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, folder: Path) -> Place:
    if request.param == "folder":
        return Folder(folder)
    store = pytest.importorskip("obstore.store", reason="the extra `bucket` is not installed")
    return Bucket("s3://bucket/prefix", store.MemoryStore())


def put(place: Place, name: str, content: bytes) -> None:
    with place.workspace() as folder:
        path = folder / "file"
        path.write_bytes(content)
        place.put(name, path)


def read(place: Place, name: str, tmp_path: Path) -> bytes:
    path = tmp_path / "read"
    place.read(name, path)
    return path.read_bytes()


def test_files_are_put_listed_read_replaced_and_removed(place: Place, tmp_path: Path) -> None:
    assert place.list("") == []
    for name, content in (("b-2", b"two"), ("b-1", b"one"), ("a-1", b"")):
        put(place, name, content)
    assert place.list("b-") == [("b-1", 3), ("b-2", 3)]
    assert read(place, "b-2", tmp_path) == b"two"
    put(place, "b-2", b"another")
    assert read(place, "b-2", tmp_path) == b"another"
    place.remove("b-1")
    assert [stored.name for stored in place.list("")] == ["a-1", "b-2"]


def test_what_is_not_there_is_an_error_that_names_the_place(place: Place, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"there is no file|s3://bucket/prefix: "):
        place.read("nothing", tmp_path / "read")


def test_nothing_is_left_of_a_workspace_in_which_something_went_wrong(place: Place) -> None:
    left: list[Path] = []

    def fail() -> None:
        with place.workspace() as folder:
            left.append(folder)
            (folder / "dump").touch()
            raise OSError(28, "No space left on device")

    with pytest.raises(BackupError, match="No space left on device"):
        fail()
    assert not left[0].exists()


def test_a_name_that_leads_out_of_a_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no name of a file"):
        Folder(folder).read("../secret", tmp_path / "read")


def test_an_address_is_that_of_a_folder_or_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place_at(str(tmp_path)).address == place_at(f"file://{tmp_path}").address == str(tmp_path)
    with pytest.raises(ConfigError, match=r"'ftp://x' names no place for files: write a folder, or s3://BUCKET/PREFIX"):
        place_at("ftp://x")
    with pytest.raises(ConfigError, match="names no bucket"):
        place_at("s3:///prefix")
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(ConfigError, match=r"pip install 'sixty-core\[bucket\]'"):
        place_at("s3://bucket")


def test_a_bucket_is_not_asked_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    store = pytest.importorskip("obstore.store", reason="the extra `bucket` is not installed")
    made: list[Any] = []
    monkeypatch.setattr(store, "S3Store", lambda *args, **options: made.append((args, options)))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000")
    assert place_at("s3://bucket/a/b/").address == "s3://bucket/a/b/"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.example")
    place_at("s3://bucket")
    (local, there) = made
    assert (local[0], local[1]["prefix"], local[1]["client_options"]) == (("bucket",), "a/b", {"allow_http": True})
    assert (there[1]["prefix"], there[1]["client_options"]) == (None, {"allow_http": False})
