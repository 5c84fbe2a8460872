"""`sixty plugins check`: whether a pack keeps to the rules, told so that its author knows what to do."""

from __future__ import annotations

from importlib.util import find_spec
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click

from sixty.cli.opening import exit_with
from sixty.cli.output import as_json, print_json, show
from sixty.config import PREFIX
from sixty.errors import OperatorError

if TYPE_CHECKING:
    from sixty.testing.checking import Checked, Finding

__all__ = ["check"]

_MARKS = {"kept": "✓", "broken": "✗", "skipped": "–"}  # noqa: RUF001 - a dash, as between words


def _settings(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    settings = {name: value for name, _, value in (text.partition("=") for text in given)}
    for name in settings:
        if not name.startswith(PREFIX) or not all("=" in text for text in given):
            raise click.BadParameter(f"write {PREFIX}NAME=VALUE, as in the environment of a server")
    return settings


@click.command()
@click.argument("pack", metavar="PATH")
@click.option(
    "--env", "environ", metavar="NAME=VALUE", multiple=True, callback=_settings, help="A setting to check it with."
)
@as_json
def check(pack: str, environ: dict[str, str], *, as_json: bool) -> None:
    """Check the pack in the folder PATH, or the installed pack of that name, and exit with 1 if it breaks a rule.

    The rules are those of `sixty.testing.PluginSuite`. They are asked for on SQLite, in a process of their own, and
    on Postgres too where TEST_POSTGRES_URL names a server. No setting of the environment has an effect.
    """
    if missing := [name for name in ("hypothesis", "pytest") if find_spec(name) is None]:
        raise OperatorError(f"the check needs {' and '.join(missing)}: type pip install 'sixty-core[testing]'")
    from sixty.testing.checking import check, subject_of  # noqa: PLC0415 - it needs pytest

    checked = check(subject_of(pack), environ)
    if as_json:
        print_json(_as_json(checked))
    else:
        _print(checked)
    exit_with(0 if checked.is_kept else 1)


def _print(checked: Checked) -> None:
    """The report, for people."""
    more = "" if len(checked.databases) > 1 else "; set TEST_POSTGRES_URL to check it on Postgres too"
    click.echo(f"{checked.subject.name}, on {' and '.join(checked.databases)}{more}.\n")
    for finding in checked.findings:
        click.echo(_told(finding))
    if checked.sizes:
        click.echo("\nWhat every agent reads of it, in bytes:\n")
        average = sum(checked.sizes.values()) // len(checked.sizes)
        largest = sorted(checked.sizes.items(), key=lambda it: -it[1])
        rows = [*largest, ("all", sum(checked.sizes.values())), (f"on average, of {_bound()} at most", average)]
        show([{"tool": name, "bytes": size} for name, size in rows], as_json=False, empty="")
    counts = {mark: sum(finding.outcome == mark for finding in checked.findings) for mark in _MARKS}
    click.echo(f"\n{', '.join(f'{count} {outcome}' for outcome, count in counts.items())}.")


def _told(finding: Finding) -> str:
    title = f"{_MARKS[finding.outcome]} {finding.rule.title}"
    if finding.outcome == "skipped":
        return f"{title} (skipped: {finding.problems[0]})"
    if finding.outcome == "kept":
        return title
    lines = [f"wrong: {problem}" for problem in finding.problems]
    lines += [f"why:   {finding.rule.why}", f"mend:  {finding.rule.mend}"]
    return "\n".join([title, *(indent(line, "    ") for line in lines)])


def _bound() -> int:
    from sixty.testing.declared import BYTES  # noqa: PLC0415 - as above

    return BYTES


def _as_json(checked: Checked) -> dict[str, Any]:
    """The report, for machines."""
    return {
        "pack": checked.subject.name,
        "kept": checked.is_kept,
        "databases": checked.databases,
        "rules": [
            {
                "rule": finding.rule.title,
                "outcome": finding.outcome,
                "problems": finding.problems,
                "why": finding.rule.why,
                "mend": finding.rule.mend,
            }
            for finding in checked.findings
        ],
        "bytes": {"most_on_average": _bound(), "tools": checked.sizes},
    }
