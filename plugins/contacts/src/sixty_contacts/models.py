"""How contacts, companies and the answers of the tools are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_validator

from sixty import Money, Page, Record, Result, ShownId

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ADDRESS",
    "Company",
    "CompanySaved",
    "Contact",
    "ContactCreated",
    "ContactSaved",
    "ContactsFound",
    "ContactsMerged",
    "PostalAddress",
]

ADDRESS = ("street", "city", "postal_code", "region", "country")
"""The parts of an address, which are columns of a contact."""


class PostalAddress(BaseModel):
    """Where somebody gets post, as far as it is known."""

    model_config = ConfigDict(frozen=True)

    street: str | None = None
    city: str | None = None
    postal_code: str | None = None
    region: str | None = None
    country: str | None = None


class Contact(Record):
    """A contact. `company_name` is shown where the company was read too."""

    first_name: str
    last_name: str
    email: str
    phone: str | None = None
    company_id: ShownId | None = None
    company_name: str | None = None
    role: str | None = None
    linkedin_url: str | None = None
    address: PostalAddress | None = None

    @model_validator(mode="before")
    @classmethod
    def _addressed(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        address = {name: row[name] for name in ADDRESS if row.get(name) is not None}
        return {**row, "address": address or None}


class Company(Record):
    """A company. `size` counts its employees."""

    name: str
    domain: str | None = None
    industry: str | None = None
    size: int | None = None
    revenue: Money | None = None


class ContactCreated(Result):
    """What `create_contact` answers."""

    contact_id: ShownId
    company_id: ShownId | None = None
    contact: Contact


class ContactSaved(Result):
    """What `update_contact` answers."""

    contact: Contact


class CompanySaved(Result):
    """What `update_company` answers."""

    company: Company


class ContactsFound(Page):
    """What `search_contacts` answers."""

    contacts: list[Contact]


class ContactsMerged(Result):
    """What `merge_contacts` answers. `moved` counts what pointed at the duplicates, by kind."""

    contact: Contact
    merged: list[ShownId]
    moved: dict[str, int]
