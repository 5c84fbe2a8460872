"""The form of contacts."""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sixty import Id, Invalid, LongText, Moment, Text
from sixty.exchange import Form, Key, Line, Parts
from sixty_contacts.emails import Email
from sixty_contacts.forms.presets import CONTACT_PRESETS
from sixty_contacts.models import ADDRESS
from sixty_contacts.phones import Phone
from sixty_contacts.tables import CONTACT, FACT, contact_facts
from sixty_contacts.tools.companies import company_for
from sixty_contacts.tools.contacts import check_email
from sixty_contacts.tools.fields import PLAIN, LinkedIn, Part, followed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty import Call, Row

__all__ = ["CONTACTS", "ContactLine"]

_facts = (
    sa.select(contact_facts)
    .where(
        contact_facts.c.contact_id >= sa.bindparam("first", type_=Id),
        contact_facts.c.contact_id <= sa.bindparam("last", type_=Id),
    )
    .order_by(*(contact_facts.c[name] for name in ("at", "subject", "field", "source", "value")))
)
_FACT = ("subject", "field", "value", "source", "at")


class FactLine(BaseModel):
    """What a source said about a contact, their company or their profiles, and when first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Literal["contact", "company", "social"]
    field: Annotated[Text, Field(max_length=50)]
    value: LongText
    source: Annotated[Text, Field(max_length=50)]
    at: Moment


def _first(value: Any) -> Any:
    """The first of several addresses, which other CRMs keep in one field."""
    return value.replace(";", ",").partition(",")[0] if isinstance(value, str) else value


class ContactLine(Line):
    """A contact in a file: with a first and a last name, or a full one whose last word is the last name.

    `company` is a company that is there; `company_name` leads to one of that name, made when missing.
    """

    first_name: Text | None = None
    last_name: Text | None = None
    full_name: Text | None = None
    email: Annotated[Email, BeforeValidator(_first)]
    phone: Phone | None = None
    company: Key | None = None
    company_name: Text | None = None
    role: Text | None = None
    linkedin_url: LinkedIn | None = None
    street: Part | None = None
    city: Part | None = None
    postal_code: Part | None = None
    region: Part | None = None
    country: Part | None = None
    facts: Annotated[list[FactLine] | None, Parts] = None


async def _put(line: ContactLine, before: Row | None, call: Call) -> Row:
    if before is None or before["email"] != line.email:
        await check_email(call, line.email, **({} if before is None else {"but": before["id"]}))
    said = {name: getattr(line, name) for name in (*PLAIN, *ADDRESS) if name in line.model_fields_set}
    columns = followed({**said, **_names(line, before)}, before or {}, call.settings.phone_region)
    columns |= await _company(line, before, call)
    if before is None:
        contact = await call.records.adopt(
            CONTACT, columns, id=line.id, owner_id=line.owner, created_at=line.created_at
        )
    else:
        owner = {} if line.owner is None else {"owner_id": line.owner}
        contact = await call.records.update(CONTACT, before["id"], {**columns, **owner})
    await _add_facts(line, contact, call, known=before is not None)
    return contact


def _names(line: ContactLine, before: Row | None) -> dict[str, str]:
    """The names that the line gives, or that the contact has. `Invalid` if one is missing."""
    whole, _, last = (line.full_name or "").rpartition(" ")
    known = before or {"first_name": None, "last_name": None}
    names = {
        "first_name": line.first_name or whole.strip() or known["first_name"],
        "last_name": line.last_name or (last if whole else None) or known["last_name"],
    }
    for name, value in names.items():
        if value is None:
            msg = f"{name} is missing: a contact has a first and a last name, or a full_name of two words"
            raise Invalid(msg, field=name, given=line.full_name)
    return names


async def _company(line: ContactLine, before: Row | None, call: Call) -> dict[str, str | None]:
    """Which company the contact is at, as far as the line says.

    A line with an id says it itself; of others the domain of the address tells, as where a contact is created.
    """
    if line.company is not None:
        return {"company_id": line.company}
    guess = before is None and line.id is None
    if line.company_name is not None or guess:
        company = await company_for(call, line.company_name, line.email, by_domain=guess)
        return {"company_id": None if company is None else company["id"]}
    return {"company_id": None} if line.model_fields_set & {"company", "company_name"} else {}


async def _add_facts(line: ContactLine, contact: Row, call: Call, *, known: bool) -> None:
    """The contact has every fact of the line, once."""
    there = await call.records.details(FACT, contact["id"]) if line.facts and known else ()
    had = {tuple(fact[name] for name in _FACT) for fact in there}
    for fact in line.facts or ():
        values = {name: getattr(fact, name) for name in _FACT}
        if tuple(values.values()) not in had:
            await call.records.add_detail(FACT, contact["id"], values)


async def _take(rows: Sequence[Row], call: Call) -> list[ContactLine]:
    facts: dict[str, list[FactLine]] = defaultdict(list)
    if rows:
        for fact in await call.rows(_facts, {"first": rows[0]["id"], "last": rows[-1]["id"]}):
            facts[fact["contact_id"]].append(FactLine.model_construct(**{name: fact[name] for name in _FACT}))
    return [
        ContactLine.model_construct(
            **{name: row[name] for name in (*PLAIN, *ADDRESS)},
            company=row["company_id"],
            facts=facts.get(row["id"]),
        )
        for row in rows
    ]


CONTACTS = Form(
    name="contacts",
    kind=CONTACT,
    line=ContactLine,
    put=_put,
    take=_take,
    pointers=MappingProxyType({"company": "company"}),
    written=(*PLAIN, "company", *ADDRESS, "facts"),
    presets=CONTACT_PRESETS,
)
"""Contacts. No two of them have the same address."""
