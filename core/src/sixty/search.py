"""The search index: which words each record has, folded alike on both databases.

Folding takes accents and case away and leaves words and numbers, so that Postgres and SQLite cut text into the
same tokens. The database keeps the full-text index beside the table `search` by itself (see the migrations), each word
with its kind before it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from sixty.storage.columns import Id
from sixty.storage.statements import Write
from sixty.tables import search

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.sql.compiler import SQLCompiler

    from sixty.kinds import Kind, Searchable

__all__ = [
    "ALL",
    "BEST",
    "CANDIDATES",
    "OLDER",
    "QUERY",
    "fold",
    "forget",
    "hits",
    "index",
    "match_query",
    "matches",
    "reindex",
]

CANDIDATES = 10_001
"""Only the newest of so many matches of a kind are looked at: one more than a list counts exactly."""
RANKED = 2_000
"""Of so many of the newest it is known which are the best; all others come after them."""
PROBED = 1_000
"""Of so many of the newest records of a kind some must match for a word to be taken for a common one, on Postgres."""
OFTEN = 20
"""How many of them."""
FEW = 100_000
"""Up to so many records of all kinds no word is too common for the index of words, on Postgres."""
QUERY = "sixty_query"
"""The parameter of `hits`: what `match_query` made of the caller's words."""
_RANKED, _SKIPPED, _MOST = "sixty_ranked", "sixty_skipped", "sixty_most"
ALL: Mapping[str, Any] = {_RANKED: True}
"""Values for parameters of `hits`, with which every match has its rank; without them none has, which counts faster."""
BEST: Mapping[str, Any] = {_RANKED: True, _MOST: RANKED}
"""Values with which it has the newest matches, and their ranks."""
OLDER: Mapping[str, Any] = {_SKIPPED: RANKED, _MOST: CANDIDATES - RANKED}
"""Values with which it has all others, and no ranks."""

_KIND = "~"
"""Stands for the kind in a query, which is of no kind; no word has it."""
_WORDS = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """The words of a text, without case and accents, one space between them."""
    if text.isascii():  # it has no accents, and most text is so: a third of the time
        return " ".join(_WORDS.findall(text.lower()))
    lower = unicodedata.normalize("NFKD", text).casefold()  # folding a letter can bring an accent back
    plain = "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))
    return " ".join(_WORDS.findall(plain))


def match_query(text: str, dialect: str) -> str | None:
    """The query that finds records with every word of `text`, each word or its beginning; None without words."""
    words = fold(text).split()[:20]
    if not words:
        return None
    if dialect == "postgresql":
        return " & ".join(f"{_KIND}{word}:*" for word in words)
    return " ".join(f'"{_KIND}{word}"*' for word in words)


class _matching(FunctionElement[Any]):  # noqa: N801 - named like an SQL function
    """The matches of a kind for a query, the newest first: a relation of `rid` and `rank`; smaller ranks are better.

    So many of them are skipped, and so many follow at the most. Ranks are null unless they are asked for.
    """

    name = "matching"
    inherit_cache = True


@compiles(_matching, "sqlite")
def _sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    kind, query, ranked, skipped, most = (compiler.process(clause, **options) for clause in element.clauses)
    rank = f"CASE WHEN {ranked} THEN bm25(search_index, 8.0, 1.0) END AS rank"
    match = f"search_index MATCH replace({query}, '{_KIND}', replace({kind}, '_', ''))"
    newest = f"ORDER BY rowid DESC LIMIT {most} OFFSET {skipped}"
    found = f"SELECT rowid AS rid, {rank} FROM search_index WHERE {match} {newest}"  # noqa: S608 - no value in it
    record = "SELECT record_id FROM search WHERE search.rid = found.rid"
    return f"(SELECT rid, ({record}) AS record_id, rank FROM ({found}) AS found)"  # noqa: S608 - as above


