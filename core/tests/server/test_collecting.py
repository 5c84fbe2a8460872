"""A server settles: what stays is left alone by the garbage collector, and what does not is collected all the same."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from sixty.server.collecting import settling

if TYPE_CHECKING:
    from collections.abc import Iterator


class Circle:
    """Refers to itself, so that only the collector ends it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """The collector is afterwards as it was before."""
    yield
    gc.unfreeze()


async def test_what_is_there_is_left_alone() -> None:
    circle = Circle()
    async with settling():
        assert not any(each is circle for each in gc.get_objects())


async def test_cycles_of_the_time_before_are_gone_at_once() -> None:
    gone = weakref.ref(Circle())
    async with settling():
        assert gone() is None


async def test_what_settled_and_is_needed_no_more_is_collected_when_much_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sixty.server.collecting.EVERY", 0.0)
    monkeypatch.setattr("sixty.server.collecting.SHARE", float("inf"))
    monkeypatch.setattr("sixty.server.collecting.MUCH", 1_000)
    circle = Circle()
    gone = weakref.ref(circle)
    async with settling():
        del circle
        gc.collect()
        assert gone() is not None
        new = [[number] for number in range(2_000)]
        gc.collect()  # they have survived it
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert gone() is None
        assert not any(each is new[0] for each in gc.get_objects())


async def test_little_that_is_new_does_not_unsettle_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sixty.server.collecting.EVERY", 0.0)
    circle = Circle()
    gone = weakref.ref(circle)
    async with settling():
        del circle
        gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert gone() is not None
