"""The program `sixty`, whose sessions of the handshake era end after as many seconds as the environment says.

They last ten minutes otherwise: a soak of minutes would only see them grow more.
"""

from __future__ import annotations

import os

from sixty.cli import main
from sixty.server import streamable

__all__ = ["IDLE"]

IDLE = "BENCH_SESSION_IDLE"

if __name__ == "__main__":
    assert hasattr(streamable, "SESSION_IDLE")
    streamable.SESSION_IDLE = float(os.environ[IDLE])
    main()
