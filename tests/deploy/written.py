"""What `deploy/` says, as data."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def read(path: Path) -> Any:
    """The content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def settings_in(value: Any) -> Iterator[str]:
    """The names of Sixty's settings that occur as keys or as names of variables, wherever they stand."""
    if isinstance(value, dict):
        named = value.get("name")
        yield from (name for name in (named, *value) if isinstance(name, str) and name.startswith("SIXTY_"))
        for item in value.values():
            yield from settings_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from settings_in(item)


@dataclass(frozen=True)
class Instruction:
    """One instruction of the container file, on one line."""

    word: str
    rest: str


def instructions() -> list[Instruction]:
    """What the container file says, from top to bottom."""
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line.strip()]


def last_stage() -> list[Instruction]:
    """What the image itself is made by, after what builds it."""
    found = instructions()
    begins = max(place for place, instruction in enumerate(found) if instruction.word == "FROM")
    return found[begins:]


def variables() -> dict[str, str]:
    """The environment of the image."""
    words = [word for item in last_stage() if item.word == "ENV" for word in shlex.split(item.rest)]
    return dict(word.split("=", 1) for word in words)
