"""Which of our errors are the protocol's to answer, and as what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from sixty.errors import Unauthenticated, UnknownTool

if TYPE_CHECKING:
    from sixty.errors import Unavailable
    from sixty.outcome import Outcome

__all__ = ["RATE_LIMITED", "UNAUTHENTICATED", "UNAVAILABLE", "nothing_at", "protocol_error", "refused"]

UNAUTHENTICATED = -32010
"""The JSON-RPC error of a message whose credential is not, or no longer, accepted."""
UNAVAILABLE = -32011
"""The JSON-RPC error of a message that cannot be answered right now, such as while the database is away."""
RATE_LIMITED = -32012
"""The JSON-RPC error of a message that comes too soon after others."""
RESOURCE_NOT_FOUND = -32002
"""The JSON-RPC error of the handshake era for an address at which there is nothing."""

_CODES = {"invalid": INVALID_PARAMS, "rate_limited": RATE_LIMITED, "unavailable": UNAVAILABLE}


def protocol_error(error: Unauthenticated | UnknownTool | Unavailable) -> MCPError:
    """What is the protocol's to answer, and not a tool's."""
    if isinstance(error, UnknownTool):
        return MCPError(code=INVALID_PARAMS, message=error.message)
    code = UNAUTHENTICATED if isinstance(error, Unauthenticated) else UNAVAILABLE
    return MCPError(code=code, message=error.message, data=error.to_json())


def nothing_at(uri: str, protocol_version: str) -> MCPError:
    """That there is no such resource, for the reader."""
    code = INVALID_PARAMS if protocol_version in MODERN_PROTOCOL_VERSIONS else RESOURCE_NOT_FOUND
    return MCPError(code=code, message="Resource not found", data={"uri": uri})


def refused(outcome: Outcome) -> MCPError:
    """A call's typed error, where the protocol has no place for one in a result."""
    error = outcome.structured["error"]
    return MCPError(code=_CODES.get(error["code"], INTERNAL_ERROR), message=error["message"], data=error)
