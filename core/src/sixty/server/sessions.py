"""The SDK's sessions of streamable HTTP, with ids that a proxy can choose, and a refusal that says how to go on."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import INVALID_REQUEST

from sixty.server.proxies import new_session_id
from sixty.server.replies import refuse

if TYPE_CHECKING:
    from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
    from mcp.server.streamable_http import StreamableHTTPServerTransport
    from starlette.types import Receive, Scope, Send

__all__ = ["Sessions"]

_OPENING: ContextVar[Scope] = ContextVar("sixty_opening")
"""The request that may open a session."""


class Sessions(StreamableHTTPSessionManager):
    """Those of one process. The SDK lets neither the id of a session nor this refusal be chosen in another way."""

    async def _handle_stateful_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_id = dict(scope["headers"]).get(b"mcp-session-id")
        if session_id is not None and not self._serves(session_id.decode("latin-1"), scope):
            message = "there is no such session, or its server is gone: begin anew with `initialize`"
            await refuse(send, 404, INVALID_REQUEST, message)
            return
        _OPENING.set(scope)
        await super()._handle_stateful_request(scope, receive, send)

    def _serves(self, session_id: str, scope: Scope) -> bool:
        """Whether this user has such a session here: that somebody else has is none of their business."""
        user = scope.get("user")
        requestor = authorization_context(user) if isinstance(user, AuthenticatedUser) else None
        return session_id in self._server_instances and self._session_owners.get(session_id) == requestor

    def _admit_session(self, requestor: AuthorizationContext | None) -> StreamableHTTPServerTransport | None:
        transport = super()._admit_session(requestor)
        if transport is not None:
            made, wanted = str(transport.mcp_session_id), new_session_id(_OPENING.get(), self._server_instances)
            self._server_instances[wanted] = self._server_instances.pop(made)
            if made in self._session_owners:
                self._session_owners[wanted] = self._session_owners.pop(made)
            transport.mcp_session_id = wanted
        return transport
