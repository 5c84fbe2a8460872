"""What a server needed once is given back."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from sixty.server import allocating

PIECES, PIECE = 20_000, 4_000


def own_bytes() -> int:
    """Memory of this process alone."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators do that by themselves, or not at all")
def test_memory_that_is_free_between_what_is_used_is_given_back() -> None:
    pieces = [bytes(PIECE) for _ in range(PIECES)]
    kept = pieces[::100]
    full = own_bytes()
    del pieces
    allocating.give_back()
    assert full - own_bytes() > PIECES * PIECE * 0.8
    assert len(kept) == PIECES / 100


def test_nothing_is_done_where_there_is_no_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    allocating.share()
    allocating.give_back()
