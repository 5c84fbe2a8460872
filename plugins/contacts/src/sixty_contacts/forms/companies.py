"""The form of companies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from sixty import Conflict, Text
from sixty.exchange import Amount, Form, Line, Whole
from sixty_contacts.emails import Domain
from sixty_contacts.forms.presets import COMPANY_PRESETS
from sixty_contacts.tables import COMPANY
from sixty_contacts.tools.companies import company_at
from sixty_contacts.tools.fields import MOST_MONEY, MOST_PEOPLE, company_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sixty import Call, Row

__all__ = ["COMPANIES", "CompanyLine"]

_FIELDS = ("name", "domain", "industry", "size", "revenue")
_ADDRESS = re.compile(r"https?://(?:www\.)?([^/?#:]+).*", re.IGNORECASE | re.DOTALL)


def _of_address(value: Any) -> Any:
    """The domain of a web address, as which other CRMs keep it."""
    found = _ADDRESS.fullmatch(value.strip()) if isinstance(value, str) else None
    return value if found is None else found[1]


def _people(count: int | None) -> int | None:
    """A number of employees; 0 says nothing."""
    if count is not None and not 0 <= count <= MOST_PEOPLE:
        msg = f"must be between 0 and {MOST_PEOPLE}"
        raise ValueError(msg)
    return count or None


def _earned(amount: Decimal | None) -> Decimal | None:
    if amount is not None and not 0 <= amount <= MOST_MONEY:
        msg = f"must be between 0 and {MOST_MONEY}"
        raise ValueError(msg)
    return amount


class CompanyLine(Line):
    """A company in a file. `domain` may be a web address; `size` counts employees, `revenue` is that of a year."""

    name: Text
    domain: Annotated[Domain | None, BeforeValidator(_of_address)] = None
    industry: Text | None = None
    size: Annotated[Whole, AfterValidator(_people)] = None
    revenue: Annotated[Amount, AfterValidator(_earned)] = None


async def _put(line: CompanyLine, before: Row | None, call: Call) -> Row:
    said = {name: getattr(line, name) for name in _FIELDS if name in line.model_fields_set}
    if line.domain is not None and (before is None or before["domain"] != line.domain):
        holder = await company_at(call, line.domain)
        if holder is not None:
            msg = f'the company "{holder["name"]}" ({holder["id"]}) has the domain {line.domain} already'
            raise Conflict(msg, field="domain", given=line.domain, company_id=holder["id"], name=holder["name"])
    columns = company_columns(said)
    if before is None:
        return await call.records.adopt(COMPANY, columns, id=line.id, owner_id=line.owner, created_at=line.created_at)
    owner = {} if line.owner is None else {"owner_id": line.owner}
    return await call.records.update(COMPANY, before["id"], {**columns, **owner})


async def _take(rows: Sequence[Row], _call: Call) -> list[CompanyLine]:
    return [CompanyLine.model_construct(**{name: row[name] for name in _FIELDS}) for row in rows]


COMPANIES = Form(name="companies", kind=COMPANY, line=CompanyLine, put=_put, take=_take, presets=COMPANY_PRESETS)
"""Companies. Two of them may have the same name, but not the same domain."""
