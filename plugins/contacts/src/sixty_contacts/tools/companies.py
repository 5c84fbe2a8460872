"""Which company a contact is at: one that the caller can see, found by name or by domain, or a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sixty_contacts.emails import company_domain
from sixty_contacts.names import name_key
from sixty_contacts.tables import COMPANY, companies
from sixty_contacts.tools.fields import company_columns

if TYPE_CHECKING:
    from sixty import Call, Row

__all__ = ["company_at", "company_called", "company_for"]

_by_name = (
    sa.select(companies).where(companies.c.name_key == sa.bindparam("name_key")).order_by(companies.c.id).limit(1)
)
_by_domain = sa.select(companies).where(companies.c.domain == sa.bindparam("domain")).order_by(companies.c.id).limit(1)


async def company_called(call: Call, name: str) -> Row | None:
    """The oldest company that has this name, however it is spelt."""
    key = name_key(name)
    return await _oldest(call, _by_name, "name_key", key)


async def company_at(call: Call, domain: str) -> Row | None:
    """The oldest company that has this domain."""
    return await _oldest(call, _by_domain, "domain", domain)


async def _oldest(call: Call, statement: sa.Select[Any], field: str, value: str) -> Row | None:
    """The oldest company with this value; what is not there is claimed, for it may be made now."""
    found = await call.rows(statement, {field: value})
    if not found:
        await call.claim(f"contacts.company_{field}", value)
        found = await call.rows(statement, {field: value})
    return found[0] if found else None


async def company_for(call: Call, name: str | None, email: str | None, *, by_domain: bool) -> Row | None:
    """The company of that name, or `by_domain` the one of the email's; made when a name has none. None without both.

    A new company gets the domain of the email, unless anybody can have an address there or another one has it.
    """
    company = await company_called(call, name) if name is not None else None
    if company is not None:
        return company
    domain = company_domain(email) if email is not None else None
    holder = await company_at(call, domain) if domain is not None else None
    if name is None or (holder is not None and by_domain):
        return holder
    given: dict[str, Any] = {"name": name, "domain": domain if holder is None else None}
    return await call.records.add(COMPANY, company_columns(given))
