"""Hopes: who reads without a transaction, and how soon again after that was vain."""

from __future__ import annotations

from sixty.storage.hopes import MOST, Hopes


def allowed(hopes: Hopes, name: str) -> int:
    """How many reads of this name go without hope before one that may hope."""
    count = 0
    while not hopes.allow(name):
        count += 1
    return count


def test_each_vain_hope_in_a_row_is_followed_by_twice_as_many_reads_without() -> None:
    hopes = Hopes()
    assert allowed(hopes, "report") == 0
    without = []
    for _ in range(6):
        hopes.was_vain("report")
        without.append(allowed(hopes, "report"))
    assert without == [2, 4, 8, 16, MOST, MOST]
    assert allowed(hopes, "record") == 0


def test_hopes_that_come_true_take_doubts_away() -> None:
    hopes = Hopes()
    for _ in range(3):
        hopes.was_vain("report")
        allowed(hopes, "report")
    for _ in range(4):
        hopes.came_true("report")
    hopes.was_vain("report")
    assert allowed(hopes, "report") == 2
