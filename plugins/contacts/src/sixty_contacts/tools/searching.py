"""The tool that finds contacts. Each shape of a search is one statement, built once; the values are bound."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from sixty import Arguments, Call, Cursor, Id, Invalid, Limit, Order, RecordId, Text, Unavailable, page, tool
from sixty.crm import DEALS
from sixty.search import ALL, QUERY, hits, match_query
from sixty_contacts.emails import Email
from sixty_contacts.models import ContactsFound
from sixty_contacts.names import beginning
from sixty_contacts.tables import COMPANY, CONTACT, companies, contacts

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["search_contacts"]

_contacts = sa.select(contacts, companies.c.name.label("company_name")).select_from(
    contacts.outerjoin(companies, companies.c.id == contacts.c.company_id)
)
_LAST = Order(contacts.c.id, descending=True)


class SearchContacts(Arguments):
    """The arguments of `search_contacts`."""

    query: Text | None = None
    company_name: Text | None = None
    email: Email | None = None
    deal_id: RecordId | None = None
    owner_id: RecordId | None = None
    limit: Limit = 25
    cursor: Cursor | None = None


class Search(NamedTuple):
    """One shape of a search."""

    statement: sa.Select[Any]
    order: tuple[Order, ...]


@tool("search_contacts", permission="contacts:read", effect="read")
async def search_contacts(args: SearchContacts, call: Call) -> ContactsFound:
    """Find contacts by words, company, email, deal or owner; the latest changed first.

    query takes words, or their beginnings, of name, email, role, phone or company, and puts the best first.
    company_name takes the name of a company or its beginning.
    """
    values = await _values(args, call)
    search = _search(frozenset(values))
    found = await page(call, search.statement, values, order=search.order, limit=args.limit, cursor=args.cursor)
    message = await call.found(found, CONTACT, narrowed=bool(values))
    return ContactsFound.model_validate({"message": message, "contacts": found.rows, **found.fields()})


async def _values(args: SearchContacts, call: Call) -> dict[str, Any]:
    """The values of the filters that are given, by the names of their parameters."""
    call.check_user(args.owner_id)
    given: dict[str, Any] = {"email": args.email, "owner_id": args.owner_id}
    if args.query is not None:
        given[QUERY] = match_query(args.query, call.host.database.dialect_name)
        if given[QUERY] is None:
            msg = f"query must have a word or a number in it, got {args.query!r}"
            raise Invalid(msg, field="query", given=args.query)
    if args.company_name is not None:
        given["company"] = beginning(args.company_name)
    if args.deal_id is not None:
        if DEALS not in call.views:
            msg = "deal_id: there are no deals here, since no pack that keeps deals is installed; leave deal_id out"
            raise Unavailable(msg, field="deal_id")
        given["deal_id"] = await call.records.resolve("deal_id", args.deal_id, "deal")
    return {name: value for name, value in given.items() if value is not None}


@lru_cache(maxsize=128)
def _search(given: frozenset[str]) -> Search:
    """The search with these parameters."""
    wanted = _contacts.where(*_conditions(given))
    if QUERY not in given:
        return Search(wanted, (Order(contacts.c.updated_at, descending=True), _LAST))
    found = _matching()
    ranked = wanted.join(found, found.c.contact_id == contacts.c.id).add_columns(found.c.at_company, found.c.rank)
    return Search(ranked, (Order(found.c.at_company, always=True, valued=ALL), Order(found.c.rank, always=True), _LAST))


def _matching() -> sa.Subquery:
    """The contacts that match by their own words, and after them those whose company does."""
    own, company = hits(CONTACT), hits(COMPANY)
    by_themselves = sa.select(own.c.record_id.label("contact_id"), sa.literal(0).label("at_company"), own.c.rank)
    by_company = (
        sa.select(contacts.c.id, sa.literal(1), company.c.rank)
        .join_from(company, companies, companies.c.id == company.c.record_id)
        .join(contacts, contacts.c.company_id == companies.c.id)
    )
    both = sa.union_all(by_themselves, by_company).subquery("both")
    first, best = sa.func.min(both.c.at_company).label("at_company"), sa.func.min(both.c.rank).label("rank")
    return sa.select(both.c.contact_id, first, best).group_by(both.c.contact_id).subquery("matching_contacts")


def _conditions(given: frozenset[str]) -> Iterator[sa.ColumnElement[bool]]:
    for name in ("email", "owner_id"):
        if name in given:
            yield contacts.c[name] == sa.bindparam(name, type_=contacts.c[name].type)
    if "company" in given:
        yield companies.c.name_key.like(sa.bindparam("company", type_=sa.String), escape="/")
    if "deal_id" in given:
        theirs = sa.select(DEALS.c.contact_id).where(DEALS.c.id == sa.bindparam("deal_id", type_=Id))
        yield contacts.c.id.in_(theirs)
