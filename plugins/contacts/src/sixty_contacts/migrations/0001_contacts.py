"""Contacts, companies, and what enrichment has found out about them."""

import sqlalchemy as sa
from alembic import op

from sixty import Cents, Id, Instant

revision = "0001_contacts"
down_revision = None


def _spine() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", Id, sa.ForeignKey("records.id"), primary_key=True),
        sa.Column("owner_id", Id, sa.ForeignKey("users.id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "companies",
        *_spine(),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("name_key", sa.String(255), nullable=False),
        sa.Column("domain", sa.String(253)),
        sa.Column("industry", sa.String(255)),
        sa.Column("size", sa.Integer),
        sa.Column("revenue", Cents),
    )
    op.create_index("ix_companies_name_key", "companies", ["name_key"])
    op.create_index("ix_companies_domain", "companies", ["domain"])
    op.create_index("ix_companies_updated_at", "companies", ["updated_at", "id"])
    op.create_index("ix_companies_owner_id", "companies", ["owner_id"])
    op.create_table(
        "contacts",
        *_spine(),
        sa.Column("first_name", sa.String(255), nullable=False),
        sa.Column("last_name", sa.String(255), nullable=False),
        sa.Column("full_name", sa.String(511), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("phone", sa.String(50)),
        sa.Column("phone_e164", sa.String(20)),
        sa.Column("company_id", Id, sa.ForeignKey("records.id")),
        sa.Column("role", sa.String(255)),
        sa.Column("linkedin_url", sa.String(500)),
        sa.Column("street", sa.String(255)),
        sa.Column("city", sa.String(255)),
        sa.Column("postal_code", sa.String(255)),
        sa.Column("region", sa.String(255)),
        sa.Column("country", sa.String(255)),
    )
    op.create_index("ix_contacts_email", "contacts", ["email"])
    op.create_index("ix_contacts_phone_e164", "contacts", ["phone_e164"])
    op.create_index("ix_contacts_company_id", "contacts", ["company_id"])
    op.create_index("ix_contacts_updated_at", "contacts", ["updated_at", "id"])
    op.create_index("ix_contacts_owner_id", "contacts", ["owner_id"])
    op.create_table(
        "contact_facts",
        sa.Column("id", Id, primary_key=True),
        sa.Column("contact_id", Id, sa.ForeignKey("records.id"), nullable=False),
        sa.Column("subject", sa.String(10), nullable=False),
        sa.Column("field", sa.String(50), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("source", sa.String(50), nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_index("ix_contact_facts_contact_id", "contact_facts", ["contact_id"])


def downgrade() -> None:
    op.drop_table("contact_facts")
    op.drop_table("contacts")
    op.drop_table("companies")
