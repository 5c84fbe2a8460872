"""Asking the person at the terminal before something is done that they may not want."""

from __future__ import annotations

import sys

import click

__all__ = ["confirm", "is_terminal", "yes"]

yes = click.option("--yes", is_flag=True, help="Do not ask, for scripts.")
"""The option of every command that asks."""


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if somebody has said yes. Without a terminal there is nobody to ask, and nothing is done."""
    if yes:
        return
    if not is_terminal():
        raise click.ClickException("there is no terminal to ask on, and so nothing was done; --yes says yes")
    click.confirm(question, abort=True)


def is_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()
