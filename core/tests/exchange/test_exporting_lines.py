"""Whatever a line says, it says again when it has been written and read."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from sixty.exchange import Amount, AtMoment, Form, Line, OnDay, Parts, Whole
from sixty.exchange.exporting import columns_of
from sixty.exchange.files import TextFile
from sixty.exchange.formulas import RISKY
from sixty.exchange.mapping import Mapper, Wanted
from sixty.exchange.rows import opened
from sixty.exchange.writing import FORMATS, writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sixty.exchange.writing import Format

ID = "0198c2f0-0000-7000-8000-000000000001"


class Stay(BaseModel):
    where: str
    since: AtMoment = None
    paid: Amount = None


class Note(Line):
    title: str | None = None
    body: str | None = None
    worth: Amount = None
    pages: Whole = None
    due: OnDay = None
    at: AtMoment = None
    stays: Annotated[list[Stay] | None, Parts] = None


FORM = Form(name="notes", kind=None, line=Note, put=None, take=None)  # type: ignore[arg-type] - nothing is stored here
COLUMNS = columns_of(FORM)

nasty = st.text(
    st.one_of(
        st.sampled_from("=+-@\t\r\n'\";,| \u2028\ufeffé€𝄞"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    )
)
amounts = st.decimals(min_value=Decimal(-(10**14)), max_value=Decimal(10**14), places=2)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
lines = st.builds(
    Note,
    id=st.just(ID),
    owner=st.none() | st.just("ann@example.com"),
    created_at=moments,
    title=st.none() | nasty,
    body=st.none() | nasty,
    worth=st.none() | amounts,
    pages=st.none() | st.integers(-(10**12), 10**12),
    due=st.none() | st.dates(date(1970, 1, 1), date(2200, 1, 1)),
    at=st.none() | moments,
    stays=st.none()
    | st.lists(st.builds(Stay, where=nasty, since=moments, paid=amounts.filter(bool)), min_size=1, max_size=3),
)


def written(form: Format, said: Sequence[Note]) -> str:
    file = io.StringIO(newline="")
    writer(form, file, COLUMNS).write(said)
    return file.getvalue()


def read(form: Format, text: str) -> list[Note]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "notes")
        path.write_bytes(text.encode())
        with opened(TextFile.at(path), form=form, columns=tuple(Note.model_fields)) as table:
            mapper = Mapper.of(FORM, table, Wanted())
            return [Note.model_validate(mapper.fields(row.cells)) for row in table.rows if row.problem is None]


@pytest.mark.parametrize("form", FORMATS)
@given(said=st.lists(lines, max_size=4))
@settings(max_examples=60, deadline=None)
@example(said=[Note(id=ID, title="", body=" ", worth=Decimal(0), pages=0)])
@example(said=[Note(id=ID, title="'", body="''=1"), Note(id=ID, title="a\rb\nc\r\nd", body='"')])
@example(said=[Note(id=ID, title="\ufeff", body="sep=;")])
def test_lines_that_were_written_are_read_as_they_were(form: Format, said: list[Note]) -> None:
    again = read(form, written(form, said))
    assert again == said
    assert written(form, again) == written(form, said)


@given(text=nasty)
def test_no_cell_begins_with_what_a_spreadsheet_would_run(text: str) -> None:
    from csv import reader  # noqa: PLC0415 - what a spreadsheet makes of it

    rows = list(reader(io.StringIO(written("csv", [Note(title=text)]), newline="")))
    cell = rows[1][COLUMNS.index("title")]
    assert cell[:1] not in (*RISKY.replace("'", ""),)


def test_lines_of_json_leave_out_what_nobody_said() -> None:
    (line,) = written("jsonl", [Note(id=ID, title="A", worth=Decimal("12.50"), pages=3)]).splitlines()
    assert json.loads(line) == {"id": ID, "title": "A", "worth": 12.5, "pages": 3}


@pytest.mark.parametrize("amount", ["99999999999999.99", "0.1", "12345678901234.56"])
def test_amounts_are_exact_in_lines_of_json(amount: str) -> None:
    (again,) = read("jsonl", written("jsonl", [Note(id=ID, worth=Decimal(amount))]))
    assert again.worth == Decimal(amount)


def test_a_value_that_no_file_can_hold_is_a_mistake_of_the_form() -> None:
    class Odd(Note):
        title: Any = None

    with pytest.raises(TypeError, match="not JSON serializable"):
        written("jsonl", [Odd(title=object())])


def test_in_files_of_others_no_value_is_0_and_no_text_is_empty() -> None:
    (csv,) = read("csv", "title,worth\r\n,0\r\n")
    (line,) = read("jsonl", '{"title": "", "worth": 0}\n')
    assert (csv.title, csv.worth, line.title, line.worth) == (None, None, None, None)
