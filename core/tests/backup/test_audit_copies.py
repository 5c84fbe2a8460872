"""Copies of the audit trail: each line once, in order, whatever is killed or restored in between."""

from __future__ import annotations

import gzip
import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from sixty.backup import audit_copies
from sixty.backup.audit_copies import copy_lines, settled
from sixty.backup.places import Folder
from sixty.backup.stopping import Stop
from sixty.errors import BackupError
from sixty.storage.database import StorageUnavailable
from sixty.storage.statements import Write
from sixty.tables import audit
from sixty.testing.clock import MORNING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sixty.storage.database import Database

OURS = "0123abcd"


class Trail:
    """Lines of a trail, as the database would give them."""

    def __init__(self) -> None:
        self.lines: dict[int, dict[str, Any]] = {}

    def add(self, seq: int, call: str) -> None:
        self.lines[seq] = {"seq": seq, "call_id": call, "at": MORNING, "tool": "t", "salt": b"\x01\xff"}

    def read(self, statement: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
        if statement is audit_copies._LINE:
            return [self.lines[values["wanted"]]] if values["wanted"] in self.lines else []
        if statement is audit_copies._HEAD:
            return [{"position": len(self.lines), "hash": b"\xab"}] if self.lines else []
        if statement is audit_copies._FIRST:
            return [{"seq": min(self.lines, default=None)}]
        between = [seq for seq in sorted(self.lines) if values["after"] < seq <= values["until"]]
        return [self.lines[seq] for seq in between[: audit_copies.PAGE]]

    def copy(self, folder: Path) -> list[audit_copies.Copied]:
        return copy_lines(Folder(folder), OURS, self.read, max(self.lines, default=0), Stop())


def chain(folder: Path) -> list[dict[str, Any]]:
    """The manifests in order, each found to follow another and to be of its file."""
    manifests, hashes = [], [None]
    for path in sorted(folder.glob("*.json")):
        manifest = json.loads(path.read_bytes())
        assert manifest["previous"] in hashes
        assert hashlib.sha256((folder / manifest["file"]).read_bytes()).hexdigest() == manifest["sha256"]
        hashes.append(hashlib.sha256(path.read_bytes()).hexdigest())
        manifests.append(manifest)
    assert {path.name for path in folder.glob("*.gz")} == {it["file"] for it in manifests}
    return manifests


def lines(folder: Path, manifests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    texts = (gzip.decompress((folder / it["file"]).read_bytes()) for it in manifests)
    return [json.loads(line) for text in texts for line in text.splitlines()]


def test_only_its_owner_can_read_a_copy(folder: Path) -> None:
    trail = Trail()
    trail.add(1, "call 1")
    trail.copy(folder)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_each_copy_goes_on_where_the_last_one_ended(folder: Path) -> None:
    trail = Trail()
    assert trail.copy(folder) == []
    for seq in (3, 4, 7):
        trail.add(seq, f"call {seq}")
    (first,) = trail.copy(folder)
    assert trail.copy(folder) == []
    trail.add(8, "call 8")
    (second,) = trail.copy(folder)
    assert (first.first, first.last, first.lines, first.previous, first.head) == (3, 7, 3, None, "3:ab")
    assert (second.first, second.after, second.position) == (8, 7, 2)
    assert first.file == f"audit-{OURS}-00000001-3-7-20260302.jsonl.gz"
    copied = lines(folder, chain(folder))
    assert [line["seq"] for line in copied] == [3, 4, 7, 8]
    assert (copied[0]["at"], copied[0]["salt"]) == ("2026-03-02T09:30:00Z", "01ff")


class Killed(Exception):
    pass


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whenever_it_is_killed_each_line_is_copied_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder, trail, seq = tmp_path_factory.mktemp("copies"), Trail(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_copies, "PAGE", 2)
        patch.setattr(audit_copies, "LINES", 4)
        put = Folder.put
        for _ in range(data.draw(st.integers(1, 5))):
            for _ in range(data.draw(st.integers(0, 6))):
                seq += data.draw(st.integers(1, 2))  # what was rolled back leaves gaps
                trail.add(seq, f"call {seq}")
            left = data.draw(st.integers(0, 5))

            def dies(place: Folder, name: str, path: Path) -> None:
                nonlocal left
                if left == 0:
                    raise Killed
                left -= 1
                put(place, name, path)

            patch.setattr(Folder, "put", dies)
            with suppress(Killed):
                trail.copy(folder)
        patch.setattr(Folder, "put", put)
        trail.copy(folder)
    assert [line["seq"] for line in lines(folder, chain(folder))] == sorted(trail.lines)


def test_what_a_restored_database_has_anew_is_copied_too(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    trail = Trail()
    for seq in (1, 2):
        trail.add(seq, f"call {seq}")
    trail.copy(folder)
    for seq in (3, 4):
        trail.add(seq, f"call {seq}")
    trail.copy(folder)
    del trail.lines[3], trail.lines[4]  # it is as it was before
    for seq in (3, 4, 5):
        trail.add(seq, f"another call {seq}")
    trail.copy(folder)
    first, second, third = chain(folder)
    assert (third["after"], third["previous"]) == (2, second["previous"])
    assert [line["call_id"] for line in lines(folder, [first, third])][2:] == [f"another call {n}" for n in (3, 4, 5)]
    assert "it was restored, and its lines are copied anew" in caplog.text
    trail.lines = {1: {**trail.lines[1], "call_id": "of another life"}}
    (fourth,) = trail.copy(folder)
    assert (fourth.after, fourth.previous) == (0, None)


def test_lines_that_were_kept_for_long_enough_are_not_missed(folder: Path) -> None:
    trail = Trail()
    for seq in (1, 2):
        trail.add(seq, f"call {seq}")
    trail.copy(folder)
    trail.lines.clear()
    trail.add(3, "call 3")
    (copy,) = trail.copy(folder)
    assert (copy.after, copy.previous is None) == (2, False)


def test_where_nothing_may_be_removed_what_was_left_behind_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BackupError("it is locked")

    monkeypatch.setattr(Folder, "remove", refuse)
    left = folder / f"audit-{OURS}-00000001-1-9-20260302.jsonl.gz"
    left.touch()
    trail = Trail()
    trail.add(1, "call 1")
    assert len(trail.copy(folder)) == 1
    assert left.exists()


ROW = {"call_id": "0199a4c0-6b1e-7d3a-9c55-2f0e8b7d4a10", "at": MORNING, "tool": "t", "outcome": "ok"}


async def test_no_line_can_come_below_the_last_one_that_is_settled(database: Database) -> None:
    assert await settled(database) == 0
    row = {**ROW, "transport": "test", "microseconds": 1, "message": None, "user_id": None}
    await database.apply([Write(sa.insert(audit), row)])
    assert await settled(database) == 1
    if database.dialect_name == "postgresql":
        async with database.transaction() as transaction:
            await transaction.execute(sa.insert(audit), row)
            with pytest.raises(StorageUnavailable):
                await settled(database)
        assert await settled(database) == 2


def test_copies_and_their_manifests_are_their_owners_alone(folder: Path) -> None:
    trail = Trail()
    trail.add(1, "call 1")
    trail.copy(folder)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
