"""`sixty plugins new`: a pack whose first test passes, which is the one in `sixty/template` by another name."""

from __future__ import annotations

import asyncio
import keyword
import os
import re
import shlex
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import click

from sixty.errors import OperatorError

__all__ = ["TEMPLATE", "new"]

TEMPLATE = Path(__file__).parents[1] / "template"
"""A whole pack, called `example`. Its records are `thing` and `things` in code, and `item` and `items` in prose."""
LONGEST = 40
"""Characters of a name, so that the names of tables and tools that come from it are not too long."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_WORDS = re.compile(r"sixty-example|example|Example|(?<![a-z])things?|Things?|THINGS?|\b[Ii]tems?")


@click.command()
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="Where to make the pack's folder; the current folder by default.",
)
def new(name: str, into: Path) -> None:
    """Make a pack called NAME in a folder sixty-NAME, and say what to type next."""
    _check(name)
    folder = into / f"sixty-{name.replace('_', '-')}"
    if folder.exists():
        raise OperatorError(
            f"{folder} is there already, and nothing in it is overwritten: move it away, choose another name, "
            "or another place with --into"
        )
    _write(folder, _words(name))
    path = folder.as_posix() if folder.is_absolute() else f"./{folder.as_posix()}"  # else pip looks for it elsewhere
    click.echo(f"The pack {name} is in {folder}. Type next:\n")
    click.echo(f"    pip install -e {shlex.quote(f'{path}[testing]')}")
    click.echo(f"    pytest {shlex.quote(path)}")
    click.echo(f"    sixty plugins show {name}")


def _check(name: str) -> None:
    """Raise `OperatorError` unless a pack can have that name here."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise OperatorError(
            f"{name!r} cannot be a pack's name: write small letters, digits and underscores, beginning with a letter, "
            f"at most {LONGEST} characters, such as site_visits"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise OperatorError(f"{name!r} is a keyword of Python: choose another name, such as {name}_notes")
    if name in sys.stdlib_module_names:
        raise OperatorError(f"{name!r} is a module of Python itself: choose another name, such as sales_{name}")
    from sixty.config import load_settings  # noqa: PLC0415 - only who makes a pack needs what is installed
    from sixty.lifecycle import GROUP, discover  # noqa: PLC0415 - as above

    one, many = _one_and_many(name)
    registry = asyncio.run(discover(load_settings(), os.environ))
    installed = {"core", *(entry.name for entry in entry_points(group=GROUP))}
    taken = f"there is a pack {name!r} already" if name in installed else None
    for what in (f"table {many}", f"kind {one}", f"resource {many}", f"tool add_{one}", f"tool find_{many}"):
        if (owner := registry.owners.get(what)) is not None:
            taken = taken or f"the {what} belongs to {owner}"
    if find_spec(f"sixty_{name}") is not None:
        taken = taken or f"there is a module sixty_{name} already"
    if taken is not None:
        raise OperatorError(f"{taken}: choose another name; `sixty plugins list` shows the packs that are here")


def _one_and_many(name: str) -> tuple[str, str]:
    """What a record of the pack is called, and what several of them are; as far as English goes by rules."""
    if re.search(r"[^aeiou]ies$", name):
        return f"{name[:-3]}y", name
    if re.search(r"(s|x|ch|sh)es$", name):
        return name[:-2], name
    if re.search(r".[^isu]s$", name):
        return name[:-1], name
    if re.search(r"[^aeiou]y$", name):
        return name, f"{name[:-1]}ies"
    return name, f"{name}es" if re.search(r"(s|x|ch|sh)$", name) else f"{name}s"


def _words(name: str) -> dict[str, str]:
    """What stands in a new pack in place of each word of the template."""
    one, many = _one_and_many(name)
    words = {"sixty-example": f"sixty-{name.replace('_', '-')}", "example": name, "Example": _camel(name)}
    for of_template, prose, actual in (("thing", "item", one), ("things", "items", many)):
        spoken = actual.replace("_", " ")
        words |= {of_template: actual, of_template.capitalize(): _camel(actual), of_template.upper(): actual.upper()}
        words |= {prose: spoken, prose.capitalize(): spoken.capitalize()}
    return words


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _write(folder: Path, words: dict[str, str]) -> None:
    def said(text: str) -> str:
        return _WORDS.sub(lambda match: words[match[0]], text)

    try:
        for path in sorted(TEMPLATE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                target = folder / said(path.relative_to(TEMPLATE).as_posix())
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(said(path.read_text(encoding="utf-8")), encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"cannot write {folder}: {error.strerror}; choose another place with --into") from error
