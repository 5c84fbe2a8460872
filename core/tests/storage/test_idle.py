"""Idle connections: who is taken next, and who is let go."""

from __future__ import annotations

import pytest

from sixty.storage import idle
from sixty.storage.idle import LONG, Idle


class Watch:
    """Says what time it is."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(idle, "monotonic", watch)
    return watch


def test_who_was_used_last_is_used_next_and_who_was_not_used_for_long_is_let_go(watch: Watch) -> None:
    gone: list[str] = []
    waiting = Idle(gone.append)
    for name in ("a", "b", "c"):
        waiting.put(name)
    for _ in range(100):
        watch.now += 1
        assert waiting.take() == "c"
        waiting.put("c")
    assert gone == ["a", "b"]
    assert waiting.take_all() == ["c"]


def test_who_is_used_again_and_again_stays_however_rarely(watch: Watch) -> None:
    gone: list[str] = []
    waiting = Idle(gone.append)
    for _ in range(10):
        watch.now += LONG + 1
        assert waiting.take() in (None, "a")
        waiting.put("a")
    assert (gone, len(waiting)) == ([], 1)
    assert waiting.take() == "a"
    assert waiting.take() is None
