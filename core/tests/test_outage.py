"""What is away is told of once, and so is that it is back."""

from __future__ import annotations

import logging

import pytest

from sixty.errors import Unavailable
from sixty.outage import Outage


@pytest.mark.parametrize(
    ("error", "said", "traceback"),
    [(Unavailable("no answer"), "it is away: no answer", False), (ZeroDivisionError(), "it is away", True)],
)
def test_an_outage_is_told_of_once_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture, error: Exception, said: str, *, traceback: bool
) -> None:
    outage = Outage(logging.getLogger("tests"), "it is away", "it is back")
    for _ in range(3):
        with outage.survived():
            raise error
        assert outage.lasts
    for _ in range(2):
        with outage.survived():
            pass
        assert not outage.lasts
    assert [record.message for record in caplog.records] == [said, "it is back"]
    assert (caplog.records[0].exc_info is not None) is traceback


def test_a_cancellation_is_no_outage() -> None:
    outage = Outage(logging.getLogger("tests"), "it is away", "it is back")
    with pytest.raises(KeyboardInterrupt), outage.survived():
        raise KeyboardInterrupt
    assert not outage.lasts
