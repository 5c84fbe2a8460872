"""Who runs this process, as the operating system knows them: for the audit trail, never for a decision."""

from __future__ import annotations

import getpass
import os
import socket
from functools import cache

__all__ = ["operator"]


@cache
def operator() -> str:
    """The user and the machine, such as `ann@crm-1`; `root for ann@crm-1` where sudo made it so."""
    name = _name()
    whom = os.environ.get("SUDO_USER")
    return f"{name}{f' for {whom}' if whom and whom != name else ''}@{socket.gethostname()}"


def _name() -> str:
    try:
        import pwd  # noqa: PLC0415 - there is none for Windows

        return pwd.getpwuid(os.getuid()).pw_name  # the environment could say anything
    except KeyError:  # a container runs as a number that has no name
        return str(os.getuid())
    except ImportError:
        return getpass.getuser()
