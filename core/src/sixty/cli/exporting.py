"""`sixty export`: the records of one kind, as a file that `sixty import` takes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sixty.cli.call import caller
from sixty.cli.files import export_to, in_format
from sixty.cli.importing import form_named
from sixty.cli.opening import with_host
from sixty.exchange.exporting import columns_of, pages

if TYPE_CHECKING:
    from sixty.exchange.writing import Format
    from sixty.host import Host

__all__ = ["export"]


@click.command()
@click.argument("what", metavar="KIND")
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(dir_okay=False, path_type=Path))
@in_format
@click.option("--user", "email", metavar="EMAIL", help="Who asks; by default whoever SIXTY_TOKEN belongs to.")
@with_host
async def export(host: Host, what: str, path: Path | None, form: Format | None, email: str | None) -> None:
    """Export all deals, contacts, companies, activities or tasks that the user may see, to FILE or standard output.

    The file is there once it is whole. `sixty import` gives the same records back.
    """
    principal = await caller(host, email)
    found = form_named(host, what)
    await export_to(path, form, columns_of(found), pages(host, found, principal), one=found.kind.name)
