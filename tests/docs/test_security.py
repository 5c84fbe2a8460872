"""What security.md claims is held by a test that is there."""

from __future__ import annotations

import re

import pytest
from pages import DOCS, ROOT, Page

pytestmark = pytest.mark.docs

FOLDERS = ("core/tests", "tests", "plugins")


def test_each_test_that_a_claim_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", Page(DOCS / "security.md").text))
    there = {
        name
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert named <= there, named - there
