"""Every client sees what its user may use, uses it, and is told, once, of what changes: over whatever transport.

The clients are spread over two servers on one database, and those over stdio have servers of their own. That somebody
is not told is seen by what comes next: a book to which all of them subscribe is given another title.
"""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING

import pytest
from kinds import PYTHON, TYPESCRIPT, Kind
from processes import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Connect, Organisation
    from processes import Client

pytestmark = [
    pytest.mark.clients,
    pytest.mark.parametrize(
        ("organisation", "audience"),
        # the database decides no more than whether a server notices what another process has done
        [("sqlite", PYTHON), ("sqlite", TYPESCRIPT), ("postgres", PYTHON[:4])],
        ids=["python-sqlite", "typescript-sqlite", "python-postgres"],
        indirect=True,
        scope="module",
    ),
]

FIXTURES = {"add_book", "retitle_book", "switch_lending", "lend_book", "take_stock"}
"""The tools of the packs that are here for the tests."""
PROMPTS, RESOURCES, TOOLS = (f"notifications/{kind}/list_changed" for kind in ("prompts", "resources", "tools"))
USER = "uma.user@example.com"


class Audience:
    """Clients that listen: one of each kind for a user, and one for an admin."""

    def __init__(self, users: Mapping[str, Client], admin: Client, book_id: str) -> None:
        self.users = users
        self.admin = admin
        self._book_id = book_id
        self._numbers = count()
        self.revisions = {kind: client.answer() for kind, client in {**users, "admin": admin}.items()}
        for client in (*users.values(), admin):
            client.ask("listen", f"shelf://books/{book_id}")

    def who_sees(self, verb: str, name: str) -> set[str]:
        """Which of the user's clients see `name` in the list that they fetch with `verb`."""
        return {kind for kind, client in self.users.items() if name in client.ask(verb)}

    def assert_told(self, *, user: list[str], admin: list[str]) -> None:
        """Each of the user's clients, and the admin's, has been told this, and nothing else, in whatever order."""
        listening = {**self.users, "admin": self.admin}
        expected = {kind: sorted(admin if kind == "admin" else user) for kind in listening}
        told = {kind: [client.told() for _ in expected[kind]] for kind, client in listening.items()}
        self.retitle(self._book_id)
        last = f"notifications/resources/updated shelf://books/{self._book_id}"
        assert {kind: sorted(told[kind] + client.told_until(last)) for kind, client in listening.items()} == expected

    def retitle(self, book_id: str) -> None:
        """Give a book another title."""
        titled = self.admin.ask("call", "retitle_book", {"book_id": book_id, "title": f"Volume {next(self._numbers)}"})
        assert titled["success"]


@pytest.fixture(scope="module")
def audience(
    request: pytest.FixtureRequest, organisation: Organisation, server: str, neighbour: str, connect: Connect
) -> Audience:
    kinds: list[Kind] = request.param
    users = {str(kind): connect(kind, "user", (server, neighbour)[n % 2]) for n, kind in enumerate(kinds)}
    admin = connect(Kind("python", "http", "modern"), "admin", server)
    return Audience(users, admin, organisation.book_id)


def test_a_user_is_shown_exactly_what_they_may_use_and_uses_it(
    organisation: Organisation, audience: Audience, subtests: pytest.Subtests
) -> None:
    listed = json.loads(organisation.run("tools", "--user", USER, "--json"))
    for kind, client in audience.users.items():
        with subtests.test(kind):
            assert (audience.revisions[kind] == "2026-07-28") == kind.endswith("modern")
            tools = client.ask("tools")
            assert tools == [tool["name"] for tool in listed]
            assert FIXTURES.intersection(tools) == {"add_book", "lend_book"}
            assert "shelf://rules" in client.ask("resources")
            assert "shelf://books/{book_id}" in client.ask("templates")
            assert {"recommend", "remind"} <= set(client.ask("prompts"))

            added = client.ask("call", "add_book", {"title": "Persuasion"})
            assert (added["success"], added["book"]["title"]) == (True, "Persuasion")
            assert client.ask("call", "search_deals", {})["success"]
            assert client.ask("read", "shelf://rules") == "No food near the books."
            book = json.loads(client.ask("read", f"shelf://books/{organisation.book_id}"))
            assert book["id"] == organisation.book_id
            assert client.ask("prompt", "recommend", {"genre": "poetry"}) == "Recommend a book: poetry"
            assert client.ask("complete", "recommend", "genre", "bio") == ["biography", "biology"]


