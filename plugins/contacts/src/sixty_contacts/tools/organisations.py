"""The tool that changes companies; they are made with their contacts."""

from __future__ import annotations

from sixty import Call, Conflict, tool
from sixty_contacts.models import Company, CompanySaved
from sixty_contacts.tables import COMPANY
from sixty_contacts.tools.companies import company_at
from sixty_contacts.tools.fields import UpdateCompany, company_columns
from sixty_contacts.tools.updates import check_given, told

__all__ = ["update_company"]

_LASTING = ("name", "owner_id")


@tool("update_company", permission="contacts:update", effect="update")
async def update_company(args: UpdateCompany, call: Call) -> CompanySaved:
    """Change fields of a company; null clears one. size counts employees, revenue is that of a year."""
    given = check_given(args.updates, "company", _LASTING)
    before = await call.records.get(COMPANY, args.company_id)
    domain = given.get("domain")
    if domain is not None and domain != before["domain"]:
        holder = await company_at(call, domain)
        if holder is not None:
            msg = f'the company "{holder["name"]}" ({holder["id"]}) has the domain {domain} already'
            raise Conflict(msg, field="updates.domain", given=domain, company_id=holder["id"], name=holder["name"])
    after = await call.records.update(
        COMPANY, before["id"], company_columns(given), expected_version=args.expected_version
    )
    return CompanySaved(message=told("Company", after["name"], before, after), company=Company.model_validate(after))
