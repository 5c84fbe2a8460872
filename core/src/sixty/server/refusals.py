"""Which of our errors are the protocol's to answer, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from sixty.errors import Unauthenticated, UnknownTool

if TYPE_CHECKING:
    from sixty.errors import Unavailable

__all__ = ["RATE_LIMITED", "UNAUTHENTICATED", "UNAVAILABLE", "protocol_error"]

UNAUTHENTICATED = -32010
"""The JSON-RPC error of a message whose credential is not, or no longer, accepted."""
UNAVAILABLE = -32011
"""The JSON-RPC error of a message that cannot be answered right now, such as while the database is away."""
RATE_LIMITED = -32012
"""The JSON-RPC error of a message that comes too soon after others."""


def protocol_error(error: Unauthenticated | UnknownTool | Unavailable) -> MCPError:
    """What is the protocol's to answer, and not a tool's."""
    if isinstance(error, UnknownTool):
        return MCPError(code=INVALID_PARAMS, message=error.message)
    code = UNAUTHENTICATED if isinstance(error, Unauthenticated) else UNAVAILABLE
    return MCPError(code=code, message=error.message, data=error.to_json())