def test_who_calls_with_a_mistake_reads_what_was_wrong(audience: Audience, subtests: pytest.Subtests) -> None:
    for kind, client in audience.users.items():
        with subtests.test(kind):
            wrong = client.ask("call", "add_book", {"title": ""})
            assert (wrong["success"], wrong["error"]["code"], wrong["error"]["field"]) == (False, "invalid", "title")
            assert client.ask("call", "take_stock", {})["error"]["code"] == "forbidden"
            with pytest.raises(Refused, match="Unknown tool: burn_book"):
                client.ask("call", "burn_book", {})


def test_an_admin_is_shown_what_is_for_admins(audience: Audience) -> None:
    assert set(audience.admin.ask("tools")) >= FIXTURES
    assert audience.admin.ask("call", "take_stock", {})["success"]


def test_who_sees_a_pack_is_told_once_of_each_list_when_it_goes_and_comes(
    organisation: Organisation, audience: Audience
) -> None:
    everybody = set(audience.users)
    offered = [("tools", "lend_book"), ("prompts", "remind"), ("resources", "lending://terms")]
    for verb, name in offered:
        assert audience.who_sees(verb, name) == everybody

    organisation.run("plugins", "disable", "lending")
    audience.assert_told(user=[PROMPTS, RESOURCES, TOOLS], admin=[PROMPTS, RESOURCES, TOOLS])
    for verb, name in offered:
        assert audience.who_sees(verb, name) == set()
    called = {kind: client.ask("call", "lend_book", {"title": "Emma"}) for kind, client in audience.users.items()}
    assert {kind: answer["error"]["code"] for kind, answer in called.items()} == dict.fromkeys(called, "tool_removed")

    organisation.run("plugins", "enable", "lending")
    audience.assert_told(user=[PROMPTS, RESOURCES, TOOLS], admin=[PROMPTS, RESOURCES, TOOLS])
    for verb, name in offered:
        assert audience.who_sees(verb, name) == everybody


def test_who_never_saw_a_pack_is_not_told_when_it_goes_and_comes(
    organisation: Organisation, audience: Audience
) -> None:
    organisation.run("plugins", "disable", "stocktaking")
    audience.assert_told(user=[], admin=[TOOLS])
    assert "take_stock" not in audience.admin.ask("tools")
    organisation.run("plugins", "enable", "stocktaking")
    audience.assert_told(user=[], admin=[TOOLS])
    assert "take_stock" in audience.admin.ask("tools")


def test_a_pack_that_a_tool_switches_at_one_server_goes_and_comes_at_all_of_them(audience: Audience) -> None:
    assert audience.admin.ask("call", "switch_lending", {"on": False})["success"]
    audience.assert_told(user=[PROMPTS, RESOURCES, TOOLS], admin=[PROMPTS, RESOURCES, TOOLS])
    assert audience.who_sees("tools", "lend_book") == set()
    assert audience.admin.ask("call", "switch_lending", {"on": True})["success"]
    audience.assert_told(user=[PROMPTS, RESOURCES, TOOLS], admin=[PROMPTS, RESOURCES, TOOLS])
    assert audience.who_sees("tools", "lend_book") == set(audience.users)


@pytest.mark.parametrize(
    ("give", "take"),
    [
        (["user", "set-role", USER, "manager"], ["user", "set-role", USER, "user"]),
        (["grant", "add", USER, "books:update"], ["grant", "revoke", USER, "books:update"]),
    ],
    ids=["role", "grant"],
)
def test_who_may_do_more_or_less_is_told_and_nobody_else(
    organisation: Organisation, audience: Audience, give: list[str], take: list[str]
) -> None:
    organisation.run(*give)
    audience.assert_told(user=[TOOLS], admin=[])
    assert audience.who_sees("tools", "retitle_book") == set(audience.users)
    organisation.run(*take)
    audience.assert_told(user=[TOOLS], admin=[])
    assert audience.who_sees("tools", "retitle_book") == set()


def test_who_subscribes_to_a_record_is_told_when_another_client_changes_it_and_of_no_other(audience: Audience) -> None:
    other = audience.admin.ask("call", "add_book", {"title": "Nobody subscribes to it"})["book"]["id"]
    audience.retitle(other)
    audience.assert_told(user=[], admin=[])
