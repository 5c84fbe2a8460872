"""Outcomes: whatever a caller sent and an answer quotes, the answer is JSON."""

from __future__ import annotations

import json

import pytest

from sixty.outcome import Outcome


@pytest.mark.parametrize(
    ("given", "shown"), [("\ud800", "?"), ({"\udfff": 1}, {"?": 1}), (2**64, 2**64), ([-(2**200)], [-(2**200)])]
)
def test_what_an_answer_quotes_can_always_be_sent(given: object, shown: object) -> None:
    outcome = Outcome.of({"success": False, "error": {"given": given}}, is_error=True)
    assert json.loads(outcome.text.encode()) == outcome.structured
    assert outcome.structured["error"] == {"given": shown}
