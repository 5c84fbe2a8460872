"""Search: words and their beginnings, whatever their case and accents; then what is similar."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from fakes import ALL
from fakes.notes import NOTE
from hypothesis import given
from hypothesis import strategies as st

from sixty import builtin
from sixty.errors import Invalid
from sixty.ids import new_id
from sixty.lifecycle import load
from sixty.search import QUERY, fold, hits, match_query
from sixty.storage.alembic import downgrade_pack
from sixty.storage.migrations import upgrade
from sixty.tables import records, search
from sixty.testing import open_organisation
from sixty.testing.inspection import in_database

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sixty.kinds import Kind
    from sixty.testing import Client, Organisation


async def titles(client: Client, query: str, **arguments: Any) -> list[str]:
    return [hit["title"] for hit in (await client.call("search_crm", query=query, **arguments))["results"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Crème Brûlée", "creme brulee"),
        ("STRASSE Straße", "strasse strasse"),
        ("Ångström & Œuvre", "angstrom œuvre"),
        ("o'neill-smith_ltd (UK) 50%", "o neill smith ltd uk 50"),
        ("№ ½ ﬁn", "no 1 2 fin"),
        ("İstanbul", "istanbul"),
        ("東京 タワー", "東京 タワー"),
        ("... --- ***", ""),
        ("", ""),
    ],
)
def test_folding_leaves_words_without_case_and_accents(text: str, words: str) -> None:
    assert fold(text) == words


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_a_query_holds_no_syntax_of_the_callers(text: str) -> None:
    words = fold(text).split()[:20]
    expected = {
        "postgresql": " & ".join(f"~{word}:*" for word in words),
        "sqlite": " ".join(f'"~{word}"*' for word in words),
    }
    for dialect, query in expected.items():
        assert match_query(text, dialect) == (query if words else None)
    assert all(word.isalnum() for word in words)


@pytest.mark.parametrize("query", ["creme", "CRÈME", "brul", "brulee creme", "Crème-Brûlée!", "dessert", "dess crem"])
async def test_every_word_or_its_beginning_is_found_in_title_or_body(sixty: Organisation, query: str) -> None:
    user = sixty.as_role("user")
    await user.call("add_note", text="Crème Brûlée", body="A dessert, served cold")
    await user.call("add_note", text="Unrelated", body="Nothing of the kind")
    assert await titles(user, query) == ["Crème Brûlée"]


@pytest.mark.parametrize(
    "query", ['"', "*", "' OR 1=1 --", "a AND NOT (b)", "title:x", "&|!", "😀", "\u0300", "-" * 255]
)
async def test_signs_are_no_syntax(sixty: Organisation, query: str) -> None:
    user = sixty.as_role("user")
    await user.call("add_note", text="Something")
    assert not (await user.outcome("search_crm", query=query)).is_error


async def test_a_hit_in_the_title_counts_more_than_one_in_the_body(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("add_note", text="Minutes", body="We talked about the budget")
    await user.call("add_note", text="Budget", body="Figures of the year")
    assert await titles(user, "budget") == ["Budget", "Minutes"]


async def test_what_changes_is_found_by_its_new_words_only(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    note = (await user.call("add_note", text="Apples", body="red"))["note"]["id"]
    await user.call("edit_note", note_id=note, updates={"body": "green"})
    assert await titles(user, "green") == ["Apples"]
    await user.call("edit_note", note_id=note, updates={"text": "Pears", "body": None})
    assert await titles(user, "pears") == ["Pears"]
    assert await titles(user, "apples") == []
    assert await titles(user, "green") == []


async def test_a_misspelt_word_finds_the_closest_and_says_so(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("add_note", text="Enterprise License")
    answer = await user.call("search_crm", query="enterprize licence")
    assert [hit["title"] for hit in answer["results"]] == ["Enterprise License"]
    assert answer["message"] == 'No record has the words "enterprize licence"; these are the closest'


async def test_the_closest_of_many_come_best_first_whatever_their_accents(
    sixty: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sixty.builtin.search.AT_ONCE", 2)
    user = sixty.as_role("user")
    for text in ("Crème Brûlée", "Crème fraîche", "Creme Brule", "Something else", "Straße 7"):
        await user.call("add_note", text=text)
    assert await titles(user, "creme bruleee") == ["Crème Brûlée", "Creme Brule", "Crème fraîche"]
    assert await titles(user, "creme bruleee", limit=2) == ["Crème Brûlée", "Creme Brule"]
    assert await titles(user, "strassse 7") == ["Straße 7"]


async def test_what_is_similar_is_looked_for_among_what_the_caller_may_read(sixty: Organisation) -> None:
    await sixty.as_role("admin").call("add_note", text="Enterprise License")
    assert await titles(sixty.as_role("user"), "enterprize licence") == []


async def test_nothing_found_is_no_error_and_says_why(sixty: Organisation) -> None:
    answer = await sixty.as_role("user").call("search_crm", query="xyzzy")
    assert (answer["success"], answer["results"]) == (True, [])
    assert answer["message"] == 'Nothing that you can see comes close to "xyzzy"'


async def test_kinds_are_those_that_are_searched(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("add_note", text="Something")
    assert await titles(user, "something", kinds=["note"]) == ["Something"]
    with pytest.raises(Invalid, match=r"there is no kind 'nots' to search; did you mean 'note'?"):
        await user.call("search_crm", query="x", kinds=["nots"])


async def test_a_limit_keeps_the_best(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    for number in range(5):
        await user.call("add_note", text=f"Report {number}", body="Report " * number)
    assert len(await titles(user, "report", limit=2)) == 2


async def test_without_anything_to_search_the_answer_says_so(database_url: str) -> None:
    async with open_organisation(database_url, []) as sixty:
        answer = await sixty.as_role("admin").call("search_crm", query="x")
        assert answer["message"] == "There is nothing that you may search"


async def test_a_snippet_is_short(sixty: Organisation) -> None:
    user = sixty.as_role("user")
    await user.call("add_note", text="Long", body="word " * 100)
    (hit,) = (await user.call("search_crm", query="long"))["results"]
    assert len(hit["snippet"]) == 160
    assert hit["snippet"].endswith("…")


VISIT = replace(NOTE, name="site_visit")


def put(connection: sa.Connection, kind: Kind, title: str, body: str, at: datetime) -> str:
    """A record with these words."""
    record_id = new_id()
    spine = {"id": record_id, "kind": kind.name, "version": 1, "created_at": at, "updated_at": at}
    connection.execute(sa.insert(records).values(**spine))
    words = {"record_id": record_id, "kind": kind.name, "title": title, "body": body}
    connection.execute(sa.insert(search).values(**words))
    connection.commit()
    return record_id


def found(connection: sa.Connection, kind: Kind, text: str) -> set[str]:
    """The ids of the records of a kind that match."""
    query = match_query(text, connection.dialect.name)
    return set(connection.execute(sa.select(hits(kind).c.record_id), {QUERY: query}).scalars())


async def test_a_kind_is_searched_by_itself_whatever_its_name(sixty: Organisation, database_url: str) -> None:
    def ask(connection: sa.Connection) -> None:
        note = put(connection, NOTE, "budget 7", "", sixty.clock())
        visit = put(connection, VISIT, "", "the budget of 7 sites", sixty.clock())
        for kind, of_kind in ((NOTE, note), (VISIT, visit)):
            for text in ("budget", "bud", "7", "budg 7"):
                assert found(connection, kind, text) == {of_kind}
            for text in ("note", "site", "visit", "visitbudget", "udget"):
                assert found(connection, kind, text) == ({visit} if (kind, text) == (VISIT, "site") else set())

    await in_database(database_url, ask)


async def test_what_was_there_before_words_had_kinds_is_found(
    sixty: Organisation, database_url: str, tmp_path: Path
) -> None:
    core, *others = [load(name, plugin, {}) for name, plugin in (("core", builtin), *ALL)]
    for pack in (*reversed(others), core):
        await downgrade_pack(database_url, pack)
    assert core.tables is not None
    assert core.tables.migrations is not None
    for revision in core.tables.migrations.glob("000[1-4]_*.py"):
        shutil.copy(revision, tmp_path)
    before = replace(core, tables=replace(core.tables, migrations=tmp_path))
    assert await upgrade(database_url, [before]) == {}
    budget = await in_database(database_url, lambda connection: put(connection, NOTE, "budget", "", sixty.clock()))
    assert await upgrade(database_url, [core, *others]) == {}
    assert await in_database(database_url, lambda connection: found(connection, NOTE, "bud")) == {budget}
