"""Looking into the files that reports become."""

from __future__ import annotations

import csv
import io
import json
import struct
import zlib
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

from openpyxl import load_workbook

__all__ = ["Page", "of_csv", "of_json", "of_xlsx", "pixels"]

Tables = dict[str, list[list[Any]]]
"""The rows of each table, by its title."""


class Page(HTMLParser):
    """What is in a page. Every element is closed in its order; nothing runs, and nothing is fetched."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        names = {name for _, found in self.tags for name in found}
        assert not {"script", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in self.tags}
        assert not {name for name in names if name.startswith("on") or name in ("href", "action", "srcset")}
        for image in self.all("img"):
            kind, _, content = str(image["src"]).partition(",")
            assert kind == "data:image/svg+xml;base64"
            assert ET.fromstring(b64decode(content)).tag.endswith("svg")  # noqa: S314 - we have just written it
            assert image["alt"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def of_json(text: str) -> Tables:
    """The tables of a report as JSON."""
    return {
        table["title"]: [[row.get(column["key"]) for column in table["columns"]] for row in table["rows"]]
        for table in json.loads(text)["tables"]
    }


def of_xlsx(written: bytes) -> Tables:
    """The tables of a report as a workbook, in which no cell is a formula."""
    book = load_workbook(io.BytesIO(written))
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)
    sheets = [sheet for sheet in book if sheet.title not in ("Summary", "Charts", "Definitions")]
    assert {sheet.freeze_panes for sheet in sheets} == {"A2"}
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] for sheet in sheets}


def of_csv(text: str, titles: list[str]) -> Tables:
    """The tables of a report as CSV, in which no text would run; cells are texts."""
    assert text.count("\n") == text.count("\r\n")
    lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    cells = [cell for line in lines for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))]
    assert not [cell for cell in cells if cell.startswith("-") and not cell[1:].replace(".", "").isdigit()]
    found: Tables = {}
    for title in titles:
        begin = lines.index([title])
        end = next((place for place in range(begin, len(lines)) if not lines[place]), len(lines))
        wide = [line for line in lines[begin:end] if len(line) > 1]
        found[title] = [list(line) for line in wide[1:]]
    return found


def pixels(png: bytes) -> tuple[int, int]:
    """The size of a PNG whose every part is whole."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, kinds = 8, []
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        body = png[place + 4 : place + 8 + length]
        assert struct.unpack(">I", png[place + 8 + length : place + 12 + length])[0] == zlib.crc32(body)
        kinds.append(body[:4])
        place += 12 + length
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    width, height = struct.unpack(">II", png[16:24])
    return width, height
