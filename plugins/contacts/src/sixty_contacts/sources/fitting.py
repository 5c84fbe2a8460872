"""What of a source's findings can be kept: values of the fields that there are, of their types and lengths.

What does not fit is left out. A source is a stranger, and says what it likes.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from sixty import Text
from sixty.crm import Findings
from sixty_contacts.emails import Domain
from sixty_contacts.phones import Phone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["fitting", "from_text"]


def _at_linkedin(text: str) -> str:
    address = urlsplit(text)
    host = f".{address.hostname or ''}"
    if address.scheme not in ("http", "https") or not host.endswith(".linkedin.com") or " " in text:
        msg = "must be an address at linkedin.com"
        raise ValueError(msg)
    return text


_MOST_PEOPLE = 100_000_000
_MOST_MONEY = 10_000_000_000_000
_NETWORK = TypeAdapter(Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")])
_TEXT: TypeAdapter[str] = TypeAdapter(Text)
_FIELDS: Mapping[str, TypeAdapter[Any]] = {
    "role": _TEXT,
    "phone": TypeAdapter(Phone),
    "linkedin_url": TypeAdapter(Annotated[Text, AfterValidator(_at_linkedin)]),
    "city": _TEXT,
    "region": _TEXT,
    "country": _TEXT,
}
_COMPANY: Mapping[str, TypeAdapter[Any]] = {
    "name": _TEXT,
    "domain": TypeAdapter(Domain),
    "industry": _TEXT,
    "size": TypeAdapter(
        Annotated[int, Field(strict=True, ge=1, le=_MOST_PEOPLE)]
        | Annotated[str, Field(pattern=r"^\d[\d,.]{0,10}(\+|-\d[\d,.]{0,10})$")]
    ),
    "revenue": TypeAdapter(Annotated[Decimal, Field(gt=0, le=_MOST_MONEY, decimal_places=2)]),
}


def _size(text: str) -> int | str:
    return int(text) if text.isdecimal() else text  # a range such as 11-50 stays one: its middle would be made up


_READ: Mapping[str, Callable[[str], Any]] = {"size": _size, "revenue": Decimal}


def fitting(found: Findings) -> Findings:
    """The findings without what cannot be kept."""
    networks = {name: _TEXT for name in found.social_profiles if _value(_NETWORK, name) is not None}
    return Findings(
        contact=_kept(found.contact, _FIELDS),
        social_profiles=_kept(found.social_profiles, networks),
        company=_kept(found.company, _COMPANY),
    )


def from_text(field: str, text: str) -> Any:
    """The value of a field of a company, as it was before it became the text of a fact."""
    return _READ.get(field, str)(text)


def _kept(values: Mapping[str, Any], fields: Mapping[str, TypeAdapter[Any]]) -> dict[str, Any]:
    kept = {name: _value(adapter, values.get(name)) for name, adapter in fields.items()}
    return {name: value for name, value in kept.items() if value is not None}


def _value(adapter: TypeAdapter[Any], value: Any) -> Any:
    """The value as it is kept, or None."""
    try:
        return None if isinstance(value, bool) else adapter.validate_python(value)
    except ValidationError:
        return None
