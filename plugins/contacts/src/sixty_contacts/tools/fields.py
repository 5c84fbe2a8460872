"""What contacts and companies may be given, and the columns that follow from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from sixty import Arguments, Money, RecordId, Text
from sixty_contacts.emails import Domain, Email
from sixty_contacts.models import ADDRESS
from sixty_contacts.names import name_key
from sixty_contacts.phones import Phone, comparable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MOST_MONEY",
    "MOST_PEOPLE",
    "PLAIN",
    "CreateContact",
    "LinkedIn",
    "Part",
    "UpdateCompany",
    "UpdateContact",
    "company_columns",
    "contact_columns",
    "followed",
]

_LINKEDIN = re.compile(r"(https?://)?([a-z0-9-]+\.)*linkedin\.com(/\S*)?", re.IGNORECASE)
MOST_PEOPLE = 100_000_000
MOST_MONEY = 10_000_000_000_000


def _linkedin(text: str) -> str:
    if not (match := _LINKEDIN.fullmatch(text.strip())):
        msg = "must be an address at linkedin.com, such as https://www.linkedin.com/in/jane-doe"
        raise ValueError(msg)
    return match[0] if match[1] else f"https://{match[0]}"


Version = Annotated[int, Field(ge=1)]
Part = Annotated[Text, WithJsonSchema({"type": "string"})]  # five of them, twice: the schema says the least
LinkedIn = Annotated[str, Field(max_length=490), AfterValidator(_linkedin)]
Size = Annotated[int, Field(ge=1, le=MOST_PEOPLE)]
Revenue = Annotated[Money, Field(ge=0, le=MOST_MONEY)]


class Address(Arguments):
    """Where somebody gets post."""

    street: Part | None = None
    city: Part | None = None
    postal_code: Part | None = None
    region: Part | None = None
    country: Part | None = None


class ContactFields(Arguments):
    """What a contact may be given, when it is made and later."""

    first_name: Text | None = None
    last_name: Text | None = None
    email: Email | None = None
    phone: Phone | None = None
    company_name: Text | None = None
    role: Text | None = None
    linkedin_url: LinkedIn | None = None
    address: Address | None = None
    owner_id: RecordId | None = None


class CreateContact(ContactFields):
    """The arguments of `create_contact`."""

    first_name: Text
    last_name: Text
    email: Email


class ContactUpdates(ContactFields):
    """What `update_contact` changes: what is given, null included."""

    company_id: RecordId | None = None


class UpdateContact(Arguments):
    """The arguments of `update_contact`."""

    contact_id: RecordId
    updates: ContactUpdates
    expected_version: Version | None = None


class CompanyUpdates(Arguments):
    """What `update_company` changes: what is given, null included."""

    name: Text | None = None
    domain: Domain | None = None
    industry: Text | None = None
    size: Size | None = None
    revenue: Revenue | None = None
    owner_id: RecordId | None = None


class UpdateCompany(Arguments):
    """The arguments of `update_company`."""

    company_id: RecordId
    updates: CompanyUpdates
    expected_version: Version | None = None


PLAIN = ("first_name", "last_name", "email", "phone", "role", "linkedin_url")
"""What a contact is given as it is."""
_NAMES = ("first_name", "last_name")
_CALLED = ("phone", "country")


def contact_columns(given: Mapping[str, Any], before: Mapping[str, Any], phone_region: str | None) -> dict[str, Any]:
    """The columns of a contact that was `before`, with what is `given` and all that follows from it."""
    columns = {name: given[name] for name in PLAIN if name in given}
    if "address" in given:
        address = given["address"]
        parts = ADDRESS if address is None else address.model_fields_set
        columns |= {name: getattr(address, name, None) for name in parts}
    return followed(columns, before, phone_region)


def followed(columns: Mapping[str, Any], before: Mapping[str, Any], phone_region: str | None) -> dict[str, Any]:
    """The columns that are given to a contact that was `before`, and those that follow from them."""
    after, follows = {**before, **columns}, dict(columns)
    if any(name in columns for name in _NAMES):
        follows["full_name"] = f"{after['first_name']} {after['last_name']}"
    if any(name in columns for name in _CALLED):
        follows["phone_e164"] = comparable(after.get("phone"), after.get("country"), phone_region)
    return follows


def company_columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a company, with what is given and what follows from it."""
    return {**given, **({"name_key": name_key(given["name"])} if "name" in given else {})}
