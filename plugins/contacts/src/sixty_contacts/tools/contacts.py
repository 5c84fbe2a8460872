"""The tools that make and change contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sixty import Call, Conflict, Id, Invalid, tool
from sixty.crm import ContactCreated as Created
from sixty_contacts.models import Contact, ContactCreated, ContactSaved
from sixty_contacts.tables import COMPANY, CONTACT, contacts
from sixty_contacts.tools.companies import company_for
from sixty_contacts.tools.fields import CreateContact, UpdateContact, contact_columns
from sixty_contacts.tools.updates import check_given, told

if TYPE_CHECKING:
    from sixty import Row

__all__ = ["check_email", "create_contact", "shown_contact", "update_contact"]

_LASTING = ("first_name", "last_name", "email", "owner_id")
"""What every contact has, so that null clears none of it."""

_with_email = (
    sa.select(contacts)
    .where(contacts.c.email == sa.bindparam("email"), contacts.c.id != sa.bindparam("but", type_=Id))
    .order_by(contacts.c.id)
    .limit(1)
)
_NOBODY = "00000000-0000-0000-0000-000000000000"


@tool("create_contact", permission="contacts:create", effect="create")
async def create_contact(args: CreateContact, call: Call) -> ContactCreated:
    """Create a contact. You own it unless owner_id says otherwise.

    The company is found by its name or by the domain of the email, and made when company_name is a new one.
    """
    await check_email(call, args.email)
    given = {name: value for name in args.model_fields_set if (value := getattr(args, name)) is not None}
    values = contact_columns(given, {}, call.settings.phone_region)
    company = await company_for(call, args.company_name, args.email, by_domain=True)
    if company is not None:
        values["company_id"] = company["id"]
    contact = await call.records.add(CONTACT, values, owner_id=args.owner_id)
    call.publish(
        Created(
            record_id=contact["id"],
            owner_id=contact["owner_id"],
            email=contact["email"],
            company_id=contact["company_id"],
        )
    )
    where = "" if company is None else f" at {_how(company, call)}{company['name']}"
    return ContactCreated(
        message=f'Contact "{contact["full_name"]}" created{where}',
        contact_id=contact["id"],
        company_id=contact["company_id"],
        contact=await shown_contact(call, contact),
    )


@tool("update_contact", permission="contacts:update", effect="update")
async def update_contact(args: UpdateContact, call: Call) -> ContactSaved:
    """Change fields of a contact; null clears one. Of an address, the parts that are given change.

    company_name leads to the company of that name, made when missing; company_id to a known one.
    """
    given = check_given(args.updates, "contact", _LASTING)
    if "company_id" in given and "company_name" in given:
        msg = "give company_id or company_name, not both: each says which company it is"
        raise Invalid(msg, field="updates.company_name")
    before = await call.records.get(CONTACT, args.contact_id)
    if given.get("email", before["email"]) != before["email"]:
        await check_email(call, given["email"], but=before["id"])
    values = contact_columns(given, before, call.settings.phone_region)
    values |= {name: given[name] for name in ("company_id", "owner_id") if name in given}
    if "company_name" in given:
        # only by name: the email often stays behind when somebody changes their employer
        name = given["company_name"]
        company = None if name is None else await company_for(call, name, given.get("email"), by_domain=False)
        values["company_id"] = None if company is None else company["id"]
    after = await call.records.update(CONTACT, before["id"], values, expected_version=args.expected_version)
    return ContactSaved(
        message=told("Contact", after["full_name"], before, after), contact=await shown_contact(call, after)
    )


async def shown_contact(call: Call, contact: Row) -> Contact:
    """The contact, with the name of the company if the caller may read that."""
    company_id = contact["company_id"]
    company = None if company_id is None else await call.records.find(COMPANY, company_id)
    return Contact.model_validate({**contact, "company_name": None if company is None else company["name"]})


async def check_email(call: Call, email: str, *, but: str = _NOBODY) -> None:
    """Raise `Conflict`, naming the contact, if another one that the caller can see has this email."""
    await call.claim("contacts.email", email)
    found = await call.rows(_with_email, {"email": email, "but": but})
    if found:
        other = found[0]
        msg = (
            f'the contact "{other["full_name"]}" ({other["id"]}) has the email {email} already; '
            "update_contact changes that one"
        )
        raise Conflict(msg, field="email", given=email, contact_id=other["id"], name=other["full_name"])


def _how(company: Row, call: Call) -> str:
    """Whether the company is as new as the contact."""
    return "the new company " if company["version"] == 1 and company["id"] in call.touched else ""
