"""`sixty import`: records come in from a file, with their history."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sixty.cli.call import caller
from sixty.cli.import_report import tell
from sixty.cli.opening import exit_with, one_user, with_host
from sixty.cli.output import as_json, print_json
from sixty.errors import Misfit, nearest
from sixty.exchange.cells import Reading
from sixty.exchange.files import TextFile
from sixty.exchange.forms import FORMS
from sixty.exchange.importing import Import
from sixty.exchange.mapping import BESIDE, Wanted
from sixty.exchange.owners import Owners
from sixty.exchange.people import people_at
from sixty.exchange.rejects import Rejects
from sixty.exchange.rows import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sixty.directory import Principal
    from sixty.exchange.forms import Form
    from sixty.host import Host

__all__ = ["form_named", "import_"]


def _pair(_context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """`name=text`, several times."""
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not (value or parameter.name == "columns"):
            raise click.BadParameter(f"write {parameter.metavar}, got {text!r}")
        if pairs.setdefault(name.strip(), value) != value:
            raise click.BadParameter(f"{name.strip()} is given twice: {pairs[name.strip()]!r} and {value!r}")
    return pairs


def _meanings(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, dict[str, dict[str, str]]]:
    """`field.VALUE=what[,field=what…]`, several times: for each field, and value in lower case, what it says."""
    meanings: dict[str, dict[str, dict[str, str]]] = {}
    for place, says in _pair(context, parameter, given).items():
        name, dot, value = place.partition(".")
        if not dot:
            raise click.BadParameter(f"write {parameter.metavar}, got {place}={says!r}: the field comes first")
        told: dict[str, str] = {}
        for part in says.split(","):
            other, equals, what = part.partition("=")
            told |= {other.strip(): what.strip()} if equals else {name: part.strip()}
        meanings.setdefault(name, {})[value.strip().casefold()] = told
    return meanings


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was typed."""

    form: str
    file: Path
    wanted: Wanted
    dates: tuple[str, ...]
    decimal: str
    owners: str
    owner: str | None
    people: Path | None
    people_columns: Mapping[str, str]
    source: str | None
    encoding: str | None
    delimiter: str | None
    format: str | None
    rejects: Path | None
    dry_run: bool
    email: str | None


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("form", metavar="KIND")
@click.argument("file", type=_FILE)
@click.option("--user", "email", metavar="EMAIL", help="Who imports; by default whoever SIXTY_TOKEN belongs to.")
@click.option("--preset", metavar="CRM", help="Whose export it is: hubspot, salesforce or pipedrive.")
@click.option(
    "--map",
    "columns",
    metavar="FIELD=COLUMN",
    multiple=True,
    callback=_pair,
    help="Which column a field is in; FIELD= for none.",
)
@click.option(
    "--value",
    "values",
    metavar="FIELD.VALUE=MEANING[,FIELD=MEANING]",
    multiple=True,
    callback=_meanings,
    help='What a value of the file means: "stage.Lost=opportunity,status=lost".',
)
@click.option(
    "--set",
    "templates",
    metavar="FIELD=TEXT",
    multiple=True,
    callback=_pair,
    help='A text for a field, with columns in it: title="{product} for {account|nobody}".',
)
@click.option("--key", metavar="COLUMN", help="What tells the records apart; by default the whole line.")
@click.option("--source", metavar="NAME", help="Where the keys come from; by default the preset, or the file's name.")
@click.option(
    "--owners",
    type=click.Choice(["match", "make"]),
    default="match",
    show_default=True,
    help="Whether owners must be there, or are made: for admins.",
)
@click.option("--owner", metavar="EMAIL", help="Whose the lines are that name nobody, or nobody who is there.")
@click.option("--people", type=_FILE, help="A csv file with the name, email and team of owners.")
@click.option(
    "--people-map",
    "people_columns",
    metavar="FIELD=COLUMN",
    multiple=True,
    callback=_pair,
    help="Which column of that file has the name, the email, the team.",
)
@click.option("--date-format", "dates", metavar="FORMAT", multiple=True, help="Such as %d/%m/%Y, beside ISO 8601.")
@click.option("--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="Before the cents.")
@click.option("--encoding", metavar="NAME", help="By default it is found out.")
@click.option("--delimiter", metavar="CHARACTER", help="By default it is found out; write tab for a tab.")
@click.option(
    "--format", "format_", type=click.Choice(["csv", "jsonl"]), help="By default what the file's name ends in."
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the lines go that cannot go in; by default FILE.rejected.csv.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@as_json
def import_(**given: Any) -> None:
    """Import deals, contacts, companies, activities or tasks (KIND) from a csv file, or from lines of JSON.

    Running it again changes nothing but what has changed in the file. The exit status is 1 if a line could not go in:
    it is in another file then, with the reason, and the others are in.
    """
    json_wanted = given.pop("as_json")
    wanted = Wanted(**{name: given.pop(name) for name in ("columns", "values", "templates", "preset", "key")})
    options = Options(wanted=wanted, format=given.pop("format_"), **given)
    _run(options, json_wanted)


@with_host
async def _run(host: Host, options: Options, as_json: bool) -> None:  # noqa: FBT001 - it is passed on, not chosen
    principal = await caller(host, options.email)
    form = form_named(host, options.form)
    owners = await _owners(host, principal, options)
    preset = form.presets.get(options.wanted.preset or "")
    reading = Reading(host.timezone, options.dates or (preset.dates if preset else ()), options.decimal)
    with _understood():
        file = TextFile.at(options.file, options.encoding)
    kind = options.format or ("jsonl" if options.file.suffix in (".jsonl", ".ndjson") else "csv")
    columns = tuple(dict.fromkeys((*form.line.model_fields, *BESIDE, *options.wanted.columns.values())))
    with _understood(), opened(file, form=kind, delimiter=_delimiter(options.delimiter), columns=columns) as table:
        rejects = options.rejects or (None if options.dry_run else options.file.with_suffix(".rejected.csv"))
        with Rejects(rejects, table.columns, table.delimiter) as rejected, _shown_progress(file.size) as progress:
            importing = Import(
                host=host,
                principal=principal,
                form=form,
                table=table,
                wanted=options.wanted,
                reading=reading,
                owners=owners,
                rejects=rejected,
                file=options.file.name,
                source=options.source or options.wanted.preset or options.file.stem,
                rehearsing=options.dry_run,
            )
            report = await importing.run(progress)
    written = rejects if rejects is not None and report.fates["rejected"] + report.fates["skipped"] else None
    told = {
        "kind": form.name,
        "file": str(options.file),
        "source": importing.source,
        "encoding": file.encoding,
        "delimiter": table.delimiter,
        "dry_run": options.dry_run,
        "fields": dict(importing.mapper.described),
        **report.to_json(),
        "users_made": [{"email": email, "name": name} for email, name in owners.made.items()],
        "teams_made": owners.teams,
        "rejects": None if written is None else str(written),
    }
    if as_json:
        print_json(told)
    else:
        tell(told, report)
    if report.fates["rejected"]:
        exit_with(1)


def form_named(host: Host, name: str) -> Form:
    """The form of that name. Raises `click.UsageError`."""
    forms = {extended.value.name: extended.value for extended in host.registry.extensions_at(FORMS)}
    if name not in forms:
        known = ", ".join(sorted(forms)) or "nothing: no pack that serves has a form"
        raise click.UsageError(f"there are no {name!r} to exchange{nearest(name, forms)}; there are {known}")
    return forms[name]


async def _owners(host: Host, principal: Principal, options: Options) -> Owners:
    directory = await host.identity.directory()
    with _understood():
        people = None if options.people is None else people_at(options.people, options.people_columns)
        if options.people_columns and options.people is None:
            raise click.UsageError("--people-map says how to read the file that --people names: give that, too")
    return Owners(
        host,
        principal,
        directory,
        make=options.owners == "make",
        default=None if options.owner is None else one_user(directory, options.owner).id,
        people=people,
        rehearsing=options.dry_run,
    )


def _delimiter(given: str | None) -> str | None:
    if given is None or given.lower() in ("tab", "\\t"):
        return None if given is None else "\t"
    if len(given) != 1:
        raise click.UsageError(f"--delimiter is one character, or the word tab, got {given!r}")
    return given


@contextmanager
def _understood() -> Iterator[None]:
    """What does not fit the file is a way of calling the command that it does not understand: exit status 2."""
    try:
        yield
    except Misfit as error:
        raise click.UsageError(str(error)) from error


@contextmanager
def _shown_progress(size: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, which is told how many bytes are done."""
    if not sys.stderr.isatty():
        with nullcontext():
            yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.progress import Progress  # noqa: PLC0415 - as above

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Importing", total=size)
        yield lambda done: bar.update(task, completed=done)
