"""What the pack stores: contacts, companies, and what enrichment has found out about them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from sixty import Cents, Detail, Instant, Kind, Searchable, Tables, detail_table, pointer, record_table
from sixty_contacts.models import Company, Contact

__all__ = ["COMPANY", "CONTACT", "FACT", "SEARCHABLE", "TABLES", "companies", "contact_facts", "contacts"]

metadata = sa.MetaData()

contacts = record_table(
    "contacts",
    metadata,
    sa.Column("first_name", sa.String(255), nullable=False),
    sa.Column("last_name", sa.String(255), nullable=False),
    sa.Column("full_name", sa.String(511), nullable=False),
    sa.Column("email", sa.String(254), nullable=False),
    sa.Column("phone", sa.String(50)),
    sa.Column("phone_e164", sa.String(20)),
    pointer("company_id", kind="company"),
    sa.Column("role", sa.String(255)),
    sa.Column("linkedin_url", sa.String(500)),
    sa.Column("street", sa.String(255)),
    sa.Column("city", sa.String(255)),
    sa.Column("postal_code", sa.String(255)),
    sa.Column("region", sa.String(255)),
    sa.Column("country", sa.String(255)),
    sa.Index("ix_contacts_email", "email"),
    sa.Index("ix_contacts_phone_e164", "phone_e164"),
    sa.Index("ix_contacts_updated_at", "updated_at", "id"),  # the newest first
    sa.Index("ix_contacts_owner_id", "owner_id"),
)
"""`full_name` is both names, and `phone_e164` the phone as it is compared; both are written with what they follow from.

No two contacts that one person may read have the same email. The database does not say so: its refusal would tell of
a contact that the caller may not read.
"""

companies = record_table(
    "companies",
    metadata,
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("name_key", sa.String(255), nullable=False),
    sa.Column("domain", sa.String(253)),
    sa.Column("industry", sa.String(255)),
    sa.Column("size", sa.Integer),
    sa.Column("revenue", Cents),
    sa.Index("ix_companies_name_key", "name_key"),
    sa.Index("ix_companies_domain", "domain"),
    sa.Index("ix_companies_updated_at", "updated_at", "id"),
    sa.Index("ix_companies_owner_id", "owner_id"),
)
"""`name_key` is what two spellings of a name have in common; `size` counts employees."""

contact_facts = detail_table(
    "contact_facts",
    metadata,
    "contact_id",
    sa.Column("subject", sa.String(10), nullable=False),
    sa.Column("field", sa.String(50), nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("source", sa.String(50), nullable=False),
    sa.Column("at", Instant, nullable=False),
)
"""What a source said about the `contact`, their `company` or their `social` profiles (`subject`), and when first."""

CONTACT = Kind(
    "contact",
    contacts,
    Contact,
    resource="contacts",
    title="full_name",
    finder="search_contacts",
    identifying=("full_name", "email", "phone", "phone_e164", "linkedin_url"),
)
COMPANY = Kind("company", companies, Company, resource="contacts", title="name")
FACT = Detail(contact_facts, CONTACT, "contact_id")
SEARCHABLE = (
    Searchable(CONTACT, "full_name", ("email", "role", "phone")),
    Searchable(COMPANY, "name", ("domain", "industry")),
)
TABLES = Tables(metadata, kinds=(CONTACT, COMPANY), details=(FACT,), migrations=Path(__file__).parent / "migrations")
