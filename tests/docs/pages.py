"""The pages of the documentation as data: their code blocks, and which file a block is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "ROOT", "Block", "Page", "pages"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LABEL = re.compile(r"^`([\w./-]+)`(?:, (in addition))?:$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One code block. A line such as `` `client.py`: `` before it says which file it is, or is added to."""

    language: str
    text: str
    line: int
    file: str | None
    adds: bool


@dataclass(frozen=True)
class Page:
    """One page, by its name."""

    path: Path

    @property
    def name(self) -> str:
        """How the page is called in the names of tests."""
        return self.path.name

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        """Its code blocks, from top to bottom."""
        text, found = self.text, []
        for match in _BLOCK.finditer(text):
            before = text[: match.start()].rstrip().rpartition("\n")[2]
            label = _LABEL.fullmatch(before)
            line = text.count("\n", 0, match.start()) + 2
            found.append(Block(match[1], match[2], line, label[1] if label else None, bool(label and label[2])))
        return found

    def section(self, title: str) -> str:
        """What stands under a heading, up to the next one of any level."""
        match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", self.text, re.MULTILINE | re.DOTALL)
        assert match is not None, f"{self.name} has no section {title!r}"
        return match[1]


def pages() -> list[Page]:
    """Every page that people are sent to."""
    return [
        Page(ROOT / "README.md"),
        Page(ROOT / "CONTRIBUTING.md"),
        *(Page(path) for path in sorted(DOCS.glob("*.md"))),
    ]
