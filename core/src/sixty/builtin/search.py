"""Search over every kind of record that the caller may read."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

from sixty.context import Call
from sixty.errors import Invalid, nearest
from sixty.search import ALL, QUERY, fold, hits, match_query
from sixty.tools import tool
from sixty.values import Arguments, Limit, Result, Text, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.kinds import Searchable
    from sixty.storage.statements import Row

__all__ = ["search_crm"]

CLOSE = 60.0
"""How similar, from 0 to 100, a title must be to the query to be offered when no word matches."""
RANK = "sixty_rank"
"""The column of a hit's rank, which no table of a pack has."""
RECENT = 5_000
"""The newest records of a kind that are compared by similarity at the most."""
SNIPPET = 160
"""Characters of a snippet."""


class SearchCrm(Arguments):
    query: Text
    kinds: list[str] | None = Field(None, description="Such as deal or contact; all by default")
    limit: Limit = 25


class Hit(BaseModel):
    kind: str
    id: str
    title: str
    snippet: str | None = None
    score: float


class SearchFound(Result):
    results: list[Hit]


@tool("search_crm", permission=None, effect="read")
async def search_crm(args: SearchCrm, call: Call) -> SearchFound:
    """Search records of every kind by words: by their beginnings first, by similarity if nothing matches."""
    searchables = _searchables(call, args.kinds)
    if not searchables:
        return SearchFound(message="There is nothing that you may search", results=[])
    query = match_query(args.query, call.host.database.dialect_name)
    found: list[Hit] = []
    if query is not None:
        for searchable in searchables:
            values = {**ALL, QUERY: query, "most": args.limit}
            rows = await call.within(searchable.kind).rows(_matching(searchable), values)
            found.extend(_hit(searchable, row, round(-row[RANK], 4)) for row in rows)
    found.sort(key=lambda hit: -hit.score)
    if found:
        return _found(call, f"Found {counted(len(found[: args.limit]), 'record')}", found[: args.limit])
    close = [hit for searchable in searchables for hit in await _similar(call, searchable, args.query)]
    close.sort(key=lambda hit: -hit.score)
    if close:
        message = f'No record has the words "{args.query}"; these are the closest'
        return _found(call, message, close[: args.limit])
    return SearchFound(message=f'Nothing that you can see comes close to "{args.query}"', results=[])


def _found(call: Call, message: str, hits: list[Hit]) -> SearchFound:
    call.seen.update({hit.id: hit.kind for hit in hits})
    return SearchFound(message=message, results=hits)


def _searchables(call: Call, kinds: list[str] | None) -> list[Searchable]:
    known = call.registry.searchables
    for kind in kinds or ():
        if kind not in known:
            msg = f"kinds: there is no kind {kind!r} to search{nearest(kind, known)}"
            raise Invalid(msg, field="kinds", given=kind, allowed=sorted(known))
    wanted = known if kinds is None else kinds
    return [known[kind] for kind in wanted if any(call.scopes(f"{known[kind].kind.resource}:read"))]


@lru_cache(maxsize=256)
def _matching(searchable: Searchable) -> sa.Select[Any]:
    table, found = searchable.kind.table, hits(searchable.kind)
    return (
        sa.select(table, found.c.rank.label(RANK))
        .join(found, found.c.record_id == table.c.id)
        .order_by(found.c.rank, table.c.id.desc())
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


@lru_cache(maxsize=256)
def _recent(searchable: Searchable) -> sa.Select[Any]:
    table = searchable.kind.table
    needed = dict.fromkeys(("id", searchable.kind.title, searchable.title, *searchable.body))
    return sa.select(*(table.c[name] for name in needed)).order_by(table.c.updated_at.desc()).limit(RECENT)


async def _similar(call: Call, searchable: Searchable, query: str) -> list[Hit]:
    rows = {row["id"]: row for row in await call.within(searchable.kind).rows(_recent(searchable))}
    titles = {record_id: str(row[searchable.title]) for record_id, row in rows.items()}
    best = await asyncio.to_thread(_closest, query, titles)
    return [_hit(searchable, rows[record_id], round(score / 100, 4)) for _, score, record_id in best]


def _closest(query: str, titles: Mapping[str, str]) -> list[tuple[str, float, str]]:
    """The titles that come closest, each with how close it comes. Of thousands it takes long enough to delay others."""
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - rarely needed, and slow to import

    folded = {record_id: fold(title) for record_id, title in titles.items()}
    return process.extract(fold(query), folded, scorer=fuzz.WRatio, score_cutoff=CLOSE, limit=25)


def _hit(searchable: Searchable, row: Row, score: float) -> Hit:
    body = " · ".join(str(row[column]) for column in searchable.body if row[column])
    snippet = body if len(body) <= SNIPPET else body[: SNIPPET - 1] + "…"
    kind = searchable.kind
    return Hit(kind=kind.name, id=row["id"], title=kind.name_of(row), snippet=snippet or None, score=score)
