"""Search over every kind of record that the caller may read."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel, Field

from sixty.context import Call
from sixty.errors import Invalid, nearest
from sixty.search import ALL, QUERY, fold, hits, match_query
from sixty.storage.functions import gathered
from sixty.storage.several import chunks, several
from sixty.tools import tool
from sixty.values import Arguments, Limit, Result, Text, counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sixty.kinds import Searchable
    from sixty.storage.statements import Row

__all__ = ["search_crm"]

CLOSE = 60.0
"""How similar, from 0 to 100, a title must be to the query to be offered when no word matches."""
RANK = "sixty_rank"
"""The column of a hit's rank, which no table of a pack has."""
AT_ONCE = 200
"""Titles that are compared before others have their turn: a quarter of a millisecond."""
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
    close = await _closest(call, searchables, args)
    if close:
        message = f'No record has the words "{args.query}"; these are the closest'
        return _found(call, message, close)
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
def _named(searchable: Searchable, size: int) -> sa.Select[Any]:
    table = searchable.kind.table
    return sa.select(table).where(table.c.id.in_(several(size)))


@lru_cache(maxsize=256)
def _recent(searchable: Searchable) -> sa.Select[Any]:
    table = searchable.kind.table
    title = table.c[searchable.title].label("title")
    newest = sa.select(table.c.id, title).order_by(table.c.updated_at.desc()).limit(RECENT).subquery()
    return sa.select(gathered(newest.c.id).label("ids"), gathered(newest.c.title).label("titles"))


async def _closest(call: Call, searchables: Sequence[Searchable], args: SearchCrm) -> list[Hit]:
    """The records whose titles come closest, the best first."""
    close: list[tuple[float, str, Searchable]] = []
    for searchable in searchables:
        (newest,) = await call.within(searchable.kind).rows(_recent(searchable))
        async for score, place in _similar(args, newest["titles"]):
            close.append((score, str(UUID(newest["ids"][place])), searchable))
    best = nlargest(args.limit, close, key=itemgetter(0))
    hits: dict[str, Hit] = {}
    for searchable in searchables:
        if scores := {record_id: score for score, record_id, of in best if of is searchable}:
            for size, ids in chunks(scores):
                rows = await call.within(searchable.kind).rows(_named(searchable, size), ids)
                hits |= {row["id"]: _hit(searchable, row, round(scores[row["id"]] / 100, 4)) for row in rows}
    return [hits[record_id] for _, record_id, _ in best if record_id in hits]  # all, unless somebody writes meanwhile


async def _similar(args: SearchCrm, titles: Sequence[str]) -> AsyncIterator[tuple[float, int]]:
    """How close each title comes that comes close, and its place. Others are served after every few titles."""
    from rapidfuzz import fuzz, process, utils  # noqa: PLC0415 - rarely needed, and slow to import

    query = fold(args.query)
    for start in range(0, len(titles), AT_ONCE):
        # the processor folds all but accents, and faster
        some = [title if title.isascii() else fold(title) for title in map(str, titles[start : start + AT_ONCE])]
        best = process.extract(
            query, some, scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=CLOSE, limit=args.limit
        )
        for _, score, place in best:
            yield score, start + place
        await asyncio.sleep(0)


def _hit(searchable: Searchable, row: Row, score: float) -> Hit:
    body = " · ".join(str(row[column]) for column in searchable.body if row[column])
    snippet = body if len(body) <= SNIPPET else body[: SNIPPET - 1] + "…"
    kind = searchable.kind
    return Hit(kind=kind.name, id=row["id"], title=kind.name_of(row), snippet=snippet or None, score=score)
