"""What findings change: empty fields are filled, and what a person has entered stays. No database here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sixty_contacts.models import ADDRESS
from sixty_contacts.names import name_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sixty import Row
    from sixty.crm import Findings

__all__ = ["COMPANY_FIELDS", "Fact", "facts_of", "filled_company", "filled_contact", "is_about"]

COMPANY_FIELDS = ("industry", "size", "revenue")
"""What is filled in a company. Its name and domain are what it is found by, and are the people's to choose."""
_ALONE = ("role", "phone", "linkedin_url")


class Fact(NamedTuple):
    """What a source says. The `subject` is the `contact`, their `company`, or `social` for their profiles."""

    subject: str
    field: str
    value: str
    source: str


def is_about(found: Findings, company: Row | None) -> bool:
    """Whether what a source says of a company is about this one: the domain decides, or else the name."""
    domain, name = found.company.get("domain"), found.company.get("name")
    if company is None:
        return True
    if domain is not None and company["domain"] is not None:
        return bool(domain == company["domain"])
    return name is None or name_key(name) == company["name_key"]


def filled_contact(contact: Row, found: Sequence[Findings]) -> dict[str, Any]:
    """The values of the contact's empty fields; the first who knows one is believed.

    An address is filled only where no part of it is known, and all from one source: parts of two would be a third.
    """
    values = {name: value for name in _ALONE if contact[name] is None and (value := _first(name, found)) is not None}
    if all(contact[name] is None for name in ADDRESS):
        addresses = ({name: item.contact[name] for name in ADDRESS if name in item.contact} for item in found)
        values |= next(filter(None, addresses), {})
    return values


def filled_company(company: Row, found: Sequence[Findings]) -> dict[str, Any]:
    """The values of the company's empty fields, from what is about it."""
    values: dict[str, Any] = {}
    for item in found:
        if is_about(item, company):
            for name in COMPANY_FIELDS:
                if company[name] is None and name in item.company and not _is_range(name, item):
                    values.setdefault(name, item.company[name])
    return values


def facts_of(source: str, found: Findings, company: Row | None) -> Iterator[Fact]:
    """Everything that a source says about the contact and their company."""
    parts: list[tuple[str, Mapping[str, Any]]] = [("contact", found.contact), ("social", found.social_profiles)]
    if is_about(found, company):
        parts.append(("company", found.company))
    for subject, values in parts:
        for field, value in values.items():
            yield Fact(subject, field, str(value), source)


def _is_range(name: str, found: Findings) -> bool:
    """Whether a source knows the size as a range only, which is told and fills no number."""
    return name == "size" and isinstance(found.company[name], str)


def _first(name: str, found: Sequence[Findings]) -> str | None:
    return next((item.contact[name] for item in found if name in item.contact), None)
