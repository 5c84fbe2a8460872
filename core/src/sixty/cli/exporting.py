"""`sixty export`: the records of one kind, as a file that `sixty import` takes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sixty.cli.call import caller
from sixty.cli.files import told_by, writing
from sixty.cli.importing import form_named
from sixty.cli.opening import with_host
from sixty.exchange.exporting import columns_of, pages
from sixty.exchange.writing import FORMATS, writer
from sixty.values import counted

if TYPE_CHECKING:
    from sixty.exchange.writing import Format
    from sixty.host import Host

__all__ = ["export"]


@click.command()
@click.argument("what", metavar="KIND")
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="csv, or lines of JSON; by default what the name of the file ends with, and else csv.",
)
@click.option("--user", "email", metavar="EMAIL", help="Who asks; by default whoever SIXTY_TOKEN belongs to.")
@with_host
async def export(host: Host, what: str, path: Path | None, form: Format | None, email: str | None) -> None:
    """Export all deals, contacts, companies, activities or tasks that the user may see, to FILE or standard output.

    The file is there once it is whole. `sixty import` gives the same records back.
    """
    principal = await caller(host, email)
    found = form_named(host, what)
    count = 0
    with writing(path) as file:
        lines = writer(form or told_by(path), file, columns_of(found))
        async for page in pages(host, found, principal):
            lines.write(page)
            count += len(page)
    if path is not None:
        click.echo(f"{counted(count, found.kind.name)} exported to {path}")
