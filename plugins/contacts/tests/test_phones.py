"""Phones, as they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sixty_contacts.phones import comparable


@pytest.mark.parametrize(
    ("phone", "country", "region", "e164"),
    [
        ("+49 (30) 901820", None, None, "+4930901820"),
        ("+49 (30) 901820", "France", "US", "+4930901820"),
        ("030 901820", "DE", None, "+4930901820"),
        ("030 901820", "de", None, "+4930901820"),
        ("030 901820", " Germany ", None, "+4930901820"),
        ("030 901820", "Deutschland", None, "+4930901820"),
        ("030/90 18-20", "Atlantis", "DE", "+4930901820"),
        ("030 901820", None, "DE", "+4930901820"),
        ("(212) 555-0100", "United States", "DE", "+12125550100"),
        ("030 901820", None, None, None),
        ("030 901820", "XX", None, None),
        ("1", "DE", None, None),
        ("٠٣٠ ٩٠١٨٢٠", "DE", None, "+4930901820"),
        (None, "DE", "DE", None),
    ],
)
def test_a_phone_is_compared_in_its_country(
    phone: str | None, country: str | None, region: str | None, e164: str | None
) -> None:
    assert comparable(phone, country, region) == e164


@given(st.text(max_size=50), st.one_of(st.none(), st.text(max_size=30)), st.sampled_from([None, "DE", "US"]))
def test_whatever_was_given_is_compared_or_not(phone: str, country: str | None, region: str | None) -> None:
    found = comparable(phone, country, region)
    assert found is None or (found.startswith("+") and found[1:].isdigit() and len(found) <= 20)
