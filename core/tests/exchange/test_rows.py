"""The rows of files: in whatever encoding, with whatever is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixty.errors import OperatorError
from sixty.exchange import rows as reading
from sixty.exchange.files import LONGEST_LINE, TextFile
from sixty.exchange.rows import ABSENT, opened

if TYPE_CHECKING:
    from pathlib import Path

Found = tuple[int, list[Any], str | None]


def read(path: Path, content: bytes | str, *, encoding: str | None = None, **options: Any) -> tuple[Any, list[Found]]:
    path = path / "file" if path.is_dir() else path
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with opened(TextFile.at(path, encoding), **{"form": "csv", **options}) as table:
        return table, [(row.line, list(row.cells), row.problem) for row in table.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_with_and_without_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    content = "name,city\nJosé Núñez,Köln\nAnn,Łódź\n".encode(encoding)
    table, rows = read(tmp_path, content)
    assert table.columns == ["name", "city"]
    assert [cells for _, cells, _ in rows] == [["José Núñez", "Köln"], ["Ann", "Łódź"]]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Café Zürich, Größe"),
        ("cp1251", "Иван Петров из Москвы"),
        ("cp932", "田中太郎と株式会社の取引"),
    ],
)
def test_other_encodings_are_found_out(tmp_path: Path, encoding: str, text: str) -> None:
    content = "name\n" + "plain,\n" * 9000 + f"{text}\n" * 3  # beyond the first bytes that are looked at
    _, rows = read(tmp_path, content.encode(encoding), delimiter=";")
    assert [cells for _, cells, _ in rows[-3:]] == [[text]] * 3


def test_an_encoding_that_is_named_counts(tmp_path: Path) -> None:
    _, rows = read(tmp_path, "name\nŁódź\n".encode("cp1250"), encoding="windows-1250")
    assert rows == [(2, ["Łódź"], None)]
    with pytest.raises(OperatorError, match="there is no encoding 'utf8000'"):
        read(tmp_path, "name\n", encoding="utf8000")


def test_bytes_that_are_no_text_are_left_to_the_field_that_has_them(tmp_path: Path) -> None:
    _, rows = read(tmp_path, b"a,b\nok,\xff\xfe\n", encoding="utf-8")
    assert rows == [(2, ["ok", "\udcff\udcfe"], None)]
    _, rows = read(tmp_path, b"a,b\nok,\xc3", encoding=None)  # cut off in the middle of a letter
    assert rows == [(2, ["ok", "\udcc3"], None)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    table, rows = read(tmp_path, f'id{delimiter}"name, or so; or"\n1{delimiter}Ann\n')
    assert (table.delimiter, table.columns, rows) == (delimiter, ["id", "name, or so; or"], [(2, ["1", "Ann"], None)])


def test_a_spreadsheets_own_note_of_the_delimiter_counts(tmp_path: Path) -> None:
    table, rows = read(tmp_path, "sep=;\na,b;c\n1;2\n")
    assert (table.columns, rows) == (["a,b", "c"], [(3, ["1", "2"], None)])


def test_newlines_quotes_and_delimiters_may_be_in_quotes(tmp_path: Path) -> None:
    _, rows = read(tmp_path, 'a,b\r\n"one\r\ntwo","say ""hi"", please"\r\n\r\n3,4')
    assert rows == [(2, ["one\r\ntwo", 'say "hi", please'], None), (5, ["3", "4"], None)]


def test_a_row_of_another_width_is_none(tmp_path: Path) -> None:
    _, rows = read(tmp_path, "a,b\n1\n1,2,3\n4,5\n")
    assert [(line, problem) for line, _, problem in rows] == [
        (2, "it has 1 cells, and the file has 2 columns"),
        (3, "it has 3 cells, and the file has 2 columns"),
        (4, None),
    ]


def test_a_file_that_is_cut_off_says_so_and_gives_what_is_whole(tmp_path: Path) -> None:
    _, rows = read(tmp_path, 'a,b\n1,2\n3,"four\nfive')
    assert rows[0] == (2, ["1", "2"], None)
    line, cells, problem = rows[1]
    assert (line, cells) == (3, ['3,"four'])
    assert problem is not None
    assert "cut off" in problem
    assert rows[2][0] == 4
    assert "1 cells" in str(rows[2][2])


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    _, rows = read(tmp_path, 'a,b\n1,"2\n' + "3,4\n" * 5 + '5,"6"\n7,"8"x\n9,10\n')
    good = [cells for _, cells, problem in rows if problem is None]
    assert good == [["3", "4"]] * 5 + [["5", "6"], ["9", "10"]]
    assert [(line, cells) for line, cells, problem in rows if problem] == [(2, ['1,"2']), (9, ['7,"8"x'])]


def test_a_cell_without_end_costs_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = reading.csv.field_size_limit(1000)
    try:
        _, rows = read(tmp_path, 'a,b\n1,"2\n' + "3,4\n" * 400)
    finally:
        reading.csv.field_size_limit(before)
    assert len(rows) == 401
    assert [(line, "missing" in str(problem)) for line, _, problem in rows if problem] == [(2, True)]


def test_a_line_without_end_costs_one_row(tmp_path: Path) -> None:
    _, rows = read(tmp_path, "a,b\n" + "x" * (2 * LONGEST_LINE + 5) + "\n1,2\n")
    assert [(line, problem is None) for line, _, problem in rows] == [(2, False), (3, True)]
    content = '{"a": "' + "x" * LONGEST_LINE + '"}\n{"a": 1}\n'
    _, rows = read(tmp_path, content, form="jsonl", columns=("a",))
    assert [(line, cells) for line, cells, problem in rows if problem is None] == [(2, [1])]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no first line"),
        ("  \n1,2\n", "no first line"),
        (",".join("c" for _ in range(2000)), "2,000 columns"),
        (",".join("column" for _ in range(1_000_000)), "more than 1,000,000 characters"),
        ('a,"b\n', "cannot be read"),
    ],
)
def test_a_first_line_that_is_no_header_is_refused(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(OperatorError, match=says):
        read(tmp_path, content)


def test_columns_may_be_there_twice_and_without_a_name(tmp_path: Path) -> None:
    table, rows = read(tmp_path, " a ,b,a,,\n1,2,3,4,5\n")
    assert table.columns == ["a", "b", "a", "", ""]
    assert table.twice == {"a"}
    assert rows == [(2, ["1", "2", "3", "4", "5"], None)]


def test_lines_of_json_have_the_columns_that_are_asked_for(tmp_path: Path) -> None:
    content = '{"a": 1, "b": "", "c": [2]}\n\n[1]\nnonsense\n{"c": null}\n'
    table, rows = read(tmp_path, content, form="jsonl", columns=("a", "b", "c"))
    assert table.delimiter is None
    assert rows[0] == (1, [1, None, [2]], None)
    assert (rows[1][0], rows[1][2]) == (3, "a line must be a JSON object: {…}")
    assert rows[2][0] == 4
    assert "not a line of JSON" in str(rows[2][2])
    assert rows[3] == (5, [ABSENT, ABSENT, None], None)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"cannot read .*No such file"):
        TextFile.at(tmp_path / "nowhere.csv")


@settings(max_examples=60)
@given(content=st.binary(max_size=300))
def test_whatever_is_in_a_file_it_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    try:
        table, rows = read(path, content)
    except OperatorError:
        return
    assert all(problem or len(cells) == len(table.columns) for _, cells, problem in rows)