@compiles(_matching, "postgresql")
def _postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    """A word that many have is found by going back through all records of a kind, a rare one by the index of words.

    Which of both it is, the newest records tell: the planner knows nothing of beginnings of words. Where there are few
    records, they are not asked.
    """
    kind, query, ranked, skipped, most = (compiler.process(clause, **options) for clause in element.clauses)
    own = f"replace({query}, '{_KIND}', replace({kind}, '_', ''))"
    words = f"(SELECT to_tsquery('simple', {own}))"  # a selection is made once, and not for each row
    matches = f"document @@ {words}"
    newest = f"SELECT document FROM search WHERE kind = {kind} ORDER BY -rid LIMIT {PROBED}"  # noqa: S608 - no value in it
    asked = f"SELECT count(*) >= {OFTEN} FROM ({newest}) AS newest WHERE {matches}"  # noqa: S608 - as above
    many = f"SELECT reltuples > {FEW} FROM pg_class WHERE oid = 'search'::regclass"  # noqa: S608 - as above
    common = f"SELECT CASE WHEN ({many}) THEN ({asked}) ELSE false END AS often"
    found = "SELECT rid, record_id, document FROM search WHERE"
    some = f"LIMIT {most} OFFSET {skipped}"
    # no index has a case or `rid + 0`, so that the planner has one way for each of both; what is lateral it does not
    # hand to other processes, which take longer to start than most searches; and the rest of a division by one, of
    # which it knows as little, lets it expect few: it looks their records up and does not read all that there are
    return (
        f"(SELECT rid, record_id, CASE WHEN {ranked} THEN -ts_rank(document, {words}) END AS rank"  # noqa: S608 - as above
        f" FROM ({common}) AS common CROSS JOIN LATERAL ("
        f"({found} common.often AND kind = {kind} AND CASE WHEN {matches} THEN true END ORDER BY -rid {some})"
        f" UNION ALL ({found} NOT common.often AND {matches} ORDER BY rid + 0 DESC {some})) AS matching"
        " WHERE rid % 1 = 0)"
    )


def _candidates(kind: Kind) -> sa.TableValuedAlias:
    matching = _matching(
        sa.literal(kind.name, sa.String),
        sa.bindparam(QUERY, type_=sa.String),
        sa.bindparam(_RANKED, False, type_=sa.Boolean),  # noqa: FBT003 - a value
        sa.bindparam(_SKIPPED, 0, type_=sa.Integer),
        sa.bindparam(_MOST, CANDIDATES, type_=sa.Integer),
    )
    columns = (sa.column("rid", sa.BigInteger), sa.column("record_id", Id), sa.column("rank", sa.Float))
    return matching.table_valued(*columns, name="candidates")


@lru_cache(maxsize=256)
def hits(kind: Kind) -> sa.Subquery:
    """The records of a kind that match the parameter `QUERY`: `record_id` and `rank`, best lowest; see `ALL` for ranks.

    It shows no text, and is for joining with the table of the kind, which carries the scope.
    """
    candidates = _candidates(kind)
    return sa.select(candidates.c.record_id, candidates.c.rank).subquery("hits")


@lru_cache(maxsize=256)
def matches(kind: Kind) -> sa.Select[Any]:
    """As many rows as `hits` has: what counts them for those who may read every record of the kind."""
    return sa.select(_candidates(kind).c.rid)


_insert = sa.insert(search)
_update = (
    sa.update(search)
    .where(search.c.record_id == sa.bindparam("of", type_=Id))
    .values(title=sa.bindparam("new_title"), body=sa.bindparam("new_body"))
)
_delete = sa.delete(search).where(search.c.record_id == sa.bindparam("of", type_=Id))


def _words(searchable: Searchable, row: Mapping[str, Any]) -> tuple[str, str]:
    body = " ".join(str(row[column]) for column in searchable.body if row.get(column) is not None)
    return fold(str(row[searchable.title] or "")), fold(body)


def index(searchable: Searchable, row: Mapping[str, Any]) -> Write:
    """The write that makes a record findable."""
    title, body = _words(searchable, row)
    return Write(
        _insert,
        {"record_id": row["id"], "kind": searchable.kind.name, "title": title, "body": body},
        row=("search", row["id"]),
    )


def reindex(searchable: Searchable, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Write]:
    """The write that follows a change of a record, if its words have changed."""
    if (words := _words(searchable, after)) != _words(searchable, before):
        yield Write(
            _update, {"of": after["id"], "new_title": words[0], "new_body": words[1]}, row=("search", after["id"])
        )


def forget(record_id: str) -> Write:
    """The write after which a record is not found."""
    return Write(_delete, {"of": record_id}, row=("search", record_id))
