"""A contact as a resource: what there is to know of it at one address."""

from __future__ import annotations

from pydantic import BaseModel

from sixty import Arguments, Call, RecordId, resource
from sixty_contacts.models import Company, Contact
from sixty_contacts.tables import COMPANY, CONTACT
from sixty_contacts.tools.contacts import shown_contact

__all__ = ["CONTACT_ADDRESS", "contact_page"]

CONTACT_ADDRESS = "crm://contacts/{id}"


class OneContact(Arguments):
    """The variable of the address."""

    id: RecordId


class ContactPage(BaseModel):
    """A contact, who owns it, and the company they are at."""

    contact: Contact
    owner: str | None = None
    company: Company | None = None


@resource(CONTACT_ADDRESS, name="Contact", permission="contacts:read", record="id")
async def contact_page(args: OneContact, call: Call) -> ContactPage:
    """A contact, who owns it, and the company they are at."""
    contact = await call.records.get(CONTACT, args.id)
    company = None if contact["company_id"] is None else await call.records.find(COMPANY, contact["company_id"])
    return ContactPage(
        contact=await shown_contact(call, contact),
        owner=call.directory.name_of(contact["owner_id"]),
        company=None if company is None else Company.model_validate(company),
    )
