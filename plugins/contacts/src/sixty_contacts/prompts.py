"""What people start: a look at whether a contact is worth a deal. And what completes the companies that they type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from pydantic import Field

from sixty import Arguments, Call, Completing, RecordId, completion, prompt, shown
from sixty_contacts.models import ADDRESS
from sixty_contacts.names import beginning
from sixty_contacts.tables import COMPANY, CONTACT, companies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty import Row

__all__ = ["complete_company_name", "qualify_lead"]

_PERSON = ("email", "role", "phone", "linkedin_url", *ADDRESS)
_COMPANY = ("name", "domain", "industry", "size", "revenue")
_names = (
    sa.select(companies.c.name)
    .where(companies.c.name_key.like(sa.bindparam("company", type_=sa.String), escape="/"))
    .order_by(companies.c.name_key, companies.c.id)
    .limit(20)
)


class QualifyLead(Arguments):
    """The arguments of `qualify_lead`, as people type them."""

    contact_id: RecordId = Field(description="The contact, by id; the words of a name are completed")


@prompt("qualify_lead", permission="contacts:read")
async def qualify_lead(args: QualifyLead, call: Call) -> str:
    """Qualify a contact as a lead: need, budget, authority and timing, and what to do next."""
    contact = await call.records.get(CONTACT, args.contact_id)
    company_id = contact["company_id"]
    company: Row = {} if company_id is None else await call.records.find(COMPANY, company_id) or {}
    owner = call.directory.name_of(contact["owner_id"]) or "nobody"
    return (
        f"Qualify this lead.\n\nContact: {contact['full_name']}, owner {owner}, id {contact['id']}\n"
        f"{_known(contact, _PERSON)}\n\nCompany:\n{_known(company, _COMPANY)}\n\n{_wish(call)}"
    )


@completion("company_name", permission="contacts:read")
async def complete_company_name(args: Completing, call: Call) -> list[str]:
    """The names of companies, by their beginning."""
    return list(dict.fromkeys(row["name"] for row in await call.rows(_names, {"company": beginning(args.value)})))


def _known(row: Mapping[str, object], names: tuple[str, ...]) -> str:
    """What is known, a line each, and what is not."""
    lines = [f"- {name}: {shown(row[name])}" for name in names if row.get(name) is not None]
    missing = [name for name in names if row.get(name) is None]
    return "\n".join(lines + ([f"- not known: {', '.join(missing)}"] if missing else []))


def _wish(call: Call) -> str:
    """What the agent is asked to do, with the tools that the caller has."""
    looks = {
        "get_contact_timeline": "read what has happened with get_contact_timeline",
        "enrich_contact": "fill what is not known with enrich_contact",
        "search_deals": "look for deals with them with search_deals",
    }
    first = [what for name, what in looks.items() if call.may_call(name)]
    wish = f"First {', '.join(first)}. Then tell" if first else "Tell"
    wish += (
        " me, each with what it rests on: do they need what we sell, have they the budget, can they decide, and when "
        "do they want to? Say what you do not know instead of guessing, and end with a verdict: qualified, not yet, no."
    )
    steps = {
        "create_deal": "a deal with create_deal if they are qualified",
        "create_task": "a task with create_task if something is to be found out",
    }
    then = [what for name, what in steps.items() if call.may_call(name)]
    return f"{wish} Once I agree, make {' or '.join(then)}." if then else wish
