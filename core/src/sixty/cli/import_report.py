"""What `sixty import` says at its end, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sixty.values import counted, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sixty.exchange.importing import Report

__all__ = ["tell"]

NAMED = 5
"""So many of those that were made are named."""


def tell(told: Mapping[str, Any], report: Report) -> None:
    """Print the report; what is wrong with lines goes to standard error."""
    would = "would be " if told["dry_run"] else ""
    parts = [f"{told[fate]:,} {would}{fate}" for fate in ("made", "updated") if told[fate]]
    parts += [f"{told[fate]:,} {fate}" for fate in ("unchanged", "skipped", "rejected") if told[fate]]
    click.echo(f"{counted(told['lines'], 'line')} of {told['kind']}: {', '.join(parts) or 'nothing to do'}")
    for group, (count, amount) in sorted(report.totals.items()):
        click.echo(f"  {group:<10} {count:>10,} {amount:>20,.2f}")
    if told["without_owner"]:
        click.echo(f"{counted(told['without_owner'], 'line')} without an owner")
    for what, made in (("user", told["users_made"]), ("team", told["teams_made"])):
        if made:
            names = ", ".join(one["email"] if isinstance(one, dict) else one for one in made[:NAMED])
            more = f" and {len(made) - NAMED:,} more" if len(made) > NAMED else ""
            click.echo(f"{len(made):,} {what if len(made) == 1 else plural(what)} {would}made: {names}{more}")
    for line, reason in report.problems:
        click.echo(f"line {line}: {reason}", err=True)
    if told["rejects"] is not None:
        click.echo(f"What did not go in is in {told['rejects']}", err=True)
