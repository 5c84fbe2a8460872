"""What cells say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from sixty.exchange.cells import Amount, AtMoment, OnDay, Parts, Reading, Whole
from sixty.exchange.formulas import RISKY, neutral, plain

BERLIN = ZoneInfo("Europe/Berlin")


class Cells(BaseModel):
    amount: Amount = None
    whole: Whole = None
    day: OnDay = None
    moment: AtMoment = None
    parts: Annotated[list[int] | None, Parts] = None


def said(field: str, cell: Any, **reading: Any) -> Any:
    return getattr(Cells.model_validate({field: cell}, context={"reading": Reading(**reading)}), field)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1234.5", "1234.50"),
        ("$1,234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1,23,456.00", "123456"),
        ("1'234.50", "1234.50"),
        ("EUR 12", "12"),
        ("US$ 12", "12"),
        ("12 €", "12"),
        ("-5", "-5"),
        ("-$5", "-5"),
        ("(20.00)", "-20"),
        ("1.5e3", "1500"),
        (7, "7"),
        (7.25, "7.25"),
        (Decimal("3.10"), "3.10"),
    ],
)
def test_an_amount_may_have_a_currency_and_separators(cell: Any, amount: str) -> None:
    assert said("amount", cell) == Decimal(amount)


@pytest.mark.parametrize(
    ("cell", "amount"), [("1.234,50", "1234.50"), ("1 234,5 €", "1234.50"), ("12,00", "12"), ("1.234", "1234")]
)
def test_an_amount_may_have_a_comma_before_the_cents(cell: str, amount: str) -> None:
    assert said("amount", cell, decimal=",") == Decimal(amount)


@pytest.mark.parametrize("cell", ["0", "0.00", "$0", 0, 0.0, None])
def test_an_amount_of_nothing_is_no_value(cell: Any) -> None:
    assert said("amount", cell) is None


@pytest.mark.parametrize("cell", ["twelve", "1.234,50", "1,2", "12-5", "", "1" * 60, "1e99", True, [1], "--5", "nan"])
def test_what_is_no_amount_is_refused(cell: Any) -> None:
    with pytest.raises(ValidationError, match="must be an amount"):
        said("amount", cell)


def test_an_amount_has_whole_cents() -> None:
    with pytest.raises(ValidationError, match="at most two decimals"):
        said("amount", "1.234")
    assert said("amount", "1.2300") == Decimal("1.23")
    with pytest.raises(ValidationError, match="must be an amount"):
        said("amount", "1.5.5", decimal=",")


@pytest.mark.parametrize(
    ("cell", "number"), [("40", 40), ("40%", 40), ("40.0", 40), (40, 40), (40.0, 40), (None, None)]
)
def test_a_whole_number_may_be_a_percentage(cell: Any, number: int | None) -> None:
    assert said("whole", cell) == number


@pytest.mark.parametrize("cell", ["40.5", "many", True, 40.5, [4]])
def test_what_is_no_whole_number_is_refused(cell: Any) -> None:
    with pytest.raises(ValidationError, match="must be a whole number"):
        said("whole", cell)


def test_a_day_without_a_time_begins_at_midnight_where_the_organisation_is() -> None:
    assert said("moment", "2024-07-01", zone=BERLIN) == datetime(2024, 6, 30, 22, tzinfo=UTC)
    assert said("moment", "2024-07-01 09:30", zone=BERLIN) == datetime(2024, 7, 1, 7, 30, tzinfo=UTC)
    assert said("moment", "2024-07-01T09:30:00Z", zone=BERLIN) == datetime(2024, 7, 1, 9, 30, tzinfo=UTC)
    assert said("moment", datetime(2024, 7, 1, tzinfo=BERLIN)) == datetime(2024, 6, 30, 22, tzinfo=UTC)


def test_a_day_is_the_one_that_it_is_where_the_organisation_is() -> None:
    assert said("day", "2024-07-01", zone=BERLIN) == date(2024, 7, 1)
    assert said("day", "2024-06-30T23:00:00Z", zone=BERLIN) == date(2024, 7, 1)
    assert said("day", date(2024, 7, 1)) == date(2024, 7, 1)
    assert said("day", None) is None


def test_dates_have_the_formats_that_are_named_and_then_iso() -> None:
    dates = ("%d/%m/%Y", "%d/%m/%Y %H:%M")
    assert said("day", "05/01/2024", dates=dates) == date(2024, 1, 5)
    assert said("moment", "05/01/2024 14:00", dates=dates) == datetime(2024, 1, 5, 14, tzinfo=UTC)
    assert said("day", "2024-01-05", dates=dates) == date(2024, 1, 5)
    with pytest.raises(ValidationError, match="or %d/%m/%Y"):
        said("day", "2024/01/05", dates=dates)


@pytest.mark.parametrize("cell", ["05/01/2024", "soon", "2024-02-30", "", "0001-01-01", 20240101, "2" * 50])
def test_what_is_no_date_is_refused(cell: Any) -> None:
    with pytest.raises(ValidationError, match="--date-format"):
        said("moment", cell, zone=BERLIN)


def test_parts_are_json() -> None:
    assert said("parts", "[1, 2]") == [1, 2]
    assert said("parts", [3]) == [3]
    with pytest.raises(ValidationError, match="must be JSON"):
        said("parts", "[1,")


# formulas


@given(st.text())
def test_a_text_that_is_made_harmless_comes_back_as_it_was(text: str) -> None:
    cell = neutral(text)
    assert plain(cell) == text
    assert cell[:1] not in set(RISKY) - {"'"}
    assert text == "" or not cell.isspace()
