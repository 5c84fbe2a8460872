"""What most commands begin with: the settings are read, the database is migrated, every pack is loaded."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from sixty.config import load_settings
from sixty.errors import NotFound, nearest
from sixty.host import Host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sixty.directory import Directory, Principal, User

__all__ = ["active", "exit_with", "one_user", "with_host"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def with_host(
    function: Callable[Concatenate[Host, _Arguments], Awaitable[_Result]],
) -> Callable[_Arguments, _Result]:
    """The command that opens a host, runs `function` with it, and closes it."""

    @wraps(function)
    def command(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        async def run() -> _Result:
            async with Host.open(load_settings()) as host:
                return await function(host, *args, **kwargs)

        return asyncio.run(run())

    return command


def one_user(directory: Directory, email: str) -> User:
    """The user with that address, in whatever case; `NotFound` names the nearest."""
    user = directory.users_by_email.get(email.strip().lower())
    if user is None:
        raise NotFound(f"there is no user {email!r}{nearest(email, directory.users_by_email)}")
    return user


def active(directory: Directory, email: str) -> Principal:
    """The principal with that address; `NotFound` also for a disabled one."""
    user = one_user(directory, email)
    principal = directory.principal(user.id)
    if principal is None:
        raise NotFound(f"the account {user.email} is disabled")
    return principal


def exit_with(status: int) -> Any:
    """End the command with this exit status."""
    click.get_current_context().exit(status)
