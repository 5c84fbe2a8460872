"""Clients that nobody here wrote connect, see what they may use, and use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kinds import PYTHON, TYPESCRIPT
from processes import Refused

if TYPE_CHECKING:
    from conftest import Connect, Organisation
    from kinds import Kind

pytestmark = [
    pytest.mark.clients,
    pytest.mark.parametrize("organisation", ["sqlite"], indirect=True, scope="module"),
]

FIXTURES = {"add_book", "retitle_book", "switch_lending", "lend_book", "take_stock"}
"""The tools of the packs that are here for the tests."""


@pytest.mark.parametrize("kind", [*PYTHON, *TYPESCRIPT], ids=str)
def test_a_user_is_shown_exactly_what_they_may_use_and_uses_it(
    kind: Kind, organisation: Organisation, server: str, connect: Connect
) -> None:
    client = connect(kind, "user", server)
    assert (client.answer() == "2026-07-28") == (kind.era == "modern")
    assert FIXTURES.intersection(client.ask("tools")) == {"add_book", "lend_book"}
    assert "shelf://rules" in client.ask("resources")
    assert "shelf://books/{book_id}" in client.ask("templates")
    assert {"recommend", "remind"} <= set(client.ask("prompts"))

    added = client.ask("call", "add_book", {"title": "Persuasion"})
    assert (added["success"], added["book"]["title"]) == (True, "Persuasion")
    wrong = client.ask("call", "add_book", {"title": ""})
    assert (wrong["success"], wrong["error"]["code"], wrong["error"]["field"]) == (False, "invalid", "title")
    assert client.ask("call", "search_deals", {})["success"]  # its output schema is a real one
    assert client.ask("call", "take_stock", {})["error"]["code"] == "forbidden"
    with pytest.raises(Refused, match="Unknown tool: burn_book"):
        client.ask("call", "burn_book", {})

    assert client.ask("read", "shelf://rules") == "No food near the books."
    assert '"Emma"' in client.ask("read", f"shelf://books/{organisation.book_id}")
    assert client.ask("prompt", "recommend", {"genre": "poetry"}) == "Recommend a book: poetry"
    assert client.ask("complete", "recommend", "genre", "bio") == ["biography", "biology"]


def test_an_admin_is_shown_what_is_for_admins(server: str, connect: Connect) -> None:
    client = connect(PYTHON[2], "admin", server)
    client.answer()
    assert set(client.ask("tools")) >= FIXTURES
    assert client.ask("call", "take_stock", {})["success"]
