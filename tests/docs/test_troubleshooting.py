"""What the page on troubleshooting quotes is what the code says."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from pages import DOCS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docs

GAP = "…"
PAGE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
CODES = re.compile(r"`(\d{3}|[a-z_]+)`: ")


def quoted() -> list[str]:
    """Every message at the head of an entry; one may quote a command in its turn."""
    heads = re.findall(r"^(\*\*`.+`\*\*) ·$", PAGE, re.MULTILINE)
    return [CODES.sub("", head.strip("*"), count=1).strip("`") for line in heads for head in line.split("**, **")]


@cache
def spoken() -> tuple[str, ...]:
    """Every text in the code, with a gap for what differs from case to case."""
    sources = [*(ROOT / "core/src").rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    return tuple(text for path in sources for text in _texts(ast.parse(path.read_text(encoding="utf-8"))))


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"%[sdr]", GAP, node.value)


def test_the_page_has_what_people_meet_most() -> None:
    assert len(quoted()) >= 20
    assert len(set(quoted())) == len(quoted())


@pytest.mark.parametrize("message", quoted())
def test_a_message_that_is_quoted_is_one_that_the_code_has(message: str) -> None:
    said = re.compile(".*".join(re.escape(part) for part in message.split(GAP)), re.DOTALL)
    # what is filled in may stand on the page; what the page leaves open may be more than one gap
    gaps = [re.compile(".*".join(map(re.escape, text.split(GAP))), re.DOTALL) for text in _candidates(message)]
    assert any(said.fullmatch(text) for text in spoken()) or any(gap.fullmatch(message) for gap in gaps)


def _candidates(message: str) -> list[str]:
    """Texts of the code that share most of their own words with the message, so that a mere gap does not fit all."""
    return [text for text in spoken() if len(text.replace(GAP, "")) > len(message) / 2]


def test_each_code_that_the_page_names_is_one_of_the_errors_codes() -> None:
    known = {node for node in spoken() if re.fullmatch(r"[a-z_]+", node)} | {"421", "403"}
    named = set(re.findall(r"^\*\*`(\d{3}|[a-z_]+)`: ", PAGE, re.MULTILINE))
    assert named <= known
