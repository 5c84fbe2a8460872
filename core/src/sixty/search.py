"""The search index: which words each record has, folded alike on both databases.

Folding takes accents and case away and leaves words and numbers, so that Postgres and SQLite cut text into the
same tokens. The database keeps the full-text index beside the table `search` by itself (see the migrations).
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

__all__ = ["CANDIDATES", "QUERY", "fold", "forget", "hits", "index", "match_query", "reindex"]

CANDIDATES = 10_001
"""Only the newest of so many matches of a kind are ranked: one more than a list counts exactly."""
PROBED = 4_000
"""Of so many of the newest records a hundredth must match for a word to be taken for a common one, on Postgres."""
QUERY = "sixty_query"
"""The parameter of `hits`: what `match_query` made of the caller's words."""

_WORDS = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """The words of a text, without case and accents, one space between them."""
    lower = unicodedata.normalize("NFKD", text).casefold()  # folding a letter can bring an accent back
    plain = "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c))
    return " ".join(_WORDS.findall(plain))


def match_query(text: str, dialect: str) -> str | None:
    """The query that finds records with every word of `text`, each word or its beginning; None without words."""
    words = fold(text).split()[:20]
    if not words:
        return None
    if dialect == "postgresql":
        return " & ".join(f"{word}:*" for word in words)
    beginnings = " ".join(f'"{word}"*' for word in words)
    return f"{{title body}} : ({beginnings})"


class _matching(FunctionElement[Any]):  # noqa: N801 - named like an SQL function
    """The candidates of a kind for a query, as a relation of `rid` and `rank`; smaller ranks are better."""

    name = "matching"
    inherit_cache = True


@compiles(_matching, "sqlite")
def _sqlite(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    kind, query = (compiler.process(clause, **options) for clause in element.clauses)
    match = f"""search_index MATCH 'kind : "' || {kind} || '" AND ' || {query}"""
    return (
        f"(SELECT rowid AS rid, bm25(search_index, 0.0, 8.0, 1.0) AS rank FROM search_index WHERE {match}"  # noqa: S608 - no value in it
        f" ORDER BY rowid DESC LIMIT {CANDIDATES})"
    )


@compiles(_matching, "postgresql")
def _postgresql(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    """A word that many have is found by going back through all records, a rare one by the index of words.

    Which of both it is, the newest records tell: the planner knows nothing of beginnings of words.
    """
    kind, query = (compiler.process(clause, **options) for clause in element.clauses)
    matches = f"kind = {kind} AND document @@ to_tsquery('simple', {query})"
    newest = f"(SELECT kind, document FROM search ORDER BY rid DESC LIMIT {PROBED}) AS newest"  # noqa: S608 - no value in it
    common = f"SELECT count(*) >= {PROBED // 100} AS often FROM {newest} WHERE {matches}"  # noqa: S608 - as above
    found = f"SELECT rid, document FROM search WHERE {matches} AND"  # noqa: S608 - as above
    # `rid + 0` is in no index, so that the one of words is used
    return (
        f"(WITH common AS MATERIALIZED ({common}),"  # noqa: S608 - as above
        f" often AS ({found} (SELECT often FROM common) ORDER BY rid DESC LIMIT {CANDIDATES}),"
        f" seldom AS ({found} NOT (SELECT often FROM common) ORDER BY rid + 0 DESC LIMIT {CANDIDATES})"
        f" SELECT rid, -ts_rank(document, to_tsquery('simple', {query})) AS rank"
        f" FROM (SELECT rid, document FROM often UNION ALL SELECT rid, document FROM seldom) AS matching)"
    )


@lru_cache(maxsize=256)
def hits(kind: Kind) -> sa.Subquery:
    """The records of a kind that match the parameter `QUERY`: `record_id` and `rank`, best lowest.

    It shows no text, and is for joining with the table of the kind, which carries the scope.
    """
    matching = _matching(sa.literal(kind.name, sa.String), sa.bindparam(QUERY, type_=sa.String))
    candidates = matching.table_valued(sa.column("rid", sa.BigInteger), sa.column("rank", sa.Float), name="candidates")
    return (
        sa.select(search.c.record_id, candidates.c.rank)
        .join(candidates, candidates.c.rid == search.c.rid)
        .subquery("hits")
    )


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
